//! What is read out of events, and what is refused.

use super::*;
use serde_json::json;

fn parse(event: Value) -> Result<Trigger, Unrecognized> {
    Trigger::parse(event.to_string().as_bytes())
}

fn look(event: Value) -> Look {
    parse(event).unwrap().look
}

fn at(ids: &[&str]) -> Look {
    Look::At(ids.iter().map(|id| ServiceId::parse(id).unwrap()).collect())
}

fn bus(message: Value) -> Value {
    json!({"source": "privatelink", "detail-type": "Endpoint Connection Notification",
           "detail": {"topicArn": "arn:aws:sns:us-west-2:111122223333:t", "message": message}})
}

fn call(name: &str, detail: Value) -> Value {
    let mut event = json!({"source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail",
           "detail": {"eventSource": "ec2.amazonaws.com", "eventName": name}});
    let into = event["detail"].as_object_mut().unwrap();
    into.extend(detail.as_object().unwrap().clone());
    event
}

fn sns_record(message: &str) -> Value {
    json!({"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Subject": null, "Message": message}})
}

fn sqs_record(id: &str, body: &str) -> Value {
    json!({"messageId": id, "eventSource": "aws:sqs", "body": body})
}

#[test]
fn a_notification_is_searched_for_ids_in_prose_and_in_json() {
    assert_eq!(look(bus(json!("vpce-0a wants vpce-svc-0b"))), at(&["vpce-svc-0b"]));
    assert_eq!(look(bus(json!({"a": {"vpce-svc-0c": ["vpce-svc-0b"]}}))), at(&["vpce-svc-0b", "vpce-svc-0c"]));
}

#[test]
fn a_notification_without_a_service_means_everything() {
    assert_eq!(look(bus(json!("something happened"))), Look::Everything);
    assert_eq!(look(bus(json!("vpce-0a was made"))), Look::Everything);
    assert_eq!(look(json!({"Records": [sns_record("hello")]})), Look::Everything);
}

#[test]
fn a_schedule_means_everything_whatever_its_detail() {
    for (source, detail) in [("aws.events", json!({})), ("aws.scheduler", json!("{}"))] {
        assert_eq!(
            look(json!({"source": source, "detail-type": "Scheduled Event", "detail": detail})),
            Look::Everything
        );
    }
}

#[test]
fn ids_are_found_wherever_cloudtrail_puts_them() {
    let parameters = json!({"requestParameters": {"AcceptVpcEndpointConnectionsRequest":
        {"ServiceId": "vpce-svc-0b", "VpcEndpointId": [{"tag": 1, "content": "vpce-0a"}]}}});
    assert_eq!(look(call("AcceptVpcEndpointConnections", parameters)), at(&["vpce-svc-0b"]));
    let created = json!({"requestParameters": {}, "responseElements":
        {"CreateVpcEndpointServiceConfigurationResponse": {"serviceConfiguration": {"serviceId": "vpce-svc-0c"}}}});
    assert_eq!(look(call("CreateVpcEndpointServiceConfiguration", created)), at(&["vpce-svc-0c"]));
    let omitted = json!({"requestParameters": null, "responseElements": null});
    assert_eq!(look(call("ModifyVpcEndpointServicePermissions", omitted)), Look::Everything);
}

#[test]
fn a_call_that_failed_is_no_reason_to_look() {
    let failed = json!({"errorCode": "Client.DryRunOperation", "requestParameters": {"ServiceId": "vpce-svc-0b"}});
    assert_eq!(look(call("AcceptVpcEndpointConnections", failed)), Look::Nowhere);
    let succeeded = json!({"errorCode": null, "requestParameters": {"ServiceId": "vpce-svc-0b"}});
    assert_eq!(look(call("AcceptVpcEndpointConnections", succeeded)), at(&["vpce-svc-0b"]));
}

#[test]
fn a_direct_call_names_services_or_nothing() {
    assert_eq!(look(json!({})), Look::Everything);
    assert_eq!(look(json!({"serviceIds": ["vpce-svc-0b"]})), at(&["vpce-svc-0b"]));
    for refused in [
        json!({"serviceIds": []}),
        json!({"serviceIds": "vpce-svc-0b"}),
        json!({"serviceIds": [""]}),
        json!({"serviceIds": ["vpce-svc-"]}),
        json!({"serviceIds": [7]}),
        json!({"serviceids": ["vpce-svc-0b"]}),
        json!({"serviceIds": ["vpce-svc-0b"], "endpointIds": ["vpce-0a"]}),
        json!({"serviceIds": null}),
    ] {
        assert!(parse(refused.clone()).is_err(), "{refused}");
    }
}

