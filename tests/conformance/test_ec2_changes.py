"""Services and endpoints that are changed, permitted, found and deleted, as boto3 does and reads it."""

import pytest

from operations import ACME_ROOT, TOPIC
from stage import ACME, GWLB, INITECH, NLB, PROVIDER, Like, refused

NO_SERVICE, NO_ENDPOINT = "vpce-svc-0123456789abcdef0", "vpce-0123456789abcdef0"


@pytest.fixture
def provider(stage):
    return stage.client(PROVIDER)


def one_service(provider, service):
    ids = [service["ServiceId"]]
    (found,) = provider.describe_vpc_endpoint_service_configurations(ServiceIds=ids)["ServiceConfigurations"]
    return found


def one_endpoint(stage, endpoint, account=ACME):
    (found,) = stage.client(account).describe_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])["VpcEndpoints"]
    return found


def available(stage, service, account=ACME, **wanted):
    """An endpoint that came to be available."""
    endpoint = stage.connect(service, account, **wanted)
    stage.step(600)
    assert one_endpoint(stage, endpoint, account)["State"] == "available"
    return endpoint


def test_a_service_is_changed_as_asked(stage, provider):
    made = stage.create_service()
    answer = provider.modify_vpc_endpoint_service_configuration(
        ServiceId=made["ServiceId"],
        AcceptanceRequired=False,
        PrivateDnsName="*.api.example.com",
        AddNetworkLoadBalancerArns=[f"{NLB}0"],
        AddSupportedIpAddressTypes=["ipv6"],
    )
    assert answer["Return"] is True
    read = one_service(provider, made)
    proof = read.pop("PrivateDnsNameConfiguration")
    assert (proof["State"], proof["Type"]) == ("pendingVerification", "TXT")
    assert read == {
        **made,
        "AcceptanceRequired": False,
        "PrivateDnsName": "*.api.example.com",
        "NetworkLoadBalancerArns": [NLB, f"{NLB}0"],
        "SupportedIpAddressTypes": ["ipv4", "ipv6"],
    }
    provider.modify_vpc_endpoint_service_configuration(
        ServiceId=made["ServiceId"],
        AcceptanceRequired=True,
        RemovePrivateDnsName=True,
        RemoveNetworkLoadBalancerArns=[f"{NLB}0"],
        RemoveSupportedIpAddressTypes=["ipv6"],
    )
    assert one_service(provider, made) == made


def test_a_service_is_not_changed_into_none(stage, provider):
    made = stage.create_service()
    for code, wanted in [
        ("InvalidParameterCombination", {"PrivateDnsName": "a.example.com", "RemovePrivateDnsName": True}),
        ("InvalidParameterValue", {"RemoveNetworkLoadBalancerArns": [NLB]}),
        ("InvalidParameterValue", {"AddGatewayLoadBalancerArns": [GWLB]}),
        ("InvalidParameterValue", {"AddSupportedIpAddressTypes": ["ipv5"]}),
        ("InvalidParameter", {"PrivateDnsName": "API.example.com"}),
    ]:
        with refused(code):
            provider.modify_vpc_endpoint_service_configuration(ServiceId=made["ServiceId"], **wanted)
    for client, service_id in [(provider, NO_SERVICE), (stage.client(ACME), made["ServiceId"])]:
        with refused("InvalidVpcEndpointServiceId.NotFound"):
            client.modify_vpc_endpoint_service_configuration(ServiceId=service_id, AcceptanceRequired=False)
    assert one_service(provider, made) == made


def test_a_service_is_deleted_when_nobody_is_connected(stage, provider):
    free, used = stage.create_service(), stage.create_service()
    endpoint = stage.connect(used)
    ids = [free["ServiceId"], used["ServiceId"], NO_SERVICE]
    failed = provider.delete_vpc_endpoint_service_configurations(ServiceIds=ids)["Unsuccessful"]
    assert [(one["ResourceId"], one["Error"]["Code"]) for one in failed] == [
        (used["ServiceId"], "ExistingVpcEndpointConnections"),
        (NO_SERVICE, "InvalidVpcEndpointService.NotFound"),
    ]
    with refused("InvalidVpcEndpointServiceId.NotFound"):
        one_service(provider, free)
    provider.reject_vpc_endpoint_connections(ServiceId=used["ServiceId"], VpcEndpointIds=[endpoint["VpcEndpointId"]])
    answer = provider.delete_vpc_endpoint_service_configurations(ServiceIds=[used["ServiceId"]])
    assert answer["Unsuccessful"] == []


