//! Short texts that others can write: tags, values of Route 53's, ids, ARNs and names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privatelink_core::endpoint::ports_in;
use privatelink_core::ids::{AccountId, ConnectionId, DnsName, EndpointId, ServiceId, TopicArn};
use privatelink_core::notice::Claim;
use privatelink_core::observed::TAG_NOTIFYING;
use privatelink_core::ownership::{Memory, quoted, unquoted};
use privatelink_fuzz::{is_endpoint, is_service, refusal};
use time::OffsetDateTime;

/// The most characters that a tag's value has.
const LONGEST_TAG: usize = 256;

fuzz_target!(|data: &[u8]| {
    let said = quoted(data);
    assert!(said.is_ascii());
    assert_eq!(unquoted(&said).as_deref(), Some(data));
    let text = String::from_utf8_lossy(data);
    if let Some(said) = unquoted(&text) {
        assert_eq!(unquoted(&quoted(&said)), Some(said));
    }
    memory(&text);
    claim(&text);
    ids(&text);
    match ports_in(&text) {
        Ok(ports) => {
            assert!(!ports.is_empty() && ports.is_sorted());
            let words: Vec<_> = ports.iter().map(ToString::to_string).collect();
            assert_eq!(ports_in(&words.join(" ")), Ok(ports));
        }
        Err(word) => assert!(text.contains(word)),
    }
});

fn memory(text: &str) {
    let memory = Memory::parse(text);
    let written = memory.to_string();
    assert!(written.len() <= LONGEST_TAG, "{written}");
    // What is too long for a tag is left out, and nothing else is. A label is written even where there is none.
    let again = Memory::parse(&written);
    assert!(again == memory || text.len() + "for= ".len() >= LONGEST_TAG, "{written}");
    assert_eq!(Memory::parse(&again.to_string()), again);
}

fn claim(text: &str) {
    let tags = [(TAG_NOTIFYING.to_owned(), text.to_owned())].into();
    let now = OffsetDateTime::UNIX_EPOCH;
    if let Some(claim) = Claim::of_another(&tags, 0, now) {
        assert!(claim.by != 0 && claim.until > now);
        let again = [(TAG_NOTIFYING.to_owned(), claim.to_string())].into();
        assert_eq!(Claim::of_another(&again, 0, now), Some(claim));
    }
}

fn ids(text: &str) {
    check(ServiceId::parse(text), text, |id| id.as_str() == text && is_service(text));
    check(EndpointId::parse(text), text, |id| id.as_str() == text && is_endpoint(text));
    check(ConnectionId::parse(text), text, |id| id.as_str() == text && text.len() > "vpce-con-".len());
    check(AccountId::parse(text), text, |id| id.as_str() == text && text.len() == 12);
    check(TopicArn::parse(text), text, |arn| {
        let rest = text.split(':').skip(3).collect::<Vec<_>>();
        arn.as_str() == text && rest.starts_with(&[arn.region(), arn.account()]) && !arn.region().is_empty()
    });
    check(DnsName::folded(text), text, |name| {
        let above: Vec<_> = name.and_above().collect();
        let whole = name.as_str();
        whole.eq_ignore_ascii_case(text.strip_suffix('.').unwrap_or(text))
            && DnsName::parse(whole).as_ref() == Ok(name)
            && above.iter().all(|above| name.is_within(above))
            && above.len() == whole.split('.').count()
    });
}

/// Whether it is read as it should be, or refused in a few words.
fn check<T, E: std::fmt::Display>(read: Result<T, E>, text: &str, good: impl Fn(&T) -> bool) {
    match read {
        Ok(read) => assert!(good(&read), "{text}"),
        Err(error) => {
            refusal(&error);
            assert!(error.to_string().chars().count() < 200, "a long text is not repeated: {error}");
        }
    }
}
