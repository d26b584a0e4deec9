//! Documents that are broken, each in one way, and what is said of them.

mod networks;

use serde_json::json;

use super::*;

/// A document that can be edited, and the ids of what is in it.
struct Saved {
    text: String,
    document: Value,
    rich: Rich,
}

fn saved() -> Saved {
    let rich = rich();
    let text = rich.region.save().unwrap();
    Saved { document: serde_json::from_str(&text).unwrap(), text, rich }
}

impl Saved {
    /// What is said of the document after an edit at a place.
    #[track_caller]
    fn after(&self, at: &str, edit: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut document = self.document.clone();
        edit(document.pointer_mut(at).unwrap_or_else(|| panic!("there is no {at}")));
        problems(&document.to_string())
    }

    #[track_caller]
    fn with(&self, at: &str, value: Value) -> Vec<String> {
        self.after(at, |place| *place = value)
    }
}

#[track_caller]
fn problems(text: &str) -> Vec<String> {
    Region::load(text, Clock::standing).expect_err("it is broken").problems
}

/// One problem, which begins with its place or says what it is of, and has these words in it.
#[track_caller]
fn only(problems: &[String], begin: &str, words: &str) {
    let [problem] = problems else { panic!("{problems:#?}") };
    assert!(problem.starts_with(begin) && problem.contains(words), "{problem}");
}

fn key(map: &Value) -> String {
    map.as_object().unwrap().keys().next().unwrap().clone()
}

fn remove(key: &str) -> impl FnOnce(&mut Value) {
    move |map| assert!(map.as_object_mut().unwrap().remove(key).is_some())
}

#[test]
fn what_is_no_json_or_no_state_is_refused() {
    let Saved { text, .. } = saved();
    let format = format!("\"format\": {FORMAT}");
    for (broken, begin, words) in [
        ("", "this is no JSON: ", "line 1"),
        ("{\"format\": 4,}", "this is no JSON: ", "line 1 column 14"),
        (&text.replacen("},\n", "}\n", 1), "this is no JSON: ", "line"),
        (&format!("{text}x"), "this is no JSON: ", "trailing characters"),
        ("[]", "this is no state of a Region: ", "expected an object"),
        ("{}", "this is no state of a Region: ", "missing field `format`"),
        (&format!("{{\"format\": {FORMAT}}}"), "this is no state of a Region: ", "missing field `now`"),
        ("{\"format\": \"1\"}", "`/format`: ", "expected u64"),
        (&text.replacen(&format, "\"format\": 1", 1), "`/format` is `1`; ", &format!("`{FORMAT}`")),
        // What a later version has beside it is not what is wrong.
        ("{\"format\": 7, \"weather\": \"fine\"}", "`/format` is `7`; ", &format!("`{FORMAT}`")),
    ] {
        only(&problems(broken), begin, words);
    }
    assert_eq!(problems(&"[".repeat(100_000)).len(), 1);
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let Saved { text, rich, .. } = saved();
    let format = format!("\"format\": {FORMAT},");
    let twice = text.replacen(&format, &format!("{format} \"due\": [],"), 1);
    only(&problems(&twice), "`/due`: ", "the key `due` is there twice");
    let id = &rich.verified;
    let twice = text.replacen("\"services\": {", &format!("\"services\": {{\"{id}\": {{}},"), 1);
    only(&problems(&twice), &format!("`/services/{id}`: "), "is there twice");
}

#[test]
fn what_can_not_be_understood_is_named_with_its_place() {
    let saved = saved();
    let Rich { verified, pending, zone, .. } = &saved.rich;
    for (at, value, begin, words) in [
        ("/settings/throttling".to_owned(), json!("yes"), "/settings/throttling", "expected a boolean"),
        (format!("/services/{verified}/tags"), json!([]), "/services/{verified}/tags", "expected a map"),
        (
            format!("/services/{verified}/tags"),
            json!({"\"{a/~b\\": 1}),
            "/services/{verified}/tags/\"{a~1~0b\\",
            "a string",
        ),
        (format!("/endpoints/{pending}/kind"), json!("Gateway"), "", "`Gateway` is not a kind of endpoints"),
        (format!("/endpoints/{pending}/history/0/1"), json!("gone"), "", "`gone` is not a state of endpoints"),
        (format!("/endpoints/{pending}/created"), json!("today"), "", "`today` is not a time"),
        ("/now".to_owned(), json!("9500-01-31T12:00:00Z"), "/now", "expected a year from 1 to 9000"),
        ("/random".to_owned(), json!("+123456789abcdef"), "/random", "16 hexadecimal digits"),
        ("/random".to_owned(), json!("1"), "/random", "16 hexadecimal digits"),
        ("/foreseen".to_owned(), json!(u64::MAX), "", "more than anybody counts to"),
        ("/due/0/what".to_owned(), json!({"explode": "x"}), "/due/0/what/explode", "unknown variant `explode`"),
        ("/buckets/0/1/tokens".to_owned(), json!("NaN"), "/buckets/0/1/tokens", "expected a number from 0"),
        (format!("/route53/zones/{zone}/name"), json!("a..b"), "", "`a..b` is not a domain name: DomainLabelEmpty"),
        (format!("/route53/zones/{zone}/name_servers"), json!(["a"]), "", "an array of length 4"),
    ] {
        // Where the place goes without saying, it is that of the value.
        let place = if begin.is_empty() { at.clone() } else { begin.replace("{verified}", verified) };
        let problems = saved.with(&at, value);
        let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
        assert!(problem.contains(words) && problem.contains(" at line 1 column "), "{problem}");
        assert!(problem.starts_with(&format!("`{place}`: ")), "{place}: {problem}");
    }
}

