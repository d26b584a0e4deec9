"""VPCs, subnets, security groups and interfaces, as boto3 reads them, and what endpoints have to do with them."""

import socket
import struct

import pytest

from operations import HTTPS
from stage import ACME, INITECH, PROVIDER, Like, Stage, refused

VPC = {
    "vpcId": "vpc-0123456789abcdef0",
    "cidrBlock": "10.0.0.0/16",
    "ipv6CidrBlock": "2001:db8::/56",
    "enableDnsHostnames": True,
    "subnets": [
        {"subnetId": "subnet-0a", "cidrBlock": "10.0.1.0/24", "ipv6CidrBlock": "2001:db8:0:1::/64"},
        {"subnetId": "subnet-0b", "cidrBlock": "10.0.2.0/24", "availabilityZone": "us-west-2b"},
    ],
    "securityGroups": [{"groupId": "sg-0a", "groupName": "api"}],
}


@pytest.fixture
def consumer(stage):
    stage.make_vpc(ACME, **VPC)
    return stage.client(ACME)


def verified_service(stage):
    """A service for both kinds of addresses whose name is verified."""
    made = stage.create_service(
        AcceptanceRequired=False, SupportedIpAddressTypes=["ipv4", "ipv6"], PrivateDnsName="api.example.com"
    )
    proof = made["PrivateDnsNameConfiguration"]
    stage.control("POST", f"txt?name={proof['Name']}.api.example.com&value={proof['Value']}")
    provider = stage.client(PROVIDER)
    provider.start_vpc_endpoint_service_private_dns_verification(ServiceId=made["ServiceId"])
    stage.step(200)
    return made


def available(stage, service, **wanted):
    made = stage.connect(service, VpcId=VPC["vpcId"], **wanted)["VpcEndpointId"]
    stage.step(121)
    return made


def test_a_vpc_is_as_it_was_made(stage, consumer):
    (vpc,) = consumer.describe_vpcs()["Vpcs"]
    blocks = [vpc.pop(name) for name in ("CidrBlockAssociationSet", "Ipv6CidrBlockAssociationSet")]
    assert vpc == {
        "VpcId": VPC["vpcId"],
        "OwnerId": ACME,
        "State": "available",
        "CidrBlock": "10.0.0.0/16",
        "DhcpOptionsId": "default",
        "InstanceTenancy": "default",
        "IsDefault": False,
        "Tags": [],
    }
    assert blocks[0][0]["CidrBlockState"] == blocks[1][0]["Ipv6CidrBlockState"] == {"State": "associated"}
    assert blocks[1][0]["Ipv6CidrBlock"] == "2001:db8::/56"
    assert stage.client(INITECH).describe_vpcs()["Vpcs"] == []
    consumer.create_tags(Resources=[VPC["vpcId"]], Tags=[{"Key": "team", "Value": "x"}])
    found = consumer.describe_vpcs(Filters=[{"Name": "tag:team", "Values": ["x"]}])["Vpcs"]
    assert [one["Tags"] for one in found] == [[{"Key": "team", "Value": "x"}]]


def test_subnets_say_whether_they_have_ipv6_and_in_which_zone_they_are(consumer):
    first, second = consumer.describe_subnets()["Subnets"]
    (block,) = first["Ipv6CidrBlockAssociationSet"]
    assert (block["Ipv6CidrBlock"], block["Ipv6CidrBlockState"]) == ("2001:db8:0:1::/64", {"State": "associated"})
    assert second["Ipv6CidrBlockAssociationSet"] == []
    assert [one["AvailabilityZoneId"] for one in (first, second)] == ["usw2-az1", "usw2-az2"]
    assert second["SubnetArn"] == f"arn:aws:ec2:us-west-2:{ACME}:subnet/subnet-0b"
    assert (second["AvailableIpAddressCount"], second["VpcId"]) == (251, VPC["vpcId"])
    for name, value, expected in [
        ("vpc-id", VPC["vpcId"], 2),
        ("availability-zone", "us-west-2b", 1),
        ("availability-zone-id", "usw2-az1", 1),
        ("cidr-block", "10.0.1.0/24", 1),
        ("ipv6-native", "true", 0),
    ]:
        found = consumer.describe_subnets(Filters=[{"Name": name, "Values": [value]}])["Subnets"]
        assert len(found) == expected, name
    with refused("InvalidSubnetID.NotFound", message="The subnet ID 'subnet-0z' does not exist"):
        consumer.describe_subnets(SubnetIds=["subnet-0z"])


