//! Stories of topics, told over the wire.

use std::time::Duration;

use aws_lambda_events::sns::SnsEvent;
use serde_json::{Value, json};
use time::macros::datetime;

use super::Protocol;
use crate::clock::Clock;
use crate::faults::{Fault, FaultKind, When};
use crate::happening::What;
use crate::{Region, Reply, Request, Settings};

const PROVIDER: &str = "111122223333";
const CONSUMER: &str = "444455556666";
const NOTICES: &str = "arn:aws:sns:us-west-2:111122223333:notices";
const ORDERED: &str = "arn:aws:sns:us-west-2:111122223333:ordered.fifo";
const QUEUE: &str = "arn:aws:sqs:us-west-2:111122223333:notices";

struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    /// The text of the first element of that name.
    fn field(&self, name: &str) -> &str {
        let Some((_, rest)) = self.body.split_once(&format!("<{name}>")) else { return "" };
        rest.split_once(&format!("</{name}>")).unwrap().0
    }

    #[track_caller]
    fn refused(&self, status: u16, code: &str, words: &str) {
        assert_eq!((self.status, self.field("Code")), (status, code), "{}", self.body);
        let message = self.field("Message").replace("&apos;", "'");
        assert!(message.contains(words), "{}", self.body);
    }

    #[track_caller]
    fn done(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }
}

fn region() -> Region {
    let settings = Settings { throttling: false, ..Settings::default() };
    let region = Region::new(settings, Clock::standing(datetime!(2026-01-31 12:00 UTC)));
    call(&region, "CreateTopic", &[("Name", "notices")]).done();
    region
}

fn call(region: &Region, action: &str, params: &[(&str, &str)]) -> Answer {
    call_as(region, PROVIDER, "us-west-2", action, params)
}

fn call_as(region: &Region, account: &str, scope: &str, action: &str, params: &[(&str, &str)]) -> Answer {
    let mut body = form_urlencoded::Serializer::new(format!("Action={action}&Version=2010-03-31"));
    body.extend_pairs(params);
    let authorization = format!("AWS4-HMAC-SHA256 Credential={account}/20260131/{scope}/sns/aws4_request, Signature=x");
    let request = Request { authorization, body: body.finish().into_bytes(), ..Request::default() };
    match region.answer(&request) {
        Reply::Answer(answer) => Answer { status: answer.status, body: answer.body },
        other @ (Reply::Reset | Reply::Silence) => panic!("{other:?}"),
    }
}

fn subscribe(region: &Region, topic: &str, protocol: &str, endpoint: &str, attributes: &[(&str, &str)]) -> Answer {
    let attributes: Vec<_> = (1..)
        .zip(attributes)
        .flat_map(|(n, (key, value))| {
            [(format!("Attributes.entry.{n}.key"), *key), (format!("Attributes.entry.{n}.value"), *value)]
        })
        .collect();
    let mut params = vec![("TopicArn", topic), ("Protocol", protocol), ("Endpoint", endpoint)];
    params.extend(attributes.iter().map(|(name, value)| (name.as_str(), *value)));
    call(region, "Subscribe", &params)
}

fn publish(region: &Region, params: &[(&str, &str)]) -> Answer {
    let mut all = vec![("TopicArn", NOTICES)];
    all.extend(params);
    call(region, "Publish", &all)
}

/// A String attribute `type` of the first message.
fn typed(value: &str) -> [(&str, &str); 3] {
    [
        ("MessageAttributes.entry.1.Name", "type"),
        ("MessageAttributes.entry.1.Value.DataType", "String"),
        ("MessageAttributes.entry.1.Value.StringValue", value),
    ]
}

fn delivered(region: &Region) -> Vec<(Protocol, String)> {
    let deliveries = &region.world().sns.deliveries;
    deliveries.iter().map(|delivery| (delivery.protocol, delivery.message.clone())).collect()
}

#[test]
fn a_topic_is_made_once() {
    let region = region();
    let answer = call(&region, "CreateTopic", &[("Name", "notices")]).done();
    assert_eq!(answer.field("TopicArn"), NOTICES);
    assert!(answer.body.starts_with(
        "<CreateTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><CreateTopicResult><TopicArn>"
    ));
    assert!(!answer.field("RequestId").is_empty());
    let named = [("Name", "notices"), ("Attributes.entry.1.key", "DisplayName"), ("Attributes.entry.1.value", "N")];
    let different = "Topic already exists with different attributes";
    call(&region, "CreateTopic", &named).refused(400, "InvalidParameter", different);
    assert_eq!(region.world().sns.topics.len(), 1);
}