#[test]
fn fields_that_nobody_knows_or_that_are_not_there_are_refused_wherever_they_are() {
    let saved = saved();
    let Rich { verified, pending, zone, .. } = &saved.rich;
    let document = &saved.document;
    let notification = key(&document["notifications"]);
    let session = key(&document["sessions"]);
    let change = key(&document["route53"]["changes"]);
    for (at, missing) in [
        (String::new(), "buckets"),
        ("/settings".to_owned(), "page"),
        ("/due/0".to_owned(), "number"),
        (format!("/services/{verified}"), "supported_regions"),
        (format!("/services/{verified}/private_dns_name"), "asked"),
        (format!("/endpoints/{pending}"), "history"),
        (format!("/notifications/{notification}"), "events"),
        (format!("/sessions/{session}"), "role"),
        ("/tokens/0/1".to_owned(), "wanted"),
        ("/sns".to_owned(), "deliveries"),
        (format!("/sns/topics/{PLAIN}"), "permissions"),
        (format!("/sns/topics/{PLAIN}/permissions/l"), "actions"),
        (format!("/sns/topics/{PLAIN}/subscriptions/0"), "filter"),
        (format!("/sns/topics/{ORDERED}/fifo"), "known"),
        (format!("/sns/topics/{ORDERED}/fifo/known/0/1"), "at"),
        ("/sns/deliveries/0".to_owned(), "message"),
        ("/sns/deliveries/0/attributes/a".to_owned(), "data_type"),
        ("/route53".to_owned(), "random"),
        (format!("/route53/zones/{zone}"), "seen"),
        (format!("/route53/zones/{zone}/records/0/0"), "kind"),
        (format!("/route53/zones/{zone}/records/0/1"), "data"),
        (format!("/route53/zones/{zone}/records/0/1/data/values"), "ttl"),
        (format!("/route53/changes/{change}"), "in_sync"),
        ("/buckets/0/1".to_owned(), "tokens"),
    ] {
        let unknown = saved.after(&at, |of| drop(of.as_object_mut().unwrap().insert("weather".into(), json!(1))));
        only(&unknown, &format!("`{at}/weather`: "), "unknown field `weather`, expected ");
        let place = if at.is_empty() { "this is no state of a Region: ".to_owned() } else { format!("`{at}`: ") };
        only(&saved.after(&at, remove(missing)), &place, &format!("missing field `{missing}`"));
    }
}

