"""What is told to both Regions about EC2 and STS; `beside_stories_more` has Route 53 and SNS.

A story is a function of a pair and of the things that moto wants to have seen made before they are named.
"""

from functools import cached_property

from stage import ACME, GWLB, INITECH, NLB, PROVIDER, REGION

NO_SERVICE, NO_ENDPOINT = "vpce-svc-0123456789abcdef0", "vpce-0123456789abcdef0"
PLENTY = [{"Key": f"key{n}", "Value": "x"} for n in range(51)]


class Things:
    """What has to be shown first, made when it is named. Our Region knows no load balancers.

    They have names of the pair: the ARNs of balancers are not of the same form on both sides.
    """

    subnets, group, default_group = ["known-5", "known-6"], "known-7", "known-8"

    def __init__(self, pair):
        self._pair = pair

    @cached_property
    def nlb(self):
        return self._balancer("known-1", NLB, "network")

    @cached_property
    def other_nlb(self):
        return self._balancer("known-2", f"{NLB}0", "network")

    @cached_property
    def gwlb(self):
        return self._balancer("known-3", GWLB, "gateway")

    @cached_property
    def vpc(self):
        """A VPC of ACME's, with its subnets and its group: made by moto, and then by our Region under the same ids."""
        ec2 = self._pair.moto.client(ACME, "ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
            for n, zone in enumerate("ab")
        ]
        subnets = [subnet["SubnetId"] for subnet in subnets]
        group = ec2.create_security_group(GroupName="api", Description="api", VpcId=vpc)["GroupId"]
        wanted = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
        (default,) = ec2.describe_security_groups(Filters=wanted)["SecurityGroups"]
        self._pair.stage.make_vpc(
            ACME,
            vpcId=vpc,
            cidrBlock="10.0.0.0/16",
            subnets=[
                {"subnetId": subnet, "cidrBlock": f"10.0.{n}.0/24", "availabilityZone": f"{REGION}{zone}"}
                for n, (subnet, zone) in enumerate(zip(subnets, "ab", strict=True))
            ],
            securityGroups=[
                {"groupId": group, "groupName": "api"},
                {"groupId": default["GroupId"], "groupName": "default"},
            ],
        )
        names = ["known-4", *self.subnets, self.group, self.default_group]
        for name, found in zip(names, [vpc, *subnets, group, default["GroupId"]], strict=True):
            self._pair.know(name, found, found)
        return "known-4"

    def _balancer(self, name, ours, kind):
        moto = self._pair.moto
        wanted = [{"Name": "availability-zone", "Values": [f"{REGION}a"]}]
        (subnet,) = moto.client(PROVIDER, "ec2").describe_subnets(Filters=wanted)["Subnets"]
        wanted = {"Name": name, "Type": kind, "Subnets": [subnet["SubnetId"]]}
        made = moto.client(PROVIDER, "elbv2").create_load_balancer(**wanted)
        self._pair.know(name, ours, made["LoadBalancers"][0]["LoadBalancerArn"])
        return name


def ec2(pair, account=PROVIDER):
    """`ec2(pair)("create_tags", "a note", …)` calls EC2 as an account."""
    return lambda operation, note="", **wanted: pair.call(account, "ec2", operation, note, **wanted)


def make_service(pair, things, note="", **wanted):
    wanted = {"NetworkLoadBalancerArns": [things.nlb], **wanted}
    return ec2(pair)("create_vpc_endpoint_service_configuration", note, **wanted)


def services_are_made(pair, things):
    call = ec2(pair)
    make = "create_vpc_endpoint_service_configuration"
    make_service(pair, things)
    tags = [{"ResourceType": "vpc-endpoint-service", "Tags": [{"Key": "team", "Value": "a & <b>"}]}]
    make_service(pair, things, "with everything", AcceptanceRequired=False, TagSpecifications=tags)
    make_service(pair, things, "with a name", PrivateDnsName="api.example.com")
    call(make, "of a gateway load balancer", GatewayLoadBalancerArns=[things.gwlb])
    make_service(pair, things, "for both kinds of address", SupportedIpAddressTypes=["ipv4", "ipv6"])
    call(make, "without a load balancer")
    none = NLB.replace("/api/", "/none/")
    call(make, "of a load balancer that is not there", NetworkLoadBalancerArns=[none])
    make_service(pair, things, "for addresses that are not there", SupportedIpAddressTypes=["ipv5"])
    make_service(pair, things, "with a name in capitals", PrivateDnsName="API.example.com")
    make_service(pair, things, "of both kinds", GatewayLoadBalancerArns=[things.gwlb])
    make_service(pair, things, "tried only", DryRun=True)
    make_service(pair, things, "tagged as something else", TagSpecifications=[{**tags[0], "ResourceType": "vpc"}])


