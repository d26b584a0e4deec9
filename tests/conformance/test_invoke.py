"""EventBridge on a laptop: what one account does with stock tools is judged by the function, without anybody's doing."""

import time
from pathlib import Path

import pytest

from stage import ACME, GWLB, INITECH, Stage

POLICY = Path(__file__).parents[2] / "infra" / "policy"


@pytest.fixture
def stage():
    stage = Stage("--no-throttling", "--invoke", "--policy", str(POLICY))
    yield stage
    stage.close()


def wait_until(look, wanted):
    """Looks until it is as wanted; the function needs a moment of the wall's clock."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and look() != wanted:
        time.sleep(0.05)
    assert look() == wanted


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