#[test]
fn a_topic_s_name_says_whether_it_is_ordered() {
    let region = region();
    let fifo = [("Attributes.entry.1.key", "FifoTopic"), ("Attributes.entry.1.value", "true")];
    let create = |name: &str, attributes: &[(&str, &str)]| {
        let mut params = vec![("Name", name)];
        params.extend(attributes);
        call(&region, "CreateTopic", &params)
    };
    assert_eq!(create("ordered.fifo", &fifo).done().field("TopicArn"), ORDERED);
    create("ordered", &fifo).refused(400, "InvalidParameter", "Fifo Topic names must end with .fifo");
    let long = "x".repeat(257);
    for name in ["", "two words", "plain.fifo", long.as_str()] {
        create(name, &[]).refused(400, "InvalidParameter", "Invalid parameter: Topic Name");
    }
    create(&long[1..], &[]).done();
}

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
            What::Notified(_) | What::Became { .. } | What::Called { .. } => None,
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
fn a_subscription_is_made_once_and_listed() {
    let region = region();
    let first = subscribe(&region, NOTICES, "sqs", QUEUE, &[("RawMessageDelivery", "true")]).done();
    let again = subscribe(&region, NOTICES, "sqs", QUEUE, &[]).done();
    assert_eq!(first.field("SubscriptionArn"), again.field("SubscriptionArn"));
    assert!(first.field("SubscriptionArn").starts_with(&format!("{NOTICES}:")));
    subscribe(&region, NOTICES, "sqs", QUEUE, &[("RawMessageDelivery", "false")]).refused(
        400,
        "InvalidParameter",
        "Subscription already exists with different attributes",
    );
    let listed = call(&region, "ListSubscriptionsByTopic", &[("TopicArn", NOTICES)]).done();
    assert_eq!((listed.field("Endpoint"), listed.field("Owner")), (QUEUE, PROVIDER));
    assert_eq!(listed.body.matches("<member>").count(), 1);
}

