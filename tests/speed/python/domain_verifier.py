"""`domain-verifier` in Python, as far as a look goes that finds all in order: the zone and the record; and, of a name
that is not verified, what each name server says of it."""

import os

import boto3
import dns.message
import dns.name
import dns.query
import dns.rdataclass
import dns.rdatatype

import provider

ec2 = boto3.client("ec2")
route53 = boto3.client("route53")
SERVERS = [server.rsplit(":", 1) for server in os.environ["PRIVATELINK_DNS_SERVER"].split(",")]


def ask(server, name, kind):
    host, port = server
    return dns.query.udp(dns.message.make_query(name, kind), host, timeout=2, port=int(port))


def zone_of(domain):
    """The longest of the account's public zones that the name stands in."""
    zones = []
    name = domain
    while "." in name:
        page = route53.list_hosted_zones_by_name(DNSName=name)
        zones = [zone for zone in page["HostedZones"] if zone["Name"] == f"{name}." and not zone["Config"]["PrivateZone"]]
        # The list begins at that name, in the order of the names' ends, so that the zones above are on no page of it.
        if zones:
            return zones[0]
        name = name.split(".", 1)[1]
    return None


def record_in(zone, record):
    page = route53.list_resource_record_sets(
        HostedZoneId=zone["Id"], StartRecordName=record, StartRecordType="TXT", MaxItems="1"
    )
    for found in page["ResourceRecordSets"]:
        if found["Name"].rstrip(".") == record and found["Type"] == "TXT":
            return [value["Value"].strip('"') for value in found["ResourceRecords"]]
    return []


def values(answer, record):
    found = answer.get_rrset(answer.answer, dns.name.from_text(record), dns.rdataclass.IN, dns.rdatatype.TXT)
    return [b"".join(value.strings).decode() for value in found] if found else []


def delegation(record):
    """The zone that answers for a name, by the first server's word, and whether it is signed."""
    name = dns.name.from_text(record)
    while name != dns.name.root:
        answer = ask(SERVERS[0], name, dns.rdatatype.NS)
        for rrset in answer.answer + answer.authority:
            if rrset.rdtype == dns.rdatatype.NS:
                return rrset.name, bool(ask(SERVERS[0], rrset.name, dns.rdatatype.DS).answer)
        name = name.parent()
    return None, False


def look(service):
    """Why there is nothing to do for a service."""
    proof = service["PrivateDnsNameConfiguration"]
    domain = service["PrivateDnsName"].removeprefix("*.")
    record = f"{proof['Name']}.{domain}"
    zone = zone_of(domain)
    if zone is None or proof["Value"] not in record_in(zone, record):
        return "no-record"
    if proof["State"] == "verified":
        # As with ours: DNS is asked only where something is to be found out.
        return "already-right"
    answers = [values(ask(server, record, dns.rdatatype.TXT), record) for server in SERVERS]
    delegated, _ = delegation(record)
    if delegated is None or any(proof["Value"] not in answer for answer in answers):
        return "servers-behind"
    return "not-ready"


def handler(event, context):
    provider.policy_file("domains.toml")
    skipped = [
        {"serviceId": service["ServiceId"], "reason": look(service)}
        for service in provider.services(ec2, provider.asked(event))
        if "PrivateDnsName" in service
    ]
    return provider.report("domain-verifier", [], skipped)
