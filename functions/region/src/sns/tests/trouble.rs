//! What goes wrong.

use super::batches::batch;
use super::*;

#[test]
fn too_many_calls_are_throttled_in_sns_words() {
    let clock = Clock::standing(datetime!(2026-01-31 12:00 UTC));
    let region = Region::new(Settings::default(), clock);
    call(&region, "CreateTopic", &[("Name", "notices")]).done();
    for _ in 0..300 {
        publish(&region, &[("Message", "hello")]).done();
    }
    publish(&region, &[("Message", "hello")]).refused(429, "Throttled", "");
    region.step(Duration::from_secs(1));
    publish(&region, &[("Message", "hello")]).done();
}

#[test]
fn what_goes_wrong_on_request_goes_wrong_in_sns_words() {
    let region = region();
    subscribe(&region, NOTICES, "email", "a@example.com", &[]).done();
    let fault = |action: &str, kind, when| {
        region.break_next(Fault { action: action.to_owned(), times: 1, kind, when });
    };
    fault("Publish", FaultKind::Throttled, When::Before);
    publish(&region, &[("Message", "hello")]).refused(429, "Throttled", "");
    fault("Publish", FaultKind::Unauthorized, When::Before);
    publish(&region, &[("Message", "hello")]).refused(403, "AuthorizationError", "");
    assert!(delivered(&region).is_empty());
    fault("Publish", FaultKind::InternalError, When::After);
    let answer = publish(&region, &[("Message", "hello")]);
    assert_eq!((answer.status, answer.field("Type"), delivered(&region).len()), (500, "Receiver", 1));
    fault("PublishBatch", FaultKind::Items("InternalError".to_owned()), When::Before);
    fault("PublishBatch", FaultKind::Items("InternalError".to_owned()), When::After);
    // Items are refused by a call that is carried out: before and after are the same there.
    for _ in 0..2 {
        let answer = batch(&region, &[("a", "x")]).done();
        assert_eq!((answer.field("Code"), answer.field("SenderFault")), ("InternalError", "false"));
    }
    assert_eq!(delivered(&region).len(), 1);
}
