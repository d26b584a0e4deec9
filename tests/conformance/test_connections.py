"""Endpoints and their connections, as boto3 makes, reads and decides them."""

import re
from datetime import datetime, timedelta

import pytest
from botocore.waiter import WaiterModel, create_waiter_with_client

from stage import ACME, GWLB, INITECH, NLB, PROVIDER, Like, refused

UNKNOWN = "vpce-0123456789abcdef0"


def decide(stage, word, service, *endpoints, **more):
    call = getattr(stage.client(PROVIDER), f"{word}_vpc_endpoint_connections")
    ids = [endpoint if isinstance(endpoint, str) else endpoint["VpcEndpointId"] for endpoint in endpoints]
    return call(ServiceId=service["ServiceId"], VpcEndpointIds=ids, **more)["Unsuccessful"]


def test_an_endpoint_is_as_it_was_asked_for(stage):
    service = stage.create_service(SupportedIpAddressTypes=["ipv4", "ipv6"])
    tags = [{"Key": "Name", "Value": "to the api"}]
    made = stage.connect(
        service,
        VpcId="vpc-0123456789abcdef0",
        IpAddressType="dualstack",
        PrivateDnsEnabled=False,
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": tags}],
    )
    assert made["VpcEndpointId"] == Like(r"vpce-[0-9a-f]{17}")
    expected = {
        "VpcEndpointType": "Interface",
        "VpcId": "vpc-0123456789abcdef0",
        "ServiceName": service["ServiceName"],
        "State": "pendingAcceptance",
        "IpAddressType": "dualstack",
        "PrivateDnsEnabled": False,
        "RequesterManaged": False,
        "Tags": tags,
        "OwnerId": ACME,
    }
    assert {name: made.get(name) for name in expected} == expected
    assert just_now(stage, made["CreationTimestamp"])


def just_now(stage, time):
    return abs(datetime.fromisoformat(stage.now()[:19] + "+00:00") - time) < timedelta(seconds=5)


def test_the_provider_sees_a_connection_with_everything_that_aws_tells(stage):
    service = stage.create_service(SupportedIpAddressTypes=["ipv4", "ipv6"])
    endpoint = stage.connect(service, IpAddressType="dualstack")
    (connection,) = stage.connections()
    assert just_now(stage, connection["CreationTimestamp"])
    assert connection["CreationTimestamp"].tzinfo is not None
    endpoint_id, service_id = endpoint["VpcEndpointId"], service["ServiceId"]
    (dns,) = connection.pop("DnsEntries")
    assert dns["DnsName"] == Like(rf"{endpoint_id}-[a-z0-9]{{8}}\.{service_id}\.us-west-2\.vpce\.amazonaws\.com")
    assert dns["HostedZoneId"] == Like("Z[A-Z0-9]+")
    assert connection == {
        "VpcEndpointConnectionId": Like(r"vpce-con-[0-9a-f]{17}"),
        "ServiceId": service_id,
        "VpcEndpointId": endpoint_id,
        "VpcEndpointOwner": ACME,
        "VpcEndpointState": "pendingAcceptance",
        "CreationTimestamp": endpoint["CreationTimestamp"],
        "NetworkLoadBalancerArns": [NLB],
        "IpAddressType": "dualstack",
        "VpcEndpointRegion": "us-west-2",
        "Tags": [],
    }


def test_a_gateway_load_balancer_connection_names_its_load_balancer(stage):
    service = stage.create_service(GatewayLoadBalancerArns=[GWLB])
    stage.connect(service, VpcEndpointType="GatewayLoadBalancer")
    (connection,) = stage.connections()
    assert connection["GatewayLoadBalancerArns"] == [GWLB]