def services_are_read(pair, things):
    call, read = ec2(pair), "describe_vpc_endpoint_service_configurations"
    tags = [{"ResourceType": "vpc-endpoint-service", "Tags": [{"Key": "team", "Value": "edge"}]}]
    make_service(pair, things, TagSpecifications=tags)
    for _ in range(5):
        make_service(pair, things)
    call(read, "one", ServiceIds=["vpce-svc-1"])
    call(read, "one that is not there", ServiceIds=[NO_SERVICE])
    call(read, "one beside another that is not there", ServiceIds=["vpce-svc-1", NO_SERVICE])
    call(read, "one with an id that can be none", ServiceIds=["service"])
    ec2(pair, ACME)(read, "another account's", ServiceIds=["vpce-svc-1"])
    ec2(pair, ACME)(read, "all, of another account")
    call(read, "tried only", DryRun=True, ServiceIds=["vpce-svc-1"])
    call(read, "found by a tag", Filters=[{"Name": "tag:team", "Values": ["edge"]}], ServiceIds=["vpce-svc-1"])
    call(read, "not found by a tag", Filters=[{"Name": "tag:team", "Values": ["x"]}], ServiceIds=["vpce-svc-1"])
    call(read, "by a filter that is not there", Filters=[{"Name": "x", "Values": ["x"]}], ServiceIds=["vpce-svc-1"])
    call(read, "on a page that is too small", MaxResults=1)
    call(read, "from a token from nowhere", NextToken="x", ServiceIds=["vpce-svc-1"])
    page = call(read, "a page", MaxResults=5)
    assert len(page["ServiceConfigurations"]) == 5


def services_are_changed(pair, things):
    call, ids = ec2(pair), {"ServiceId": "vpce-svc-1"}
    change, read = "modify_vpc_endpoint_service_configuration", "describe_vpc_endpoint_service_configurations"
    make_service(pair, things)
    call(change, "acceptance", **ids, AcceptanceRequired=False)
    call(change, "one more load balancer", **ids, AddNetworkLoadBalancerArns=[things.other_nlb])
    call(read, "after this", ServiceIds=["vpce-svc-1"])
    call(change, "back again", **ids, AcceptanceRequired=True, RemoveNetworkLoadBalancerArns=[things.other_nlb])
    call(change, "a name", **ids, PrivateDnsName="api.example.com")
    call(change, "no name", **ids, RemovePrivateDnsName=True)
    call(read, "in the end", ServiceIds=["vpce-svc-1"])
    call(change, "a name and none", **ids, PrivateDnsName="a.example.com", RemovePrivateDnsName=True)
    call(change, "nothing", **ids)
    call(change, "one load balancer less, which it has not", **ids, RemoveNetworkLoadBalancerArns=[things.gwlb])
    call(change, "the last load balancer gone", **ids, RemoveNetworkLoadBalancerArns=[things.nlb])
    call(change, "tried only", **ids, AcceptanceRequired=False, DryRun=True)
    call(change, "of none", AcceptanceRequired=False)
    call(change, "of one that is not there", ServiceId=NO_SERVICE, AcceptanceRequired=False)
    ec2(pair, ACME)(change, "by another account", **ids, AcceptanceRequired=False)


def services_are_deleted(pair, things):
    call, gone = ec2(pair), "delete_vpc_endpoint_service_configurations"
    for _ in range(2):
        make_service(pair, things)
    call("modify_vpc_endpoint_service_permissions", ServiceId="vpce-svc-1", AddAllowedPrincipals=["*"])
    make_endpoint(pair, things)
    call(gone, "tried only", ServiceIds=["vpce-svc-2"], DryRun=True)
    call(gone, "one that is free, and one that is not there", ServiceIds=["vpce-svc-2", NO_SERVICE])
    call(gone, "once more", ServiceIds=["vpce-svc-2"])
    call(gone, "with an id that can be none", ServiceIds=["service"])
    call(gone, "none")
    ec2(pair, ACME)(gone, "another account's", ServiceIds=["vpce-svc-1"])
    call(gone, "one that is used", ServiceIds=["vpce-svc-1"])


