"""`connectivity-prober` in Python: asks for each name's addresses and connects to them. It needs no AWS API."""

import json
import os
import socket

import dns.resolver

resolver = dns.resolver.Resolver(configure=False)
host, port = os.environ["PRIVATELINK_DNS_SERVER"].rsplit(":", 1)
resolver.nameservers, resolver.port = [host], int(port)
resolver.lifetime = 4
RECORDS = {"ipv4": "A", "ipv6": "AAAA"}


def connect(address, to):
    try:
        with socket.create_connection((address, to), timeout=4):
            return None
    except ConnectionRefusedError:
        return "no-healthy-target"
    except OSError:
        return "unreachable"


def probe(endpoint, name, family, to):
    try:
        addresses = [record.address for record in resolver.resolve(name, RECORDS[family])]
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return "name-not-found"
    if not set(addresses) <= set(endpoint["addresses"][family]):
        return "other-addresses"
    return next((cause for cause in (connect(address, to) for address in addresses) if cause), None)


def handler(event, context):
    outcomes = []
    for endpoint in event.get("responsePayload", event)["endpoints"]:
        for name in endpoint["names"]:
            for family in endpoint.get("families", ["ipv4", "ipv6"]):
                for to in endpoint["ports"]:
                    cause = probe(endpoint, name["name"], family, to)
                    about = {"name": name["name"], "family": family, "port": to, "endpointId": endpoint["id"]}
                    result = {"result": "refused", "cause": cause} if cause else {"result": "done"}
                    outcomes.append({"effect": "probe", **about, **result})
    told = {"function": "connectivity-prober", "mode": "enforce", "outcomes": outcomes, "skipped": []}
    print(json.dumps({"message": "report", "level": "INFO", **told}))
    return told