#[test]
fn an_sns_record_carries_any_event() {
    let nested = bus(json!("vpce-svc-0b")).to_string();
    assert_eq!(look(json!({"Records": [sns_record(&nested)]})), at(&["vpce-svc-0b"]));
    assert_eq!(look(json!({"Records": [sns_record("{\"id\":\"vpce-svc-0b\"}")]})), at(&["vpce-svc-0b"]));
    let notice = json!({"schemaVersion": "1", "type": "DomainVerified", "service": {"id": "vpce-svc-0b"}}).to_string();
    assert_eq!(look(json!({"Records": [sns_record(&notice)]})), at(&["vpce-svc-0b"]));
}

#[test]
fn an_sqs_batch_is_read_record_by_record() {
    let enveloped = json!({"Type": "Notification", "TopicArn": "arn", "Message": "no id here"}).to_string();
    let trigger = parse(json!({"Records": [
        sqs_record("m1", "vpce-svc-0b"), sqs_record("m2", "garbage"), sqs_record("m3", "{}"),
        sqs_record("m4", "{\"source\":\"aws.s3\",\"detail-type\":\"Object Created\"}"), sqs_record("m5", &enveloped),
    ]}))
    .unwrap();
    let looks: Vec<_> = trigger.batch.unwrap().into_iter().map(|record| record.look).collect();
    assert_eq!(looks, [Some(at(&["vpce-svc-0b"])), None, None, None, Some(Look::Everything)]);
    assert_eq!(trigger.look, Look::Everything);
}

#[test]
fn a_batch_of_nothing_but_garbage_looks_nowhere() {
    let trigger = parse(json!({"Records": [sqs_record("m1", "garbage")]})).unwrap();
    assert_eq!(trigger.look, Look::Nowhere);
}

