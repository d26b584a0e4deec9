//! Servers that are asked instead of the domain's own.

use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use privatelink_core::dns::{Answer, Delegation, Signatures, Trouble};
use privatelink_dns::Dns;
use tokio::time::Instant;

use crate::server::{Handler, serve};
use crate::world::{RECORD, VALUE, com, example, with_value};
use crate::zone::{authority, reply, resolver, zone};
use crate::{name, soon};

/// A server that knows this one record, and says that to all else.
fn only_txt(else_says: impl Fn(&Message) -> Option<Message> + Send + Sync + 'static) -> Handler {
    Arc::new(move |query, _| {
        let answer = authority(&[zone("example.com", &format!("{RECORD} TXT {VALUE}"))], query);
        let known = query.queries[0].query_type() == RecordType::TXT && !answer.answers.is_empty();
        if known { Some(answer) } else { else_says(query) }
    })
}

#[tokio::test]
async fn a_server_that_knows_only_txt_is_enough_whatever_else_it_says() {
    let code = |code| move |query: &Message| Some(reply(query, code));
    const SILENT: usize = 5;
    let handlers = [
        only_txt(code(ResponseCode::NXDomain)),
        only_txt(code(ResponseCode::NotImp)),
        only_txt(code(ResponseCode::Refused)),
        only_txt(code(ResponseCode::NoError)),
        // Not even the question is repeated.
        only_txt(|query| Some(Message::error_msg(query.metadata.id, query.metadata.op_code, ResponseCode::NotImp))),
        only_txt(|_| None),
    ];
    for (i, handler) in handlers.into_iter().enumerate() {
        let server = serve(handler).await;
        let begun = Instant::now();
        let seen = Dns::servers(vec![server]).seen(&name(RECORD), VALUE, soon()).await;
        let most = if i == SILENT { 2200 } else { 500 };
        assert!(begun.elapsed() < Duration::from_millis(most), "{i}: {:?}", begun.elapsed());
        assert_eq!(seen.answers[0].answer, Answer::Values(vec![VALUE.into()]), "{i}");
        assert_eq!(seen.answers[0].server, server.to_string());
        assert!(matches!(seen.delegation, Delegation::Unknown(_)), "{i}: {:?}", seen.delegation);
        assert_eq!((seen.signatures, seen.doubled), (Signatures::Unknown, None), "{i}");
    }
}

#[tokio::test]
async fn each_given_server_is_asked_by_itself() {
    let has: Handler = Arc::new(|query, _| Some(authority(&[with_value(VALUE)], query)));
    let behind: Handler = Arc::new(|query, _| Some(authority(&[example("")], query)));
    let silent: Handler = Arc::new(|_, _| None);
    let servers = vec![serve(has).await, serve(behind).await, serve(silent).await];
    let seen = Dns::servers(servers).seen(&name(RECORD), VALUE, soon()).await;
    let answers: Vec<_> = seen.answers.into_iter().map(|asked| asked.answer).collect();
    assert_eq!(answers, [Answer::Values(vec![VALUE.into()]), Answer::NoName, Answer::Trouble(Trouble::TimedOut)]);
}

#[tokio::test]
async fn the_first_given_server_says_who_answers_for_the_name() {
    let authority: Handler = Arc::new(|query, _| Some(authority(&[with_value(VALUE)], query)));
    let recursive: Handler = Arc::new(|query, _| Some(resolver(&[com(), with_value(VALUE)], query)));
    for handler in [authority, recursive] {
        let dns = Dns::servers(vec![serve(handler).await]);
        let seen = dns.seen(&name(RECORD), VALUE, soon()).await;
        let servers = vec![name("ns1.example.com"), name("ns2.example.com")];
        assert_eq!(seen.delegation, Delegation::To { zone: name("example.com"), servers });
        assert_eq!(seen.delegation, dns.delegation(&name("api.example.com"), soon()).await);
        assert_eq!(seen.answers[0].answer, Answer::Values(vec![VALUE.into()]));
    }
}

#[tokio::test]
async fn a_denial_by_the_root_means_that_nobody_answers() {
    let root: Handler = Arc::new(|query, _| Some(authority(&[zone(".", ". NS a.root")], query)));
    let dns = Dns::servers(vec![serve(root).await]);
    assert_eq!(dns.delegation(&name(RECORD), soon()).await, Delegation::Nobody);
}

#[tokio::test]
async fn the_doubled_name_is_guessed_where_the_zone_is_unknown() {
    let doubled = format!("{RECORD}.example.com");
    let handler: Handler = Arc::new(move |query, _| {
        let text = query.queries[0].query_type() == RecordType::TXT;
        let zone = zone("example.com", &format!("{doubled} TXT {VALUE}"));
        Some(if text { authority(&[zone], query) } else { reply(query, ResponseCode::Refused) })
    });
    let seen = Dns::servers(vec![serve(handler).await]).seen(&name(RECORD), VALUE, soon()).await;
    assert_eq!(seen.delegation, Delegation::Unknown(Trouble::Refused));
    assert_eq!(seen.doubled, Some(Answer::Values(vec![VALUE.into()])));
}