#[test]
fn a_subscription_that_can_not_be_is_refused() {
    let region = region();
    for (protocol, endpoint, words) in [
        ("pigeon", "roof", "Amazon SNS does not support this protocol string: pigeon"),
        ("email", "nobody", "Email address"),
        ("sqs", "https://sqs.us-west-2.amazonaws.com/queue", "SQS endpoint ARN"),
        ("sqs", "arn:aws:sqs:us-west-2:111122223333:q.fifo", "FIFO SQS Queues can not be subscribed"),
        ("lambda", QUEUE, "Lambda endpoint ARN"),
        ("https", "http://example.com", "Endpoint must match the specified protocol"),
    ] {
        subscribe(&region, NOTICES, protocol, endpoint, &[]).refused(400, "InvalidParameter", words);
    }
    for (name, value, words) in [
        ("RawMessageDelivery", "yes", "RawMessageDelivery: Invalid value [yes]. Must be true or false."),
        ("FilterPolicy", "{", "FilterPolicy: failed to parse JSON"),
        ("FilterPolicyScope", "Both", "FilterPolicyScope: Invalid value [Both]"),
    ] {
        subscribe(&region, NOTICES, "sqs", QUEUE, &[(name, value)]).refused(400, "InvalidParameter", words);
    }
    assert!(region.world().sns.topics[NOTICES].subscriptions.is_empty());
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

#[test]
fn a_topic_that_is_gone_or_in_another_region_is_not_found() {
    let region = region();
    let publish = |scope, arn| call_as(&region, PROVIDER, scope, "Publish", &[("TopicArn", arn), ("Message", "hello")]);
    publish("us-west-2", NOTICES).done();
    publish("eu-west-1", NOTICES).refused(404, "NotFound", "Topic does not exist");
    call_as(&region, PROVIDER, "eu-west-1", "CreateTopic", &[("Name", "notices")]).done();
    publish("eu-west-1", "arn:aws:sns:eu-west-1:111122223333:notices").done();
    call(&region, "DeleteTopic", &[("TopicArn", NOTICES)]).done();
    call(&region, "DeleteTopic", &[("TopicArn", NOTICES)]).done();
    publish("us-west-2", NOTICES).refused(404, "NotFound", "Topic does not exist");
    publish("us-west-2", "notices").refused(400, "InvalidParameter", "An ARN must have at least 6 elements, not 1");
    publish("us-west-2", &format!("{NOTICES}:0")).refused(400, "InvalidParameter", "Topic Name");
}

#[test]
fn a_topic_of_another_account_wants_a_permission() {
    let region = region();
    let publish = |arn| call_as(&region, CONSUMER, "us-west-2", "Publish", &[("TopicArn", arn), ("Message", "hello")]);
    publish(NOTICES).refused(403, "AuthorizationError", "is not authorized to perform: SNS:Publish on resource");
    publish("arn:aws:sns:us-west-2:111122223333:none").refused(403, "AuthorizationError", "SNS:Publish");
    let permission = [
        ("TopicArn", NOTICES),
        ("Label", "consumer"),
        ("AWSAccountId.member.1", CONSUMER),
        ("ActionName.member.1", "Publish"),
    ];
    call(&region, "AddPermission", &permission).done();
    publish(NOTICES).done();
    let subscribe = [("TopicArn", NOTICES), ("Protocol", "email"), ("Endpoint", "a@example.com")];
    let answer = call_as(&region, CONSUMER, "us-west-2", "Subscribe", &subscribe);
    answer.refused(403, "AuthorizationError", "SNS:Subscribe");
}

fn ordered(region: &Region, content_based: &str) {
    let params = [
        ("Name", "ordered.fifo"),
        ("Attributes.entry.1.key", "FifoTopic"),
        ("Attributes.entry.1.value", "true"),
        ("Attributes.entry.2.key", "ContentBasedDeduplication"),
        ("Attributes.entry.2.value", content_based),
    ];
    call(region, "CreateTopic", &params).done();
    subscribe(region, ORDERED, "sqs", QUEUE, &[]).done();
}

#[test]
fn an_ordered_topic_takes_a_message_once_in_five_minutes() {
    let region = region();
    ordered(&region, "false");
    let publish = |more: &[(&str, &str)]| {
        let mut params = vec![("TopicArn", ORDERED), ("Message", "hello")];
        params.extend(more);
        call(&region, "Publish", &params)
    };
    let group = ("MessageGroupId", "g");
    publish(&[]).refused(400, "InvalidParameter", "The MessageGroupId parameter is required for FIFO topics");
    publish(&[group]).refused(400, "InvalidParameter", "MessageDeduplicationId provided explicitly");
    let id = ("MessageDeduplicationId", "1");
    let first = publish(&[group, id]).done();
    region.step(Duration::from_secs(299));
    let again = publish(&[group, id]).done();
    assert_eq!(first.field("MessageId"), again.field("MessageId"));
    assert_eq!(first.field("SequenceNumber"), again.field("SequenceNumber"));
    assert_eq!(delivered(&region).len(), 1);
    region.step(Duration::from_secs(1));
    let later = publish(&[group, id]).done();
    assert!(later.field("SequenceNumber") > first.field("SequenceNumber"));
    let got = delivered(&region);
    let envelope: Value = serde_json::from_str(&got[1].1).unwrap();
    assert_eq!((got.len(), &envelope["SequenceNumber"]), (2, &json!(later.field("SequenceNumber"))));
}

#[test]
fn an_ordered_topic_may_know_messages_by_their_content() {
    let region = region();
    ordered(&region, "true");
    for message in ["hello", "hello", "goodbye"] {
        let params = [("TopicArn", ORDERED), ("Message", message), ("MessageGroupId", "g")];
        call(&region, "Publish", &params).done();
    }
    assert_eq!(delivered(&region).len(), 2);
    assert_eq!(region.world().sns.deliveries[0].group.as_deref(), Some("g"));
    let refused = subscribe(&region, ORDERED, "email", "a@example.com", &[]);
    refused.refused(400, "InvalidParameter", "Invalid protocol type: email");
}

fn batch(region: &Region, entries: &[(&str, &str)]) -> Answer {
    let params: Vec<_> = (1..)
        .zip(entries)
        .flat_map(|(n, (id, message))| {
            let name = |field| format!("PublishBatchRequestEntries.member.{n}.{field}");
            [(name("Id"), *id), (name("Message"), *message)]
        })
        .collect();
    let mut all = vec![("TopicArn", NOTICES)];
    all.extend(params.iter().map(|(name, value)| (name.as_str(), *value)));
    call(region, "PublishBatch", &all)
}

#[test]
fn in_a_batch_each_message_succeeds_or_fails_alone() {
    let region = region();
    subscribe(&region, NOTICES, "email", "a@example.com", &[]).done();
    let answer = batch(&region, &[("one", "hello"), ("two", ""), ("three", "goodbye")]).done();
    assert_eq!(answer.field("Successful").matches("<member>").count(), 2);
    let failed = answer.field("Failed");
    assert_eq!(failed.matches("<member>").count(), 1);
    assert!(failed.starts_with("<member><Id>two</Id><Code>InvalidParameter</Code>"), "{failed}");
    assert!(failed.contains("<SenderFault>true</SenderFault>"), "{failed}");
    let texts: Vec<_> = delivered(&region).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["hello", "goodbye"]);
}

