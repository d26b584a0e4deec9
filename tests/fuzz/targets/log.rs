//! A log as it comes out of CloudWatch, searched for one endpoint.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privatelink_core::history::history;
use privatelink_core::ids::EndpointId;
use privatelink_fuzz::{ids_in, is_service};

fuzz_target!(|data: &[u8]| {
    let log = String::from_utf8_lossy(data);
    let mut told = 0;
    // Those that are in it, and one that is not.
    for id in ids_in(&log).1.into_iter().take(50).chain(["vpce-00000000000000000"]) {
        let entries = history(&log, &EndpointId::parse(id).unwrap());
        assert!(entries.is_empty() || log.contains(id) || log.contains("\\u"), "`{id}` was never in it");
        told += entries.len();
        for entry in entries {
            assert!(entry.service.is_none_or(|service| is_service(service.as_str())));
            assert!(entry.account.is_none_or(|account| account.as_str().len() == 12));
        }
    }
    // A line is about one endpoint, however many it names.
    assert!(told <= log.matches("message").count() || log.contains("\\u"), "{told} lines");
});
