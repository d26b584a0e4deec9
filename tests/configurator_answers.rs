//! `endpoint-configurator` and answers of EC2's that lack what may be missing, are refused in part, or come in pages.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else must fail")]

use std::time::Duration;

use privatelink_aws::configurator::Configurator;
use privatelink_aws::deadline::Deadline;
use privatelink_core::config::ConfiguratorConfig;
use privatelink_core::report::Failure;
use privatelink_tests::canned::{Answered, Canned, Params};
use privatelink_tests::stage::{START, outcomes, skipped, tallied};
use serde_json::{Value, json};

fn configurator(canned: &Canned, more: &[(&str, &str)]) -> Configurator {
    let vars = [
        ("AWS_REGION", "us-west-2"),
        ("AWS_ACCESS_KEY_ID", "111122223333"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("PRIVATELINK_ENDPOINT_TAG", "privatelink=managed"),
    ];
    let vars = [&vars[..], more].concat();
    let config = ConfiguratorConfig::from_vars(|name| {
        vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    });
    Configurator::new(config.unwrap(), &canned.http_client())
}

async fn run(configurator: &Configurator, event: Value) -> Result<Value, Failure> {
    let deadline = Deadline::after(Duration::from_secs(5));
    configurator.handle(event.to_string().as_bytes(), START, deadline).await.value()
}

const TAGS: &str = "<tagSet><item><key>privatelink</key><value>managed</value></item></tagSet>";

fn name(service: &str) -> String {
    format!("com.amazonaws.vpce.us-west-2.{service}")
}

/// An endpoint with no more than this.
fn endpoint(id: &str, service: &str, more: &str) -> String {
    format!(
        "<item><vpcEndpointId>{id}</vpcEndpointId><vpcEndpointType>Interface</vpcEndpointType><vpcId>vpc-1</vpcId>\
         <serviceName>{}</serviceName><state>available</state>{more}</item>",
        name(service)
    )
}

fn endpoints(items: &[String], more: &str) -> Answered {
    Ok(format!("<vpcEndpointSet>{}</vpcEndpointSet>{more}", items.concat()))
}

fn offer(service: &str) -> String {
    let types = ["ipv4", "ipv6"].map(|kind| format!("<item>{kind}</item>")).concat();
    format!(
        "<item><serviceName>{}</serviceName><supportedIpAddressTypeSet>{types}</supportedIpAddressTypeSet>\
         <privateDnsNameSet><item><privateDnsName>api.example.com</privateDnsName></item></privateDnsNameSet>\
         <privateDnsNameVerificationState>verified</privateDnsNameVerificationState></item>",
        name(service)
    )
}

fn offers(items: &[String]) -> Answered {
    Ok(format!("<serviceDetailSet>{}</serviceDetailSet>", items.concat()))
}

/// The answers that say nothing.
fn nothing(params: &Params) -> Answered {
    Ok(match params["Action"].as_str() {
        "DescribeVpcAttribute" => {
            let attribute = &params["Attribute"];
            format!("<{attribute}><value>true</value></{attribute}>")
        }
        "ModifyVpcEndpoint" => "<return>true</return>".to_owned(),
        _ => String::new(),
    })
}

/// The values of a list in a request.
fn values(params: &Params, prefix: &str) -> Vec<String> {
    params.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(_, value)| value.clone()).collect()
}

#[tokio::test]
async fn an_answer_with_the_least_that_there_can_be_is_enough() {
    let canned = Canned::new(|params| match params["Action"].as_str() {
        "DescribeVpcEndpoints" => endpoints(&[endpoint("vpce-0a", "vpce-svc-0b", TAGS)], ""),
        "DescribeVpcEndpointServices" => offers(&[offer("vpce-svc-0b")]),
        _ => nothing(params),
    });
    let configurator = configurator(&canned, &[("PRIVATELINK_PRIVATE_DNS", "true")]);
    let answer = run(&configurator, json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint done", 1)]));
    let [modified] = &canned.asked("ModifyVpcEndpoint")[..] else { panic!("{answer}") };
    let sent: Vec<_> = modified.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        sent,
        [
            "Action=ModifyVpcEndpoint",
            "DnsOptions.DnsRecordIpType=dualstack",
            "IpAddressType=dualstack",
            "PrivateDnsEnabled=true",
            "Version=2016-11-15",
            "VpcEndpointId=vpce-0a",
        ]
    );
    assert_eq!(
        answer["endpoints"],
        json!([{
            "id": "vpce-0a", "state": "available", "serviceName": name("vpce-svc-0b"), "ipAddressType": "ipv4",
            "names": [], "addresses": {"ipv4": [], "ipv6": []}, "ports": [443], "inboundRules": [],
            "vpcDns": {"support": true, "hostnames": true},
        }])
    );
    // With nothing to ask for, nothing is asked: a filter without a value would find everything.
    for action in ["DescribeSubnets", "DescribeNetworkInterfaces", "DescribeSecurityGroupRules"] {
        assert_eq!(canned.asked(action), [], "{action}");
    }
}

