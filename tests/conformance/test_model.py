"""`aws_model` finds what is broken, and finds nothing in what boto3 itself sends: else the other tests show nothing."""

import boto3
import pytest

from aws_model import check_answer, check_request
from stage import PROVIDER

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
SNS_NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"


class Caught(Exception):
    """What is raised where a request would be sent."""


def sent(service, operation, **parameters):
    """What boto3 would send: the operation in the API's word, and the body. Nothing leaves this process."""
    client = boto3.client(service, region_name="us-west-2", aws_access_key_id=PROVIDER, aws_secret_access_key="any")

    def catch(request, event_name, **_):
        raise Caught(event_name.rpartition(".")[2], request.body)

    client.meta.events.register("before-send", catch)
    with pytest.raises(Caught) as caught:
        getattr(client, operation)(**parameters)
    return caught.value.args


# Requests of every shape that there is: lists, structures in lists, maps, numbers, booleans, nothing at all. Among
# them are operations that this product's functions call.
SENT = [
    ("ec2", "describe_vpc_endpoint_connections", {}),
    (
        "ec2",
        "describe_vpc_endpoint_connections",
        {"Filters": [{"Name": "service-id", "Values": ["a", "b"]}, {"Name": "x", "Values": []}], "MaxResults": 1000},
    ),
    ("ec2", "accept_vpc_endpoint_connections", {"ServiceId": "s", "VpcEndpointIds": [str(n) for n in range(12)]}),
    ("ec2", "create_tags", {"Resources": ["a"], "Tags": [{"Key": "k", "Value": ""}, {"Key": "ö&=", "Value": "+ "}]}),
    (
        "ec2",
        "create_vpc_endpoint",
        {
            "VpcId": "v",
            "PrivateDnsEnabled": False,
            "SubnetIds": ["a"],
            "DnsOptions": {"DnsRecordIpType": "ipv4"},
            "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "k", "Value": "v"}]}],
        },
    ),
    (
        "ec2",
        "modify_vpc_endpoint_service_configuration",
        {"ServiceId": "s", "AddNetworkLoadBalancerArns": ["a"], "PrivateDnsName": "b"},
    ),
    ("ec2", "modify_vpc_endpoint_service_permissions", {"ServiceId": "s", "AddAllowedPrincipals": ["a", "b"]}),
    ("ec2", "start_vpc_endpoint_service_private_dns_verification", {"ServiceId": "s"}),
    (
        "sns",
        "publish",
        {
            "TopicArn": "t",
            "Message": "m",
            "MessageAttributes": {name: {"DataType": "String", "StringValue": name} for name in ("type", "region")},
        },
    ),
    ("sns", "untag_resource", {"ResourceArn": "r", "TagKeys": []}),
    ("sns", "tag_resource", {"ResourceArn": "r", "Tags": [{"Key": "k", "Value": "v"}]}),
    ("sts", "assume_role", {"RoleArn": "r" * 20, "RoleSessionName": "ab", "DurationSeconds": 900}),
    ("sts", "get_caller_identity", {}),
]


@pytest.mark.parametrize("service, operation, parameters", SENT, ids=lambda value: value if type(value) is str else "")
def test_what_boto3_sends_is_well_formed(service, operation, parameters):
    word, body = sent(service, operation, **parameters)
    assert check_request(word, body, service) == []


def test_a_form_may_be_text_bytes_or_pairs():
    body = "Action=DescribeVpcEndpointConnections&Version=2016-11-15&MaxResults=5"
    pairs = [tuple(pair.split("=")) for pair in body.split("&")]
    for form in (body, body.encode(), pairs, dict(pairs)):
        assert check_request("DescribeVpcEndpointConnections", form) == []


ACCEPT = "Action=AcceptVpcEndpointConnections&Version=2016-11-15"
TAGS = "Action=CreateTags&Version=2016-11-15"
PUBLISH = "Action=Publish&Version=2010-03-31"


