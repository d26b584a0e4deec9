//! Stories of topics, told over the wire.

mod attributes;
mod batches;
mod messages;
mod ordered;
mod trouble;

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
