//! CloudTrail's records of EC2's calls, as the EventBridge events `AWS API Call via CloudTrail` that they become.
//!
//! CloudTrail writes EC2's own XML down as JSON, which shows: a list's element bears its number as `tag` and, where it
//! is no structure, its text as `content`; a list of one is an object and no array; what is empty is `""`; and what
//! looks like a number or a boolean becomes one, so that an account's leading zeros are lost. All of it was seen in
//! recorded events. Reads are not recorded here, since a rule hears of them only if it asks for more than is usual.

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

use crate::ec2;
use crate::error::ApiError;
use crate::happening::What;
use crate::query::Params;
use crate::service::{Call, Caller, Service};
use crate::world::World;
use crate::xml::{Content, Element};

/// Records a call of EC2's that changes something, or would have.
pub(crate) fn record(world: &mut World, call: &Call, request_id: &str, result: Result<&[Element], &ApiError>) {
    if call.caller.service != Service::Ec2 || !ec2::changes(&call.action) {
        return;
    }
    let now = world.now().replace_nanosecond(0).unwrap_or(world.now());
    let time = now.format(&Rfc3339).unwrap_or_default();
    let account = &call.caller.account;
    let mut detail = json!({
        "eventVersion": "1.11",
        "userIdentity": identity(&call.caller),
        "eventTime": time,
        "eventSource": "ec2.amazonaws.com",
        "eventName": call.action,
        "awsRegion": world.settings.name,
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "simulated",
        "requestParameters": request(&call.action, &call.params),
        "responseElements": result.map_or(Value::Null, |fields| response(&call.action, request_id, fields)),
        "requestID": request_id,
        "eventID": world.uuid(),
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    if let (Err(error), Some(detail)) = (result, detail.as_object_mut()) {
        detail.insert("errorCode".to_owned(), Value::from(error_code(error)));
        detail.insert("errorMessage".to_owned(), Value::from(error.message.as_str()));
    }
    let event = json!({
        "version": "0",
        "id": world.uuid(),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "account": account,
        "time": time,
        "region": world.settings.name,
        "resources": [],
        "detail": detail,
    });
    world.tell(world.now(), What::Recorded(event));
}

/// Who called: a role's session, or an account, of which nothing else is known here.
fn identity(caller: &Caller) -> Value {
    let Caller { account, key, session, .. } = caller;
    match session {
        None => json!({
            "type": "Root",
            "principalId": account,
            "arn": format!("arn:aws:iam::{account}:root"),
            "accountId": account,
            "accessKeyId": key,
        }),
        Some(session) => json!({
            "type": "AssumedRole",
            "principalId": caller.id(),
            "arn": session.arn(),
            "accountId": account,
            "accessKeyId": key,
            "sessionContext": {"sessionIssuer": {
                "type": "Role",
                "principalId": session.role_id(),
                "arn": session.role,
                "accountId": account,
                "userName": session.role_name(),
            }},
        }),
    }
}

/// Whose fault it was, and the code. That of throttling is the caller's, whatever its HTTP status says.
fn error_code(error: &ApiError) -> String {
    let whose = if error.status >= 500 && error.code != "RequestLimitExceeded" { "Server" } else { "Client" };
    format!("{whose}.{}", error.code)
}

/// `requestParameters`.
fn request(action: &str, params: &Params) -> Value {
    json!({ format!("{action}Request"): parameter(params) })
}

fn parameter(params: &Params) -> Value {
    if let Some(value) = params.value() {
        return scalar(value);
    }
    let mut items: Vec<(u32, &Params)> =
        params.children().filter_map(|(name, child)| Some((name.parse().ok()?, child))).collect();
    if items.is_empty() {
        let fields = params.children().map(|(name, child)| (name.to_owned(), parameter(child)));
        return structure(fields.collect());
    }
    items.sort_by_key(|(number, _)| *number);
    one_or_many(items.into_iter().map(|(number, item)| numbered(number, parameter(item))).collect())
}

/// An element of a list of the request.
fn numbered(number: u32, value: Value) -> Value {
    let fields = match value {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::from_iter([("content".to_owned(), value)])
        }
    };
    let tag = ("tag".to_owned(), Value::from(number));
    Value::Object(fields.into_iter().chain([tag]).collect())
}

/// `responseElements`.
fn response(action: &str, request_id: &str, fields: &[Element]) -> Value {
    let mut answer = named(fields);
    answer.insert("xmlns".to_owned(), Value::from(ec2::NAMESPACE));
    answer.insert("requestId".to_owned(), Value::from(request_id));
    json!({ format!("{action}Response"): answer })
}

fn named(elements: &[Element]) -> Map<String, Value> {
    let mut names: Vec<&str> = elements.iter().map(Element::name).collect();
    names.dedup();
    let fields = names.into_iter().map(|name| {
        let of_name = elements.iter().filter(|element| element.name() == name);
        let values = of_name.map(|element| match element.content() {
            Content::Text(text) => scalar(text),
            Content::Elements(elements) => structure(named(elements)),
        });
        (name.to_owned(), one_or_many(values.collect()))
    });
    fields.collect()
}

fn one_or_many(mut values: Vec<Value>) -> Value {
    match values.pop() {
        Some(only) if values.is_empty() => only,
        Some(last) => {
            values.push(last);
            Value::Array(values)
        }
        None => Value::from(""),
    }
}

fn structure(fields: Map<String, Value>) -> Value {
    if fields.is_empty() { Value::from("") } else { Value::Object(fields) }
}

fn scalar(text: &str) -> Value {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text {
        "true" => Value::from(true),
        "false" => Value::from(false),
        _ => match text.parse::<u64>() {
            Ok(number) if digits => Value::from(number),
            Ok(_) | Err(_) => Value::from(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;
    use crate::xml::{element, list, text, values};

    /// The parameters of a request as it comes in.
    fn params(body: &str) -> Params {
        let body = format!("Action=X&Version={}&{body}", ec2::VERSION).into_bytes();
        Params::read_query(&Request { body, ..Request::default() }, ec2::VERSION).unwrap().1
    }

    #[test]
    fn a_recorded_request_looks_like_the_one_that_aws_recorded() {
        let of = params(
            "TagSpecification.1.ResourceType=vpc-endpoint&TagSpecification.1.Tag.1.Key=Name\
             &TagSpecification.1.Tag.1.Value=myVPCEndpoint1&IpAddressType=ipv4&PrivateDnsEnabled=true\
             &VpcEndpointType=Interface&DnsOptions.DnsRecordIpType=ipv4&ServiceName=com.amazonaws.x&VpcId=vpc-0a",
        );
        let expected = json!({"CreateVpcEndpointRequest": {
            "TagSpecification": {
                "Tag": {"Key": "Name", "Value": "myVPCEndpoint1", "tag": 1},
                "ResourceType": "vpc-endpoint",
                "tag": 1,
            },
            "IpAddressType": "ipv4",
            "PrivateDnsEnabled": true,
            "VpcEndpointType": "Interface",
            "DnsOptions": {"DnsRecordIpType": "ipv4"},
            "ServiceName": "com.amazonaws.x",
            "VpcId": "vpc-0a",
        }});
        assert_eq!(request("CreateVpcEndpoint", &of), expected);
    }

    #[test]
    fn a_list_of_one_is_an_object_and_nothing_at_all_is_an_empty_text() {
        let encode = |body| request("A", &params(body))["ARequest"].clone();
        assert_eq!(encode(""), json!(""));
        assert_eq!(encode("MaxResults=1000"), json!({"MaxResults": 1000}));
        let one = json!({"ServiceName": {"content": "aws.api", "tag": 1}});
        assert_eq!(encode("ServiceName.1=aws.api"), one);
        // In the order of their numbers, which is not that of their names.
        let body: Vec<_> = (1..=11).map(|n| format!("VpcEndpointId.{n}=vpce-{n}")).collect();
        let many = encode(&body.join("&"));
        assert_eq!(many["VpcEndpointId"][1], json!({"tag": 2, "content": "vpce-2"}));
        assert_eq!(many["VpcEndpointId"][10], json!({"tag": 11, "content": "vpce-11"}));
    }

    #[test]
    fn a_recorded_answer_looks_like_the_one_that_aws_recorded() {
        let answer = [element(
            "vpcEndpoint",
            vec![
                element("dnsOptions", vec![text("dnsRecordIpType", "ipv4")]),
                text("state", "pending"),
                text("privateDnsEnabled", true),
                list("dnsEntrySet", []),
                values("subnetIdSet", [""; 0]),
                list("tagSet", [vec![text("key", "Name"), text("value", "myVPCEndpoint1")]]),
                list("groupSet", [vec![text("groupName", "default"), text("groupId", "sg-0a")]]),
                values("networkInterfaceIdSet", ["eni-1", "eni-2"]),
                text("ownerId", "200802171337"),
            ],
        )];
        let expected = json!({"CreateVpcEndpointResponse": {
            "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/",
            "vpcEndpoint": {
                "dnsOptions": {"dnsRecordIpType": "ipv4"},
                "state": "pending",
                "privateDnsEnabled": true,
                "dnsEntrySet": "",
                "subnetIdSet": "",
                "tagSet": {"item": {"key": "Name", "value": "myVPCEndpoint1"}},
                "groupSet": {"item": {"groupName": "default", "groupId": "sg-0a"}},
                "networkInterfaceIdSet": {"item": ["eni-1", "eni-2"]},
                "ownerId": 200_802_171_337_u64,
            },
            "requestId": "r-1",
        }});
        assert_eq!(response("CreateVpcEndpoint", "r-1", &answer), expected);
    }

    #[test]
    fn what_looks_like_a_number_is_one_and_loses_its_zeros() {
        assert_eq!(scalar("000022223333"), json!(22_223_333));
        assert_eq!(scalar("+1"), json!("+1"));
        assert_eq!(scalar("1234567890123456789012"), json!("1234567890123456789012"));
    }

    #[test]
    fn an_error_is_somebodys_fault() {
        let code = |status, code| error_code(&ApiError::new(status, code, ""));
        assert_eq!(code(403, "UnauthorizedOperation"), "Client.UnauthorizedOperation");
        assert_eq!(code(500, "InternalError"), "Server.InternalError");
        assert_eq!(code(503, "RequestLimitExceeded"), "Client.RequestLimitExceeded");
    }
}
