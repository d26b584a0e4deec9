"""EventBridge on a laptop: what one account does with stock tools is judged by the function, without anybody's doing."""

import time
from pathlib import Path

import pytest

from stage import ACME, GWLB, INITECH, PROVIDER, Stage, wait_until

POLICY = Path(__file__).parents[2] / "infra" / "policy"


@pytest.fixture
def stage():
    stage = Stage("--no-throttling", "--invoke", "--policy", str(POLICY))
    yield stage
    stage.close()


def test_an_endpoint_is_judged_when_it_is_made(stage):
    service = stage.create_service()
    welcome, unwelcome, unknown = (stage.connect(service, account=one) for one in (ACME, INITECH, "333344445555"))

    def seen():
        tags = {one["VpcEndpointId"]: one.get("Tags", []) for one in stage.connections()}
        endpoints = (welcome, unwelcome, unknown)
        decisions = (
            [tag["Value"] for tag in tags[one["VpcEndpointId"]] if tag["Key"] == "privatelink:decision"]
            for one in endpoints
        )
        return [(stage.state(one), *decision) for one, decision in zip(endpoints, decisions)]

    wait_until(seen, [("pending", "accepted"), ("rejected", "rejected"), ("pendingAcceptance", "held")])
    stage.step(130)
    assert stage.state(welcome) == "available"


def test_a_call_that_changes_a_service_is_a_reason_to_look(stage):
    """A Gateway Load Balancer's service sends no notification: here it is CloudTrail that brings the function."""
    service = stage.create_service(GatewayLoadBalancerArns=[GWLB])
    # The calls that made it were reasons to look, too: these looks are over then.
    time.sleep(1)
    endpoint = stage.connect(service, VpcEndpointType="GatewayLoadBalancer")
    time.sleep(1)
    assert stage.state(endpoint) == "pendingAcceptance"
    stage.allow_everybody(service)
    wait_until(lambda: stage.state(endpoint), "pending")


def test_a_private_dns_name_is_proved_while_time_passes(stage):
    """The verifier writes the record, waits for Route 53, lets AWS look, and then leaves it in peace."""
    route53 = stage.client(PROVIDER, service="route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    service = stage.create_service(PrivateDnsName="api.example.com")
    proof = service["PrivateDnsNameConfiguration"]

    def texts():
        records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return [record for record in records if record["Type"] == "TXT"]

    def state():
        wanted = {"ServiceIds": [service["ServiceId"]]}
        answer = stage.client(PROVIDER).describe_vpc_endpoint_service_configurations(**wanted)
        return answer["ServiceConfigurations"][0]["PrivateDnsNameConfiguration"]["State"]

    def calls(operation):
        return sum(request["body"].count(operation) for request in stage.control("GET", "requests"))

    wanted = {
        "Name": f"{proof['Name']}.api.example.com.",
        "Type": "TXT",
        "TTL": 300,
        "ResourceRecords": [{"Value": f'"{proof["Value"]}"'}],
    }
    wait_until(texts, [wanted])
    start = "StartVpcEndpointServicePrivateDnsVerification"
    assert (state(), calls(start)) == ("pendingVerification", 0)
    # Every step is a reason to look; how many looks it takes is the functions' affair.
    for _ in range(20):
        if state() == "verified":
            break
        stage.step(30)
        time.sleep(0.3)
    assert (state(), calls(start)) == ("verified", 1)
    # What is verified is only watched.
    stage.step(120)
    time.sleep(0.5)
    assert (state(), texts(), calls(start)) == ("verified", [wanted], 1)
    assert calls("<Action>CREATE</Action>") == 1


def test_a_consumers_own_endpoint_is_set_when_it_bears_the_tag(stage):
    service = stage.create_service(SupportedIpAddressTypes=["ipv4", "ipv6"])

    def tagged(value):
        return [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "privatelink", "Value": value}]}]

    managed, other = (
        stage.connect(service, SubnetIds=["subnet-0a"], TagSpecifications=tagged(value))
        for value in ("managed", "by hand")
    )
    wait_until(lambda: [stage.state(one) for one in (managed, other)], ["pending", "pending"])
    stage.step(130)

    def families():
        ids = [one["VpcEndpointId"] for one in (managed, other)]
        found = stage.client(ACME).describe_vpc_endpoints(VpcEndpointIds=ids)["VpcEndpoints"]
        types = {one["VpcEndpointId"]: one["IpAddressType"] for one in found}
        return [types[one] for one in ids]

    wait_until(families, ["dualstack", "ipv4"])