#[test]
fn services_endpoints_and_what_is_due_have_to_be_there_for_each_other() {
    let saved = saved();
    let Rich { verified, asked, pending, waiting, .. } = &saved.rich;
    let look = format!("`/services/{asked}/private_dns_name`: ");
    let endpoint = format!("`/endpoints/{pending}`: ");
    // Of an endpoint that waits for its provider nothing is due.
    let kind = saved.with(&format!("/endpoints/{waiting}/kind"), json!("GatewayLoadBalancer"));
    only(&kind, &format!("`/endpoints/{waiting}`: "), "that of its service `Interface`");
    let none = saved.with(&format!("/endpoints/{waiting}/service"), json!("vpce-svc-0"));
    only(
        &none,
        &format!("`/endpoints/{waiting}`: "),
        "it is `pendingAcceptance`, and there is no service `vpce-svc-0`",
    );
    let connection = saved.document["endpoints"][waiting]["connection_id"].clone();
    let doubled = saved.with(&format!("/endpoints/{pending}/connection_id"), connection);
    assert!(matches!(doubled.as_slice(), [one] if one.contains("is that of the endpoint `vpce-")), "{doubled:#?}");
    let id = saved.with(&format!("/endpoints/{waiting}/id"), json!("vpce-0"));
    only(&id, &format!("`/endpoints/{waiting}`: "), "its `id` is `vpce-0`");
    let id = saved.with(&format!("/services/{verified}/id"), json!("vpce-svc-0"));
    only(&id, &format!("`/services/{verified}`: "), "its `id` is `vpce-svc-0`");
    let stateless = saved.with(&format!("/endpoints/{waiting}/history"), json!([]));
    only(&stateless, &format!("`/endpoints/{waiting}`: "), "its `history` is empty");
    let early = json!([["2026-01-31T12:00:01Z", "pendingAcceptance"], ["2026-01-31T12:00:00Z", "rejected"]]);
    let early = saved.with(&format!("/endpoints/{waiting}/history"), early);
    only(&early, &format!("`/endpoints/{waiting}`: "), "not in its order");

    let available = |due: &mut Value| due.as_array_mut().unwrap().retain(|event| event["what"]["available"].is_null());
    only(&saved.after("/due", available), &endpoint, "it is `pending`, and nothing in `/due`");
    let looks = |due: &mut Value| due.as_array_mut().unwrap().retain(|event| event["what"]["look"] != json!(asked));
    only(&saved.after("/due", looks), &look, "no such look is in `/due`");
    let never = saved.after(&format!("/services/{verified}/private_dns_name"), |name| {
        (name["asked"], name["look"]) = (json!(true), json!(0));
    });
    assert!(never.iter().any(|problem| problem.contains("it was `asked` for, and has no `look`")), "{never:#?}");

    for (what, words) in [
        (json!({"available": "vpce-0"}), "there is no endpoint `vpce-0` that is `pending`"),
        (json!({"available": waiting}), "that is `pending`"),
        (json!({"look": "vpce-svc-0"}), "there is no service `vpce-svc-0` with"),
        (json!({"look": verified}), "that waits for this"),
    ] {
        let more = json!({"at": "2026-02-01T00:00:00Z", "number": 1, "what": what});
        let problems = saved.after("/due", |due| due.as_array_mut().unwrap().push(more));
        only(&problems, "`/due/3`: ", words);
    }
    only(&saved.with("/due/0/at", json!("2026-01-31T12:00:00Z")), "`/due/0`: ", "this was due before `/now`");
    let number = saved.with("/foreseen", json!(5));
    only(&number, "`/due/1`: ", "its number is `6`, which is none up to `/foreseen`");
    let twice = saved.after("/due", |due| {
        let again = due[0].clone();
        due.as_array_mut().unwrap().push(again);
    });
    only(&twice, "`/due/3`: ", "its number `5` is that of an earlier one");
}

