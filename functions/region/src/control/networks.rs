//! What a consumer has: VPCs, where its endpoints' interfaces are, and a VPC's resolver.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::parameter;
use crate::Region;
use crate::dns::{Inside, serve_inside};
use crate::world::VpcDraft;

/// What makes a VPC.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    owner: String,
    region: Option<String>,
    vpc: VpcDraft,
}

pub(super) fn vpc(region: &Region, body: &[u8]) -> Result<Value, String> {
    let Wanted { owner, region: of, vpc } = serde_json::from_slice(body).map_err(|error| {
        format!(
            "no VPC: {error}; one is `{{\"owner\": \"111122223333\", \"vpc\": {{\"cidrBlock\": \"10.0.0.0/16\", \
             \"subnets\": [{{\"cidrBlock\": \"10.0.1.0/24\"}}]}}}}`"
        )
    })?;
    if owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{owner}` is no account"));
    }
    let made = region.world().make_vpc(&owner, of.as_deref(), vpc)?;
    serde_json::to_value(made).map_err(|error| error.to_string())
}

pub(super) fn interface(region: &Region, query: &str) -> Result<Value, String> {
    let id = parameter(query, "id")?;
    let addresses = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "address");
    let parse = |text: &str| text.parse().map_err(|_| format!("`{text}` is no address"));
    let addresses: Vec<IpAddr> = addresses.map(|(_, text)| parse(&text)).collect::<Result<_, _>>()?;
    if addresses.is_empty() {
        return Err("`address` is missing".to_owned());
    }
    let mut world = region.world();
    let interface = world.place_interface(&id, &addresses)?;
    Ok(json!({"networkInterfaceId": interface.id, "ipv4": interface.ipv4, "ipv6": interface.ipv6}))
}

/// Opens a resolver that lives as long as the process, or the runtime that it is in.
pub(super) fn resolver(region: &Region, query: &str) -> Result<Value, String> {
    let (owner, vpc) = (parameter(query, "owner")?, parameter(query, "vpc")?);
    let of = parameter(query, "region").unwrap_or_else(|_| region.world().settings.name.clone());
    let port = match parameter(query, "port") {
        Ok(port) => port.parse().map_err(|_| format!("`{port}` is no port"))?,
        Err(_) => 0,
    };
    if region.world().network(&owner, &of).is_none_or(|network| !network.vpcs.contains_key(&vpc)) {
        return Err(format!("`{owner}` has no VPC `{vpc}` in {of}"));
    }
    let runtime = tokio::runtime::Handle::try_current().map_err(|error| error.to_string())?;
    let inside = Inside { owner, region: of, vpc };
    let resolver = serve_inside(region, inside, port).map_err(|error| format!("port {port}: {error}"))?;
    let at = resolver.at();
    runtime.spawn(async move {
        let _resolver = resolver;
        std::future::pending::<()>().await;
    });
    Ok(json!({"resolver": at}))
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, UdpSocket};
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::{PATH, answer};
    use crate::clock::Clock;
    use crate::world::{EndpointDraft, ServiceDraft};
    use crate::{Region, Request, Settings};

    const ACME: &str = "111122223333";

    fn region() -> Region {
        Region::new(Settings::default(), Clock::standing(time::macros::datetime!(2026-01-31 12:00 UTC)))
    }

    fn ask(region: &Region, path: &str, query: &str, body: &Value) -> (u16, Value) {
        let request = Request {
            method: "POST".to_owned(),
            path: format!("{PATH}{path}"),
            query: query.to_owned(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        let answer = answer(region, &request);
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    /// An endpoint of ACME's that is available, and its interface in `subnet-0a`.
    fn available(region: &Region) -> (String, String) {
        let mut world = region.world();
        let draft = ServiceDraft { ip_address_types: vec!["ipv4".to_owned()], ..ServiceDraft::default() };
        let service = world.create_service("999988887777", draft).clone();
        let draft = EndpointDraft {
            service_name: world.service_name(&service),
            vpc: "vpc-0a".to_owned(),
            ip_address_type: "ipv4".to_owned(),
            subnets: vec!["subnet-0a".to_owned()],
            ..EndpointDraft::default()
        };
        let endpoint = world.create_endpoint(ACME, draft).unwrap().clone();
        drop(world);
        region.step(Duration::from_secs(120));
        (endpoint.dns_name(), endpoint.subnets["subnet-0a"].id.clone())
    }

    #[test]
    fn a_vpc_is_made_and_changed_by_saying_what_it_is() {
        let region = region();
        let vpc = json!({"cidrBlock": "10.0.0.0/16", "subnets": [{"cidrBlock": "10.0.1.0/24"}]});
        let (status, made) = ask(&region, "vpcs", "", &json!({"owner": ACME, "vpc": vpc}));
        assert_eq!(
            (status, &made["enableDnsSupport"], &made["enableDnsHostnames"]),
            (200, &json!(true), &json!(false))
        );
        assert_eq!(made["subnets"][0]["availabilityZone"], "us-west-2a");
        assert_eq!(made["securityGroups"][0]["groupName"], "default");
        let (id, subnet) = (&made["vpcId"], &made["subnets"][0]["subnetId"]);
        let more = json!({
            "vpcId": id, "enableDnsHostnames": true, "ipv6CidrBlock": "2001:db8::/56",
            "subnets": [{"subnetId": subnet, "ipv6CidrBlock": "2001:db8::/64"}],
            "securityGroups": [{"groupName": "api"}],
        });
        let (_, changed) = ask(&region, "vpcs", "", &json!({"owner": ACME, "vpc": more}));
        assert_eq!((&changed["vpcId"], &changed["cidrBlock"]), (id, &json!("10.0.0.0/16")));
        let expected = json!({"subnetId": subnet, "cidrBlock": "10.0.1.0/24", "ipv6CidrBlock": "2001:db8::/64",
                              "availabilityZone": "us-west-2a"});
        assert_eq!(changed["subnets"], json!([expected]));
        assert_eq!(changed["securityGroups"].as_array().unwrap().len(), 2);
        assert_eq!(region.world().network(ACME, "us-west-2").unwrap().vpcs.len(), 1);

        let before = region.world().networks.clone();
        for broken in [
            json!({"subnets": [{"cidrBlock": "10.0.1.0/24"}]}),
            json!({"vpcId": id, "subnets": [{}]}),
            json!({"vpcId": id, "subnets": [{"cidrBlock": "10.1.1.0/24"}]}),
            json!({"vpcId": id, "subnets": [{"ipv6CidrBlock": "2001:db9::/64"}]}),
            json!({"vpcId": id, "subnets": [{"cidrBlock": "10.0.1.0/24", "availabilityZone": "eu-west-1a"}]}),
            json!({"vpcId": "vpc-0b", "subnets": [{"subnetId": subnet}]}),
            json!({"vpcId": id, "securityGroups": [{"groupName": "api"}]}),
            json!({"cidrBlock": "2001:db8::/56"}),
            json!({"ipv6CidrBlock": "10.0.0.0/16"}),
            json!({"cidrBlock": "10.0.0.1/16"}),
            json!({"colour": "red"}),
        ] {
            let (status, answer) = ask(&region, "vpcs", "", &json!({"owner": ACME, "vpc": broken}));
            assert_eq!(status, 400, "{broken}: {answer}");
        }
        assert_eq!(ask(&region, "vpcs", "", &json!({"owner": "acme", "vpc": {}})).0, 400);
        assert_eq!(region.world().networks, before);
        let elsewhere = json!({"owner": ACME, "region": "eu-west-1", "vpc": {}});
        assert_eq!(ask(&region, "vpcs", "", &elsewhere).0, 200);
        assert_eq!(region.world().network(ACME, "eu-west-1").unwrap().vpcs.len(), 1);
    }

    #[test]
    fn an_interface_is_pointed_at_other_addresses() {
        let region = region();
        let (_, eni) = available(&region);
        let query = format!("id={eni}&address=127.0.0.9&address=%3A%3A1");
        let expected = json!({"networkInterfaceId": eni, "ipv4": "127.0.0.9", "ipv6": "::1"});
        assert_eq!(ask(&region, "interfaces", &query, &Value::Null), (200, expected));
        for broken in ["", "id=eni-0a&address=::1", &format!("id={eni}"), &format!("id={eni}&address=here")] {
            assert_eq!(ask(&region, "interfaces", broken, &Value::Null).0, 400, "{broken}");
        }
    }

    /// Asks a name server for an A record, and answers with the address, if there is one.
    fn lookup(at: SocketAddr, name: &str) -> Option<[u8; 4]> {
        let mut question = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            question.push(u8::try_from(label.len()).unwrap());
            question.extend(label.bytes());
        }
        question.extend([0, 0, 1, 0, 1]);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.send_to(&question, at).unwrap();
        let mut said = [0; 512];
        let length = socket.recv(&mut said).unwrap();
        // The number of answers, and the end of the only one.
        (said[7] == 1).then(|| said[length - 4..length].try_into().unwrap())
    }

    #[test]
    fn a_resolver_is_opened_in_a_vpc() {
        let region = region();
        let (name, eni) = available(&region);
        let query = format!("owner={ACME}&vpc=vpc-0a");
        assert_eq!(ask(&region, "resolvers", &query, &Value::Null).0, 400, "there has to be a runtime");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let _within = runtime.enter();
        let (status, opened) = ask(&region, "resolvers", &query, &Value::Null);
        assert_eq!(status, 200, "{opened}");
        let at = opened["resolver"].as_str().unwrap().parse().unwrap();
        assert_eq!(lookup(at, &name), Some([10, 0, 0, 4]));
        region.world().place_interface(&eni, &["127.0.0.9".parse().unwrap()]).unwrap();
        assert_eq!(lookup(at, &name), Some([127, 0, 0, 9]));
        assert_eq!(lookup(at, "api.example.com"), None);
        for broken in ["", "vpc=vpc-0a", &query.replace("0a", "0b"), &format!("{query}&port=x")] {
            assert_eq!(ask(&region, "resolvers", broken, &Value::Null).0, 400, "{broken}");
        }
        let port = opened["resolver"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        assert_eq!(ask(&region, "resolvers", &format!("{query}&port={port}"), &Value::Null).0, 400, "it is taken");
    }
}
