//! Changes of record sets.

use super::*;

#[test]
fn a_record_reaches_the_world_when_its_change_is_in_sync() {
    let region = calm();
    let zone = zone(&region, "example.com");
    let made = changed(&region, &zone, &[txt("CREATE", "_x.example.com", &["&quot;vpce:abc&quot;"])]);
    assert_eq!((one(&made, "Status"), one(&made, "Comment")), ("PENDING", "why"));
    let id = one(&made, "Id").to_owned();
    assert!(id.starts_with("/change/C"));
    // The API shows it at once, and the world does not.
    let listed = get(&region, &format!("hostedzone/{zone}/rrset?name=_x.example.com&type=TXT&maxitems=1"));
    assert_eq!((one(&listed, "Value"), one(&listed, "TTL")), ("\"vpce:abc\"", "300"));
    region.step(Duration::from_secs(19));
    assert_eq!(one(&get(&region, &id[1..]), "Status"), "PENDING");
    assert_eq!(seen(&region, "_x.example.com", "TXT"), Vec::<String>::new());
    region.step(Duration::from_secs(41));
    assert_eq!(one(&get(&region, &id[1..]), "Status"), "INSYNC");
    assert_eq!(seen(&region, "_X.example.com.", "TXT"), ["\"vpce:abc\""]);
}

#[test]
fn an_exchange_fails_as_a_whole_when_somebody_was_faster() {
    let region = calm();
    let zone = zone(&region, "example.com");
    changed(&region, &zone, &[txt("CREATE", "_x.example.com", &["\"a\""])]);
    changed(&region, &zone, &[txt("UPSERT", "_x.example.com", &["\"a\"", "\"b\""])]);
    let stale = [txt("DELETE", "_x.example.com", &["\"a\""]), txt("CREATE", "_x.example.com", &["\"a\"", "\"c\""])];
    let set = "resource record set [name='_x.example.com.', type='TXT']";
    assert_eq!(
        refused(&region, &zone, &stale),
        [
            format!("Tried to delete {set} but the values provided do not match the current values"),
            format!("Tried to create {set} but it already exists"),
        ]
    );
    // The order of values does not matter, their time to live does.
    let fresh = |ttl| {
        let delete = super::set("DELETE", "_x.example.com", "TXT", ttl, &["\"b\"", "\"a\""]);
        [delete, txt("CREATE", "_x.example.com", &["\"a\"", "\"b\"", "\"c\""])]
    };
    assert_eq!(refused(&region, &zone, &fresh(60)).len(), 2);
    changed(&region, &zone, &fresh(300));
    region.step(Duration::from_secs(60));
    assert_eq!(seen(&region, "_x.example.com", "TXT"), ["\"a\"", "\"b\"", "\"c\""]);
}

#[test]
fn a_batch_with_one_fault_changes_nothing() {
    let region = calm();
    let zone = zone(&region, "example.com");
    let good = txt("CREATE", "good.example.com", &["\"a\""]);
    for (bad, message) in [
        (txt("DELETE", "b.example.com", &["\"a\""]), "but it was not found"),
        (
            txt("CREATE", "b.example.org", &["\"a\""]),
            "RRSet with DNS name b.example.org. is not permitted in zone example.com.",
        ),
        (txt("CREATE", "b.example.com", &["a"]), "Value should be enclosed in quotation marks"),
        (txt("CREATE", "a..example.com", &["\"a\""]), "DomainLabelEmpty"),
        (
            txt("UPSERT", "good.example.com", &["\"b\""]),
            "invalid set of changes for a resource record set 'TXT good.example.com.'",
        ),
        (set("CREATE", "example.com", "CNAME", 300, &["a.example.org"]), "is not permitted at apex"),
        (
            set("CREATE", "good.example.com", "CNAME", 300, &["a.example.org"]),
            "because a conflicting RRSet of type  TXT",
        ),
        (set("CREATE", "a.example.com", "SOA", 300, &["a b 1 2 3 4 5"]), "type SOA"),
    ] {
        let messages = refused(&region, &zone, &[good.clone(), bad]);
        assert!(messages.iter().any(|found| found.contains(message)), "{message}: {messages:?}");
    }
    let servers = region.world().route53.zones[&zone].name_servers.clone().map(|server| format!("{server}."));
    let servers: Vec<_> = servers.iter().map(String::as_str).collect();
    let messages = refused(&region, &zone, &[set("DELETE", "example.com", "NS", 172_800, &servers)]);
    assert_eq!(messages, ["A HostedZone must contain at least one NS record for the zone itself."]);
}

