//! PublishBatch.

use super::*;

pub(super) fn batch(region: &Region, entries: &[(&str, &str)]) -> Answer {
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