def test_permissions_say_who_may_connect(stage, provider):
    service = provider.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[NLB])["ServiceConfiguration"]
    service_id = service["ServiceId"]
    with refused("InvalidServiceName"):
        stage.connect(service)
    role = f"arn:aws:iam::{INITECH}:role/network"
    wanted = {"ServiceId": service_id, "AddAllowedPrincipals": [ACME_ROOT, role]}
    answer = provider.modify_vpc_endpoint_service_permissions(**wanted)
    added = {one["Principal"]: one for one in answer["AddedPrincipals"]}
    assert answer["ReturnValue"] is True
    assert added[ACME_ROOT] == {
        "PrincipalType": "Account",
        "Principal": ACME_ROOT,
        "ServicePermissionId": Like(r"vpce-svc-perm-[0-9a-f]{17}"),
        "ServiceId": service_id,
    }
    assert added[role]["PrincipalType"] == "Role"

    def permitted(**filters):
        filters = [{"Name": name.replace("_", "-"), "Values": values} for name, values in filters.items()]
        answer = provider.describe_vpc_endpoint_service_permissions(ServiceId=service_id, Filters=filters)
        return {one["Principal"]: one for one in answer["AllowedPrincipals"]}

    assert permitted() == {principal: {**one, "Tags": []} for principal, one in added.items()}
    assert set(permitted(principal=[role])) == set(permitted(principal_type=["Role"])) == {role}
    assert stage.connect(service)["State"] == "pendingAcceptance"
    provider.modify_vpc_endpoint_service_permissions(ServiceId=service_id, RemoveAllowedPrincipals=[ACME_ROOT])
    assert set(permitted()) == {role}
    with refused("InvalidServiceName"):
        stage.connect(service)
    with refused("InvalidPrincipal"):
        provider.modify_vpc_endpoint_service_permissions(ServiceId=service_id, AddAllowedPrincipals=["acme"])
    with refused("InvalidVpcEndpointServiceId.NotFound"):
        stage.client(ACME).describe_vpc_endpoint_service_permissions(ServiceId=service_id)


def test_a_consumer_finds_what_it_may_connect_to(stage, provider):
    hidden = provider.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[NLB])["ServiceConfiguration"]
    open_to_all = stage.create_service(AcceptanceRequired=False, SupportedIpAddressTypes=["ipv4", "ipv6"])
    consumer = stage.client(ACME)
    answer = consumer.describe_vpc_endpoint_services()
    assert answer["ServiceNames"] == [open_to_all["ServiceName"]]
    (detail,) = answer["ServiceDetails"]
    assert "Tags" not in detail or detail["Tags"] == []
    expected = {
        "ServiceName": open_to_all["ServiceName"],
        "ServiceId": open_to_all["ServiceId"],
        "ServiceType": [{"ServiceType": "Interface"}],
        "ServiceRegion": "us-west-2",
        "Owner": PROVIDER,
        "AcceptanceRequired": False,
        "ManagesVpcEndpoints": False,
        "SupportedIpAddressTypes": ["ipv4", "ipv6"],
    }
    assert {name: detail.get(name) for name in expected} == expected
    for name, value, found in [
        ("owner", PROVIDER, 1),
        ("owner", ACME, 0),
        ("service-type", "Interface", 1),
        ("service-region", "eu-west-1", 0),
        ("supported-ip-address-types", "ipv6", 1),
    ]:
        answer = consumer.describe_vpc_endpoint_services(Filters=[{"Name": name, "Values": [value]}])
        assert len(answer["ServiceDetails"]) == len(answer["ServiceNames"]) == found
    with refused("InvalidServiceName", message=f".*'{hidden['ServiceName']}' does not exist"):
        consumer.describe_vpc_endpoint_services(ServiceNames=[hidden["ServiceName"]])


