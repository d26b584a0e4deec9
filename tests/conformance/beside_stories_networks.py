"""What is told to both Regions about VPCs: subnets, security groups, and the interfaces of endpoints."""

from beside_stories import ec2, make_endpoint, make_service
from operations import HTTPS
from stage import ACME, INITECH

NO_VPC, NO_SUBNET = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0"
NO_GROUP, NO_INTERFACE = "sg-0123456789abcdef0", "eni-0123456789abcdef0"


def networks_are_read(pair, things):
    call, other = ec2(pair, ACME), ec2(pair, INITECH)
    vpc = things.vpc
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    call("describe_vpcs", "one", VpcIds=[vpc])
    call("describe_vpcs", "by CIDR", Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}, *here])
    call("describe_vpcs", "that is not there", VpcIds=[NO_VPC])
    call("describe_vpcs", "by a filter that is not there", Filters=[{"Name": "x", "Values": ["x"]}])
    other("describe_vpcs", "another account's", VpcIds=[vpc])
    for name in ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"):
        call("describe_vpc_attribute", name, VpcId=vpc, Attribute=name)
    call("describe_vpc_attribute", "of a VPC that is not there", VpcId=NO_VPC, Attribute="enableDnsSupport")
    call("modify_vpc_attribute", "host names", VpcId=vpc, EnableDnsHostnames={"Value": True})
    call("modify_vpc_attribute", "no resolver", VpcId=vpc, EnableDnsSupport={"Value": False})
    call("modify_vpc_attribute", "of a VPC that is not there", VpcId=NO_VPC, EnableDnsSupport={"Value": True})
    for name in ("enableDnsSupport", "enableDnsHostnames"):
        call("describe_vpc_attribute", f"{name}, changed", VpcId=vpc, Attribute=name)
    call("describe_subnets", "of a VPC", Filters=here)
    call("describe_subnets", "by zone", Filters=[{"Name": "availability-zone", "Values": ["us-west-2b"]}, *here])
    call("describe_subnets", "one", SubnetIds=things.subnets[:1])
    call("describe_subnets", "that is not there", SubnetIds=[NO_SUBNET])
    make_service(pair, things, AcceptanceRequired=False)
    ec2(pair)("modify_vpc_endpoint_service_permissions", ServiceId="vpce-svc-1", AddAllowedPrincipals=["*"])
    make_endpoint(pair, things, SubnetIds=things.subnets[:1], SecurityGroupIds=[things.group])
    call("describe_network_interfaces", "of an endpoint", NetworkInterfaceIds=["eni-1"])
    call("describe_network_interfaces", "by subnet", Filters=[{"Name": "subnet-id", "Values": things.subnets[:1]}])
    elsewhere = [{"Name": "subnet-id", "Values": things.subnets[1:]}]
    call("describe_network_interfaces", "by subnet, none", Filters=elsewhere)
    call("describe_network_interfaces", "that is not there", NetworkInterfaceIds=[NO_INTERFACE])


def groups_are_opened(pair, things):
    call, other, read = ec2(pair, ACME), ec2(pair, INITECH), "describe_security_groups"
    authorize, vpc = "authorize_security_group_ingress", things.vpc
    group = {"GroupId": things.group}
    call(read, "one", GroupIds=[things.group])
    call(read, "of a VPC", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    call(read, "that is not there", GroupIds=[NO_GROUP])
    other(read, "another account's", GroupIds=[things.group])
    call(authorize, "a block", **group, IpPermissions=[HTTPS])
    call(authorize, "the same block", **group, IpPermissions=[HTTPS])
    more = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81}
    peers = {
        "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/56", "Description": "the VPC"}],
        "UserIdGroupPairs": [{"GroupId": things.default_group}],
    }
    call(authorize, "IPv6 and a group", **group, IpPermissions=[{**more, **peers}])
    call(authorize, "everything", **group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    call(authorize, "for a group that is not there", GroupId=NO_GROUP, IpPermissions=[HTTPS])
    call(authorize, "nothing", **group)
    odd = {**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0"}]}
    call(authorize, "a block that is none", **group, IpPermissions=[odd])
    call(authorize, "tried only", **group, IpPermissions=[{**HTTPS, "ToPort": 444}], DryRun=True)
    call(read, "opened", GroupIds=[things.group])
    rules = "describe_security_group_rules"
    call(rules, "of a group", Filters=[{"Name": "group-id", "Values": [things.group]}])
    call(rules, "that is not there", SecurityGroupRuleIds=["sgr-0123456789abcdef0"])
    call(read, "by port", Filters=[{"Name": "ip-permission.from-port", "Values": ["443"]}])
