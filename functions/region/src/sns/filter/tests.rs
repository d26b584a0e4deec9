//! What policies let through, and what SNS says of those that are none.

use super::super::message::Draft;
use super::*;
use crate::query::Params;

fn message(attributes: &[(&str, &str, &str)], body: &str) -> Message {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "Publish").append_pair("Version", "1").append_pair("Message", body);
    for (at, (name, data_type, value)) in attributes.iter().enumerate() {
        let entry = format!("MessageAttributes.entry.{}", at + 1);
        let field = if *data_type == "Binary" { "BinaryValue" } else { "StringValue" };
        form.append_pair(&format!("{entry}.Name"), name);
        form.append_pair(&format!("{entry}.Value.DataType"), data_type);
        form.append_pair(&format!("{entry}.Value.{field}"), value);
    }
    let request = crate::Request { body: form.finish().into_bytes(), ..crate::Request::default() };
    let (_, mut params) = Params::read_query(&request, "1").unwrap();
    Draft::take(&mut params).unwrap().checked().unwrap()
}

fn lets(policy: &str, attributes: &[(&str, &str, &str)]) -> bool {
    FilterPolicy::parse(policy, Scope::MessageAttributes).unwrap().lets_through(&message(attributes, "x"))
}

fn lets_body(policy: &str, body: &str) -> bool {
    FilterPolicy::parse(policy, Scope::MessageBody).unwrap().lets_through(&message(&[], body))
}

#[test]
fn each_key_must_be_met_by_one_of_its_conditions() {
    let policy = r#"{"type": ["Available", "Rejected"], "region": [{"prefix": "eu-"}]}"#;
    assert!(lets(policy, &[("type", "String", "Rejected"), ("region", "String", "eu-west-1")]));
    assert!(!lets(policy, &[("type", "String", "Held"), ("region", "String", "eu-west-1")]));
    assert!(!lets(policy, &[("type", "String", "Rejected"), ("region", "String", "us-west-2")]));
    assert!(!lets(policy, &[("type", "String", "Rejected")]));
    assert!(lets("{}", &[]));
}