#[test]
fn a_batch_has_its_limits_and_an_upsert_counts_twice() {
    let region = calm();
    let zone = zone(&region, "example.com");
    let many = |action: &str, n: usize| {
        (0..n).map(|n| txt(action, &format!("n{n}.example.com"), &["\"\""])).collect::<Vec<_>>()
    };
    changed(&region, &zone, &many("UPSERT", 500));
    assert_eq!(refused(&region, &zone, &many("UPSERT", 501)), ["Number of records limit of 1000 exceeded."]);
    changed(&region, &zone, &many("DELETE", 500));
    changed(&region, &zone, &many("CREATE", 1000));
    assert_eq!(refused(&region, &zone, &many("CREATE", 1001)), ["Number of records limit of 1000 exceeded."]);

    let long = format!("\"{}\"", "a".repeat(198));
    let wide =
        |action: &str, n| (0..n).map(|n| txt(action, &format!("w{n}.example.com"), &[&long])).collect::<Vec<_>>();
    assert_eq!(refused(&region, &zone, &wide("UPSERT", 81)), ["RDATA character limit of 32000 exceeded."]);
    changed(&region, &zone, &wide("UPSERT", 80));
}

#[test]
fn an_invalid_batch_can_come_in_the_form_of_all_other_errors() {
    let region = region(Settings { throttling: false, change_batch_errors_apart: false, ..Settings::default() });
    let zone = zone(&region, "example.com");
    let answer = change(&region, OWNER, &zone, &[txt("DELETE", "b.example.com", &["\"a\""])]);
    assert_eq!(code(&answer), (400, "InvalidChangeBatch"));
    let message = "[Tried to delete resource record set [name='b.example.com.', type='TXT'] but it \
                   was not found]";
    assert_eq!(one(&answer.body, "Message"), message);
}

#[test]
fn a_request_with_something_unknown_is_refused_in_the_words_of_the_schema() {
    let region = calm();
    let zone = zone(&region, "example.com");
    for (wrong, right) in [
        ("<Surprise/>", "starting with element 'Surprise'"),
        ("<Change><Action>CREATE</Action></Change>", "The content of element 'Change' is not complete"),
        (&txt("REPLACE", "a.example.com", &["\"a\""]), "Value 'REPLACE' at 'action'"),
        (&set("CREATE", "a.example.com", "TEXT", 300, &["\"a\""]), "Value 'TEXT' at 'type'"),
        (&txt("CREATE", "a.example.com", &[]), "The content of element 'ResourceRecords' is not complete"),
        (&txt("CREATE", "a.example.com", &["\"a\""]).replace("<TTL>300</TTL>", ""), "Expected exactly one of"),
        (&txt("CREATE", "a.example.com", &["\"a\""]).replace("300", "-1"), "is not a valid value for"),
        ("", "The content of element 'Changes' is not complete"),
    ] {
        let answer = change(&region, OWNER, &zone, &[wrong.to_owned()]);
        assert_eq!(code(&answer), (400, "InvalidInput"));
        assert!(one(&answer.body, "Message").contains(right), "{}", answer.body);
    }
}

#[test]
fn a_prior_request_that_still_runs_is_waited_for() {
    let region = region(Settings {
        throttling: false,
        change_batch_errors_apart: true,
        prior_request_seconds: Some(5),
        ..Settings::default()
    });
    let zone = zone(&region, "example.com");
    changed(&region, &zone, &[txt("UPSERT", "a.example.com", &["\"a\""])]);
    region.step(Duration::from_secs(4));
    let answer = change(&region, OWNER, &zone, &[txt("UPSERT", "b.example.com", &["\"a\""])]);
    assert_eq!(code(&answer), (400, "PriorRequestNotComplete"));
    region.step(Duration::from_secs(1));
    changed(&region, &zone, &[txt("UPSERT", "b.example.com", &["\"a\""])]);
}

#[test]
fn an_alias_is_kept_and_shown() {
    let region = calm();
    let zone = zone(&region, "example.com");
    let alias = "<AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>lb.example.org.</DNSName>\
                 <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>";
    let change = |action: &str| {
        format!(
            "<Change><Action>{action}</Action><ResourceRecordSet><Name>a.example.com</Name><Type>A</Type>{alias}\
             </ResourceRecordSet></Change>"
        )
    };
    changed(&region, &zone, &[change("CREATE")]);
    assert!(get(&region, &format!("hostedzone/{zone}/rrset?name=a.example.com")).contains(alias));
    changed(&region, &zone, &[change("DELETE")]);
    assert_eq!(region.world().route53.zones[&zone].records.len(), 2);
}
