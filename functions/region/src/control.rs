//! What AWS has not: the Region's own path, `/_region/…`, for whoever wants time to pass or something to go wrong.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /_region/now` | tells the Region's time |
//! | `GET /_region/requests` | gives the requests of AWS's protocols that came last, as they came |
//! | `GET /_region/state` | gives the whole world as a document of [`crate::state`] |
//! | `PUT /_region/state` | puts the world of such a document in the place of this one |
//! | `POST /_region/step?seconds=60` | lets time pass |
//! | `POST /_region/services?id=vpce-svc-…&owner=999988887777` | makes a service under an id of one's own |
//! | `POST /_region/faults` | asks for a [`Fault`], as JSON |
//! | `DELETE /_region/faults` | takes back all faults that are still to come |
//! | `GET /_region/dns` | tells what is wrong with the world's DNS |
//! | `POST /_region/dns` | asks for a [`DnsFault`], as JSON |
//! | `DELETE /_region/dns?zone=example.com` | puts that zone's DNS right again; all, without a zone |
//! | `POST /_region/txt?name=_x.example.org&value=vpce:…` | publishes a TXT record outside of Route 53 |
//! | `DELETE /_region/txt?name=…&value=…` | takes it away |
//! | `POST /_region/vpcs` | makes or changes a VPC, as JSON: an `owner`, a `region` if not this one, and a `vpc` as [`crate::world::VpcDraft`] has it |
//! | `POST /_region/interfaces?id=eni-…&address=127.0.0.9&address=::1` | gives an endpoint's interface these addresses |
//! | `POST /_region/resolvers?owner=111122223333&vpc=vpc-…` | opens a resolver in a VPC, on a `port` or on a free one |

mod networks;

use std::time::Duration;

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::dns::{DnsFault, DnsFaultKind};
use crate::faults::Fault;
use crate::route53::Name;
use crate::state::StateFault;
use crate::world::ServiceDraft;
use crate::{Answer, Region, Request};

/// Where the path begins.
pub const PATH: &str = "/_region/";

/// The most seconds that one step lets pass: a year.
const LONGEST_STEP: u64 = 366 * 86_400;

/// Answers a request to the Region itself, in JSON.
pub fn answer(region: &Region, request: &Request) -> Answer {
    let Request { method, path, query, body, .. } = request;
    let path = path.strip_prefix(PATH).unwrap_or_default();
    let answer = match (method.as_str(), path) {
        ("GET", "now") => Ok(now(region)),
        ("GET", "requests") => Ok(region.world().requests.to_json()),
        ("GET", "state") => return state(region),
        ("PUT", "state") => return restore(region, body),
        ("POST", "step") => step(region, query),
        ("POST", "services") => service(region, query),
        ("POST", "faults") => fault(region, body),
        ("GET", "dns") => Ok(dns(region)),
        ("POST", "dns") => dns_fault(region, body),
        ("DELETE", "dns") => mend_dns(region, query),
        ("POST", "vpcs") => networks::vpc(region, body),
        ("POST", "interfaces") => networks::interface(region, query),
        ("POST", "resolvers") => networks::resolver(region, query),
        ("POST" | "DELETE", "txt") => txt(region, query, method == "POST"),
        ("DELETE", "faults") => {
            region.mend();
            Ok(json!({"faults": []}))
        }
        _ => return json_answer(404, &json!({"error": format!("there is no `{method} {PATH}{path}` here")})),
    };
    match answer {
        Ok(value) => json_answer(200, &value),
        Err(error) => json_answer(400, &json!({"error": error})),
    }
}

fn json_answer(status: u16, value: &Value) -> Answer {
    json_text(status, format!("{value}\n"))
}

fn json_text(status: u16, body: String) -> Answer {
    Answer { status, headers: vec![("content-type", "application/json".to_owned())], body }
}

fn state(region: &Region) -> Answer {
    match region.save() {
        Ok(document) => json_text(200, document),
        Err(fault) => json_answer(500, &json!({"error": fault.to_string()})),
    }
}

fn restore(region: &Region, body: &[u8]) -> Answer {
    let document = str::from_utf8(body).map_err(|error| StateFault::of(format!("this is no JSON: {error}")));
    match document.and_then(|document| region.restore(document)) {
        Ok(()) => json_answer(200, &now(region)),
        Err(fault) => json_answer(400, &json!({"error": fault.to_string(), "faults": fault.problems})),
    }
}

fn parameter(query: &str, name: &str) -> Result<String, String> {
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).ok_or_else(|| format!("`{name}` is missing"))
}

fn now(region: &Region) -> Value {
    json!({"now": region.now().format(&Rfc3339).unwrap_or_default()})
}

