"""`connection-acceptor` in Python: judges pending connections with Cedar, accepts them, and says so in their tags.

The policy is parsed once, and not validated: ours validates it at each start. Where `cedarpy` is not installed, no
policy is read, and whoever is in the group `partners` is accepted up to its `maxConnections`.
"""

import os
from collections import defaultdict
from datetime import datetime, timezone

import boto3

import provider

try:
    import cedarpy
except ImportError:
    cedarpy = None

ec2 = boto3.client("ec2")
REGION = os.environ["AWS_REGION"]
COUNTED = {"pendingAcceptance", "pending", "available"}


def read_policy():
    folder = os.environ["PRIVATELINK_POLICY_DIR"]
    names = sorted(name for name in os.listdir(folder) if name.endswith(".cedar"))
    return cedarpy.PolicySet.from_str("\n".join(provider.policy_file(name) for name in names))


policies = read_policy() if cedarpy else None
consumers = provider.consumers()


def uid(kind, name):
    return {"type": f"PrivateLink::{kind}", "id": name}


def entities(account, service):
    consumer = consumers.get(account)
    attributes = {"name": service["ServiceName"], "region": REGION}
    attributes["ipAddressTypes"] = service.get("SupportedIpAddressTypes", [])
    if "PrivateDnsName" in service:
        attributes["privateDnsName"] = service["PrivateDnsName"]
    tags = {key: value for key, value in provider.tags(service).items() if not key.startswith("privatelink:")}
    found = [{"uid": uid("Service", service["ServiceId"]), "attrs": attributes, "parents": [], "tags": tags}]
    if consumer is None:
        return found + [{"uid": uid("Account", account), "attrs": {}, "parents": []}]
    groups = [uid("Group", name) for name in consumer.get("groups", [])]
    of = uid("Consumer", consumer["name"])
    most = {"maxConnections": consumer["maxConnections"]} if "maxConnections" in consumer else {}
    found += [{"uid": group, "attrs": {}, "parents": []} for group in groups]
    found.append({"uid": of, "attrs": most, "parents": groups})
    found.append({"uid": uid("Account", account), "attrs": {"consumer": {"__entity": of}}, "parents": [of]})
    return found


def judge(connection, service, counts):
    """The decision, and the policies that made it."""
    account = connection["VpcEndpointOwner"]
    consumer = consumers.get(account, {"name": account})
    if cedarpy is None:
        welcome = "partners" in consumer.get("groups", [])
        room = counts[consumer["name"]] < consumer.get("maxConnections", 0)
        return ("accept", ["partners-may-connect"]) if welcome and room else ("hold", [])
    region = connection.get("VpcEndpointRegion", REGION)
    age = datetime.now(timezone.utc) - connection["CreationTimestamp"]
    context = {
        "endpointId": connection["VpcEndpointId"],
        "endpointRegion": region,
        "crossRegion": region != REGION,
        "ipAddressType": connection.get("IpAddressType", "ipv4"),
        "ageSeconds": int(age.total_seconds()),
        "accountConnections": counts[account],
        "consumerConnections": counts[consumer["name"]],
        "serviceConnections": counts[None],
    }
    known = entities(account, service)
    request = {
        "principal": f'PrivateLink::Account::"{account}"',
        "resource": f'PrivateLink::Service::"{service["ServiceId"]}"',
        "context": context,
    }
    actions = [f'PrivateLink::Action::"{name}"' for name in ("Accept", "Reject")]
    requests = [{**request, "action": action} for action in actions]
    accept, reject = cedarpy.is_authorized_batch(requests, policies, known)
    for answer, decision in ((accept, "accept"), (reject, "reject")):
        if answer.allowed and not answer.diagnostics.errors:
            names = answer.diagnostics.id_annotations_by_reason
            return decision, [names.get(reason) or reason for reason in answer.diagnostics.reasons]
    return "hold", []


def count(connections):
    counts = defaultdict(lambda: defaultdict(int))
    for connection in connections:
        if connection["VpcEndpointState"] in COUNTED:
            of_service, account = counts[connection["ServiceId"]], connection["VpcEndpointOwner"]
            consumer = consumers.get(account, {"name": account})["name"]
            for key in {account, consumer, None}:
                of_service[key] += 1
    return counts


def handler(event, context):
    services = {service["ServiceId"]: service for service in provider.services(ec2, provider.asked(event))}
    connections = provider.connections(ec2, list(services.values()))
    counts = count(connections)
    decided = defaultdict(list)
    pending = [connection for connection in connections if connection["VpcEndpointState"] == "pendingAcceptance"]
    for connection in sorted(pending, key=lambda one: (one["CreationTimestamp"], one["VpcEndpointId"])):
        service = connection["ServiceId"]
        # The one that is judged does not count.
        without = {key: n - 1 for key, n in counts[service].items()}
        decision, because = judge(connection, services[service], without)
        decided[service, decision, " ".join(because)].append(connection)
    outcomes = []
    calls = {"accept": ec2.accept_vpc_endpoint_connections, "reject": ec2.reject_vpc_endpoint_connections}
    for (service, decision, because), found in decided.items():
        refused = set()
        if decision in calls:
            endpoints = [connection["VpcEndpointId"] for connection in found]
            answer = calls[decision](ServiceId=service, VpcEndpointIds=endpoints)
            refused = {item["ResourceId"] for item in answer.get("Unsuccessful", [])}
        done = [connection for connection in found if connection["VpcEndpointId"] not in refused]
        if done:
            word = {"accept": "accepted", "reject": "rejected", "hold": "held"}[decision]
            marks = {"privatelink:decision": word, "privatelink:policy": because}
            ec2.create_tags(
                Resources=[connection["VpcEndpointConnectionId"] for connection in done],
                Tags=[{"Key": key, "Value": value} for key, value in marks.items()],
            )
        for connection in found:
            endpoint = connection["VpcEndpointId"]
            result = "refused" if endpoint in refused else "done"
            about = {"serviceId": service, "endpointId": endpoint, "policy": because.split()}
            outcomes.append({"effect": decision, "result": result, **about})
            if endpoint not in refused:
                outcomes.append({"effect": "tag", "result": "done", **about})
    return provider.report("connection-acceptor", outcomes, [])