def test_the_attributes_of_a_vpc_are_read_and_changed_one_by_one(consumer):
    ids = {"VpcId": VPC["vpcId"]}

    def read(attribute):
        answer = consumer.describe_vpc_attribute(**ids, Attribute=attribute)
        return answer[attribute[0].upper() + attribute[1:]]["Value"]

    assert (read("enableDnsSupport"), read("enableDnsHostnames")) == (True, True)
    consumer.modify_vpc_attribute(**ids, EnableDnsHostnames={"Value": False})
    assert (read("enableDnsSupport"), read("enableDnsHostnames")) == (True, False)
    assert read("enableNetworkAddressUsageMetrics") is False
    with refused("InvalidParameterCombination"):
        consumer.modify_vpc_attribute(**ids, EnableDnsHostnames={"Value": True}, EnableDnsSupport={"Value": True})
    with refused("InvalidVpcID.NotFound"):
        consumer.modify_vpc_attribute(VpcId="vpc-0z", EnableDnsSupport={"Value": True})


def test_what_a_group_lets_in_is_told_as_a_permission_and_as_rules(consumer):
    peers = {"Ipv6Ranges": [{"CidrIpv6": "2001:db8::/56", "Description": "the VPC"}]}
    answer = consumer.authorize_security_group_ingress(GroupId="sg-0a", IpPermissions=[{**HTTPS, **peers}])
    assert answer["Return"] is True
    first, second = answer["SecurityGroupRules"]
    assert first == {
        "SecurityGroupRuleId": Like("sgr-[0-9a-f]{17}"),
        "GroupId": "sg-0a",
        "GroupOwnerId": ACME,
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "CidrIpv4": "10.0.0.0/16",
        "Tags": [],
        "SecurityGroupRuleArn": Like(f"arn:aws:ec2:us-west-2:{ACME}:security-group-rule/sgr-.*"),
    }
    assert (second["CidrIpv6"], second["Description"]) == ("2001:db8::/56", "the VPC")
    (group,) = consumer.describe_security_groups(GroupIds=["sg-0a"])["SecurityGroups"]
    assert group["IpPermissions"] == [{**HTTPS, **peers, "UserIdGroupPairs": [], "PrefixListIds": []}]
    filters = [{"Name": "group-id", "Values": ["sg-0a"]}]
    rules = consumer.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert [rule for rule in rules if not rule["IsEgress"]] == [first, second]
    with refused("InvalidPermission.Duplicate", message='the specified rule "peer: 10.0.0.0/16, TCP, from port: 443.*'):
        consumer.authorize_security_group_ingress(GroupId="sg-0a", IpPermissions=[HTTPS])


def test_an_endpoint_has_an_interface_in_each_subnet_whose_ipv6_comes_when_it_is_dual_stack(stage, consumer):
    service = verified_service(stage)
    endpoint = available(stage, service, SubnetIds=["subnet-0a"], SecurityGroupIds=["sg-0a"])
    filters = [{"Name": "vpc-id", "Values": [VPC["vpcId"]]}]

    def interface():
        (found,) = consumer.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        return found

    found = interface()
    assert (found["PrivateIpAddress"], found["Ipv6Addresses"]) == ("10.0.1.4", [])
    assert (found["AvailabilityZone"], found["AvailabilityZoneId"]) == ("us-west-2a", "usw2-az1")
    assert (found["Groups"], found["InterfaceType"]) == ([{"GroupId": "sg-0a", "GroupName": "api"}], "vpc_endpoint")
    (read,) = consumer.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert read["NetworkInterfaceIds"] == [found["NetworkInterfaceId"]]
    consumer.modify_vpc_endpoint(
        VpcEndpointId=endpoint, IpAddressType="dualstack", DnsOptions={"DnsRecordIpType": "dualstack"}
    )
    assert interface()["Ipv6Addresses"] == []
    stage.step(121)
    assert [one["Ipv6Address"] for one in interface()["Ipv6Addresses"]] == ["2001:db8:0:1::4"]
    with refused("InvalidParameter", message=".* is not supported by the subnet subnet-0b."):
        consumer.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=["subnet-0b"])
    with refused("InvalidNetworkInterfaceID.NotFound"):
        stage.client(INITECH).describe_network_interfaces(NetworkInterfaceIds=[found["NetworkInterfaceId"]])


