//! The document's published form, and the limit of a message.

use std::sync::LazyLock;

use serde_json::json;

use super::*;

/// The form as it is published.
const PUBLISHED: &str = include_str!("../../../../../infra/notice.schema.json");

fn schema() -> Value {
    // What is written, and not what could be read: a field that is left out is never null.
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Document<'static>>().to_value()
}

/// The published form with no room for a field that it does not know: it may grow for its readers, and not unseen.
static CLOSED: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let mut schema: Value = serde_json::from_str(PUBLISHED).unwrap();
    close(&mut schema);
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
});

fn close(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        if object.contains_key("properties") {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
        if let Some(parts) = object.get_mut("$defs").and_then(Value::as_object_mut) {
            parts.values_mut().for_each(close);
        }
    }
}

pub(super) fn hold_to_the_schema(document: &Value) {
    let errors: Vec<_> =
        CLOSED.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, [""; 0], "{document:#}");
}

#[test]
fn the_published_form_is_the_form() {
    let schema = format!("{:#}\n", schema());
    assert!(schema == PUBLISHED, "the form has changed; `infra/notice.schema.json` would now be:\n{schema}");
}

#[test]
fn a_document_that_is_not_of_the_form_is_refused() {
    let (_, document, _) = only(&ready(vec![connection(1, ACME, "available")]));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut document = document.clone();
        change(&mut document);
        CLOSED.is_valid(&document)
    };
    assert!(changed(&|_| {}));
    assert!(changed(&|d| d["consumer"] = Value::Null));
    assert!(!changed(&|d| d["schemaVersion"] = json!("2")));
    assert!(!changed(&|d| d["type"] = json!("Something")));
    assert!(!changed(&|d| d["time"] = json!("yesterday")));
    assert!(!changed(&|d| d["service"]["id"] = json!("vpce-0a")));
    assert!(!changed(&|d| d["endpoint"]["account"] = json!(111122223333_u64)));
    assert!(!changed(&|d| d["new"] = json!(1)));
    assert!(!changed(&|d| d["endpoint"]["new"] = json!(1)));
    assert!(!changed(&|d| drop(d["service"].as_object_mut().unwrap().remove("region"))));
    assert!(!changed(&|d| d["others"] = Value::Null));
    assert!(!changed(&|d| drop(d["service"].as_object_mut().unwrap().remove("privateDnsName"))));
    assert!(!changed(&|d| drop(d.as_object_mut().unwrap().remove("nextSteps"))));
}

#[test]
fn the_fields_stand_in_their_order() {
    let (message, document, _) = only(&ready(vec![connection(1, ACME, "available")]));
    let body: Value = serde_json::from_str(&message.body).unwrap();
    let text = body["default"].as_str().unwrap();
    let fields = ["schemaVersion", "id", "type", "time", "service", "endpoint", "consumer", "policy", "nextSteps"];
    let places: Vec<_> = fields.iter().map(|field| text.find(&format!("\"{field}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    let expected = json!({
        "id": "vpce-svc-0123456789abcdef0",
        "name": "com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0",
        "region": "us-west-2",
        "privateDnsName": "api.example.com",
        "privateDnsState": "verified",
        "ipAddressTypes": ["ipv4", "ipv6"],
    });
    assert_eq!(document["service"], expected);
    assert_eq!(document["time"], "2026-01-31T12:00:00Z");
    let (_, bare, _) = only(&world(service(None), vec![connection(1, STRANGER, "available")]));
    assert_eq!((&bare["service"]["privateDnsName"], &bare["consumer"]), (&Value::Null, &Value::Null));
    assert!(bare.as_object().unwrap().contains_key("consumer"));
}

#[test]
fn a_moment_is_written_in_utc() {
    let observed = ready(vec![connection(1, ACME, "available")]);
    let time = datetime!(2026-02-01 01:02:03.456 +13);
    let (consumers, settings) = (consumers(), settings());
    let plan = plan_notices(&observed, &consumers, &settings, time);
    let NoticeEffect::Publish(publish) = &plan.effects[0] else { panic!("{plan:?}") };
    assert_eq!(publish.notice.document().time, "2026-01-31T12:02:03Z");
}

#[test]
fn thousands_of_held_connections_fit_into_one_message() {
    let (_, document, mail) = only(&ready((1..=60_u32).map(|n| held(n, ACME)).collect()));
    assert_eq!((document["others"].as_array().unwrap().len(), document.get("omitted")), (59, None));
    assert!(mail.contains("and 10 more") && mail.contains("the first 25 of 60"), "{mail}");
    let (message, document, _) = only(&ready((1..=20_000_u32).map(|n| held(n, ACME)).collect()));
    let others = document["others"].as_array().unwrap().len();
    assert!(others >= 4_000, "{others}");
    assert_eq!(document["omitted"]["others"], 19_999 - others);
    assert!(message.size() > LARGEST_MESSAGE / 3, "{}", message.size());
}

#[test]
fn nothing_that_stands_in_a_notice_makes_it_too_large() {
    let long = "\u{1}\"\\é".repeat(1_000);
    let mut service = service(Some((&long, "verified")));
    service.name.clone_from(&long);
    service.region.clone_from(&long);
    service.ip_address_types = (0..2_000).map(|n| format!("{n}{long}")).collect();
    let mut connection = connection(1, ACME, "available");
    connection.dns_names = (0..5_000).map(|n| format!("{n}{long}")).collect();
    connection.region.clone_from(&long);
    connection.ip_address_type.clone_from(&long);
    connection.tags.insert("privatelink:policy".to_owned(), format!("{long} ").repeat(3));
    let (_, document, _) = only(&world(service, vec![connection]));
    assert!(document["omitted"]["dnsNames"].as_u64().unwrap() > 4_000);
}