def services_are_permitted(pair, things):
    call, ids = ec2(pair), {"ServiceId": "vpce-svc-1"}
    change, read = "modify_vpc_endpoint_service_permissions", "describe_vpc_endpoint_service_permissions"
    acme, role = f"arn:aws:iam::{ACME}:root", f"arn:aws:iam::{INITECH}:role/network"
    make_service(pair, things)
    call(read, "of none", **ids)
    call(change, "two", **ids, AddAllowedPrincipals=[acme, role])
    call(read, "of two", **ids)
    call(change, "one of them again", **ids, AddAllowedPrincipals=[acme])
    call(change, "one less", **ids, RemoveAllowedPrincipals=[acme])
    call(change, "the same less", **ids, RemoveAllowedPrincipals=[acme])
    call(read, "of the one that is left", **ids)
    call(read, "by a filter", **ids, Filters=[{"Name": "principal", "Values": [acme]}])
    call(read, "by a filter that is not there", **ids, Filters=[{"Name": "x", "Values": ["x"]}])
    call(read, "on a page that is too small", **ids, MaxResults=1)
    call(change, "what can be no principal", **ids, AddAllowedPrincipals=["acme"])
    call(change, "nothing", **ids)
    call(change, "of no service", AddAllowedPrincipals=[acme])
    for operation in (change, read):
        call(operation, "of a service that is not there", ServiceId=NO_SERVICE)
        call(operation, "tried only", **ids, DryRun=True)
        ec2(pair, ACME)(operation, "by another account", **ids)


def services_are_offered(pair, things):
    read = "describe_vpc_endpoint_services"
    service = make_service(pair, things)["ServiceConfiguration"]
    name = service["ServiceName"]
    ec2(pair)("modify_vpc_endpoint_service_permissions", ServiceId="vpce-svc-1", AddAllowedPrincipals=["*"])
    for account, who in [(PROVIDER, "its owner"), (ACME, "another account")]:
        ec2(pair, account)(read, f"by name, to {who}", ServiceNames=[name])
    call = ec2(pair, ACME)
    call(read, "one that is not there", ServiceNames=[f"com.amazonaws.vpce.{REGION}.{NO_SERVICE}"])
    call(read, "by owner", Filters=[{"Name": "owner", "Values": [PROVIDER]}])
    call(read, "by a filter that is not there", Filters=[{"Name": "x", "Values": ["x"]}])
    call(read, "tried only", DryRun=True, ServiceNames=[name])


def make_endpoint(pair, things, note="", service=f"com.amazonaws.vpce.{REGION}.vpce-svc-1", **wanted):
    wanted = {"VpcEndpointType": "Interface", "VpcId": things.vpc, "PrivateDnsEnabled": False, **wanted}
    return ec2(pair, ACME)("create_vpc_endpoint", note, ServiceName=service, **wanted)


def endpoints_are_made(pair, things):
    make_service(pair, things, AcceptanceRequired=False)
    ec2(pair)("modify_vpc_endpoint_service_permissions", ServiceId="vpce-svc-1", AddAllowedPrincipals=["*"])
    make_endpoint(pair, things)
    tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "team", "Value": "edge"}]}]
    places = {"SubnetIds": things.subnets, "SecurityGroupIds": [things.group]}
    make_endpoint(pair, things, "with everything", TagSpecifications=tags, **places)
    make_endpoint(pair, things, "with private DNS", PrivateDnsEnabled=True)
    make_endpoint(pair, things, "to a service that is not there", f"com.amazonaws.vpce.{REGION}.{NO_SERVICE}")
    make_endpoint(pair, things, "in a VPC that is not there", VpcId="vpc-0123456789abcdef0")
    make_endpoint(pair, things, "in a subnet that is not there", SubnetIds=["subnet-0123456789abcdef0"])
    make_endpoint(pair, things, "of a type that is not there", VpcEndpointType="Door")
    make_endpoint(pair, things, "for addresses that are not there", IpAddressType="ipv5")
    make_endpoint(pair, things, "tried only", DryRun=True)
    call = ec2(pair, ACME)
    call("create_vpc_endpoint", "in no VPC", VpcEndpointType="Interface", ServiceName=f"x.{NO_SERVICE}")
    call("create_vpc_endpoint", "to no service", VpcEndpointType="Interface", VpcId=things.vpc)