#[test]
fn texts_are_met_by_their_ends_in_any_case_or_by_not_being_something() {
    for (condition, yes, no) in [
        (r#"{"suffix": "ld"}"#, "Held", "HELD"),
        (r#"{"equals-ignore-case": "heLD"}"#, "HElD", "hold"),
        (r#"{"anything-but": ["Held", "Failed"]}"#, "Available", "Failed"),
        (r#"{"anything-but": "Held"}"#, "held", "Held"),
        (r#"{"anything-but": {"prefix": "Domain"}}"#, "Held", "DomainVerified"),
        (r#"{"cidr": "10.1.0.0/16"}"#, "10.1.255.255", "10.2.0.0"),
        (r#"{"cidr": "2001:db8::/32"}"#, "2001:db8:ff::1", "10.1.0.1"),
        (r#"{"cidr": "0.0.0.0/0"}"#, "255.255.255.255", "nowhere"),
    ] {
        let policy = format!(r#"{{"a": [{condition}]}}"#);
        assert!(lets(&policy, &[("a", "String", yes)]), "{condition} {yes}");
        assert!(!lets(&policy, &[("a", "String", no)]), "{condition} {no}");
        assert!(!lets(&policy, &[]), "{condition} needs an attribute");
    }
    assert!(lets(r#"{"a": [{"anything-but": ["x"]}]}"#, &[("a", "Number", "1")]), "a number is anything but a text");
}

#[test]
fn numbers_are_compared_to_five_digits() {
    for (condition, yes, no) in [
        (r#"{"numeric": ["=", 301.5]}"#, "301.5", "301.50001"),
        (r#"{"numeric": [">", 0]}"#, "0.00001", "0"),
        (r#"{"numeric": [">=", 2, "<", 10]}"#, "2", "10"),
        (r#"{"numeric": [">", 2, "<=", 10]}"#, "10", "2"),
        (r#"{"numeric": ["<", -1e9]}"#, "-1000000001", "-1e9"),
        (r#"{"numeric": ["<=", 3]}"#, "3.000001", "3.00001"),
        ("301", "301.0", "302"),
        (r#"{"anything-but": [1, 2]}"#, "3", "2"),
    ] {
        let policy = format!(r#"{{"a": [{condition}]}}"#);
        assert!(lets(&policy, &[("a", "Number", yes)]), "{condition} {yes}");
        assert!(!lets(&policy, &[("a", "Number", no)]), "{condition} {no}");
    }
    assert!(!lets(r#"{"a": [1]}"#, &[("a", "String", "1")]), "a text is no number");
    assert!(!lets(r#"{"a": ["1"]}"#, &[("a", "Number", "1")]), "a number is no text");
}

#[test]
fn exists_looks_only_whether_there_is_an_attribute_and_bytes_are_none() {
    for (policy, there) in [(r#"{"a": [{"exists": true}]}"#, true), (r#"{"a": [{"exists": false}]}"#, false)] {
        assert_eq!(lets(policy, &[("a", "Number", "1")]), there);
        assert_eq!(lets(policy, &[("b", "String", "x")]), !there);
        assert_eq!(lets(policy, &[("a", "Binary", "eA==")]), !there);
    }
}

#[test]
fn one_member_of_an_array_is_enough() {
    let array = |value| [("a", "String.Array", value)];
    assert!(lets(r#"{"a": ["y"]}"#, &array(r#"["x", "y"]"#)));
    assert!(!lets(r#"{"a": ["z"]}"#, &array(r#"["x", "y"]"#)));
    assert!(lets(r#"{"a": [2, true]}"#, &array("[1, true, null]")));
    assert!(lets(r#"{"a": [null]}"#, &array("[1, null]")));
    assert!(lets(r#"{"a": [{"anything-but": ["x"]}]}"#, &array(r#"["x", "y"]"#)));
}

#[test]
fn or_is_an_operator_where_it_has_two_objects_of_attributes() {
    let policy = r#"{"source": ["a"], "$or": [{"type": ["x"]}, {"count": [{"numeric": [">", 5]}], "type": ["y"]}]}"#;
    let source = ("source", "String", "a");
    assert!(lets(policy, &[source, ("type", "String", "x")]));
    assert!(lets(policy, &[source, ("type", "String", "y"), ("count", "Number", "6")]));
    assert!(!lets(policy, &[source, ("type", "String", "y"), ("count", "Number", "5")]));
    assert!(!lets(policy, &[("type", "String", "x")]));
    // One alternative is none, and neither is one with an operator: it is the name of an attribute then.
    let one = FilterPolicy::parse(r#"{"$or": [{"type": ["x"]}]}"#, Scope::MessageAttributes).unwrap_err();
    assert!(one.message.ends_with("Unrecognized match type type"), "{}", one.message);
    let named = r#"{"$or": [{"prefix": "x"}, {"suffix": "y"}]}"#;
    assert!(
        FilterPolicy::parse(named, Scope::MessageBody).unwrap().rules.len() == 1
            && lets_body(named, r#"{"$or": "xa"}"#)
    );
}

#[test]
fn a_text_is_looked_into_where_the_scope_says_so() {
    let policy = r#"{"service": {"region": [{"prefix": "eu-"}], "name": ["a"]}, "policy": ["p"]}"#;
    assert!(lets_body(policy, r#"{"service": {"region": "eu-west-1", "name": "a"}, "policy": ["o", "p"]}"#));
    assert!(!lets_body(policy, r#"{"service": {"region": "us-west-2", "name": "a"}, "policy": ["p"]}"#));
    // Of a list of objects, one has to meet it all.
    let list = |first: &str, second: &str| format!(r#"{{"service": [{{{first}}}, {{{second}}}], "policy": "p"}}"#);
    assert!(lets_body(policy, &list(r#""name": "b""#, r#""name": "a", "region": "eu-1""#)));
    assert!(!lets_body(policy, &list(r#""name": "a""#, r#""region": "eu-1""#)));
    let absent = r#"{"service": {"region": [{"exists": false}]}}"#;
    assert!(lets_body(absent, "{}") && lets_body(absent, r#"{"service": {"name": "a"}}"#));
    assert!(!lets_body(absent, r#"{"service": {"region": null}}"#));
    assert!(lets_body(r#"{"a": [{"exists": false}]}"#, r#"{"a": {"b": 1}}"#), "an object is no value");
    for none in ["text", "[]", "1"] {
        assert!(!lets_body(absent, none), "{none}");
        assert!(lets_body("{}", none), "{none}");
    }
    assert!(!lets(r#"{"a": [1]}"#, &[]), "attributes are not looked for in the text");
    let either = r#"{"$or": [{"a": {"b": [1]}}, {"c": [2]}]}"#;
    assert!(lets_body(either, r#"{"a": {"b": 1}}"#) && lets_body(either, r#"{"c": 2}"#) && !lets_body(either, "{}"));
}

#[test]
fn a_wrong_policy_is_refused_in_sns_words() {
    for (policy, problem) in [
        ("{", "failed to parse JSON"),
        ("[]", "Filter is not an object"),
        (r#"{"a": "x"}"#, "\"a\" must be an object or an array"),
        (r#"{"a": []}"#, "Empty arrays are not allowed"),
        (r#"{"a": {"b": ["x"]}}"#, "does not support nested filter policy"),
        (r#"{"$or": [{"a": {"b": ["x"]}}, {"c": ["x"]}]}"#, "does not support nested filter policy"),
        (r#"{"a": [["x"]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"a": [{"like": "x"}]}"#, "Unrecognized match type like"),
        (r#"{"a": [{"wildcard": "x*"}]}"#, "Unrecognized match type wildcard"),
        (r#"{"a": [{"prefix": 1}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"suffix": ["x"]}]}"#, "suffix match pattern must be a string"),
        (r#"{"a": [{"equals-ignore-case": null}]}"#, "equals-ignore-case match pattern must be a string"),
        (r#"{"a": [{"prefix": "x", "exists": true}]}"#, "Only one key allowed in match expression"),
        (r#"{"a": [{}]}"#, "Only one key allowed in match expression"),
        (r#"{"a": [{"exists": "no"}]}"#, "exists match pattern must be either true or false."),
        (r#"{"a": [{"anything-but": []}]}"#, "Empty arrays are not allowed"),
        (r#"{"a": [{"anything-but": ["x", 1]}]}"#, "mixed type is not supported"),
        (r#"{"a": [{"anything-but": {"suffix": "x"}}]}"#, "Unsupported anything-but pattern: suffix"),
        (r#"{"a": [{"anything-but": {"prefix": 1}}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"numeric": 1}]}"#, "Value of numeric must be an array."),
        (r#"{"a": [{"numeric": []}]}"#, "Invalid member in numeric match: ]"),
        (r#"{"a": [{"numeric": [1]}]}"#, "Invalid member in numeric match: 1"),
        (r#"{"a": [{"numeric": ["<>", 1]}]}"#, "Unrecognized numeric range operator: <>"),
        (r#"{"a": [{"numeric": ["="]}]}"#, "Value of equals must be numeric"),
        (r#"{"a": [{"numeric": [">", "1"]}]}"#, "Value of > must be numeric"),
        (r#"{"a": [{"numeric": [">", 1e10]}]}"#, "Value must be between -1.0E9 and 1.0E9, inclusive"),
        (r#"{"a": [{"numeric": ["<", 1, ">", 0]}]}"#, "Too many elements in numeric expression"),
        (r#"{"a": [{"numeric": ["=", 1, "<", 2]}]}"#, "Too many elements in numeric expression"),
        (r#"{"a": [{"numeric": [">", 1, 2]}]}"#, "Bad value in numeric range: 2"),
        (r#"{"a": [{"numeric": [">", 1, ">", 2]}]}"#, "Bad numeric range operator: >"),
        (r#"{"a": [{"numeric": [">", 1, "<"]}]}"#, "Value of < must be numeric"),
        (r#"{"a": [{"numeric": [">", 1, "<", 1]}]}"#, "Bottom must be less than top"),
        (r#"{"a": [{"numeric": [">", 1, "<", 2, "<"]}]}"#, "Too many terms in numeric range expression"),
        (r#"{"a": [{"cidr": 10}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"cidr": "10.0.0.0"}]}"#, "Malformed CIDR, one '/' required"),
        (r#"{"a": [{"cidr": "10.0.0.0/x"}]}"#, "Malformed CIDR, mask bits must be an integer"),
        (r#"{"a": [{"cidr": "10.0.0/8"}]}"#, "Nonstandard IP address: 10.0.0"),
        (r#"{"a": [{"cidr": "10.0.0.0/33"}]}"#, "IPv4 mask bits must be < 33"),
        (
            r#"{"a": ["x"], "b": ["x"], "c": ["x"], "d": ["x"], "e": ["x"], "f": ["x"]}"#,
            "Filter policy can not have more than 5 keys",
        ),
    ] {
        let error = FilterPolicy::parse(policy, Scope::MessageAttributes).unwrap_err();
        assert_eq!((error.status, error.code.as_str()), (400, "InvalidParameter"));
        assert!(error.message.contains(problem), "{policy}: {}", error.message);
    }
    assert!(Scope::parse("Body").unwrap_err().message.contains("Invalid value [Body]"));
}

#[test]
fn a_policy_has_at_most_150_combinations_and_deep_keys_count_more() {
    let fits = |policy: Value| {
        let parsed = FilterPolicy::parse(&policy.to_string(), Scope::MessageBody);
        parsed.map_err(|error| assert!(error.message.ends_with("Filter policy is too complex"))).is_ok()
    };
    let many = |count| Value::from(vec!["x"; count]);
    assert!(fits(serde_json::json!({"a": many(15), "b": many(10)})));
    assert!(!fits(serde_json::json!({"a": many(13), "b": many(12)})));
    assert!(fits(serde_json::json!({"a": {"b": {"c": many(5)}}, "d": {"e": many(5)}})), "3 x 5 x 2 x 5");
    assert!(!fits(serde_json::json!({"a": {"b": {"c": many(6)}}, "d": {"e": many(5)}})));
    assert!(fits(serde_json::json!({"$or": [{"a": many(75)}, {"b": many(75)}]})));
    assert!(!fits(serde_json::json!({"$or": [{"a": many(75)}, {"b": many(76)}]})));
}