#[tokio::test]
async fn every_page_is_read_and_only_what_bears_the_tag_counts() {
    let canned = Canned::new(|params| match params["Action"].as_str() {
        "DescribeVpcEndpoints" => match params.get("NextToken").map(String::as_str) {
            None => endpoints(&[endpoint("vpce-0a", "vpce-svc-0b", TAGS)], "<nextToken>two</nextToken>"),
            // A filter's value is a pattern, and this fits one.
            Some("two") => endpoints(
                &[endpoint("vpce-0b", "vpce-svc-0b", &TAGS.replace("managed", "managed-by-others"))],
                "<nextToken>three</nextToken>",
            ),
            Some(_) => endpoints(&[endpoint("vpce-0c", "vpce-svc-0b", TAGS), endpoint("x", "x", TAGS)], ""),
        },
        "DescribeVpcEndpointServices" => offers(&[offer("vpce-svc-0b")]),
        _ => nothing(params),
    });
    let answer = run(&configurator(&canned, &[]), json!({"endpointIds": ["vpce-0b"]})).await.unwrap();
    assert_eq!((outcomes(&answer), skipped(&answer)), (vec![], tallied(&[("foreign", 1), ("unknown-state", 1)])));
    let ids: Vec<_> = answer["endpoints"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["vpce-0a", "vpce-0c"]);
    let first = &canned.asked("DescribeVpcEndpoints")[0];
    assert_eq!((first["Filter.1.Name"].as_str(), first["Filter.1.Value.1"].as_str()), ("tag:privatelink", "managed"));
}

#[tokio::test]
async fn a_service_that_aws_does_not_show_spoils_no_other() {
    let canned = Canned::new(|params| match params["Action"].as_str() {
        "DescribeVpcEndpoints" => {
            let all = ["vpce-svc-01", "vpce-svc-02", "vpce-svc-03", "vpce-svc-04"];
            let all = all.map(|service| endpoint(&service.replace("-svc", ""), service, TAGS));
            endpoints(&all, "")
        }
        "DescribeVpcEndpointServices" => {
            let names = values(params, "ServiceName.");
            if names.contains(&name("vpce-svc-03")) {
                return Err((400, "InvalidServiceName"));
            }
            let ids: Vec<_> = names.iter().map(|name| offer(name.rsplit('.').next().unwrap())).collect();
            offers(&ids)
        }
        _ => nothing(params),
    });
    let answer = run(&configurator(&canned, &[]), json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint done", 3)]));
    let left = answer["skipped"].as_array().unwrap().iter().find(|skip| skip["endpointId"] == "vpce-03").unwrap();
    assert!(left["detail"].as_str().unwrap().contains("does not show its service"), "{left}");
}

#[tokio::test]
async fn a_service_of_another_region_is_looked_for_there() {
    let canned = Canned::new(|params| match params["Action"].as_str() {
        "DescribeVpcEndpoints" => {
            let in_region = |region| format!("{TAGS}<serviceRegion>{region}</serviceRegion>");
            let near = endpoint("vpce-0a", "vpce-svc-0a", &in_region("us-west-2"));
            let far = endpoint("vpce-0b", "vpce-svc-0b", &in_region("eu-west-1"));
            endpoints(&[near, far], "")
        }
        "DescribeVpcEndpointServices" => match values(params, "ServiceRegion.").as_slice() {
            [] => offers(&[offer("vpce-svc-0a")]),
            [region] if region == "eu-west-1" => offers(&[offer("vpce-svc-0b")]),
            _ => Err((400, "InvalidParameter")),
        },
        _ => nothing(params),
    });
    let answer = run(&configurator(&canned, &[]), json!({})).await.unwrap();
    assert_eq!(outcomes(&answer), tallied(&[("modify-endpoint done", 2)]));
}

#[tokio::test]
async fn a_change_that_is_not_taken_whole_is_made_in_part() {
    let canned = Canned::new(|params| match params["Action"].as_str() {
        "DescribeVpcEndpoints" => endpoints(&[endpoint("vpce-0a", "vpce-svc-0b", TAGS)], ""),
        "DescribeVpcEndpointServices" => offers(&[offer("vpce-svc-0b")]),
        "ModifyVpcEndpoint" if params.contains_key("PrivateDnsEnabled") => Err((400, "InvalidParameter")),
        _ => nothing(params),
    });
    let configurator = configurator(&canned, &[("PRIVATELINK_PRIVATE_DNS", "true")]);
    let answer = run(&configurator, json!({})).await.unwrap();
    let expected = [("modify-endpoint done", 1), ("modify-endpoint refused InvalidParameter", 1)];
    assert_eq!(outcomes(&answer), tallied(&expected));
    let refused = answer["outcomes"].as_array().unwrap().iter().find(|one| one["result"] == "refused").unwrap();
    assert_eq!((&refused["privateDnsEnabled"], &refused["detail"]), (&json!("true"), &json!("no")));
    // Both, the addresses, and then the name alone.
    assert_eq!(canned.asked("ModifyVpcEndpoint").len(), 3);
}

#[tokio::test]
async fn a_read_that_fails_is_no_empty_list() {
    for action in [
        "DescribeVpcEndpoints",
        "DescribeVpcEndpointServices",
        "DescribeSubnets",
        "DescribeVpcAttribute",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroupRules",
    ] {
        let canned = Canned::new(move |params| match params["Action"].as_str() {
            failing if failing == action && failing != "DescribeVpcEndpointServices" => Err((400, "InvalidParameter")),
            failing if failing == action => Err((500, "InternalError")),
            "DescribeVpcEndpoints" => {
                let more = "<subnetIdSet><item>subnet-1</item></subnetIdSet><groupSet><item><groupId>sg-1</groupId>\
                            </item></groupSet><networkInterfaceIdSet><item>eni-1</item></networkInterfaceIdSet>";
                endpoints(&[endpoint("vpce-0a", "vpce-svc-0b", &format!("{TAGS}{more}"))], "")
            }
            _ => nothing(params),
        });
        let failed = run(&configurator(&canned, &[]), json!({})).await.unwrap_err();
        assert!(matches!(&failed, Failure::ReadFailed(why) if why.starts_with(action)), "{action}: {failed:?}");
        assert_eq!(canned.asked("ModifyVpcEndpoint"), [], "{action}");
    }
}
