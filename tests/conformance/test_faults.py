"""Throttling and what else goes wrong, as boto3 bears it."""

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from stage import ACME, INITECH, NLB, PROVIDER, refused

DESCRIBE = "DescribeVpcEndpointConnections"


def test_who_asks_too_fast_is_throttled_and_others_are_not(throttled_stage):
    stage = throttled_stage
    service = stage.create_service()
    for _ in range(4):
        stage.connect(service)
    with refused("RequestLimitExceeded", 503, "Request limit exceeded."):
        stage.connect(service)
    stage.connect(service, INITECH)
    assert len(stage.connections()) == 5
    # 0.3 a second come back.
    stage.step(4)
    stage.connect(service)
    with refused("RequestLimitExceeded", 503):
        stage.connect(service)


def test_boto3_waits_until_it_may_ask_again(throttled_stage, sleep_is_stepping):
    stage = throttled_stage
    for _ in range(10):
        stage.create_service()
    naps = sleep_is_stepping(stage)
    client = stage.client(PROVIDER, attempts=5)
    answer = client.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[NLB])
    assert answer["ResponseMetadata"]["RetryAttempts"] == len(naps) >= 1


@pytest.mark.parametrize("kind", ["throttled", "internal-error", "bad-gateway", "reset"])
def test_boto3_asks_again_after_what_passes(stage, sleep_is_stepping, kind):
    stage.fault(DESCRIBE, kind, times=2)
    naps = sleep_is_stepping(stage)
    answer = stage.client(PROVIDER, attempts=3, check=kind != "bad-gateway").describe_vpc_endpoint_connections()
    assert (answer["ResponseMetadata"]["RetryAttempts"], len(naps)) == (2, 2)


@pytest.mark.parametrize(
    "kind, code, status",
    [
        ("throttled", "RequestLimitExceeded", 503),
        ("internal-error", "InternalError", 500),
        ("unavailable", "ServiceUnavailable", 503),
        ("unauthorized", "UnauthorizedOperation", 403),
        ({"refused": "VpcEndpointLimitExceeded"}, "VpcEndpointLimitExceeded", 400),
    ],
)
def test_a_fault_is_said_in_awss_words_and_only_as_often_as_asked(stage, kind, code, status):
    stage.fault(DESCRIBE, kind, times=2)
    for _ in range(2):
        with refused(code, status):
            stage.connections()
    assert stage.connections() == []


def test_what_is_forbidden_is_not_asked_again(stage):
    stage.fault(DESCRIBE, "unauthorized")
    stage.requests.clear()
    with refused("UnauthorizedOperation", 403):
        stage.client(PROVIDER, attempts=5).describe_vpc_endpoint_connections()
    assert len(stage.requests) == 1


@pytest.mark.parametrize(
    "kind, error, config",
    [
        ("reset", ConnectionClosedError, {}),
        ("silence", ReadTimeoutError, {"read_timeout": 0.3}),
        ("garbage", ResponseParserError, {}),
    ],
)
def test_no_answer_is_boto3s_own_error(stage, kind, error, config):
    stage.fault(DESCRIBE, kind)
    with pytest.raises(error):
        stage.client(PROVIDER, check=False, **config).describe_vpc_endpoint_connections()
    assert stage.connections() == []


def test_faults_can_be_taken_back(stage):
    stage.fault(DESCRIBE, "internal-error", times=100)
    stage.mend()
    assert stage.connections() == []


@pytest.mark.parametrize("when, state", [("before", "pendingAcceptance"), ("after", "pending")])
def test_a_call_that_goes_wrong_may_have_taken_effect(stage, when, state):
    service = stage.create_service()
    endpoint = stage.connect(service)
    stage.fault("AcceptVpcEndpointConnections", "reset", when=when)
    with pytest.raises(ConnectionClosedError):
        ids = {"ServiceId": service["ServiceId"], "VpcEndpointIds": [endpoint["VpcEndpointId"]]}
        stage.client(PROVIDER).accept_vpc_endpoint_connections(**ids)
    assert stage.state(endpoint) == state


@pytest.mark.parametrize(
    "when",
    [
        "before",
        "after",
    ],
)
def test_every_item_can_be_unsuccessful(stage, when):
    service = stage.create_service()
    endpoints = [stage.connect(service)["VpcEndpointId"] for _ in range(3)]
    stage.fault("AcceptVpcEndpointConnections", {"items": "InternalError"}, when=when)
    ids = {"ServiceId": service["ServiceId"], "VpcEndpointIds": endpoints}
    unsuccessful = stage.client(PROVIDER).accept_vpc_endpoint_connections(**ids)["Unsuccessful"]
    assert [(item["ResourceId"], item["Error"]["Code"]) for item in unsuccessful] == [
        (endpoint, "InternalError") for endpoint in endpoints
    ]
    assert {connection["VpcEndpointState"] for connection in stage.connections()} == {"pendingAcceptance"}


def test_a_token_keeps_a_repeated_call_from_doing_it_twice(stage, sleep_is_stepping):
    service = stage.create_service()
    stage.fault("CreateVpcEndpoint", "reset", when="after")
    sleep_is_stepping(stage)
    wanted = {"VpcEndpointType": "Interface", "VpcId": "vpc-0a", "ServiceName": service["ServiceName"]}
    stage.client(ACME, attempts=2).create_vpc_endpoint(**wanted, ClientToken="once")
    assert len(stage.connections()) == 1
