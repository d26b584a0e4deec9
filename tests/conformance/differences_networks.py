"""Where our Region and moto's differ in VPCs, groups and interfaces: a part of the table of `differences_ec2`."""

from beside import BROKEN, NOTHING

VPCS, SUBNETS, GROUPS = "ec2.describe_vpcs", "ec2.describe_subnets", "ec2.describe_security_groups"
RULES, OPEN = "ec2.*_security_group_*", "ec2.authorize_security_group_ingress"
INTERFACES = "ec2.describe_network_interfaces"

NETWORKS = [
    ("open", "AWS documents the codes of refusals, and not their texts", [
        ("ec2.*vpc*", "*", "refused.Message", "The vpc ID '*' does not exist", "VpcID * does not exist.", 5),
        (GROUPS, "*", "refused.Message", "The security group '*' does not exist", "The security group '{'*'}' *", 2),
        (OPEN, "*: the same block", "refused.Message", 'the specified rule "peer: *" *', "The specified rule *", 1),
        (OPEN, "*: a block that is none", "refused.Message", "CIDR block * is malformed", "invalid CIDR subnet *", 1),
    ]),
    ("region", "EC2's error codes have InvalidParameterValue for what is none of the words", [
        (VPCS, "*: by a filter that is not there", "outcome", "InvalidParameterValue: *", BROKEN, 1),
    ]),
    ("open", "an empty list where there is no IPv6, or none: the examples have neither", [
        (VPCS, "*", "Vpcs[].Ipv6CidrBlockAssociationSet", NOTHING, "[]", 2),
    ]),
    ("open", "the guide: which zone has which id differs between accounts", [
        (SUBNETS, "*", "Subnets[].AvailabilityZoneId", "usw2-az*", "usw2-az*", 4),
    ]),
    ("open", "the model says of Subnets and of pages of them nothing about their order", [
        (SUBNETS, "*: of a VPC", "Subnets", "known-5 known-6", "known-6 known-5", 1),
    ]),
    ("region", "the model has this for a subnet", [
        (SUBNETS, "*", "Subnets[].EnableDns64", "false", NOTHING, 4),
    ]),
    ("region", "the guide: the interfaces of an endpoint are made and kept by AWS, are in use, and have an address of "
     "their subnet and the endpoint's groups; the example shows what they are called", [
        (INTERFACES, "*", "NetworkInterfaces[].Description", "VPC Endpoint Interface vpce-1", "", 2),
        (INTERFACES, "*", "NetworkInterfaces[].Groups", "known-7", "known-8", 2),
        (INTERFACES, "*", "NetworkInterfaces[].InterfaceType", "vpc_endpoint", "interface", 2),
        (INTERFACES, "*", "NetworkInterfaces[].PrivateIpAddress", "10.0.0.4", "10.*", 2),
        (INTERFACES, "*", "NetworkInterfaces[].PrivateIpAddresses", "*10.0.0.4*", "*", 2),
        (INTERFACES, "*", "NetworkInterfaces[].RequesterManaged", "true", "false", 2),
        (INTERFACES, "*", "NetworkInterfaces[].Status", "in-use", "available", 2),
        (INTERFACES, "*", "NetworkInterfaces[].AvailabilityZoneId", "usw2-az1", NOTHING, 2),
    ]),
    ("open", "no source says which names such an interface has, and which of AWS's own accounts asked for it", [
        (INTERFACES, "*", "NetworkInterfaces[].PrivateDnsName", NOTHING, "ip-*.ec2.internal", 2),
        (INTERFACES, "*", "NetworkInterfaces[].RequesterId", NOTHING, "*", 2),
    ]),
    ("region", "the guide: what is in the default group may reach what is in it", [
        (GROUPS, "*: of a VPC", "SecurityGroups[].IpPermissions", '*"GroupId": "known-8"*', "", 1),
    ]),
    ("region", "the model has these for a rule; one for all protocols has the ports -1 in the examples", [
        (RULES, "*", "SecurityGroupRules[].GroupOwnerId", "111122223333", NOTHING, 4),
        (RULES, "*", "SecurityGroupRules[].SecurityGroupRuleArn", "*:security-group-rule/sgr-*", NOTHING, 4),
        (OPEN, "*: everything", "SecurityGroupRules[].*Port", "-1", NOTHING, 2),
    ]),
]
