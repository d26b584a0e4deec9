"""`availability-notifier` in Python: claims what is due, looks again, tells the consumer, and marks what was told."""

import json
import os
import secrets
import time
from datetime import datetime, timezone

import boto3

import provider

ec2 = boto3.client("ec2")
sns = boto3.client("sns")
REGION = os.environ["AWS_REGION"]
TOPIC = os.environ["PRIVATELINK_NOTICE_TOPIC_ARN"]
PROCESS = secrets.token_hex(8)
# From a claim to the look that shows whether it stands.
SETTLED = 0.5


def due(connection):
    state = connection["VpcEndpointState"]
    return state == "available" and provider.tags(connection).get("privatelink:notified", "").split(" ")[0] != state


def claimed(connection):
    value = provider.tags(connection).get("privatelink:notified", "") + provider.tags(connection).get(
        "privatelink:notifying", ""
    )
    return f"@{PROCESS}:" in value


def look(event):
    services = provider.services(ec2, provider.asked(event))
    return {service["ServiceId"]: service for service in services}, provider.connections(ec2, services)


def tag(connections, key, value):
    ids = [connection["VpcEndpointConnectionId"] for connection in connections]
    ec2.create_tags(Resources=ids, Tags=[{"Key": key, "Value": value}])


def document(connection, service, consumer):
    names = [entry["DnsName"] for entry in connection.get("DnsEntries", []) if "DnsName" in entry]
    endpoint = connection["VpcEndpointId"]
    step = f"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint} --ip-address-type dualstack"
    return {
        "schemaVersion": "1",
        "id": f"{connection['VpcEndpointConnectionId']}/available",
        "type": "EndpointConnectionAvailable",
        "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "service": {
            "id": service["ServiceId"],
            "name": service["ServiceName"],
            "region": REGION,
            "privateDnsName": service.get("PrivateDnsName"),
            "privateDnsState": service.get("PrivateDnsNameConfiguration", {}).get("State"),
            "ipAddressTypes": service.get("SupportedIpAddressTypes", []),
        },
        "endpoint": {
            "id": endpoint,
            "connectionId": connection["VpcEndpointConnectionId"],
            "account": connection["VpcEndpointOwner"],
            "region": connection.get("VpcEndpointRegion", REGION),
            "state": "available",
            "ipAddressType": connection.get("IpAddressType", "ipv4"),
            "dnsNames": names,
        },
        "consumer": consumer and consumer["name"],
        "policy": provider.tags(connection).get("privatelink:policy", "").split(),
        "nextSteps": [{"what": "let the endpoint speak IPv6 too", "command": step}],
    }


def mail(told):
    steps = "\n".join(f"- {step['what']}:\n  {step['command']}" for step in told["nextSteps"])
    names = "\n".join(told["endpoint"]["dnsNames"])
    return f"Your endpoint {told['endpoint']['id']} of {told['service']['name']} is available.\n\n{names}\n\n{steps}\n"


def entry(number, told):
    attributes = {
        "type": told["type"],
        "serviceId": told["service"]["id"],
        "endpointId": told["endpoint"]["id"],
        "consumerAccount": told["endpoint"]["account"],
        "region": REGION,
        "schemaVersion": "1",
    }
    return {
        "Id": str(number),
        "Subject": f"Endpoint {told['endpoint']['id']} is available",
        "Message": json.dumps({"default": json.dumps(told), "email": mail(told)}),
        "MessageStructure": "json",
        "MessageAttributes": {
            key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()
        },
    }


def handler(event, context):
    listed = provider.consumers()
    _, connections = look(event)
    to_claim = [connection for connection in connections if due(connection)]
    outcomes = []
    if to_claim:
        until = int((time.time() + 5) * 1000)
        tag(to_claim, "privatelink:notifying", f"available @{PROCESS}:{until}")
        time.sleep(SETTLED)
        services, connections = look(event)
        ours = [connection for connection in connections if due(connection) and claimed(connection)]
        topics = {}
        for connection in ours:
            consumer = listed.get(connection["VpcEndpointOwner"])
            topic = (consumer or {}).get("topic", TOPIC)
            told = document(connection, services[connection["ServiceId"]], consumer)
            topics.setdefault(topic, []).append((connection, told))
        for topic, letters in topics.items():
            for first in range(0, len(letters), 10):
                batch = letters[first : first + 10]
                entries = [entry(number, told) for number, (_, told) in enumerate(batch)]
                answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
                sent = {int(item["Id"]) for item in answer["Successful"]}
                done = [connection for number, (connection, _) in enumerate(batch) if number in sent]
                if done:
                    tag(done, "privatelink:notified", "available")
                for connection in done:
                    about = {"serviceId": connection["ServiceId"], "endpointId": connection["VpcEndpointId"]}
                    outcomes.append({"effect": "publish", "result": "done", **about})
                    outcomes.append({"effect": "tag", "result": "done", **about})
    return provider.report("availability-notifier", outcomes, [])