@pytest.mark.parametrize(
    "form, problem",
    [
        (f"{ACCEPT}&VpcEndpointId.1=a", "ServiceId: missing, and required"),
        (f"{ACCEPT}&ServiceId=s", "VpcEndpointId: missing, and required"),
        (f"{ACCEPT}&ServiceId=s&VpcEndpointIds.1=a", "VpcEndpointIds: no parameter of AcceptVpcEndpointConnections"),
        (f"{ACCEPT}&ServiceId=s&VpcEndpointId.item.1=a", "VpcEndpointId: numbered item instead of 1"),
        (f"{ACCEPT}&ServiceId=s&VpcEndpointId.0=a&VpcEndpointId.1=b", "VpcEndpointId: numbered 0, 1 instead of 1, 2"),
        (f"{ACCEPT}&ServiceId=s&VpcEndpointId.1=a&VpcEndpointId.3=b", "VpcEndpointId: numbered 1, 3 instead of 1, 2"),
        (f"{ACCEPT}&ServiceId=s&VpcEndpointId.01=a", "VpcEndpointId: numbered 01 instead of 1"),
        (f"{ACCEPT}&ServiceId=s&VpcEndpointId=a", "VpcEndpointId: a list with a plain value"),
        (f"{ACCEPT}&ServiceId.1=s&VpcEndpointId.1=a", "ServiceId: a string with parts of its own"),
        (f"{ACCEPT}&ServiceId=s&ServiceId=t&VpcEndpointId.1=a", "ServiceId: given more than once"),
        (f"{ACCEPT}&ServiceId=s&VpcEndpointId.1=a&DryRun=True", "DryRun: `True` is no boolean"),
        (f"{ACCEPT}&ServiceId=s&VpcEndpointId.1=a&serviceId=s", "serviceId: no parameter of Accept"),
        (f"{ACCEPT[:-1]}6&ServiceId=s&VpcEndpointId.1=a", "Version: `2016-11-16` is not `2016-11-15`"),
        ("Action=RejectX&Version=2016-11-15&ServiceId=s&VpcEndpointId.1=a", "Action: `RejectX` is not `Accept"),
        ("ServiceId=s&VpcEndpointId.1=a", "Action: `None` is not `Accept"),
        (f"{ACCEPT}&ServiceId", "no form"),
        (f"{TAGS}&ResourceId.1=a&Tag.1.Key=k&Tag.1.Name=v", "Tag.1.Name: no parameter of Tag"),
        (f"{TAGS}&ResourceId.1=a&Tag.Key=k", "Tag: numbered Key instead of 1"),
        (f"{TAGS}&ResourceId.1=a&Tag.1=k", "Tag.1: a structure with a plain value"),
        (f"{TAGS}&Resources.1=a&Tag.1.Key=k", "Resources: no parameter of CreateTags"),
        ("Action=CreateVpcEndpoint&Version=2016-11-15&VpcId=v&IpAddressType=both", "IpAddressType: `both` is none"),
        ("Action=DescribeVpcEndpoints&Version=2016-11-15&MaxResults=many", "MaxResults: `many` is no integer"),
        (f"{PUBLISH}&Message=m&MessageAttributes.1.Name=a", "MessageAttributes.1: should be MessageAttributes.entry"),
        (f"{PUBLISH}&Message=m&MessageAttributes.entry.1.Name=a", "MessageAttributes.entry.1.Value: missing"),
        (
            f"{PUBLISH}&Message=m&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.StringValue=b",
            "MessageAttributes.entry.1.Value.DataType: missing, and required",
        ),
        ("Action=TagResource&Version=2010-03-31&ResourceArn=r&Tags.1.Key=k", "Tags.1: should be Tags.member"),
        ("Action=AssumeRole&Version=2011-06-15&RoleArn=r&RoleSessionName=ab", "RoleArn: 1 is not between 20 and 2048"),
    ],
)
def test_what_is_broken_in_a_request_is_found(form, problem):
    words = ["CreateTags", "CreateVpcEndpoint", "DescribeVpcEndpoints", "Publish", "TagResource", "AssumeRole"]
    operation = next((word for word in words if f"Action={word}&" in form), "AcceptVpcEndpointConnections")
    service = {"Publish": "sns", "TagResource": "sns", "AssumeRole": "sts"}.get(operation, "ec2")
    problems = check_request(operation, form, service)
    assert any(found.startswith(problem) for found in problems), problems


def test_an_operation_that_is_not_in_the_model_is_found():
    assert check_request("AcceptEverything", ACCEPT) == ["ec2 has no operation AcceptEverything"]
    with pytest.raises(ValueError, match="route53 takes no forms"):
        check_request("ListHostedZones", "", "route53")


def answer(
    inner, operation="DescribeVpcEndpointConnections", namespace=NAMESPACE, request_id="<requestId>r</requestId>"
):
    return f'<{operation}Response xmlns="{namespace}">{request_id}{inner}</{operation}Response>'


def connection(inner):
    return answer(f"<vpcEndpointConnectionSet><item>{inner}</item></vpcEndpointConnectionSet>")