def test_private_dns_is_one_endpoints_alone_and_needs_the_attributes(stage, consumer):
    service = verified_service(stage)
    consumer.modify_vpc_attribute(VpcId=VPC["vpcId"], EnableDnsHostnames={"Value": False})
    first = available(stage, service, SubnetIds=["subnet-0a"])
    with refused("InvalidParameter", message=f"Enabling private DNS requires both .* for {VPC['vpcId']}"):
        consumer.modify_vpc_endpoint(VpcEndpointId=first, PrivateDnsEnabled=True)
    consumer.modify_vpc_attribute(VpcId=VPC["vpcId"], EnableDnsHostnames={"Value": True})
    consumer.modify_vpc_endpoint(VpcEndpointId=first, PrivateDnsEnabled=True)
    second = available(stage, service, SubnetIds=["subnet-0b"])
    with refused("InvalidParameter", message=".*a conflicting DNS domain for api.example.com in the VPC.*"):
        consumer.modify_vpc_endpoint(VpcEndpointId=second, PrivateDnsEnabled=True)
    (read,) = consumer.describe_vpc_endpoints(VpcEndpointIds=[first])["VpcEndpoints"]
    regional, zonal, private = (entry["DnsName"] for entry in read["DnsEntries"])
    assert zonal == regional.replace(".", "-us-west-2a.", 1) and private == "api.example.com"


def ask(at, name, kind=1):
    """The addresses that a name server gives, of the only kind that is asked for."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    host, port = at.rsplit(":", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        question = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)
        client.sendto(question, (host, int(port)))
        said = client.recv(512)
    (count,) = struct.unpack(">H", said[6:8])
    size, family = {1: (4, socket.AF_INET), 28: (16, socket.AF_INET6)}[kind]
    return [socket.inet_ntop(family, said[-size:])] if count else []


def test_the_private_name_leads_to_a_listener_in_the_vpc_and_nowhere_outside(stage, consumer):
    service = verified_service(stage)
    endpoint = available(stage, service, SubnetIds=["subnet-0a"], PrivateDnsEnabled=True)
    (found,) = consumer.describe_network_interfaces()["NetworkInterfaces"]
    resolver = stage.control("POST", f"resolvers?owner={ACME}&vpc={VPC['vpcId']}")["resolver"]
    assert ask(resolver, "api.example.com") == ["10.0.1.4"]
    stage.control("POST", f"interfaces?id={found['NetworkInterfaceId']}&address=127.0.0.9&address=::1")
    assert (ask(resolver, "api.example.com"), ask(resolver, "api.example.com", 28)) == (["127.0.0.9"], [])
    consumer.modify_vpc_endpoint(
        VpcEndpointId=endpoint, IpAddressType="dualstack", DnsOptions={"DnsRecordIpType": "dualstack"}
    )
    stage.step(121)
    assert ask(resolver, "api.example.com", 28) == ["::1"]
    (read,) = consumer.describe_vpc_endpoints()["VpcEndpoints"]
    server = stage.name_servers.split(",")[0]
    assert ask(server, "api.example.com") == []
    assert [ask(resolver, entry["DnsName"]) for entry in read["DnsEntries"]] == [["127.0.0.9"]] * 3


def test_vpcs_are_in_the_file_of_a_region(tmp_path):
    first = Stage("--state", str(tmp_path / "region.json"))
    first.make_vpc(ACME, **VPC)
    reads = [lambda client: client.describe_vpcs()["Vpcs"], lambda client: client.describe_subnets()["Subnets"]]
    reads.append(lambda client: client.describe_security_group_rules()["SecurityGroupRules"])
    before = [read(first.client(ACME)) for read in reads]
    assert all(before) and first.close() == 0
    second = Stage("--state", str(tmp_path / "region.json"))
    try:
        assert [read(second.client(ACME)) for read in reads] == before
    finally:
        second.close()
