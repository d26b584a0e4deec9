//! What a service's owner wants to be told, and where.

use super::tokens::Token;
use super::{ApiError, Fields, Filter, dry_run, page, services};
use crate::happening::ConnectionEvent;
use crate::query::Params;
use crate::service::Caller;
use crate::world::{ConnectionNotification, World};
use crate::xml::{Element, element, list, text, values};

/// Makes a notification of a service. A consumer's own, of an endpoint, is not simulated.
pub(super) fn create(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let token = Token::take(account, "CreateVpcEndpointConnectionNotification", params);
    let service = params.require("ServiceId")?;
    let topic = params.require("ConnectionNotificationArn")?;
    let words = params.list("ConnectionEvents");
    let dry_run = dry_run(params);
    params.finish()?;
    if let Some(notification) = token.made(world)?.and_then(|id| world.notifications.get(&id).cloned()) {
        dry_run?;
        return Ok(answer(world, token, &notification));
    }
    if words.is_empty() {
        return Err(ApiError::missing("ConnectionEvents"));
    }
    let events = words.iter().map(|word| {
        let all = [ConnectionEvent::Connect, ConnectionEvent::Accept, ConnectionEvent::Reject, ConnectionEvent::Delete];
        let event = all.into_iter().find(|event| format!("{event:?}") == *word);
        event.ok_or_else(|| ApiError::invalid(format!("'{word}' is not a valid connection event.")))
    });
    let events = events.collect::<Result<Vec<_>, _>>()?;
    if services::owned(world, account, &service)?.gateway {
        let message = "You can create a connection notification for interface endpoints only.";
        return Err(ApiError::new(400, "InvalidParameter", message));
    }
    let parts: Vec<&str> = topic.splitn(6, ':').collect();
    let here = world.settings.name.as_str();
    if !matches!(parts.as_slice(), ["arn", _, "sns", region, _, name] if *region == here && !name.is_empty()) {
        return Err(ApiError::invalid(format!("'{topic}' is not the ARN of an SNS topic of this Region.")));
    }
    dry_run?;
    let made = world.notify_on(&service, topic, events);
    Ok(answer(world, token, &made))
}

fn answer(world: &mut World, token: Token, made: &ConnectionNotification) -> Vec<Element> {
    let mut answer = vec![element("connectionNotification", notification(world, made))];
    answer.extend(token.keep(world, &made.id));
    answer
}

pub(super) fn describe(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let account = caller.account.as_str();
    let id = params.take("ConnectionNotificationId");
    let known = [
        "connection-notification-arn",
        "connection-notification-id",
        "connection-notification-state",
        "connection-notification-type",
        "service-id",
        "vpc-endpoint-id",
    ];
    let filters = Filter::take(params, &known)?;
    let mut found: Vec<_> = world.notifications.values().collect();
    found.retain(|notification| services::owned(world, account, &notification.service).is_ok());
    if let Some(id) = id {
        found.retain(|notification| notification.id == id);
        if found.is_empty() {
            let message = format!("The connection notification '{id}' does not exist");
            return Err(ApiError::new(400, "InvalidConnectionNotification.NotFound", &message));
        }
    }
    found.retain(|notification| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "connection-notification-arn" => filter.matches(&notification.topic),
            "connection-notification-id" => filter.matches(&notification.id),
            "connection-notification-state" => filter.matches("Enabled"),
            "connection-notification-type" => filter.matches("Topic"),
            "service-id" => filter.matches(&notification.service),
            // None is an endpoint's.
            _ => false,
        })
    });
    let (found, next) = page(world, params, found)?;
    let dry_run = dry_run(params);
    params.finish()?;
    dry_run?;
    let items = found.iter().map(|found| notification(world, found));
    let mut answer = vec![list("connectionNotificationSet", items)];
    answer.extend(next.map(|token| text("nextToken", token)));
    Ok(answer)
}

fn notification(world: &World, notification: &ConnectionNotification) -> Vec<Element> {
    let ConnectionNotification { id, service, topic, events } = notification;
    vec![
        text("connectionNotificationId", id),
        text("serviceId", service),
        text("connectionNotificationType", "Topic"),
        text("connectionNotificationArn", topic),
        values("connectionEvents", events.iter().map(|event| format!("{event:?}"))),
        text("connectionNotificationState", "Enabled"),
        text("serviceRegion", &world.settings.name),
    ]
}
