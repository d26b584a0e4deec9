//! The commands of operators on notices: the backlog is seen before it is sent.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

mod common;

use std::time::Duration;

use common::Desk;
use privatelink_tests::{ACME, PROVIDER, STRANGER};
use serde_json::{Value, json};

/// Longer than a connection is `pending` in the Region.
const READY: Duration = Duration::from_secs(121);

#[tokio::test]
async fn plan_shows_the_backlog_and_apply_sends_it_once() {
    let mut desk = Desk::open().await;
    let service = desk.stage.service();
    let [acme, stranger] = [ACME, STRANGER].map(|account| desk.stage.connect(&service, account));
    desk.stage.run(json!({})).await.unwrap();
    desk.stage.region.step(READY);
    let mails = |desk: &Desk| desk.stage.region.world().sns.deliveries.len();

    // Without a topic there is nobody to tell.
    let (good, text) = desk.run(&["plan"]).await;
    assert!(good && !text.contains("EndpointConnection"), "{text}");
    for (variable, name) in
        [("PRIVATELINK_NOTICE_TOPIC_ARN", "notices"), ("PRIVATELINK_OPERATOR_TOPIC_ARN", "operators")]
    {
        let topic = desk.stage.region.make_topic(PROVIDER, name, "email", "provider@example.com").unwrap();
        desk.set(variable, topic);
    }
    let (good, text) = desk.run(&["plan"]).await;
    assert!(good && text.contains(&format!("EndpointConnectionAvailable of {acme}")), "{text}");
    assert!(text.contains(&format!("EndpointConnectionHeld of {stranger}")), "{text}");
    let (_, text) = desk.run(&["plan", "--json"]).await;
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(plan["notices"].as_array().unwrap().len(), 2, "{plan}");
    assert_eq!(mails(&desk), 0);

    let (good, text) = desk.run(&["apply", "--yes"]).await;
    assert!(good && text.contains("publish") && text.contains("done"), "{text}");
    assert_eq!(mails(&desk), 2);
    desk.run(&["apply", "--yes"]).await;
    assert_eq!(mails(&desk), 2, "nobody is told twice");
    let (_, text) = desk.run(&["list", "--json"]).await;
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&list[0]["notified"], &list[1]["notified"]), (&json!("available"), &json!("held")));
}

#[tokio::test]
async fn doctor_tells_whether_the_topics_are_there() {
    let mut desk = Desk::open().await;
    let topic = desk.stage.region.make_topic(PROVIDER, "notices", "email", "provider@example.com").unwrap();
    desk.set("PRIVATELINK_NOTICE_TOPIC_ARN", topic.clone());
    let gone = topic.replace("notices", "gone");
    desk.set("PRIVATELINK_OPERATOR_TOPIC_ARN", gone.clone());
    let (good, text) = desk.run(&["doctor"]).await;
    let line = |topic: &str| text.lines().find(|line| line.contains(&format!("is the topic {topic} there?"))).unwrap();
    assert!(!good && line(&topic).starts_with("yes") && line(&gone).starts_with("no "), "{text}");
}
