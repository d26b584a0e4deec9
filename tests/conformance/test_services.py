"""Endpoint services, as boto3 makes and reads them."""

import pytest

from stage import ACME, GWLB, NLB, PROVIDER, Like, refused

SERVICE_ID = Like(r"vpce-svc-[0-9a-f]{17}")
TAGS = [{"Key": "team", "Value": 'a & b <c> "d"'}, {"Key": "tier", "Value": "öffentlich ☂"}]


def tagged(kind, tags):
    return [{"ResourceType": kind, "Tags": tags}]


def by_key(tags):
    return sorted(tags, key=lambda tag: tag["Key"])


def test_a_service_is_as_it_was_asked_for(stage):
    asked = {"NetworkLoadBalancerArns": [NLB, f"{NLB}0"], "SupportedIpAddressTypes": ["ipv4", "ipv6"]}
    made = stage.create_service(
        AcceptanceRequired=False,
        PrivateDnsName="api.example.com",
        TagSpecifications=tagged("vpc-endpoint-service", TAGS),
        **asked,
    )
    service_id = made["ServiceId"]
    assert by_key(made.pop("Tags")) == by_key(TAGS)
    assert made == {
        **asked,
        "ServiceType": [{"ServiceType": "Interface"}],
        "ServiceId": SERVICE_ID,
        "ServiceName": f"com.amazonaws.vpce.us-west-2.{service_id}",
        "ServiceState": "Available",
        "AvailabilityZones": ["us-west-2a"],
        "AcceptanceRequired": False,
        "ManagesVpcEndpoints": False,
        "BaseEndpointDnsNames": [f"{service_id}.us-west-2.vpce.amazonaws.com"],
        "PrivateDnsName": "api.example.com",
        "PrivateDnsNameConfiguration": {
            "State": "pendingVerification",
            "Type": "TXT",
            "Name": Like(r"_[a-z0-9]{20}"),
            "Value": Like(r"vpce:[A-Za-z0-9]{20}"),
        },
    }
    (read,) = stage.client(PROVIDER).describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    assert by_key(read.pop("Tags")) == by_key(TAGS)
    assert read == made


def test_a_gateway_load_balancer_service_says_so(stage):
    made = stage.create_service(GatewayLoadBalancerArns=[GWLB])
    assert made["ServiceType"] == [{"ServiceType": "GatewayLoadBalancer"}]
    assert made["GatewayLoadBalancerArns"] == [GWLB]
    assert "NetworkLoadBalancerArns" not in made or made["NetworkLoadBalancerArns"] == []


def test_what_was_not_asked_for_is_the_default(stage):
    made = stage.create_service()
    assert (made["AcceptanceRequired"], made["SupportedIpAddressTypes"]) == (True, ["ipv4"])
    assert "PrivateDnsName" not in made and "PrivateDnsNameConfiguration" not in made
    assert made["Tags"] == []


def test_services_are_found_by_id_and_by_every_filter(stage):
    plain = stage.create_service()["ServiceId"]
    tags = tagged("vpc-endpoint-service", [{"Key": "tier", "Value": "gold"}])
    gold = stage.create_service(SupportedIpAddressTypes=["ipv6"], TagSpecifications=tags)
    client = stage.client(PROVIDER)

    def found(ids=(), **filters):
        filters = [{"Name": name.replace("_", "-"), "Values": values} for name, values in filters.items()]
        answer = client.describe_vpc_endpoint_service_configurations(ServiceIds=list(ids), Filters=filters)
        return {service["ServiceId"] for service in answer["ServiceConfigurations"]}

    gold_id = gold["ServiceId"]
    assert found() == {plain, gold_id}
    assert found([gold_id]) == {gold_id}
    assert found(service_id=[gold_id, plain]) == {plain, gold_id}
    assert found(service_name=[gold["ServiceName"]]) == {gold_id}
    assert found(supported_ip_address_types=["ipv6"]) == {gold_id}
    assert found(tag_key=["tier"]) == {gold_id}
    assert found(**{"tag:tier": ["silver", "gold"]}) == {gold_id}
    assert found(**{"tag:tier": ["silver"]}) == set()
    # The words of a service's state are in Pascal case, unlike those of an endpoint's.
    assert found(service_state=["Available"]) == {plain, gold_id}
    assert found(service_state=["available"]) == set()
    # Filters have all to fit, and so has the id.
    assert found([plain], tag_key=["tier"]) == set()
    assert found(service_id=[plain], tag_key=["tier"]) == set()


