"""What this product's own clients send, held against botocore's models of what AWS takes."""

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import parse_qs

import aws_model
from aws_model_rest import check_rest_request
from stage import ACME, INITECH, PROVIDER, REGION

POLICY = Path(__file__).parents[2] / "infra" / "policy"

# Each command, with the operations that it has to make: one that sends nothing would be found without fault.
COMMANDS = (
    (["plan"], {"DescribeVpcEndpointServiceConfigurations", "DescribeVpcEndpointConnections"}),
    (["plan"], {"DescribeVpcEndpointServicePermissions"}),
    (["doctor"], {"AcceptVpcEndpointConnections", "RejectVpcEndpointConnections", "CreateTags"}),
    (["apply", "--yes"], {"AcceptVpcEndpointConnections", "RejectVpcEndpointConnections", "CreateTags"}),
    (["revoke", "--consumer", "acme", "--yes"], {"RejectVpcEndpointConnections", "CreateTags"}),
)
# All that the verifier ever asks AWS for, by the service that it signs for.
VERIFIER = {
    "ec2": {"DescribeVpcEndpointServiceConfigurations", "CreateTags", "StartVpcEndpointServicePrivateDnsVerification"},
    "route53": {
        "ListHostedZonesByName",
        "ListResourceRecordSets",
        "ChangeResourceRecordSets",
        "GetChange",
        "GetHostedZone",
    },
    "sns": {"Publish"},
    "sts": {"AssumeRole"},
}
# All that the configurator ever asks AWS for.
CONFIGURATOR = {
    "DescribeVpcEndpoints",
    "DescribeVpcEndpointServices",
    "DescribeSubnets",
    "DescribeVpcAttribute",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroupRules",
    "ModifyVpcEndpoint",
}
ROLE = f"arn:aws:iam::{ACME}:role/dns"
DOMAINS = f'[[domain]]\nname = "example.org"\nroleArn = "{ROLE}"\n'


def check(request):
    """The operation that a recorded request asks for; a request that AWS would not take fails the test."""
    if request["service"] == "route53":
        parts = [request[part] for part in ("method", "path", "query", "body")]
        operation, problems = check_rest_request(*parts)
    else:
        assert (request["method"], request["path"], request["query"]) == ("POST", "/", ""), json.dumps(request)
        operation = parse_qs(request["body"])["Action"][0]
        problems = aws_model.check_request(operation, request["body"], request["service"])
    assert problems == [], json.dumps(request)
    return operation


def run(stage, arguments):
    """Runs a command of ours against the Region."""
    variables = {
        "AWS_ENDPOINT_URL": stage.url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": PROVIDER,
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_SESSION_TOKEN": "none",
        "PRIVATELINK_POLICY_DIR": str(POLICY),
    }
    command = [os.environ["PRIVATELINK_BIN"], *arguments]
    ended = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def add_connections(stage):
    service = stage.create_service()
    for account in (ACME, INITECH, "333344445555"):
        stage.connect(service, account=account)


def test_every_request_of_our_own_is_one_that_aws_takes(stage):
    add_connections(stage)
    for arguments, wanted in COMMANDS:
        before = len(stage.control("GET", "requests"))
        run(stage, arguments)
        sent = stage.control("GET", "requests")[before:]
        assert {request["service"] for request in sent} == {"ec2"}
        operations = {check(request) for request in sent}
        assert wanted <= operations, (arguments, operations)


def test_every_request_of_the_acceptor_is_one_that_aws_takes(stage, deploy):
    add_connections(stage)
    before = len(stage.control("GET", "requests"))
    deploy("connection-acceptor", PRIVATELINK_POLICY_DIR=str(POLICY)).call({})
    sent = stage.control("GET", "requests")[before:]
    assert {check(request) for request in sent} == {
        "DescribeVpcEndpointServiceConfigurations",
        "DescribeVpcEndpointConnections",
        "AcceptVpcEndpointConnections",
        "RejectVpcEndpointConnections",
        "CreateTags",
    }