def test_an_endpoint_is_changed_as_asked_and_read_by_its_owner(stage):
    service = stage.create_service(AcceptanceRequired=False, SupportedIpAddressTypes=["ipv4", "ipv6"])
    endpoint = available(stage, service, SubnetIds=["subnet-a"], SecurityGroupIds=["sg-a"])
    consumer, ids = stage.client(ACME), {"VpcEndpointId": endpoint["VpcEndpointId"]}
    wanted = {
        "IpAddressType": "dualstack",
        "AddSubnetIds": ["subnet-b"],
        "RemoveSubnetIds": ["subnet-a"],
        "AddSecurityGroupIds": ["sg-b"],
        "RemoveSecurityGroupIds": ["sg-a"],
    }
    assert consumer.modify_vpc_endpoint(**ids, **wanted)["Return"] is True
    read = one_endpoint(stage, endpoint)
    assert (read["SubnetIds"], [group["GroupId"] for group in read["Groups"]]) == (["subnet-b"], ["sg-b"])
    assert (read["IpAddressType"], read["State"]) == ("dualstack", "pending")
    assert len(read["NetworkInterfaceIds"]) == 1
    stage.step(600)
    assert one_endpoint(stage, endpoint)["State"] == "available"
    for code, wrong in [
        ("InvalidParameter", {"RemoveSubnetIds": ["subnet-z"]}),
        ("InvalidParameter", {"PrivateDnsEnabled": True}),
        ("InvalidParameterValue", {"IpAddressType": "ipv5"}),
        ("InvalidParameter", {"DnsOptions": {"DnsRecordIpType": "ipv7"}}),
    ]:
        with refused(code):
            stage.client(ACME, check=False).modify_vpc_endpoint(**ids, **wrong)
    with refused("InvalidVpcEndpointId.NotFound"):
        stage.client(INITECH).modify_vpc_endpoint(**ids, AddSubnetIds=["subnet-c"])


def test_endpoints_are_found_by_every_filter(stage):
    one, two = stage.create_service(), stage.create_service(AcceptanceRequired=False)
    tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "team", "Value": "x"}]}]
    first = stage.connect(one)["VpcEndpointId"]
    second = available(stage, two, VpcId="vpc-0b", TagSpecifications=tags)["VpcEndpointId"]
    for name, value, expected in [
        ("service-name", two["ServiceName"], {second}),
        ("vpc-id", "vpc-0b", {second}),
        ("vpc-endpoint-id", first, {first}),
        ("vpc-endpoint-state", "pendingAcceptance", {first}),
        ("vpc-endpoint-state", "available", {second}),
        ("vpc-endpoint-type", "Interface", {first, second}),
        ("tag:team", "x", {second}),
        ("tag-key", "team", {second}),
        ("ip-address-type", "ipv6", set()),
    ]:
        answer = stage.client(ACME).describe_vpc_endpoints(Filters=[{"Name": name, "Values": [value]}])
        assert {found["VpcEndpointId"] for found in answer["VpcEndpoints"]} == expected, name
    assert stage.client(INITECH).describe_vpc_endpoints()["VpcEndpoints"] == []
    with refused("InvalidVpcEndpointId.NotFound", message=f".*'{NO_ENDPOINT}' does not exist"):
        stage.client(ACME).describe_vpc_endpoints(VpcEndpointIds=[NO_ENDPOINT])
    with refused("InvalidVpcEndpointId.Malformed", message="Invalid Id: 'endpoint'.*"):
        stage.client(ACME).describe_vpc_endpoints(VpcEndpointIds=["endpoint"])


def test_an_endpoint_is_deleted_by_its_owner(stage):
    endpoint = available(stage, stage.create_service(AcceptanceRequired=False))
    ids = [endpoint["VpcEndpointId"], NO_ENDPOINT]
    for account, expected in [(INITECH, ids), (ACME, [NO_ENDPOINT])]:
        failed = stage.client(account).delete_vpc_endpoints(VpcEndpointIds=ids)["Unsuccessful"]
        assert [one["ResourceId"] for one in failed] == expected
        assert {one["Error"]["Code"] for one in failed} == {"InvalidVpcEndpoint.NotFound"}
    assert one_endpoint(stage, endpoint)["State"] in ("deleting", "deleted")


