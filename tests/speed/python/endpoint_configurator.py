"""`endpoint-configurator` in Python: sees what the tagged endpoints stand in, and makes them dual-stack where that is
possible."""

import json
import os
import re

import boto3

ec2 = boto3.client("ec2")
KEY, VALUE = os.environ["PRIVATELINK_ENDPOINT_TAG"].split("=", 1)
ENDPOINT_ID = re.compile(r"vpce-[0-9a-f]+")


def every(call, key, **parameters):
    pages = ec2.get_paginator(call).paginate(**parameters, PaginationConfig={"PageSize": 1000})
    return [item for page in pages for item in page[key]]


def filtered(call, key, name, values):
    return every(call, key, Filters=[{"Name": name, "Values": sorted(values)}]) if values else []


def attribute(vpc, name):
    key = name[0].upper() + name[1:]
    return ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)[key]["Value"]


def all_of(endpoints, key):
    return {item for endpoint in endpoints for item in endpoint.get(key, [])}


def look():
    tagged = [{"Name": f"tag:{KEY}", "Values": [VALUE]}]
    endpoints = every("describe_vpc_endpoints", "VpcEndpoints", Filters=tagged)
    names = sorted({endpoint["ServiceName"] for endpoint in endpoints})
    offers = ec2.describe_vpc_endpoint_services(ServiceNames=names)["ServiceDetails"] if names else []
    subnets = filtered("describe_subnets", "Subnets", "subnet-id", all_of(endpoints, "SubnetIds"))
    vpcs = {}
    for vpc in {endpoint["VpcId"] for endpoint in endpoints}:
        vpcs[vpc] = {"support": attribute(vpc, "enableDnsSupport"), "hostnames": attribute(vpc, "enableDnsHostnames")}
    interfaces = filtered(
        "describe_network_interfaces",
        "NetworkInterfaces",
        "network-interface-id",
        all_of(endpoints, "NetworkInterfaceIds"),
    )
    groups = {group["GroupId"] for endpoint in endpoints for group in endpoint.get("Groups", [])}
    rules = filtered("describe_security_group_rules", "SecurityGroupRules", "group-id", groups)
    return {
        "endpoints": endpoints,
        "offers": {offer["ServiceName"]: offer for offer in offers},
        "subnets": {subnet["SubnetId"]: subnet for subnet in subnets},
        "vpcs": vpcs,
        "interfaces": {interface["NetworkInterfaceId"]: interface for interface in interfaces},
        "rules": [rule for rule in rules if not rule["IsEgress"]],
    }


def speaks_both(endpoint, seen):
    offer = seen["offers"].get(endpoint["ServiceName"], {})
    offered = {"ipv4", "ipv6"} <= set(offer.get("SupportedIpAddressTypes", []))
    subnets = [seen["subnets"].get(subnet, {}) for subnet in endpoint["SubnetIds"]]
    return offered and all(subnet.get("Ipv6CidrBlockAssociationSet") for subnet in subnets)


def described(endpoint, seen):
    """What the prober needs to know."""
    found = [seen["interfaces"].get(interface, {}) for interface in endpoint["NetworkInterfaceIds"]]
    ipv6 = [address["Ipv6Address"] for interface in found for address in interface.get("Ipv6Addresses", [])]
    groups = {group["GroupId"] for group in endpoint.get("Groups", [])}
    rules = [
        {
            "securityGroupId": rule["GroupId"],
            "protocol": rule["IpProtocol"],
            "fromPort": rule.get("FromPort"),
            "toPort": rule.get("ToPort"),
            "source": rule.get("CidrIpv4") or rule.get("CidrIpv6"),
        }
        for rule in seen["rules"]
        if rule["GroupId"] in groups
    ]
    return {
        "id": endpoint["VpcEndpointId"],
        "state": endpoint["State"],
        "serviceName": endpoint["ServiceName"],
        "ipAddressType": endpoint["IpAddressType"],
        "names": [{"name": entry["DnsName"]} for entry in endpoint.get("DnsEntries", [])],
        "addresses": {"ipv4": [one["PrivateIpAddress"] for one in found if "PrivateIpAddress" in one], "ipv6": ipv6},
        "ports": [443],
        "inboundRules": rules,
        "vpcDns": seen["vpcs"].get(endpoint["VpcId"]),
    }


def meant(asked, seen):
    return [endpoint for endpoint in seen["endpoints"] if endpoint["VpcEndpointId"] in asked]


def reason(endpoint):
    return "already-right" if endpoint["State"] == "available" and endpoint["IpAddressType"] == "dualstack" else "not-ready"


def handler(event, context):
    text = " ".join(record["Sns"]["Message"] for record in event["Records"])
    asked = set(ENDPOINT_ID.findall(text))
    outcomes = []
    seen = look()
    for endpoint in meant(asked, seen):
        if endpoint["State"] != "available" or endpoint["IpAddressType"] == "dualstack":
            continue
        if speaks_both(endpoint, seen):
            ec2.modify_vpc_endpoint(
                VpcEndpointId=endpoint["VpcEndpointId"],
                IpAddressType="dualstack",
                DnsOptions={"DnsRecordIpType": "dualstack"},
            )
            outcomes.append({"effect": "modify-endpoint", "result": "done", "endpointId": endpoint["VpcEndpointId"]})
    if outcomes:
        # What is returned is what the endpoints are now.
        seen = look()
    skipped = [
        {"reason": reason(endpoint), "endpointId": endpoint["VpcEndpointId"]} for endpoint in meant(asked, seen)
    ]
    endpoints = [described(endpoint, seen) for endpoint in meant(asked, seen)]
    told = {"function": "endpoint-configurator", "mode": "enforce", "outcomes": outcomes, "skipped": skipped}
    print(json.dumps({"message": "report", "level": "INFO", **told}))
    return {**told, "endpoints": endpoints}