fn step(region: &Region, query: &str) -> Result<Value, String> {
    let seconds = parameter(query, "seconds").ok();
    let seconds = seconds.and_then(|value| value.parse().ok()).filter(|seconds| *seconds <= LONGEST_STEP);
    let Some(seconds) = seconds else {
        return Err(format!("`seconds` is no whole number up to {LONGEST_STEP}: `{PATH}step?seconds=60`"));
    };
    region.step(Duration::from_secs(seconds));
    Ok(now(region))
}

/// AWS gives ids to services, and lets nobody choose: events that are kept in files name a service that has to be there.
fn service(region: &Region, query: &str) -> Result<Value, String> {
    let (id, owner) = (parameter(query, "id")?, parameter(query, "owner")?);
    let mut world = region.world();
    if !id.starts_with("vpce-svc-") || world.services.contains_key(&id) {
        return Err(format!("`{id}` is no id for a service, or is that of one already"));
    }
    let load_balancer = format!("arn:aws:elasticloadbalancing:us-west-2:{owner}:loadbalancer/net/api/50dc6c495c0c9188");
    let draft = ServiceDraft {
        acceptance_required: true,
        load_balancers: vec![load_balancer],
        ip_address_types: vec!["ipv4".to_owned()],
        ..ServiceDraft::default()
    };
    let made = world.create_service(&owner, draft).id.clone();
    if let Some(mut service) = world.services.remove(&made) {
        service.id.clone_from(&id);
        world.services.insert(id.clone(), service);
    }
    let name = world.services.get(&id).map(|service| world.service_name(service));
    Ok(json!({"serviceId": id, "serviceName": name}))
}

fn fault(region: &Region, body: &[u8]) -> Result<Value, String> {
    let fault: Fault = serde_json::from_slice(body).map_err(|error| {
        format!(
            "no fault: {error}; one is `{{\"action\": \"AcceptVpcEndpointConnections\", \"times\": 2, \
             \"kind\": \"throttled\", \"when\": \"before\"}}`"
        )
    })?;
    region.break_next(fault.clone());
    Ok(json!({"faults": [fault]}))
}

fn dns(region: &Region) -> Value {
    json!({"faults": region.world().dns.faults()})
}

fn dns_fault(region: &Region, body: &[u8]) -> Result<Value, String> {
    let fault: DnsFault = serde_json::from_slice(body).map_err(|error| {
        format!(
            "no fault: {error}; one is `{{\"zone\": \"example.com\", \"kind\": \"not-delegated\"}}` or \
             `{{\"zone\": \"example.com\", \"kind\": {{\"servers\": {{\"which\": [0], \"how\": \"silence\"}}}}}}`"
        )
    })?;
    let mut world = region.world();
    match &fault.kind {
        DnsFaultKind::Servers { which, .. } if which.iter().any(|server| *server > 3) => {
            return Err("a zone's name servers are 0, 1, 2 and 3".to_owned());
        }
        DnsFaultKind::DelegatedToZone(id) if !world.route53.zones.contains_key(id) => {
            return Err(format!("there is no zone `{id}` here"));
        }
        DnsFaultKind::NotDelegated
        | DnsFaultKind::DelegatedToZone(_)
        | DnsFaultKind::DelegatedElsewhere(_)
        | DnsFaultKind::DnssecBroken
        | DnsFaultKind::NameServersFromZone
        | DnsFaultKind::Servers { .. } => world.dns.add(fault),
    }
    drop(world);
    Ok(dns(region))
}

fn mend_dns(region: &Region, query: &str) -> Result<Value, String> {
    let zone = parameter(query, "zone").ok().map(|zone| Name::parse(&zone)).transpose()?;
    region.world().dns.mend(zone.as_ref());
    Ok(dns(region))
}

