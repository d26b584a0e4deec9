"""EC2's operations that the Region has, each with an example, and what botocore's model has for them."""

import re

import pytest

import aws_model
from stage import ACME, NLB, REGION

ACME_ROOT = f"arn:aws:iam::{ACME}:root"
TOPIC = f"arn:aws:sns:{REGION}:{ACME}:connections"
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}

# Every operation, with an example that is well formed; what is in capitals is filled in. A new operation is a line.
OPERATIONS = {
    "create_vpc_endpoint_service_configuration": {"NetworkLoadBalancerArns": [NLB]},
    "describe_vpc_endpoint_service_configurations": {},
    "create_vpc_endpoint": {"VpcEndpointType": "Interface", "VpcId": "vpc-0a", "ServiceName": "SERVICE_NAME"},
    "describe_vpc_endpoint_connections": {},
    "accept_vpc_endpoint_connections": {"ServiceId": "SERVICE", "VpcEndpointIds": ["ENDPOINT"]},
    "reject_vpc_endpoint_connections": {"ServiceId": "SERVICE", "VpcEndpointIds": ["ENDPOINT"]},
    "create_tags": {"Resources": ["CONNECTION"], "Tags": [{"Key": "a", "Value": "b"}]},
    "delete_tags": {"Resources": ["CONNECTION"], "Tags": [{"Key": "a"}]},
    "modify_vpc_endpoint_service_configuration": {"ServiceId": "SERVICE", "AcceptanceRequired": True},
    "delete_vpc_endpoint_service_configurations": {"ServiceIds": ["UNUSED_SERVICE"]},
    "start_vpc_endpoint_service_private_dns_verification": {"ServiceId": "NAMED_SERVICE"},
    "modify_vpc_endpoint_service_permissions": {"ServiceId": "SERVICE", "AddAllowedPrincipals": [ACME_ROOT]},
    "describe_vpc_endpoint_service_permissions": {"ServiceId": "SERVICE"},
    "describe_vpc_endpoint_services": {},
    "describe_vpc_endpoints": {},
    "modify_vpc_endpoint": {"VpcEndpointId": "OWN_ENDPOINT", "AddSubnetIds": ["subnet-0a"]},
    "delete_vpc_endpoints": {"VpcEndpointIds": ["OWN_ENDPOINT"]},
    "create_vpc_endpoint_connection_notification": {
        "ServiceId": "SERVICE",
        "ConnectionNotificationArn": TOPIC,
        "ConnectionEvents": ["Connect"],
    },
    "describe_vpc_endpoint_connection_notifications": {},
    "describe_vpcs": {},
    "describe_vpc_attribute": {"VpcId": "VPC", "Attribute": "enableDnsSupport"},
    "modify_vpc_attribute": {"VpcId": "VPC", "EnableDnsHostnames": {"Value": True}},
    "describe_subnets": {},
    "describe_security_groups": {},
    "describe_security_group_rules": {},
    "authorize_security_group_ingress": {"GroupId": "GROUP", "IpPermissions": [HTTPS]},
    "describe_network_interfaces": {},
}

# Parameters and filters that AWS has and the Region has not: findings.
NOT_IN_THE_REGION = {
    "create_vpc_endpoint": [
        "DnsOptions",
        "PolicyDocument",
        "ResourceConfigurationArn",
        "RouteTableIds",
        "ServiceNetworkArn",
        "SubnetConfigurations",
    ],
    "accept_vpc_endpoint_connections": ["TransitGatewayAttachmentIds"],
    "reject_vpc_endpoint_connections": ["TransitGatewayAttachmentIds"],
    "describe_vpc_endpoint_connections": ["transit-gateway-attachment-id"],
    "modify_vpc_endpoint_service_permissions": ["PermissionType"],
    "describe_vpc_endpoint_service_permissions": ["permission-type"],
    "modify_vpc_endpoint": [
        "AddRouteTableIds",
        # Known are not all of its parts.
        "DnsOptions",
        "PolicyDocument",
        "RemoveRouteTableIds",
        "ResetPolicy",
        "SubnetConfigurations",
    ],
    "create_vpc_endpoint_connection_notification": ["VpcEndpointId"],
    "modify_vpc_attribute": ["EnableNetworkAddressUsageMetrics"],
    "describe_vpcs": ["ipv6-cidr-block-association.ipv6-pool"],
    "describe_subnets": [
        *("available-ip-address-count", "customer-owned-ipv4-pool", "enable-dns64", "enable-lni-at-device-index"),
        *("map-customer-owned-ip-on-launch", "outpost-arn"),
        *(f"private-dns-name-options-on-launch.enable-resource-name-dns-{kind}-record" for kind in ("a", "aaaa")),
        "private-dns-name-options-on-launch.hostname-type",
    ],
    "describe_security_groups": [
        f"{egress}ip-permission.{part}" for egress in ("", "egress.") for part in ("group-name", "prefix-list-id")
    ],
    "authorize_security_group_ingress": [
        *("GroupName", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId", "TagSpecifications"),
    ],
    # An endpoint's interface is attached to nothing of its owner's, and has no public address.
    "describe_network_interfaces": [
        *(f"association.{part}" for part in ("allocation-id", "association-id", "ip-owner-id", "public-ip")),
        *("association.public-dns-name", "addresses.association.owner-id", "addresses.association.public-ip"),
        *("addresses.primary", "attachment.attach-time", "attachment.attachment-id", "attachment.device-index"),
        *("attachment.delete-on-termination", "attachment.instance-id", "attachment.instance-owner-id"),
        *("attachment.status", "mac-address", "operator.managed", "operator.principal", "private-dns-name"),
        *("requester-id", "source-dest-check"),
    ],
}
# This filter is in the reference, and the service refuses it all the same.
REFUSED_BY_AWS = {"describe_vpc_endpoint_connections": ["vpc-endpoint-id"]}


def input_shape(operation):
    """The parameters of an operation in the model."""
    word = "".join(part.capitalize() for part in operation.split("_"))
    return aws_model.service_model("ec2").operation_model(word).input_shape


# What lists things, page by page.
READS = {name: example for name, example in OPERATIONS.items() if "MaxResults" in input_shape(name).members}
# What can be tried only.
TRIED = [name for name in OPERATIONS if "DryRun" in input_shape(name).members]


def of_the_model(names_of):
    """Pairs of an operation and a name that the model has for it; what the Region has not is expected to fail."""
    pairs = []
    for operation in OPERATIONS:
        for name in names_of(input_shape(operation)):
            missing = pytest.mark.xfail(strict=True, reason=f"the Region knows no {name}")
            marks = [missing] if name in NOT_IN_THE_REGION.get(operation, []) else []
            pairs.append(pytest.param(operation, name, marks=marks))
    return pairs


def documented_filters(shape):
    """The names of filters, which the model has in its prose only."""
    filters = shape.members.get("Filters") or shape.members.get("Filter")
    text = filters.documentation.replace("</code>:&lt;key&gt;", ":team</code>") if filters else ""
    operation = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", shape.name.removesuffix("Request")).lower()
    names = re.findall(r"<p> ?<code>([^<]+)</code> ?-", text)
    # Where the prose names no key, it is meant all the same.
    names = ["tag:team" if name == "tag" else name for name in names]
    return [name for name in names if name not in REFUSED_BY_AWS.get(operation, [])]


def anything(shape):
    """A value of a shape."""
    if shape.type_name == "structure":
        return {name: anything(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [anything(shape.member)]
    if shape.type_name in ("boolean", "integer"):
        return {"boolean": False, "integer": 5}[shape.type_name]
    return (getattr(shape, "enum", None) or ["any"])[0]
