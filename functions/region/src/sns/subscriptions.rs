//! Subscriptions to a topic.

use super::{Fields, FilterPolicy, Protocol, Scope, Subscription, boolean, invalid, map, page, topic, topic_arn};
use crate::answers::members;
use crate::error::ApiError;
use crate::query::Params;
use crate::service::Caller;
use crate::world::World;
use crate::xml::text;

/// The most filter policies of one topic.
const FILTERS: usize = 200;

pub(super) fn subscribe(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let arn = topic_arn(params)?;
    let protocol = params.take("Protocol").ok_or_else(|| ApiError::null("protocol"))?;
    let endpoint = params.take("Endpoint").ok_or_else(|| invalid("Endpoint"))?;
    let attributes = map(params, "Attributes")?;
    // It only says whether a subscription that waits for its confirmation shows its ARN, and none waits here.
    params.take("ReturnSubscriptionArn");
    params.finish()?;
    let Some(protocol) = Protocol::parse(&protocol) else {
        return Err(invalid(&format!("Amazon SNS does not support this protocol string: {protocol}")));
    };
    check_endpoint(protocol, &endpoint)?;
    let scope = attributes.get("FilterPolicyScope").map_or(Ok(Scope::default()), |word| Scope::parse(word))?;
    let (mut filter, mut raw) = (FilterPolicy::default(), false);
    for (name, value) in &attributes {
        match name.as_str() {
            "FilterPolicy" => filter = FilterPolicy::parse(value, scope)?,
            "FilterPolicyScope" => {}
            "RawMessageDelivery" => raw = boolean(name, value)?,
            other => return Err(invalid(&format!("Attributes Reason: {other} is not simulated here"))),
        }
    }
    if raw && !matches!(protocol, Protocol::Sqs | Protocol::Https) {
        let problem = "Attributes Reason: RawMessageDelivery: not supported for this protocol";
        return Err(invalid(problem));
    }
    let id = world.uuid();
    let topic = topic(world, caller, &arn, "Subscribe")?;
    check_order(topic.fifo.is_some(), protocol, &endpoint)?;
    let found = topic.subscriptions.iter().find(|found| found.protocol == protocol && found.endpoint == endpoint);
    if let Some(Subscription { arn, filter: had, raw: was_raw, .. }) = found {
        if !attributes.is_empty() && (*had != filter || *was_raw != raw) {
            return Err(invalid("Attributes Reason: Subscription already exists with different attributes"));
        }
        return Ok(vec![text("SubscriptionArn", arn)]);
    }
    let filters = topic.subscriptions.iter().filter(|subscription| !subscription.filter.is_empty()).count();
    if !filter.is_empty() && filters >= FILTERS {
        let message = "The number of filter policies exceeds the limit";
        return Err(ApiError::new(403, "FilterPolicyLimitExceeded", message));
    }
    let arn = format!("{arn}:{id}");
    let owner = caller.account.clone();
    topic.subscriptions.push(Subscription { arn: arn.clone(), owner, protocol, endpoint, filter, raw });
    Ok(vec![text("SubscriptionArn", arn)])
}

fn check_endpoint(protocol: Protocol, endpoint: &str) -> Result<(), ApiError> {
    let service = |name: &str| {
        let parts: Vec<&str> = endpoint.split(':').collect();
        matches!(parts.as_slice(), ["arn", _, service, _, _, _, ..] if *service == name)
    };
    match protocol {
        Protocol::Email if !endpoint.contains('@') => Err(invalid("Email address")),
        Protocol::Sqs if !service("sqs") => Err(invalid("SQS endpoint ARN")),
        Protocol::Lambda if !service("lambda") => Err(invalid("Lambda endpoint ARN")),
        Protocol::Https if !endpoint.starts_with("https://") => {
            Err(invalid("Endpoint must match the specified protocol"))
        }
        Protocol::Email | Protocol::Sqs | Protocol::Lambda | Protocol::Https => Ok(()),
    }
}

/// Only queues get the messages of a FIFO topic, and a FIFO queue gets no others.
fn check_order(fifo: bool, protocol: Protocol, endpoint: &str) -> Result<(), ApiError> {
    match protocol {
        Protocol::Sqs if !fifo && endpoint.ends_with(".fifo") => Err(invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
        )),
        Protocol::Email | Protocol::Lambda | Protocol::Https if fifo => {
            Err(invalid(&format!("Invalid protocol type: {}", protocol.as_str())))
        }
        Protocol::Email | Protocol::Sqs | Protocol::Lambda | Protocol::Https => Ok(()),
    }
}

pub(super) fn list(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let arn = topic_arn(params)?;
    let token = params.take("NextToken");
    params.finish()?;
    let subscriptions = topic(world, caller, &arn, "ListSubscriptionsByTopic")?.subscriptions.clone();
    let (found, next) = page(world, token, subscriptions)?;
    let found = found.into_iter().map(|subscription| {
        vec![
            text("SubscriptionArn", subscription.arn),
            text("Owner", subscription.owner),
            text("Protocol", subscription.protocol.as_str()),
            text("Endpoint", subscription.endpoint),
            text("TopicArn", &arn),
        ]
    });
    let mut fields = vec![members("Subscriptions", found)];
    fields.extend(next);
    Ok(fields)
}