def endpoints_live(pair, things):
    call, other = ec2(pair, ACME), ec2(pair, INITECH)
    read, change, gone = "describe_vpc_endpoints", "modify_vpc_endpoint", "delete_vpc_endpoints"
    make_service(pair, things, AcceptanceRequired=False)
    ec2(pair)("modify_vpc_endpoint_service_permissions", ServiceId="vpce-svc-1", AddAllowedPrincipals=["*"])
    make_endpoint(pair, things, SubnetIds=things.subnets[:1])
    pair.stage.step(600)
    ids, many = {"VpcEndpointId": "vpce-1"}, {"VpcEndpointIds": ["vpce-1"]}
    call(read, "one", **many)
    call(read, "one that is not there", VpcEndpointIds=[NO_ENDPOINT])
    call(read, "one with an id that can be none", VpcEndpointIds=["endpoint"])
    other(read, "another account's", **many)
    other(read, "all, of another account")
    tries = [("vpc-endpoint-type", "Interface"), ("vpc-endpoint-state", "rejected"), ("vpc-id", things.vpc)]
    for name, value in tries:
        call(read, f"by {name}", Filters=[{"Name": name, "Values": [value]}])
    call(read, "by a filter that is not there", Filters=[{"Name": "x", "Values": ["x"]}])
    call(read, "on a page that is too small", MaxResults=1)
    call(read, "from a token from nowhere", NextToken="x")
    call(read, "tried only", DryRun=True)
    call(change, "one more subnet", **ids, AddSubnetIds=things.subnets[1:])
    call(change, "one subnet less", **ids, RemoveSubnetIds=things.subnets[:1])
    call(change, "a security group", **ids, AddSecurityGroupIds=[things.group])
    call(read, "after this", **many)
    call(change, "of one that is not there", VpcEndpointId=NO_ENDPOINT, AddSubnetIds=things.subnets)
    call(change, "of none", AddSubnetIds=things.subnets)
    call(change, "one subnet less, which it has not", **ids, RemoveSubnetIds=["subnet-0123456789abcdef0"])
    call(change, "tried only", **ids, AddSubnetIds=things.subnets, DryRun=True)
    other(change, "by another account", **ids, AddSubnetIds=things.subnets)
    other(gone, "another account's", **many)
    call(gone, "tried only", **many, DryRun=True)
    call(gone, "none")
    call(gone, "one, and one that is not there", VpcEndpointIds=["vpce-1", NO_ENDPOINT])
    pair.stage.step(600)
    call(read, "after its end", **many)


def things_are_tagged(pair, things):
    call, ids, read = ec2(pair), {"Resources": ["vpce-svc-1"]}, "describe_vpc_endpoint_service_configurations"
    make_service(pair, things)
    one = [{"Key": "team", "Value": "edge"}, {"Key": "tier", "Value": "ö ☂ & <a>"}]
    call("create_tags", "two", **ids, Tags=one)
    anew = [{**one[0], "Value": "x"}, {"Key": "e", "Value": ""}]
    call("create_tags", "one anew, and one that is empty", **ids, Tags=anew)
    call(read, "with tags", ServiceIds=["vpce-svc-1"])
    call("delete_tags", "of another value", **ids, Tags=[{"Key": "tier", "Value": "x"}])
    call("delete_tags", "by key", **ids, Tags=[{"Key": "team"}])
    call(read, "with tags less", ServiceIds=["vpce-svc-1"])
    call("delete_tags", "that it has not", **ids, Tags=[{"Key": "nothing"}])
    call("create_tags", "without a value", **ids, Tags=[{"Key": "only"}])
    call("delete_tags", "all", **ids)
    call(read, "in the end", ServiceIds=["vpce-svc-1"])
    call("create_tags", "AWS's own", **ids, Tags=[{"Key": "aws:team", "Value": "x"}])
    call("create_tags", "with a long key", **ids, Tags=[{"Key": "k" * 128, "Value": "x"}])
    call("create_tags", "with too long a key", **ids, Tags=[{"Key": "k" * 129, "Value": "x"}])
    call("create_tags", "with too long a value", **ids, Tags=[{"Key": "k", "Value": "x" * 257}])
    call("create_tags", "too many", **ids, Tags=PLENTY)
    for operation in ("create_tags", "delete_tags"):
        call(operation, "of what is not there", Resources=[NO_SERVICE], Tags=one)
        call(operation, "of an id that can be none", Resources=["service"], Tags=one)
        call(operation, "of nothing", Tags=one)
        call(operation, "tried only", **ids, Tags=one, DryRun=True)
        ec2(pair, ACME)(operation, "of another account's", **ids, Tags=one)
    call("create_tags", "that are none", **ids)


def roles_are_assumed(pair, things):
    role = f"arn:aws:iam::{ACME}:role/teams/dns"

    def assume(note="", **wanted):
        wanted = {"RoleArn": role, "RoleSessionName": "verifier", **wanted}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        return pair.call(PROVIDER, "sts", "assume_role", note, **wanted)

    pair.call(PROVIDER, "sts", "get_caller_identity", "of a user")
    assume()
    pair.call("key-1", "sts", "get_caller_identity", "of a role's session")
    assume("for a while", DurationSeconds=900, ExternalId="x1")
    assume("for too short a while", DurationSeconds=899)
    assume("for too long a while", DurationSeconds=43201)
    assume("in a name that is too short", RoleSessionName="x")
    assume("in a name that is too long", RoleSessionName="x" * 65)
    assume("in a name that can be none", RoleSessionName="a b")
    assume("of a user", RoleArn=f"arn:aws:iam::{ACME}:user/somebody")
    assume("of something short", RoleArn="arn")
    assume("of none", RoleArn=None)
    assume("in no name", RoleSessionName=None)
