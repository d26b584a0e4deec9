//! What a topic says of itself: its attributes, among them the policy that its permissions amount to.

use serde_json::{Value, json};

use super::topics::content_based;
use super::{Fields, Topic, region_and_account, topic, topic_arn};
use crate::query::Params;
use crate::service::Caller;
use crate::world::World;
use crate::xml::{element, text};

/// What the owner of a topic may do by the policy that SNS gives to every new one.
const OWNERS: [&str; 8] = [
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
];

/// How SNS brings messages over HTTP where nobody says otherwise, and here nobody can.
const DELIVERY: &str = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false}}"#;

pub(super) fn get(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let arn = topic_arn(params)?;
    params.finish()?;
    let topic = topic(world, caller, &arn, "GetTopicAttributes")?;
    let (_, owner) = region_and_account(&arn)?;
    let mut attributes = vec![
        ("TopicArn", arn.clone()),
        ("Owner", owner.to_owned()),
        ("DisplayName", topic.display_name.clone()),
        ("Policy", policy(&arn, owner, topic).to_string()),
        ("EffectiveDeliveryPolicy", DELIVERY.to_owned()),
        // Every subscription is confirmed at once, and none is ever deleted but with its topic.
        ("SubscriptionsConfirmed", topic.subscriptions.len().to_string()),
        ("SubscriptionsPending", "0".to_owned()),
        ("SubscriptionsDeleted", "0".to_owned()),
    ];
    if topic.fifo.is_some() {
        attributes.push(("FifoTopic", "true".to_owned()));
        attributes.push(("ContentBasedDeduplication", content_based(topic).to_string()));
    }
    let entries =
        attributes.into_iter().map(|(key, value)| element("entry", vec![text("key", key), text("value", value)]));
    Ok(vec![element("Attributes", entries.collect())])
}

/// The policy that every topic begins with, and a statement for each permission.
fn policy(arn: &str, owner: &str, topic: &Topic) -> Value {
    let mut statements = vec![json!({
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": OWNERS.map(|action| format!("SNS:{action}")),
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    })];
    for (label, permission) in &topic.permissions {
        let accounts = permission.accounts.iter().map(|account| format!("arn:aws:iam::{account}:root"));
        let actions = permission.actions.iter().map(|action| format!("SNS:{action}"));
        statements.push(json!({
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": one_or_many(accounts)},
            "Action": one_or_many(actions),
            "Resource": arn,
        }));
    }
    json!({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": statements})
}

/// A list of one is written as that one.
fn one_or_many(items: impl Iterator<Item = String>) -> Value {
    let mut items: Vec<Value> = items.map(Value::String).collect();
    match items.pop() {
        Some(only) if items.is_empty() => only,
        Some(last) => {
            items.push(last);
            Value::Array(items)
        }
        None => Value::Array(items),
    }
}