def test_connections_are_found_by_every_filter(stage):
    dual = ["ipv4", "ipv6"]
    one, two = (stage.create_service(SupportedIpAddressTypes=dual) for _ in range(2))
    first = stage.connect(one)["VpcEndpointId"]
    second = stage.connect(two, INITECH, IpAddressType="dualstack")["VpcEndpointId"]
    decide(stage, "accept", two, second)

    def found(**filters):
        return {connection["VpcEndpointId"] for connection in stage.connections(**filters)}

    assert found() == {first, second}
    assert found(service_id=[one["ServiceId"]]) == {first}
    assert found(service_id=[one["ServiceId"], two["ServiceId"]]) == {first, second}
    assert found(vpc_endpoint_owner=[INITECH]) == {second}
    assert found(ip_address_type=["dualstack"]) == {second}
    assert found(vpc_endpoint_region=["us-west-2"]) == {first, second}
    assert found(vpc_endpoint_region=["cross-region"]) == set()
    assert found(vpc_endpoint_state=["pendingAcceptance"]) == {first}
    assert found(vpc_endpoint_state=["pending", "available"]) == {second}
    assert found(vpc_endpoint_owner=[ACME], vpc_endpoint_state=["pending"]) == set()


def test_the_paginator_reads_every_page_once(stage):
    service = stage.create_service()
    endpoints = {stage.connect(service)["VpcEndpointId"] for _ in range(11)}
    paginator = stage.client(PROVIDER).get_paginator("describe_vpc_endpoint_connections")
    pages = [page["VpcEndpointConnections"] for page in paginator.paginate(PaginationConfig={"PageSize": 5})]
    assert [len(page) for page in pages] == [5, 5, 1]
    assert {connection["VpcEndpointId"] for page in pages for connection in page} == endpoints


def test_an_accepted_connection_becomes_available_after_a_while(stage):
    service = stage.create_service()
    endpoint = stage.connect(service)
    assert decide(stage, "accept", service, endpoint) == []
    assert stage.state(endpoint) == "pending"
    stage.step(58)
    assert stage.state(endpoint) == "pending"
    stage.step(65)
    assert stage.state(endpoint) == "available"


def test_boto3_can_wait_for_a_connection(stage, sleep_is_stepping):
    """EC2 has no waiter for connections; this is what a user writes in botocore's own words, as Terraform polls."""
    service = stage.create_service()
    endpoint = stage.connect(service)
    decide(stage, "accept", service, endpoint)
    words = {
        "operation": "DescribeVpcEndpointConnections",
        "delay": 5,
        "maxAttempts": 120,
        "acceptors": [
            {
                "state": state,
                "matcher": matcher,
                "argument": "VpcEndpointConnections[].VpcEndpointState",
                "expected": word,
            }
            for state, matcher, word in [
                ("success", "pathAll", "available"),
                ("failure", "pathAny", "rejected"),
                ("failure", "pathAny", "failed"),
            ]
        ],
    }
    naps = sleep_is_stepping(stage)
    model = WaiterModel({"version": 2, "waiters": {"ConnectionAvailable": words}})
    waiter = create_waiter_with_client("ConnectionAvailable", model, stage.client(PROVIDER))
    waiter.wait(Filters=[{"Name": "service-id", "Values": [service["ServiceId"]]}])
    assert stage.state(endpoint) == "available"
    # Between one minute and two, in steps of five seconds.
    assert 12 <= len(naps) <= 25


def test_without_acceptance_nobody_is_asked(stage):
    service = stage.create_service(AcceptanceRequired=False)
    endpoint = stage.connect(service)
    assert endpoint["State"] == "pending"
    stage.step(121)
    assert stage.state(endpoint) == "available"


def test_a_rejected_connection_stays_rejected(stage):
    service = stage.create_service()
    waiting, live = stage.connect(service), stage.connect(service)
    decide(stage, "accept", service, live)
    stage.step(121)
    assert stage.state(live) == "available"
    assert decide(stage, "reject", service, waiting, live) == []
    stage.step(3600)
    assert [stage.state(endpoint) for endpoint in (waiting, live)] == ["rejected", "rejected"]


def test_what_can_not_be_decided_is_an_item_beside_what_was(stage):
    service = stage.create_service()
    first, second = stage.connect(service), stage.connect(service)
    decide(stage, "accept", service, first)
    unsuccessful = decide(stage, "accept", service, first, UNKNOWN, second)
    assert unsuccessful == [
        {
            "Error": {"Code": "InvalidState", "Message": Like(f".*{first['VpcEndpointId']}.*")},
            "ResourceId": first["VpcEndpointId"],
        },
        {
            "Error": {"Code": "InvalidVpcEndpointId.NotFound", "Message": Like(f".*{UNKNOWN}.*")},
            "ResourceId": UNKNOWN,
        },
    ]
    assert stage.state(second) == "pending"