#[test]
fn notifications_sessions_and_subscriptions_have_to_be_of_something() {
    let saved = saved();
    let notification = key(&saved.document["notifications"]);
    let place = format!("`/notifications/{notification}`: ");
    let at = format!("/notifications/{notification}");
    only(&saved.with(&format!("{at}/service"), json!("vpce-svc-0")), &place, "there is no service `vpce-svc-0`");
    only(&saved.with(&format!("{at}/id"), json!("vpce-nfn-0")), &place, "its `id` is `vpce-nfn-0`");

    let token = saved.with("/tokens/0/1/id", json!("vpce-nfn-0"));
    only(&token, "`/tokens/0`: ", "made `vpce-nfn-0`, which is not there");
    let session = key(&saved.document["sessions"]);
    let role = saved.with(&format!("/sessions/{session}/role"), json!("arn:aws:iam::111122223333:user/dns"));
    only(&role, &format!("`/sessions/{session}`: "), "which is not a role's ARN");

    let subscriptions = format!("/sns/topics/{PLAIN}/subscriptions");
    let arn = "arn:aws:sns:us-west-2:999988887777:none:1";
    let place = format!("`/sns/topics/{PLAIN}`: ");
    let stray = saved.with(&format!("{subscriptions}/0/arn"), json!(arn));
    only(&stray, &place, "is not one to this topic");
    let twice = saved.after(&subscriptions, |of| of[1] = of[0].clone());
    only(&twice, &place, "is there twice");
    let policy = json!({"scope": "MessageAttributes", "policy": r#"{"a": [{"like": "x"}]}"#});
    let filter = saved.with(&format!("{subscriptions}/0/filter"), policy);
    only(&filter, "`/sns/topics/", "Unrecognized match type like");
    let moved = saved.after("/sns/topics", |topics| {
        let mut topic = topics[PLAIN].clone();
        topic["subscriptions"] = json!([]);
        topics["nothing"] = topic;
    });
    only(&moved, "`/sns/topics/nothing`: ", "its key is not a topic's ARN");
    let plain = saved.with(&format!("/sns/topics/{ORDERED}/fifo"), Value::Null);
    only(&plain, &format!("`/sns/topics/{ORDERED}`: "), "ends with `.fifo`");
}

#[test]
fn zones_records_and_changes_have_to_be_of_each_other() {
    let saved = saved();
    let zone = &saved.rich.zone;
    let (at, place) = (format!("/route53/zones/{zone}"), format!("`/route53/zones/{zone}`: "));
    only(&saved.with(&format!("{at}/id"), json!("Z0")), &place, "its `id` is `Z0`");
    let unseen = saved.after(&format!("{at}/records"), |records| drop(records.as_array_mut().unwrap().pop()));
    only(&unseen, &place, "what is `seen` at last are not its `records`");
    let strange = saved.with(&format!("{at}/name"), json!("example.net"));
    assert!(strange.iter().any(|problem| problem.contains("`w.example.com.` is not within the zone `example.net.`")));
    let bare = saved.after(&at, |zone| {
        zone["records"] = json!([]);
        zone["seen"][0][1] = json!([]);
        zone["seen"].as_array_mut().unwrap().truncate(1);
    });
    assert_eq!(bare.len(), 4, "{bare:#?}");
    assert!(bare.iter().all(|problem| problem.contains("of the zone itself")), "{bare:#?}");
    let kind = saved.after(&at, |zone| {
        let records = zone["records"].as_array_mut().unwrap();
        records.last_mut().unwrap()[0]["kind"] = json!("WKS");
        let records = zone["records"].clone();
        *zone["seen"].as_array_mut().unwrap().last_mut().unwrap().get_mut(1).unwrap() = records;
    });
    assert!(kind.iter().all(|problem| problem.ends_with("of no known type: `WKS`")), "{kind:#?}");
    let routing = saved.text.replacen("\"Weight\"", "\"Mood\"", 1);
    only(&problems(&routing), &format!("`{at}/records/"), "`Mood` is not what routes: expected one of `Weight`");
    let doubled = saved.after(&format!("{at}/records"), |records| records[1] = records[0].clone());
    only(&doubled, &format!("`{at}/records"), "item 1 of the list has the key of an earlier one");

    let known = saved.with(&format!("{at}/known"), json!("2027-01-31T12:00:00Z"));
    only(&known, &place, "it is `seen` before it is `known`");
    let zones = saved.after("/route53/zones", |zones| {
        zones.as_object_mut().unwrap().values_mut().for_each(|zone| zone["number"] = json!(1));
    });
    only(&zones, "`/route53/zones/", "its `number` `1` is that of the zone `");
    let seen = saved.after(&at, |zone| {
        zone["known"] = json!("2026-01-31T11:00:00Z");
        zone["seen"][0][0] = zone["known"].clone();
    });
    only(&seen, &place, "no change of its owner is `in_sync` at `2026-01-31T11:00:00Z`");
    let change = key(&saved.document["route53"]["changes"]);
    let (at, place) = (format!("/route53/changes/{change}"), format!("`/route53/changes/{change}`: "));
    only(&saved.with(&format!("{at}/id"), json!("C0")), &place, "its `id` is `C0`");
    let early = saved.with(&format!("{at}/submitted"), json!("2027-01-31T12:00:00Z"));
    only(&early, &place, "it is `in_sync` before it was `submitted`");
    let stray = json!({"id": "C0", "owner": "444455556666", "submitted": "2026-01-31T12:00:00Z",
                       "in_sync": "2026-01-31T12:00:30Z"});
    let stray = saved.after("/route53/changes", |changes| changes["C0"] = stray);
    only(&stray, "`/route53/changes/C0`: ", "the account `444455556666` has no zone");
}

#[test]
fn all_that_does_not_hang_together_is_said_at_once() {
    let mut document = saved().document;
    document["services"] = json!({});
    document["settings"]["read_lag"]["secs"] = json!(u64::MAX);
    document["settings"]["prior_request_seconds"] = json!(u64::MAX);
    let problems = problems(&document.to_string());
    let about = |place: &str| problems.iter().filter(|problem| problem.starts_with(&format!("`{place}"))).count();
    // Of the endpoints, three are live.
    let counts = [about("/settings"), about("/due"), about("/endpoints"), about("/notifications")];
    assert_eq!((counts, problems.len()), ([2, 2, 3, 1], 8), "{problems:#?}");
    let all = StateFault { problems: problems.clone() }.to_string();
    assert_eq!(all.matches("; ").count(), 7, "{all}");
    assert!(problems[0].ends_with("this is longer than 31622400 seconds"), "{problems:#?}");
}