def verified(stage, service, value):
    """The state of a service's name, looked at with that value in its record."""
    proof = service["PrivateDnsNameConfiguration"]
    dns = stage.client(PROVIDER, service="route53")
    zone = dns.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    record = {"Name": f"{proof['Name']}.api.example.com", "Type": "TXT", "TTL": 60}
    change = {"Action": "UPSERT", "ResourceRecordSet": {**record, "ResourceRecords": [{"Value": f'"{value}"'}]}}
    dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    stage.step(120)
    wanted, client = {"ServiceId": service["ServiceId"]}, stage.client(PROVIDER)
    assert client.start_vpc_endpoint_service_private_dns_verification(**wanted)["ReturnValue"] is True
    stage.step(1200)
    return one_service(client, service)["PrivateDnsNameConfiguration"]["State"]


def test_a_private_dns_name_without_its_record_is_not_verified(stage, provider):
    service = stage.create_service(AcceptanceRequired=False, PrivateDnsName="api.example.com")
    assert verified(stage, service, "vpce:wrong") == "failed"
    with refused("InvalidParameter", message=".*has not verified the private DNS name.*"):
        stage.connect(service, PrivateDnsEnabled=True)
    with refused("InvalidParameter"):
        nameless = stage.create_service()["ServiceId"]
        provider.start_vpc_endpoint_service_private_dns_verification(ServiceId=nameless)


def test_a_private_dns_name_is_verified_by_its_record(stage):
    service = stage.create_service(AcceptanceRequired=False, PrivateDnsName="api.example.com")
    assert verified(stage, service, service["PrivateDnsNameConfiguration"]["Value"]) == "verified"
    endpoint = available(stage, service, PrivateDnsEnabled=True)
    assert "api.example.com" in [entry["DnsName"] for entry in one_endpoint(stage, endpoint)["DnsEntries"]]


def test_a_notification_is_as_it_was_asked_for(stage, provider):
    service_id = stage.create_service()["ServiceId"]
    wanted = {"ServiceId": service_id, "ConnectionNotificationArn": TOPIC, "ConnectionEvents": ["Connect", "Delete"]}
    answer = provider.create_vpc_endpoint_connection_notification(**wanted, ClientToken="mine")
    made = answer["ConnectionNotification"]
    assert answer["ClientToken"] == "mine"
    expected = {**wanted, "ConnectionNotificationType": "Topic", "ConnectionNotificationState": "Enabled"}
    assert {name: made.get(name) for name in expected} == expected
    made_id = made["ConnectionNotificationId"]
    read = provider.describe_vpc_endpoint_connection_notifications(ConnectionNotificationId=made_id)
    assert read["ConnectionNotificationSet"] == [made]
    assert stage.client(ACME).describe_vpc_endpoint_connection_notifications()["ConnectionNotificationSet"] == []
    for code, wrong in [
        ("InvalidVpcEndpointServiceId.NotFound", {"ServiceId": NO_SERVICE}),
        ("InvalidParameterValue", {"ConnectionEvents": ["Sneeze"]}),
        ("InvalidParameterValue", {"ConnectionNotificationArn": "arn:aws:sqs:us-west-2:111122223333:q"}),
    ]:
        with refused(code):
            provider.create_vpc_endpoint_connection_notification(**{**wanted, **wrong})


def test_tags_are_deleted_by_key_by_value_and_all(stage, provider):
    service = stage.create_service()
    ids = [service["ServiceId"]]

    def left(*tags):
        provider.create_tags(Resources=ids, Tags=[{"Key": key, "Value": key.upper()} for key in "abc"])
        provider.delete_tags(Resources=ids, **({"Tags": list(tags)} if tags else {}))
        return {tag["Key"] for tag in one_service(provider, service)["Tags"]}

    assert left({"Key": "a"}) == {"b", "c"}
    assert left({"Key": "a", "Value": "A"}, {"Key": "b", "Value": "other"}) == {"b", "c"}
    assert left({"Key": "a", "Value": ""}) == {"a", "b", "c"}
    assert left() == set()
    with refused("InvalidVpcEndpointServiceId.NotFound"):
        provider.delete_tags(Resources=[NO_SERVICE])
