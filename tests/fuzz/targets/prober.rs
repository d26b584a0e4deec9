//! What the prober takes: the configurator's return value. All that can be read is judged and reported too.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::fuzz_target;
use privatelink_core::config::Mode;
use privatelink_core::dns::Trouble;
use privatelink_core::probe::{
    CONFIGURATOR, Contact, Endpoint, Found, Question, Reached, Resolved, Vantage, contacts, endpoints_in, judge,
    questions, report, targets,
};
use privatelink_fuzz::{is_endpoint, is_service, refusal};
use serde_json::json;

fuzz_target!(|payload: &[u8]| {
    let endpoints = match endpoints_in(payload) {
        Ok(endpoints) => endpoints,
        Err(error) => return refusal(&error),
    };
    for endpoint in &endpoints {
        assert!(is_endpoint(endpoint.id.as_str()));
        assert!(endpoint.service().is_none_or(|service| is_service(service.as_str())));
    }
    // What was read is what the configurator would have written.
    let written = json!({"function": CONFIGURATOR, "endpoints": endpoints}).to_string();
    assert_eq!(endpoints_in(written.as_bytes()).as_ref(), Ok(&endpoints), "{written}");
    let (targets, skipped) = targets(endpoints.clone());
    for from in [Vantage::Inside, Vantage::Anywhere] {
        for luck in 0..3 {
            let found = find(&targets, &endpoints, from, luck);
            let tried = judge(&targets, from, &found);
            let report = report("connectivity-prober", Mode::Enforce, tried, skipped.clone());
            assert!(report.audit().chain([report.summary()]).all(|line| line.is_object()));
        }
    }
});

/// Answers for every question and every contact, of all kinds in turn.
fn find(targets: &[privatelink_core::probe::Target], endpoints: &[Endpoint], from: Vantage, luck: usize) -> Found {
    let of_endpoints = |question: &Question| {
        let own = endpoints.iter().flat_map(|endpoint| {
            let v4 = endpoint.addresses.ipv4.iter().copied().map(IpAddr::V4);
            v4.chain(endpoint.addresses.ipv6.iter().copied().map(IpAddr::V6))
        });
        own.filter(|address| privatelink_core::probe::Family::of(address) == question.family).collect::<Vec<_>>()
    };
    let resolved = |(n, question): (usize, Question)| {
        let own = of_endpoints(&question);
        let said = match (n + luck) % 6 {
            0..=2 if !own.is_empty() => Resolved::To(own),
            3 => Resolved::NoName,
            4 => Resolved::Trouble(Trouble::ServFail),
            5 => Resolved::To(vec![IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))]),
            _ => Resolved::NoRecord,
        };
        (question, said)
    };
    let resolved = questions(targets).into_iter().enumerate().map(resolved).collect();
    let mut found = Found { resolved, ..Found::default() };
    let reached = |(n, contact): (usize, Contact)| {
        let why = || "why".to_owned();
        let came = match (n + luck) % 11 {
            0 => Reached::Works { status: Some(200) },
            1 => Reached::NotTried(why()),
            2 => Reached::NoRoute(why()),
            3 => Reached::TimedOut { source: contact.address },
            4 => Reached::Refused,
            5 => Reached::Cut(why()),
            6 => Reached::Failed(why()),
            7 => Reached::BadCertificate(why()),
            8 => Reached::NoTls(why()),
            9 => Reached::NoHttp(why()),
            _ => Reached::ServerError(503),
        };
        (contact, came)
    };
    found.reached = contacts(targets, from, &found).into_iter().enumerate().map(reached).collect();
    found
}