def test_an_endpoint_of_another_service_can_not_be_decided(stage):
    one, two = stage.create_service(), stage.create_service()
    endpoint = stage.connect(one)
    (item,) = decide(stage, "accept", two, endpoint)
    assert item["Error"]["Code"] == "InvalidVpcEndpointId.NotFound"
    assert stage.state(endpoint) == "pendingAcceptance"


@pytest.mark.parametrize("word", ["accept", "reject"])
def test_calls_that_can_not_be_carried_out_are_refused_as_a_whole(stage, word):
    service = stage.create_service()
    endpoint = stage.connect(service)
    with refused("InvalidVpcEndpointServiceId.NotFound", message=".*vpce-svc-0123456789abcdef0.*"):
        decide(stage, word, {"ServiceId": "vpce-svc-0123456789abcdef0"}, endpoint)
    with refused("InvalidVpcEndpointId.Malformed", message=".*'eni-1'.*"):
        decide(stage, word, service, "eni-1")
    # The consumer can not let itself in, nor see that the service is there.
    consumer = getattr(stage.client(ACME), f"{word}_vpc_endpoint_connections")
    with refused("InvalidVpcEndpointServiceId.NotFound"):
        consumer(ServiceId=service["ServiceId"], VpcEndpointIds=[endpoint["VpcEndpointId"]])
    assert stage.state(endpoint) == "pendingAcceptance"


def test_nobody_sees_connections_to_what_is_not_his(stage):
    stage.connect(stage.create_service())
    assert stage.connections(ACME) == []


def test_an_endpoint_needs_a_service_that_is_there(stage):
    unknown = {"ServiceName": "com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0"}
    with refused("InvalidServiceName", message=f".*'{unknown['ServiceName']}' does not exist.*"):
        stage.connect(unknown)


def test_private_dns_waits_for_the_name_to_be_verified(stage):
    service = stage.create_service(PrivateDnsName="api.example.com")
    message = f"Private DNS can't be enabled because the service {service['ServiceName']} has not verified .*"
    with refused("InvalidParameter", message=message):
        stage.connect(service, PrivateDnsEnabled=True)
    assert stage.connections() == []


def test_private_dns_needs_a_name(stage):
    with refused("InvalidParameter", message=".* does not provide a private DNS name.*"):
        stage.connect(stage.create_service(), PrivateDnsEnabled=True)


def test_dns_options_are_as_they_were_asked_for(stage):
    service = stage.create_service(SupportedIpAddressTypes=["ipv4", "ipv6"])
    options = {"DnsRecordIpType": "dualstack"}
    made = stage.connect(service, IpAddressType="dualstack", DnsOptions=options)
    assert made["DnsOptions"]["DnsRecordIpType"] == "dualstack"


def test_subnets_and_security_groups_are_as_they_were_asked_for(stage):
    asked = {"SubnetIds": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0a"]}
    made = stage.connect(stage.create_service(), **asked)
    assert sorted(made["SubnetIds"]) == asked["SubnetIds"]
    assert [group["GroupId"] for group in made["Groups"]] == asked["SecurityGroupIds"]


def test_the_consumer_is_told_the_dns_names_that_the_provider_sees(stage):
    endpoint = stage.connect(stage.create_service(AcceptanceRequired=False))
    (connection,) = stage.connections()
    assert connection["DnsEntries"][0] in endpoint["DnsEntries"]


def test_an_endpoint_is_of_a_type_that_its_service_supports(stage):
    with refused(Like("Invalid.+")):
        stage.connect(stage.create_service(SupportedIpAddressTypes=["ipv4"]), IpAddressType="ipv6")


def test_the_same_client_token_makes_one_endpoint(stage):
    service = stage.create_service()
    made = [stage.connect(service, ClientToken="once")["VpcEndpointId"] for _ in range(2)]
    assert made[0] == made[1]
    assert len(stage.connections()) == 1


def test_times_are_in_milliseconds(stage):
    """The model calls the type of these MillisecondDateTime."""
    stage.connect(stage.create_service())
    stage.connections()
    bodies = " ".join(body.decode() for _, body in stage.answers)
    times = re.findall("<creationTimestamp>(.*?)</creationTimestamp>", bodies)
    assert times == [Like(r"[^.]+\.\d{3}Z")] * 2
