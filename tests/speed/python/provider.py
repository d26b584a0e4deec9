"""What the provider's functions have in common: where to look, and what is there."""

import json
import os
import re
import tomllib

SERVICE_ID = re.compile(r"vpce-svc-[0-9a-f]+")


def asked(event):
    """The services that an event names; nothing where it means all of them."""
    texts = [record["Sns"]["Message"] for record in event.get("Records", [])] or [json.dumps(event)]
    return {found for text in texts for found in SERVICE_ID.findall(text)}


def services(ec2, ids):
    pages = ec2.get_paginator("describe_vpc_endpoint_service_configurations").paginate(
        PaginationConfig={"PageSize": 1000}
    )
    found = [service for page in pages for service in page["ServiceConfigurations"]]
    return [service for service in found if not ids or service["ServiceId"] in ids]


def connections(ec2, found):
    if not found:
        return []
    names = [service["ServiceId"] for service in found]
    pages = ec2.get_paginator("describe_vpc_endpoint_connections").paginate(
        Filters=[{"Name": "service-id", "Values": names}], PaginationConfig={"PageSize": 1000}
    )
    return [connection for page in pages for connection in page["VpcEndpointConnections"]]


def tags(thing):
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}


def policy_file(name):
    path = os.path.join(os.environ["PRIVATELINK_POLICY_DIR"], name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def consumers():
    """Each account's consumer."""
    listed = tomllib.loads(policy_file("consumers.toml")).get("consumer", [])
    return {account: consumer for consumer in listed for account in consumer["accounts"]}


def report(function, outcomes, skipped):
    """What is returned and, in one line, logged."""
    told = {"function": function, "mode": "enforce", "outcomes": outcomes, "skipped": skipped}
    print(json.dumps({"message": "report", "level": "INFO", **told}))
    return told
