//! Stories of what a topic says of itself.

use super::*;

/// A topic's attributes, as its owner is told them.
fn attributes(region: &Region, topic: &str) -> serde_json::Map<String, Value> {
    let answer = call(region, "GetTopicAttributes", &[("TopicArn", topic)]).done();
    let entries = answer.body.split("<entry>").skip(1).map(|entry| {
        let entry = Answer { status: 200, body: entry.replace("&quot;", "\"") };
        (entry.field("key").to_owned(), Value::from(entry.field("value")))
    });
    entries.collect()
}

#[test]
fn a_topic_tells_what_it_is_and_how_many_subscribed() {
    let region = region();
    subscribe(&region, NOTICES, "sqs", QUEUE, &[]).done();
    subscribe(&region, NOTICES, "email", "a@example.com", &[]).done();
    let told = attributes(&region, NOTICES);
    let counts = ["SubscriptionsConfirmed", "SubscriptionsPending", "SubscriptionsDeleted"].map(|name| &told[name]);
    assert_eq!(counts, ["2", "0", "0"]);
    assert_eq!([&told["TopicArn"], &told["Owner"], &told["DisplayName"]], [NOTICES, PROVIDER, ""]);
    assert!(!told.contains_key("FifoTopic") && !told.contains_key("ContentBasedDeduplication"), "{told:?}");

    let (key, value) = ("Attributes.entry.1.key", "Attributes.entry.1.value");
    call(&region, "CreateTopic", &[("Name", "ordered.fifo"), (key, "FifoTopic"), (value, "true")]).done();
    let told = attributes(&region, ORDERED);
    assert_eq!([&told["FifoTopic"], &told["ContentBasedDeduplication"]], ["true", "false"]);
    call(&region, "CreateTopic", &[("Name", "shown"), (key, "DisplayName"), (value, "Shown")]).done();
    assert_eq!(attributes(&region, &NOTICES.replace("notices", "shown"))["DisplayName"], "Shown");
}

#[test]
fn a_topic_s_policy_has_a_statement_for_every_permission() {
    let region = region();
    let statements = || {
        let policy: Value = serde_json::from_str(attributes(&region, NOTICES)["Policy"].as_str().unwrap()).unwrap();
        policy["Statement"].as_array().unwrap().clone()
    };
    let [default] = statements().try_into().unwrap();
    assert_eq!(default["Condition"], json!({"StringEquals": {"AWS:SourceOwner": PROVIDER}}));
    let permission = [
        ("TopicArn", NOTICES),
        ("Label", "consumers"),
        ("AWSAccountId.member.1", CONSUMER),
        ("AWSAccountId.member.2", "555566667777"),
        ("ActionName.member.1", "Publish"),
    ];
    call(&region, "AddPermission", &permission).done();
    let accounts = ["arn:aws:iam::444455556666:root", "arn:aws:iam::555566667777:root"];
    let expected = json!({
        "Sid": "consumers", "Effect": "Allow", "Principal": {"AWS": accounts}, "Action": "SNS:Publish",
        "Resource": NOTICES,
    });
    assert_eq!(statements(), [default, expected]);
}

#[test]
fn attributes_are_told_to_the_owner_and_to_whom_he_permits() {
    let region = region();
    let ask =
        |account: &str, arn: &str| call_as(&region, account, "us-west-2", "GetTopicAttributes", &[("TopicArn", arn)]);
    ask(PROVIDER, &format!("{NOTICES}x")).refused(404, "NotFound", "Topic does not exist");
    ask(PROVIDER, "notices").refused(400, "InvalidParameter", "An ARN must have at least 6 elements, not 1");
    ask(CONSUMER, NOTICES).refused(403, "AuthorizationError", "is not authorized to perform: SNS:GetTopicAttributes");
    let permission = [
        ("TopicArn", NOTICES),
        ("Label", "consumer"),
        ("AWSAccountId.member.1", CONSUMER),
        ("ActionName.member.1", "GetTopicAttributes"),
    ];
    call(&region, "AddPermission", &permission).done();
    ask(CONSUMER, NOTICES).done();
    call(&region, "GetTopicAttributes", &[]).refused(400, "ValidationError", "'topicArn'");
}
