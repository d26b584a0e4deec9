"""The same story through the `aws` command line, as a user types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stage import ACME, NLB, PROVIDER, REGION, Like

AWS = Path(sys.executable).parent / "aws"


@pytest.fixture
def aws(stage):
    """Runs `aws ec2 …` as an account: what it prints, read as JSON; or, where a refusal is expected, its text."""

    def run(account, command, *words, refused=False):
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "any"}
        ended = subprocess.run(
            [AWS, "ec2", command, *words, "--endpoint-url", stage.url, "--region", REGION, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if refused:
            # 255 is the first version's word for whatever a service refuses.
            assert (ended.returncode, ended.stdout) == (255, ""), ended.stderr
            return ended.stderr.strip()
        assert (ended.returncode, ended.stderr) == (0, "")
        return json.loads(ended.stdout) if ended.stdout else None

    return run


def test_a_connection_lives_its_life_on_the_command_line(stage, aws):
    service = aws(
        PROVIDER,
        "create-vpc-endpoint-service-configuration",
        "--acceptance-required",
        *("--network-load-balancer-arns", NLB),
        *("--private-dns-name", "api.example.com"),
        *("--tag-specifications", "ResourceType=vpc-endpoint-service,Tags=[{Key=team,Value=edge}]"),
    )["ServiceConfiguration"]
    service_id, name = service["ServiceId"], service["ServiceName"]
    assert service == {
        "ServiceType": [{"ServiceType": "Interface"}],
        "ServiceId": Like(r"vpce-svc-[0-9a-f]{17}"),
        "ServiceName": f"com.amazonaws.vpce.us-west-2.{service_id}",
        "ServiceState": "Available",
        "AvailabilityZones": ["us-west-2a"],
        "AcceptanceRequired": True,
        "ManagesVpcEndpoints": False,
        "NetworkLoadBalancerArns": [NLB],
        "SupportedIpAddressTypes": ["ipv4"],
        "BaseEndpointDnsNames": [f"{service_id}.us-west-2.vpce.amazonaws.com"],
        "PrivateDnsName": "api.example.com",
        "PrivateDnsNameConfiguration": {
            "State": "pendingVerification",
            "Type": "TXT",
            "Name": Like(r"_[a-z0-9]{20}"),
            "Value": Like(r"vpce:[A-Za-z0-9]{20}"),
        },
        "Tags": [{"Key": "team", "Value": "edge"}],
    }
    stage.allow_everybody(service)
    listed = aws(PROVIDER, "describe-vpc-endpoint-service-configurations", "--filters", "Name=tag:team,Values=edge")
    assert listed == {"ServiceConfigurations": [service]}

    wanted = ["--vpc-endpoint-type", "Interface", "--vpc-id", "vpc-0a", "--service-name", name]
    endpoint = aws(ACME, "create-vpc-endpoint", *wanted)["VpcEndpoint"]
    assert (endpoint["State"], endpoint["OwnerId"]) == ("pendingAcceptance", ACME)

    def connection():
        answer = aws(PROVIDER, "describe-vpc-endpoint-connections", "--filters", f"Name=service-id,Values={service_id}")
        (only,) = answer["VpcEndpointConnections"]
        return only

    seen = connection()
    assert {key: seen[key] for key in seen if key not in ("DnsEntries", "CreationTimestamp")} == {
        "ServiceId": service_id,
        "VpcEndpointId": endpoint["VpcEndpointId"],
        "VpcEndpointOwner": ACME,
        "VpcEndpointState": "pendingAcceptance",
        "NetworkLoadBalancerArns": [NLB],
        "IpAddressType": "ipv4",
        "VpcEndpointConnectionId": Like(r"vpce-con-[0-9a-f]{17}"),
        "Tags": [],
        "VpcEndpointRegion": "us-west-2",
    }
    assert seen["CreationTimestamp"] == endpoint["CreationTimestamp"]

    ids = ["--service-id", service_id, "--vpc-endpoint-ids", endpoint["VpcEndpointId"]]
    assert aws(PROVIDER, "accept-vpc-endpoint-connections", *ids) == {"Unsuccessful": []}
    (item,) = aws(PROVIDER, "accept-vpc-endpoint-connections", *ids)["Unsuccessful"]
    assert (item["ResourceId"], item["Error"]["Code"]) == (endpoint["VpcEndpointId"], "InvalidState")
    tags = ["--resources", seen["VpcEndpointConnectionId"], "--tags", "Key=privatelink:decision,Value=accepted"]
    assert aws(PROVIDER, "create-tags", *tags) is None
    stage.step(121)
    seen = connection()
    assert seen["VpcEndpointState"] == "available"
    assert seen["Tags"] == [{"Key": "privatelink:decision", "Value": "accepted"}]
    assert aws(PROVIDER, "reject-vpc-endpoint-connections", *ids) == {"Unsuccessful": []}
    assert connection()["VpcEndpointState"] == "rejected"


def test_refusals_are_told_in_awss_words(aws):
    unknown = "vpce-svc-0123456789abcdef0"
    text = aws(PROVIDER, "describe-vpc-endpoint-service-configurations", "--service-ids", unknown, refused=True)
    assert text == Like(
        r"(aws: \[ERROR\]: )?An error occurred \(InvalidVpcEndpointServiceId\.NotFound\) when calling the "
        rf"DescribeVpcEndpointServiceConfigurations operation: The VpcEndpointService Id '{unknown}' does not exist"
    )
    text = aws(PROVIDER, "describe-vpc-endpoint-connections", "--dry-run", refused=True)
    assert "(DryRunOperation)" in text and text.endswith("Request would have succeeded, but DryRun flag is set.")


def test_the_command_line_reads_every_page(stage, aws):
    service = stage.create_service()
    endpoints = {stage.connect(service)["VpcEndpointId"] for _ in range(7)}
    answer = aws(PROVIDER, "describe-vpc-endpoint-connections", "--page-size", "5")
    assert {connection["VpcEndpointId"] for connection in answer["VpcEndpointConnections"]} == endpoints
    first = aws(PROVIDER, "describe-vpc-endpoint-connections", "--page-size", "5", "--max-items", "6")
    rest = aws(PROVIDER, "describe-vpc-endpoint-connections", "--starting-token", first["NextToken"])
    pages = [[one["VpcEndpointId"] for one in part["VpcEndpointConnections"]] for part in (first, rest)]
    assert [len(page) for page in pages] == [6, 1]
    assert {*pages[0], *pages[1]} == endpoints