def test_the_paginator_reads_every_page_once(stage):
    ids = [stage.create_service()["ServiceId"] for _ in range(12)]
    client = stage.client(PROVIDER)
    paginator = client.get_paginator("describe_vpc_endpoint_service_configurations")
    pages = [page["ServiceConfigurations"] for page in paginator.paginate(PaginationConfig={"PageSize": 5})]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert sorted(service["ServiceId"] for page in pages for service in page) == sorted(ids)
    # A paginator can be stopped and taken up again.
    first = paginator.paginate(PaginationConfig={"MaxItems": 7, "PageSize": 5}).build_full_result()
    rest = paginator.paginate(PaginationConfig={"StartingToken": first["NextToken"]}).build_full_result()
    both = first["ServiceConfigurations"] + rest["ServiceConfigurations"]
    assert sorted(service["ServiceId"] for service in both) == sorted(ids)


def test_a_service_of_another_account_is_not_there(stage):
    service_id = stage.create_service()["ServiceId"]
    stranger = stage.client(ACME)
    assert stranger.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []
    with refused("InvalidVpcEndpointServiceId.NotFound", message=f".*'{service_id}' does not exist.*"):
        stranger.describe_vpc_endpoint_service_configurations(ServiceIds=[service_id])


def test_one_unknown_id_spoils_the_read(stage):
    service_id = stage.create_service()["ServiceId"]
    with refused("InvalidVpcEndpointServiceId.NotFound", message=".*vpce-svc-0123456789abcdef0.*"):
        unknown = [service_id, "vpce-svc-0123456789abcdef0"]
        stage.client(PROVIDER).describe_vpc_endpoint_service_configurations(ServiceIds=unknown)


def test_a_service_needs_a_load_balancer_and_types_that_exist(stage):
    client = stage.client(PROVIDER)
    both = {"NetworkLoadBalancerArns": [NLB], "GatewayLoadBalancerArns": [GWLB]}
    for wanted in ({"AcceptanceRequired": True}, both):
        with refused("InvalidParameter", message="exactly one of network_load_balancer_arn or gateway_load_.*"):
            client.create_vpc_endpoint_service_configuration(**wanted)
    with refused("InvalidParameterValue", message=".*ipv5.*"):
        client.create_vpc_endpoint_service_configuration(
            NetworkLoadBalancerArns=[NLB], SupportedIpAddressTypes=["ipv5"]
        )
    assert client.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []


def test_a_service_for_other_regions_can_be_made(stage):
    made = stage.create_service(SupportedRegions=["us-west-2", "eu-west-1"])
    assert sorted(region["Region"] for region in made["SupportedRegions"]) == ["eu-west-1", "us-west-2"]
    changes = {"AddSupportedRegions": ["eu-west-2"], "RemoveSupportedRegions": ["eu-west-1", "us-west-2"]}
    client = stage.client(PROVIDER)
    client.modify_vpc_endpoint_service_configuration(ServiceId=made["ServiceId"], **changes)
    (read,) = client.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    assert read["SupportedRegions"] == [{"Region": "eu-west-2", "ServiceState": "Available"}]


def test_the_same_client_token_makes_one_service(stage):
    client = stage.client(PROVIDER)
    wanted = {"NetworkLoadBalancerArns": [NLB], "ClientToken": "once"}
    answers = [client.create_vpc_endpoint_service_configuration(**wanted) for _ in range(2)]
    assert len({answer["ServiceConfiguration"]["ServiceId"] for answer in answers}) == 1
    assert len(client.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]) == 1
    with refused("IdempotentParameterMismatch"):
        client.create_vpc_endpoint_service_configuration(**wanted, AcceptanceRequired=False)


def test_the_client_token_is_given_back(stage):
    wanted = {"NetworkLoadBalancerArns": [NLB], "ClientToken": "mine"}
    assert stage.client(PROVIDER).create_vpc_endpoint_service_configuration(**wanted)["ClientToken"] == "mine"


def test_a_gateway_load_balancer_service_has_no_private_dns_name(stage):
    with refused(Like("Invalid.+")):
        wanted = {"GatewayLoadBalancerArns": [GWLB], "PrivateDnsName": "api.example.com"}
        stage.client(PROVIDER).create_vpc_endpoint_service_configuration(**wanted)