def test_every_request_of_the_verifier_is_one_that_aws_takes(stage, deploy, tmp_path):
    """Names in every place that a record can have, from the first look to `verified`."""
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "domains.toml").write_text(DOMAINS)
    topic = stage.client(PROVIDER, service="sns").create_topic(Name="operators")["TopicArn"]
    zones = {}
    for account, domain in ((PROVIDER, "example.com"), (ACME, "example.org")):
        route53 = stage.client(account, service="route53")
        zones[domain] = route53, route53.create_hosted_zone(Name=domain, CallerReference=domain)["HostedZone"]["Id"]
    names = ["*.new.example.com", "shared.example.com", "api.example.org", "nowhere.example.net"]
    services = {name: stage.create_service(PrivateDnsName=name) for name in names}
    # Somebody's own values stand where one of the records belongs, with what XML and Route 53 escape in them.
    label = services["shared.example.com"]["PrivateDnsNameConfiguration"]["Name"]
    others = [{"Value": '"v=spf1 -all"'}, {"Value": '"a & <b> \\"c\\"" "\\303\\274"'}]
    record = {"Name": f"{label}.shared.example.com.", "Type": "TXT", "TTL": 60, "ResourceRecords": others}
    route53, zone = zones["example.com"]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    stage.step(70)

    before = len(stage.control("GET", "requests"))
    function = deploy(
        "domain-verifier", PRIVATELINK_DNS_SERVER=stage.name_servers, PRIVATELINK_OPERATOR_TOPIC_ARN=topic
    )
    function.call({})
    stage.step(70)
    # Who looks for what is wrong has to know whom the world should be asking.
    stage.control("POST", "dns", {"zone": "example.com", "kind": {"servers": {"how": "servfail"}}})
    function.call({})
    stage.control("DELETE", "dns")
    function.call({})
    stage.step(181)
    function.call({"serviceIds": [service["ServiceId"] for service in services.values()]})
    sent = stage.control("GET", "requests")[before:]
    operations = {}
    for request in sent:
        operations.setdefault(request["service"], set()).add(check(request))
    assert operations == VERIFIER
    # It went all the way, so that these are the requests of a name that is proved.
    described = stage.client(PROVIDER).describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    states = {service["PrivateDnsName"]: service["PrivateDnsNameConfiguration"]["State"] for service in described}
    assert states == {name: "verified" for name in names[:3]} | {names[3]: "pendingVerification"}
    # What others wrote was exchanged against itself and one value more.
    bodies = [request["body"] for request in sent if request["path"].rstrip("/").endswith("/rrset") and request["body"]]
    exchanges = [body for body in bodies if "<Action>DELETE</Action>" in body]
    assert len(bodies) == 3 and len(exchanges) == 1 and "<Action>CREATE</Action>" in exchanges[0]
    (found,) = [
        found
        for found in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        if found["Name"] == record["Name"]
    ]
    value = services["shared.example.com"]["PrivateDnsNameConfiguration"]["Value"]
    assert found == {**record, "ResourceRecords": [*others, {"Value": f'"{value}"'}]}


def test_every_request_of_the_configurator_is_one_that_aws_takes(stage, deploy):
    """From an endpoint that waits for its provider to one that speaks both families."""
    service = stage.create_service(SupportedIpAddressTypes=["ipv4", "ipv6"])
    tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "privatelink", "Value": "managed"}]}]
    endpoint = stage.connect(service, SubnetIds=["subnet-0a", "subnet-0b"], TagSpecifications=tags)["VpcEndpointId"]
    function = deploy(
        "endpoint-configurator", AWS_ACCESS_KEY_ID=ACME, PRIVATELINK_ENDPOINT_TAG="privatelink=managed"
    )
    before = len(stage.control("GET", "requests"))
    function.call({})
    stage.client(PROVIDER).accept_vpc_endpoint_connections(ServiceId=service["ServiceId"], VpcEndpointIds=[endpoint])
    accepted = len(stage.control("GET", "requests"))
    stage.step(130)
    answer = function.call({"endpointIds": [endpoint]})
    stage.step(130)
    function.call({})
    requests = stage.control("GET", "requests")
    sent = requests[before : accepted - 1] + requests[accepted:]
    assert {check(request) for request in sent} == CONFIGURATOR
    assert [one["result"] for one in answer["outcomes"]] == ["done"]
    (described,) = stage.client(ACME).describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert (described["State"], described["IpAddressType"]) == ("available", "dualstack")
    assert described["DnsOptions"]["DnsRecordIpType"] == "dualstack"