fn txt(region: &Region, query: &str, publish: bool) -> Result<Value, String> {
    let name = Name::parse(&parameter(query, "name")?)?.to_string();
    let name = name.trim_end_matches('.').to_owned();
    let value = parameter(query, "value")?;
    let entry = (name.clone(), value);
    let mut world = region.world();
    if publish {
        world.published_txt.insert(entry);
    } else {
        world.published_txt.remove(&entry);
    }
    let there: Vec<_> = world.published_txt.iter().filter(|(at, _)| *at == name).map(|(_, value)| value).collect();
    Ok(json!({"name": name, "values": there}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::clock::Clock;

    fn ask(region: &Region, method: &str, path: &str, query: &str, body: &str) -> (u16, Value) {
        let request = Request {
            method: method.to_owned(),
            path: format!("{PATH}{path}"),
            query: query.to_owned(),
            body: body.as_bytes().to_vec(),
            ..Request::default()
        };
        let answer = answer(region, &request);
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    #[test]
    fn time_is_told_and_stepped() {
        let region = Region::new(Settings::default(), Clock::standing(time::macros::datetime!(2026-01-31 12:00 UTC)));
        assert_eq!(ask(&region, "GET", "now", "", ""), (200, json!({"now": "2026-01-31T12:00:00Z"})));
        assert_eq!(ask(&region, "POST", "step", "seconds=90", ""), (200, json!({"now": "2026-01-31T12:01:30Z"})));
        for query in ["", "seconds=", "seconds=-1", "seconds=x", "seconds=99999999999"] {
            assert_eq!(ask(&region, "POST", "step", query, "").0, 400, "{query}");
        }
        assert_eq!(ask(&region, "GET", "step", "seconds=1", "").0, 404);
    }

    #[test]
    fn a_service_is_made_under_an_id_of_ones_own() {
        let region = Region::new(Settings::default(), Clock::standing(time::macros::datetime!(2026-01-31 12:00 UTC)));
        let query = "id=vpce-svc-0a&owner=999988887777";
        let (status, made) = ask(&region, "POST", "services", query, "");
        assert_eq!((status, &made["serviceName"]), (200, &json!("com.amazonaws.vpce.us-west-2.vpce-svc-0a")));
        assert_eq!(region.world().services["vpce-svc-0a"].owner, "999988887777");
        assert_eq!(region.world().services.len(), 1);
        for broken in [query, "id=x&owner=999988887777", "id=vpce-svc-0b", ""] {
            assert_eq!(ask(&region, "POST", "services", broken, "").0, 400, "{broken}");
        }
    }

    #[test]
    fn faults_are_asked_for_and_taken_back() {
        let region = Region::new(Settings::default(), Clock::standing(time::macros::datetime!(2026-01-31 12:00 UTC)));
        let fault = r#"{"action": "CreateTags", "times": 2, "kind": {"refused": "X"}, "when": "after"}"#;
        assert_eq!(ask(&region, "POST", "faults", "", fault).0, 200);
        assert!(region.world().faults.next("CreateTags").is_some());
        assert_eq!(ask(&region, "DELETE", "faults", "", "").0, 200);
        assert!(region.world().faults.next("CreateTags").is_none());
        for broken in ["", "{}", r#"{"action": "A", "times": 1, "kind": "sad", "when": "before"}"#] {
            assert_eq!(ask(&region, "POST", "faults", "", broken).0, 400, "{broken}");
        }
    }

    #[test]
    fn the_worlds_dns_is_broken_and_mended() {
        let region = Region::new(Settings::default(), Clock::standing(time::macros::datetime!(2026-01-31 12:00 UTC)));
        for kind in [
            json!("not-delegated"),
            json!({"delegated-elsewhere": ["ns1.example.net."]}),
            json!("dnssec-broken"),
            json!("name-servers-from-zone"),
            json!({"servers": {"which": [0, 3], "how": {"seconds-behind": 60}}}),
            json!({"servers": {"which": [], "how": "before-last-change"}}),
        ] {
            let fault = json!({"zone": "example.com.", "kind": kind});
            let told = ask(&region, "POST", "dns", "", &fault.to_string());
            assert_eq!(told, (200, json!({"faults": [fault]})));
            assert_eq!(ask(&region, "GET", "dns", "", ""), told);
            assert_eq!(ask(&region, "DELETE", "dns", "zone=example.org", ""), told);
            assert_eq!(ask(&region, "DELETE", "dns", "zone=Example.com", ""), (200, json!({"faults": []})));
        }
        let servers = |more: &str| format!(r#"{{"zone": "a.b", "kind": {{"servers": {{{more}}}}}}}"#);
        assert_eq!(ask(&region, "POST", "dns", "", &servers(r#""how": "refused""#)).0, 200, "all of them");
        for broken in [
            "{}".to_owned(),
            servers(r#""which": [4], "how": "refused""#),
            servers(""),
            r#"{"zone": "a..b", "kind": "not-delegated"}"#.to_owned(),
            r#"{"zone": "a.b", "kind": {"delegated-to-zone": "Z1"}}"#.to_owned(),
        ] {
            assert_eq!(ask(&region, "POST", "dns", "", &broken).0, 400, "{broken}");
        }
        assert_eq!(ask(&region, "DELETE", "dns", "", ""), (200, json!({"faults": []})));
    }

    #[test]
    fn a_txt_record_is_published_outside_of_route_53_and_taken_away() {
        let region = Region::new(Settings::default(), Clock::standing(time::macros::datetime!(2026-01-31 12:00 UTC)));
        let query = "name=_X.example.org.&value=vpce%3AaB";
        let there = json!({"name": "_x.example.org", "values": ["vpce:aB"]});
        assert_eq!(ask(&region, "POST", "txt", query, ""), (200, there));
        let at = region.now();
        assert!(region.world().txt_is_published("_x.example.org", "vpce:aB", at));
        assert_eq!(ask(&region, "DELETE", "txt", query, "").1["values"], json!([]));
        assert!(!region.world().txt_is_published("_x.example.org", "vpce:aB", at));
        for broken in ["", "name=a.b", "value=x", "name=a..b&value=x"] {
            assert_eq!(ask(&region, "POST", "txt", broken, "").0, 400, "{broken}");
        }
    }
}
