//! FIFO topics.

use super::*;

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