@pytest.mark.parametrize(
    "body, problem",
    [
        (connection("<state>available</state>"), "state: not in the model; botocore drops it"),
        (connection("<vpcEndpointState>Available</vpcEndpointState>"), "vpcEndpointState: `Available` is none of"),
        (connection("<serviceId>a</serviceId><serviceId>b</serviceId>"), "serviceId: there 2 times"),
        (connection("<serviceId><item>a</item></serviceId>"), "serviceId: a string with elements in it"),
        (connection('<serviceId a="b">a</serviceId>'), "serviceId: attributes a"),
        (connection("vpce-con-0a"), "text between its elements: `vpce-con-0a`"),
        (connection("<creationTimestamp>1769860800</creationTimestamp>"), "is no timestamp"),
        (connection("<creationTimestamp>2026-01-31 12:00:00Z</creationTimestamp>"), "is no timestamp"),
        (connection("<creationTimestamp>2026-01-31T12:00:00+00:00</creationTimestamp>"), "is no timestamp"),
        (connection("<creationTimestamp></creationTimestamp>"), "is no timestamp"),
        (connection("<dnsEntrySet><member/></dnsEntrySet>"), "dnsEntrySet.member: should be item"),
        (connection("<dnsEntrySet>name</dnsEntrySet>"), "dnsEntrySet: text between"),
        (answer("<vpcEndpointConnections/>"), "vpcEndpointConnections: not in the model"),
        (answer("", request_id=""), "requestId: missing"),
        (answer("", namespace="http://ec2.amazonaws.com/doc/2016-11-15"), "in the namespace"),
        (answer("", operation="Describe"), "the root is DescribeResponse"),
        ("{", "no XML"),
        ("", "no XML"),
    ],
)
def test_what_is_broken_in_an_answer_is_found(body, problem):
    problems = check_answer("DescribeVpcEndpointConnections", 200, body)
    assert any(problem in found for found in problems), problems


def test_a_good_answer_is_good():
    inner = "<vpcEndpointState>pendingAcceptance</vpcEndpointState><dnsEntrySet/><serviceId></serviceId>"
    inner += "<creationTimestamp>2026-01-31T12:00:00.123Z</creationTimestamp>"
    assert check_answer("DescribeVpcEndpointConnections", 200, connection(inner).encode()) == []
    assert check_answer("DescribeVpcEndpointConnections", 200, answer("<vpcEndpointConnectionSet/>")) == []


def test_an_operation_without_an_answer_says_return():
    for word, problems in [("true", 0), ("yes", 1), ("", 1)]:
        body = answer(f"<return>{word}</return>", "CreateTags")
        assert len(check_answer("CreateTags", 200, body)) == problems, word
    service = "<serviceConfiguration><acceptanceRequired>True</acceptanceRequired></serviceConfiguration>"
    body = answer(service, "CreateVpcEndpointServiceConfiguration")
    (problem,) = check_answer("CreateVpcEndpointServiceConfiguration", 200, body)
    assert "`True` is no boolean" in problem


@pytest.mark.parametrize("what", ["check_request", "check_answer"])
def test_the_clients_of_these_tests_hold_everything_against_the_model(stage, monkeypatch, what):
    monkeypatch.setattr(f"aws_model.{what}", lambda *_: ["broken"])
    with pytest.raises(AssertionError, match="^broken\n"):
        stage.connections()
    with pytest.raises(AssertionError, match="^broken\n"):
        stage.connections(no_such_filter=["x"])


ERROR = "<Error><Code>C</Code><Message>M</Message></Error>"


@pytest.mark.parametrize(
    "body, problems",
    [
        (f"<Response><Errors>{ERROR}</Errors><RequestID>r</RequestID></Response>", 0),
        (f"<Response>{ERROR}<RequestID>r</RequestID></Response>", 2),
        (f"<Response><Errors>{ERROR}{ERROR}</Errors><RequestID>r</RequestID></Response>", 2),
        (f"<Response><Errors>{ERROR}</Errors></Response>", 1),
        (f"<Response><Errors>{ERROR}</Errors><RequestId>r</RequestId></Response>", 2),
        (f"<ErrorResponse>{ERROR}<RequestID>r</RequestID></ErrorResponse>", 1),
        ("<html><body>502</body></html>", 1),
    ],
)
def test_what_is_broken_in_a_refusal_is_found(body, problems):
    assert len(check_answer("CreateTags", 400, body)) == problems


def test_the_answers_of_the_other_protocols_are_known():
    metadata = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
    result = "<PublishResult><MessageId>m</MessageId></PublishResult>"
    good = answer(result + metadata, "Publish", SNS_NAMESPACE, "")
    assert check_answer("Publish", 200, good, "sns") == []
    assert check_answer("Publish", 200, answer(result, "Publish", SNS_NAMESPACE, ""), "sns") != []
    odd = answer(result.replace("MessageId", "Id") + metadata, "Publish", SNS_NAMESPACE, "")
    assert check_answer("Publish", 200, odd, "sns") == ["PublishResult.Id: not in the model; botocore drops it"]
    refusal = f'<ErrorResponse xmlns="{SNS_NAMESPACE}"><Error><Type>Sender</Type>{ERROR[7:]}<RequestId>r</RequestId>'
    assert check_answer("Publish", 400, f"{refusal}</ErrorResponse>", "sns") == []

    route53 = "https://route53.amazonaws.com/doc/2013-04-01/"
    change = (
        "<ChangeInfo><Id>/change/C1</Id><Status>{}</Status><SubmittedAt>2026-01-31T12:00:00Z</SubmittedAt></ChangeInfo>"
    )
    good = answer(change.format("INSYNC"), "GetChange", route53, "")
    assert check_answer("GetChange", 200, good, "route53") == []
    (problem,) = check_answer("GetChange", 200, good.replace("INSYNC", "DONE"), "route53")
    assert "`DONE` is none of the words" in problem