#[test]
fn everything_else_is_refused() {
    for event in [
        json!([]),
        json!(null),
        json!("vpce-svc-0b"),
        json!({"Records": []}),
        json!({"Records": [{"eventSource": "aws:s3"}]}),
        json!({"Records": [{"eventSource": "aws:sqs", "body": "vpce-svc-0b"}]}),
        json!({"Records": [sns_record("a"), sqs_record("m", "b")]}),
        json!({"source": "aws.ec2", "detail-type": "Scheduled Event"}),
        json!({"source": "privatelink", "detail-type": "Endpoint Connection Notification", "detail": {}}),
        bus(json!(7)),
        bus(json!(null)),
        call("TerminateInstances", json!({})),
        json!({"source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "detail":
            {"eventSource": "iam.amazonaws.com", "eventName": "AcceptVpcEndpointConnections"}}),
    ] {
        assert!(parse(event.clone()).is_err(), "{event}");
    }
    for bytes in [&b""[..], b"{", b"\xff\xfe{}", b"{} {}", b"NaN"] {
        assert!(Trigger::parse(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_call_that_does_not_say_whose_it_is_is_ec2s() {
    let call = json!({"source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "detail":
        {"eventName": "AcceptVpcEndpointConnections", "requestParameters": {"id": "vpce-svc-0b"}}});
    assert_eq!(look(call), at(&["vpce-svc-0b"]));
}

#[test]
fn what_is_enormous_is_refused() {
    let deep = "[".repeat(100_000);
    assert!(Trigger::parse(deep.as_bytes()).is_err());
    assert!(parse(bus(json!("x".repeat(LARGEST_EVENT)))).is_err());
    let many = (0..=MOST_IDS).map(|n| format!("vpce-svc-{n:x} ")).collect::<String>();
    assert!(parse(bus(json!(many))).is_err());
    assert!(parse(json!({"serviceIds": vec!["vpce-svc-0b"; MOST_IDS + 1]})).is_err());
}

#[test]
fn an_object_is_never_taken_for_the_text_in_it() {
    let raw = "$serde_json::private::RawValue";
    for text in ["{}", r#"{"serviceIds":["vpce-svc-0b"]}"#] {
        assert!(parse(json!({raw: text})).is_err(), "{text}");
        let queued = json!({raw: text}).to_string();
        let trigger = parse(json!({"Records": [sqs_record("m1", &queued)]})).unwrap();
        assert_eq!(trigger.look, if text == "{}" { Look::Nowhere } else { at(&["vpce-svc-0b"]) }, "{text}");
    }
    assert_eq!(look(bus(json!({raw: "no JSON"}))), Look::Everything);
}

fn consumers(event: Value) -> Result<Look<FoundId>, Unrecognized> {
    Trigger::parse_consumers(event.to_string().as_bytes()).map(|trigger| trigger.look)
}

fn found(ids: &[&str]) -> Look<FoundId> {
    Look::At(ids.iter().flat_map(|id| ids_in(id)).collect())
}

#[test]
fn a_consumer_looks_at_the_endpoint_that_a_notice_is_about() {
    let notice = |more: Value| {
        let mut notice = json!({"schemaVersion": "1", "type": "EndpointConnectionAvailable",
                                "service": {"id": "vpce-svc-0b"}});
        notice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"Records": [sns_record(&notice.to_string())]})
    };
    let about = notice(json!({"endpoint": {"id": "vpce-0a", "account": "111122223333"}}));
    assert_eq!(consumers(about.clone()).unwrap(), found(&["vpce-0a"]));
    assert_eq!(look(about), at(&["vpce-svc-0b"]));
    assert_eq!(consumers(notice(json!({"type": "DomainVerified"}))).unwrap(), found(&["vpce-svc-0b"]));
    for endpoint in [json!({"id": "vpce-"}), json!({"id": 7}), json!({}), json!("vpce-0a")] {
        assert!(consumers(notice(json!({"endpoint": endpoint}))).is_err(), "{endpoint}");
    }
    assert!(consumers(notice(json!({"type": "Available", "endpoint": {"id": "vpce-0a"}}))).is_err());
}

#[test]
fn a_consumer_may_name_endpoints_and_services() {
    assert_eq!(consumers(json!({})).unwrap(), Look::Everything);
    assert_eq!(consumers(json!({"endpointIds": ["vpce-0a", "vpce-0a"]})).unwrap(), found(&["vpce-0a"]));
    assert_eq!(consumers(json!({"serviceIds": ["vpce-svc-0b"]})).unwrap(), found(&["vpce-svc-0b"]));
    let both = json!({"serviceIds": ["vpce-svc-0b"], "endpointIds": ["vpce-0a"]});
    assert_eq!(consumers(both).unwrap(), found(&["vpce-svc-0b", "vpce-0a"]));
    for refused in [
        json!({"endpointIds": []}),
        json!({"endpointIds": ["vpce-svc-0b"]}),
        json!({"endpointIds": null}),
        json!({"endpointIds": ["vpce-0a", ""]}),
        json!({"endpointIds": ["vpce-0a"], "serviceIds": []}),
        json!({"endpointId": "vpce-0a"}),
        json!({"endpointIds": vec!["vpce-0a"; MOST_IDS + 1]}),
    ] {
        assert!(consumers(refused.clone()).is_err(), "{refused}");
    }
}

#[test]
fn a_consumer_finds_endpoints_in_a_notification_and_services_where_there_are_none() {
    assert_eq!(consumers(bus(json!("vpce-0a of vpce-svc-0b"))).unwrap(), found(&["vpce-0a"]));
    assert_eq!(consumers(bus(json!("vpce-svc-0b"))).unwrap(), found(&["vpce-svc-0b"]));
    assert_eq!(consumers(bus(json!("hello"))).unwrap(), Look::Everything);
}

#[test]
fn a_record_is_known_to_the_report_by_its_service() {
    let batch = json!({"Records": [sqs_record("m1", "vpce-0a"), sqs_record("m2", "vpce-0c"), sqs_record("m3", "?")]});
    let trigger = Trigger::parse_consumers(batch.to_string().as_bytes()).unwrap();
    let service = |id: &EndpointId| (id.as_str() == "vpce-0a").then(|| ServiceId::parse("vpce-svc-0b").unwrap());
    let looks: Vec<_> = trigger.at_services(service).batch.unwrap().into_iter().map(|record| record.look).collect();
    assert_eq!(looks, [Some(at(&["vpce-svc-0b"])), Some(Look::Nowhere), None]);
}

#[test]
fn looks_add_up() {
    assert_eq!(at(&["vpce-svc-0b"]).and(at(&["vpce-svc-0c"])), at(&["vpce-svc-0b", "vpce-svc-0c"]));
    assert_eq!(at(&["vpce-svc-0b"]).and(Look::Nowhere), at(&["vpce-svc-0b"]));
    assert_eq!(Look::<ServiceId>::Nowhere.and(Look::Everything), Look::Everything);
}