#[test]
fn the_attributes_of_a_batch_s_messages_are_read() {
    let region = region();
    subscribe(&region, NOTICES, "email", "a@example.com", &[]).done();
    let names = typed("Available").map(|(name, value)| (format!("PublishBatchRequestEntries.member.1.{name}"), value));
    let mut params = vec![
        ("TopicArn", NOTICES),
        ("PublishBatchRequestEntries.member.1.Id", "one"),
        ("PublishBatchRequestEntries.member.1.Message", "hello"),
    ];
    params.extend(names.iter().map(|(name, value)| (name.as_str(), *value)));
    call(&region, "PublishBatch", &params).done();
    assert_eq!(region.world().sns.deliveries[0].attributes["type"].value, "Available");
}

#[test]
fn a_batch_that_is_none_is_refused_whole() {
    let region = region();
    subscribe(&region, NOTICES, "email", "a@example.com", &[]).done();
    let ids: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let eleven: Vec<_> = ids.iter().map(|id| (id.as_str(), "x")).collect();
    let half = "x".repeat(128 * 1024);
    batch(&region, &[]).refused(400, "EmptyBatchRequest", "");
    batch(&region, &eleven).refused(400, "TooManyEntriesInBatchRequest", "");
    batch(&region, &[("a", "x"), ("a", "y")]).refused(400, "BatchEntryIdsNotDistinct", "");
    batch(&region, &[("a b", "x")]).refused(400, "InvalidBatchEntryId", "");
    batch(&region, &[("a", &half), ("b", &half), ("c", "x")]).refused(400, "BatchRequestTooLong", "");
    assert!(delivered(&region).is_empty());
    batch(&region, &[("a", &half), ("b", &half)]).done();
    batch(&region, &eleven[..10]).done();
    assert_eq!(delivered(&region).len(), 12);
}

#[test]
fn listings_have_pages() {
    let settings = Settings { throttling: false, page: 2, ..Settings::default() };
    let region = Region::new(settings, Clock::standing(datetime!(2026-01-31 12:00 UTC)));
    for name in ["a", "b", "c"] {
        call(&region, "CreateTopic", &[("Name", name)]).done();
    }
    call_as(&region, CONSUMER, "us-west-2", "CreateTopic", &[("Name", "d")]).done();
    call_as(&region, PROVIDER, "eu-west-1", "CreateTopic", &[("Name", "e")]).done();
    let first = call(&region, "ListTopics", &[]).done();
    assert_eq!(first.body.matches("<member>").count(), 2);
    let second = call(&region, "ListTopics", &[("NextToken", first.field("NextToken"))]).done();
    assert_eq!(second.field("TopicArn"), "arn:aws:sns:us-west-2:111122223333:c");
    assert_eq!((second.body.matches("<member>").count(), second.field("NextToken")), (1, ""));
    call(&region, "ListTopics", &[("NextToken", "x")]).refused(400, "InvalidParameter", "NextToken");
}

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
    batch(&region, &[("a", "x")]).refused(400, "InternalError", "");
    let answer = batch(&region, &[("a", "x")]).done();
    assert_eq!((answer.field("Code"), answer.field("SenderFault")), ("InternalError", "false"));
    assert_eq!(delivered(&region).len(), 1);
}
