//! Messages: what is one, and what becomes of it.

use super::*;

#[test]
fn every_protocol_gets_its_own_form_and_its_own_text() {
    let region = region();
    let mut happenings = region.listen();
    let function = "arn:aws:lambda:us-west-2:111122223333:function:configurator";
    for (protocol, endpoint) in
        [("email", "ops@example.com"), ("sqs", QUEUE), ("https", "https://example.com/hook"), ("lambda", function)]
    {
        subscribe(&region, NOTICES, protocol, endpoint, &[]).done();
    }
    let raw = format!("{QUEUE}-raw");
    subscribe(&region, NOTICES, "sqs", &raw, &[("RawMessageDelivery", "true")]).done();

    let message = json!({"default": "{\"a\": 1}", "email": "dear customer", "lambda": 7}).to_string();
    let mut params = vec![("Subject", "Ready"), ("Message", message.as_str()), ("MessageStructure", "json")];
    params.extend(typed("Available"));
    let answer = publish(&region, &params).done();
    assert_eq!(answer.field("MessageId").len(), 36);
    let got = delivered(&region);

    assert_eq!(got[0], (Protocol::Email, "dear customer".to_owned()));
    for (_, envelope) in &got[1..3] {
        let envelope: Value = serde_json::from_str(envelope).unwrap();
        assert_eq!(envelope["Type"], "Notification");
        assert_eq!(envelope["MessageId"], answer.field("MessageId"));
        assert_eq!(envelope["Message"], "{\"a\": 1}");
        assert_eq!(envelope["Subject"], "Ready");
        assert_eq!(envelope["Timestamp"], "2026-01-31T12:00:00.000Z");
        assert_eq!(envelope["MessageAttributes"], json!({"type": {"Type": "String", "Value": "Available"}}));
        assert!(envelope["UnsubscribeURL"].as_str().unwrap().contains(NOTICES));
    }
    let event: SnsEvent = serde_json::from_str(&got[3].1).unwrap();
    let record = &event.records[0];
    assert_eq!((record.event_source.as_str(), record.sns.message.as_str()), ("aws:sns", "{\"a\": 1}"));
    assert_eq!(record.sns.topic_arn, NOTICES);
    assert_eq!(got[4], (Protocol::Sqs, "{\"a\": 1}".to_owned()));

    let told: Vec<_> = std::iter::from_fn(|| happenings.try_recv().ok())
        .filter_map(|happening| match happening.what {
            What::Delivered { endpoint, subject, attributes, .. } => {
                Some((endpoint, subject.unwrap(), attributes["type"].value.clone()))
            }
            What::Notified(_) | What::Became { .. } | What::Recorded(_) | What::Called { .. } => None,
        })
        .collect();
    assert_eq!(told.len(), 5);
    assert_eq!(told[0], ("ops@example.com".to_owned(), "Ready".to_owned(), "Available".to_owned()));
}

#[test]
fn an_envelope_has_nothing_that_the_message_has_not_and_a_lambda_event_has_null() {
    let region = region();
    subscribe(&region, NOTICES, "sqs", QUEUE, &[]).done();
    subscribe(&region, NOTICES, "lambda", "arn:aws:lambda:us-west-2:111122223333:function:f", &[]).done();
    publish(&region, &[("Message", "hello")]).done();
    let got = delivered(&region);
    let envelope: Value = serde_json::from_str(&got[0].1).unwrap();
    assert!(envelope.get("Subject").is_none() && envelope.get("MessageAttributes").is_none());
    let event: Value = serde_json::from_str(&got[1].1).unwrap();
    assert_eq!(event["Records"][0]["Sns"].get("Subject"), Some(&Value::Null));
    assert_eq!(event["Records"][0]["Sns"]["MessageAttributes"], json!({}));
}

#[test]
fn a_filter_keeps_a_message_from_whom_it_is_not_for() {
    let region = region();
    let filter = [("FilterPolicy", "{\"type\": [\"Available\"]}"), ("FilterPolicyScope", "MessageAttributes")];
    subscribe(&region, NOTICES, "email", "one@example.com", &filter).done();
    subscribe(&region, NOTICES, "email", "all@example.com", &[]).done();
    let counted = |value: &str| {
        let before = delivered(&region).len();
        let mut params = vec![("Message", "hello")];
        params.extend(typed(value));
        publish(&region, &params).done();
        delivered(&region).len() - before
    };
    assert_eq!((counted("Available"), counted("Held")), (2, 1));
}

#[test]
fn a_subject_is_one_line_of_at_most_a_hundred_ascii_characters() {
    let region = region();
    let (fits, long) = ("x".repeat(100), "x".repeat(101));
    publish(&region, &[("Message", "hello"), ("Subject", &fits)]).done();
    for subject in [long.as_str(), "", " first", "two\nlines", "caf\u{e9}", "tab\t"] {
        let answer = publish(&region, &[("Message", "hello"), ("Subject", subject)]);
        answer.refused(400, "InvalidParameter", "Invalid parameter: Subject");
    }
}

#[test]
fn a_message_with_its_attributes_has_at_most_256_kib() {
    let region = region();
    let rest = "x".repeat(256 * 1024 - "typeStringAvailable".len());
    let mut params = vec![("Message", rest.as_str())];
    params.extend(typed("Available"));
    publish(&region, &params).done();
    let more = format!("{rest}x");
    params[0].1 = &more;
    publish(&region, &params).refused(400, "InvalidParameter", "Message too long");
}

#[test]
fn a_message_that_is_wrong_in_itself_is_refused() {
    let region = region();
    let json = ("MessageStructure", "json");
    for (params, words) in [
        (vec![("Message", "")], "Empty message"),
        (vec![("Message", "{\"email\": \"x\"}"), json], "No default entry in JSON message body"),
        (vec![("Message", "{\"default\": 1}"), json], "No default entry in JSON message body"),
        (vec![("Message", "default"), json], "JSON message body failed to parse"),
        (vec![("Message", "x"), ("MessageDeduplicationId", "1")], "not valid for this topic type"),
    ] {
        publish(&region, &params).refused(400, "InvalidParameter", words);
    }
    publish(&region, &[]).refused(400, "ValidationError", "Value null at 'message'");
    let mut params = vec![("Message", "x")];
    params.extend(typed(""));
    publish(&region, &params).refused(400, "ParameterValueInvalid", "must contain non-empty message attribute value");
    params[2].1 = "Text";
    params[3].1 = "x";
    publish(&region, &params).refused(400, "ParameterValueInvalid", "invalid message attribute type");
    publish(&region, &[("Message", "x"), ("Colour", "red")]).refused(400, "UnknownParameter", "Colour");
}
