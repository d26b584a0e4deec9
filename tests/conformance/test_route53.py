"""Route 53's zones and record sets, as boto3 makes, changes and reads them."""

from datetime import datetime, timedelta

import pytest

from stage import ACME, INITECH, PROVIDER, Like, refused

CHANGE_ID = Like(r"/change/C[A-Z0-9]+")
NOWHERE = "Z0123456789ABCDEFGHIJ"


@pytest.fixture
def dns(stage):
    return stage.client(PROVIDER, service="route53")


def make_zone(dns, name="example.com", reference="1", **more):
    return dns.create_hosted_zone(Name=name, CallerReference=reference, **more)["HostedZone"]["Id"]


def txt(name, *values, ttl=300):
    return {"Name": name, "Type": "TXT", "TTL": ttl, "ResourceRecords": [{"Value": f'"{value}"'} for value in values]}


def change(dns, zone, *changes, **more):
    """Changes of a zone, given as pairs of an action and a record set."""
    changes = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
    batch = {"Changes": changes, **more}
    return dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]


def records(dns, zone, **wanted):
    """The record sets that are not every zone's."""
    found = dns.list_resource_record_sets(HostedZoneId=zone, **wanted)["ResourceRecordSets"]
    return [record for record in found if record["Type"] not in ("NS", "SOA")]


def test_a_zone_is_as_it_was_asked_for(stage, dns):
    config = {"Comment": "the <api> & more", "PrivateZone": False}
    answer = dns.create_hosted_zone(Name="Example.com", CallerReference="once", HostedZoneConfig=config)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    zone = answer["HostedZone"]
    assert answer["Location"] == Like(f"https://route53.amazonaws.com/2013-04-01{zone['Id']}")
    assert zone == {
        "Id": Like(r"/hostedzone/Z[A-Z0-9]+"),
        "Name": "example.com.",
        "CallerReference": "once",
        "Config": config,
        "ResourceRecordSetCount": 2,
    }
    servers = answer["DelegationSet"]["NameServers"]
    assert len(servers) == 4 and all(server == Like(r"ns-\d+\.awsdns-\d\d\.[a-z.]+") for server in servers)
    info = answer["ChangeInfo"]
    assert (info["Id"], info["Status"]) == (CHANGE_ID, "PENDING")
    now = datetime.fromisoformat(stage.now()[:19] + "+00:00")
    assert abs(now - info["SubmittedAt"]) < timedelta(seconds=5)
    read = dns.get_hosted_zone(Id=zone["Id"])
    assert (read["HostedZone"], read["DelegationSet"]) == (zone, answer["DelegationSet"])


def test_a_new_zone_has_its_name_servers_and_its_authority(dns):
    zone = make_zone(dns)
    servers = dns.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
    answer = dns.list_resource_record_sets(HostedZoneId=zone)
    names, authority = answer["ResourceRecordSets"]
    assert names == {
        "Name": "example.com.",
        "Type": "NS",
        "TTL": 172800,
        "ResourceRecords": [{"Value": f"{server}."} for server in servers],
    }
    (start,) = authority.pop("ResourceRecords")
    assert start["Value"] == f"{servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    assert authority == {"Name": "example.com.", "Type": "SOA", "TTL": 900}
    assert (answer["IsTruncated"], answer["MaxItems"]) == (False, "300")


def test_a_private_zone_has_vpcs_and_no_delegation(dns):
    vpc = {"VPCRegion": "us-west-2", "VPCId": "vpc-0a"}
    answer = dns.create_hosted_zone(Name="example.com", CallerReference="1", VPC=vpc)
    assert answer["VPC"] == vpc and "DelegationSet" not in answer
    read = dns.get_hosted_zone(Id=answer["HostedZone"]["Id"])
    assert read["VPCs"] == [vpc] and "DelegationSet" not in read
    assert read["HostedZone"]["Config"]["PrivateZone"] is True
    with refused("ConflictingDomainExists"):
        dns.create_hosted_zone(Name="example.com", CallerReference="2", VPC=vpc)


def test_a_caller_reference_makes_one_zone(dns):
    make_zone(dns, reference="once")
    with refused("HostedZoneAlreadyExists", 409):
        make_zone(dns, "example.net", "once")
    make_zone(dns, reference="twice")
    assert len(dns.list_hosted_zones_by_name()["HostedZones"]) == 2


def test_zones_are_listed_by_their_names_from_behind(dns):
    names = ["b.example.com", "example.org", "a.b.example.com", "example.com", "a.example.com", "example.com"]
    ids = {make_zone(dns, name, str(n)): name for n, name in enumerate(names)}
    answer = dns.list_hosted_zones_by_name()
    found = [zone["Name"] for zone in answer["HostedZones"]]
    assert found == [
        f"{name}."
        for name in ("example.com", "example.com", "a.example.com", "b.example.com", "a.b.example.com", "example.org")
    ]
    assert (answer["IsTruncated"], answer["MaxItems"]) == (False, "100")
    # A page tells where the next begins.
    first = dns.list_hosted_zones_by_name(MaxItems="1")
    assert (first["IsTruncated"], first["NextDNSName"], first["MaxItems"]) == (True, "example.com.", "1")
    rest = dns.list_hosted_zones_by_name(DNSName=first["NextDNSName"], HostedZoneId=first["NextHostedZoneId"])
    assert [zone["Id"] for zone in first["HostedZones"] + rest["HostedZones"]] == [
        zone["Id"] for zone in answer["HostedZones"]
    ]
    assert set(ids) == {zone["Id"] for zone in answer["HostedZones"]}
    # A name that is not there is where the next one would be.
    later = dns.list_hosted_zones_by_name(DNSName="aa.example.com")
    assert (later["DNSName"], later["HostedZones"][0]["Name"]) == ("aa.example.com", "b.example.com.")


@pytest.mark.parametrize("name", ["exa mple.com", "a..b", "", f"{'a' * 64}.com"])
def test_a_zone_has_a_name_that_can_be_one(dns, name):
    with refused(Like("InvalidDomainName|InvalidInput")):
        make_zone(dns, name)


def test_a_record_set_is_made_exchanged_and_put_over(dns):
    zone = make_zone(dns)
    info = change(dns, zone, ("CREATE", txt("_proof.example.com", "vpce:a & b")), Comment="proof")
    assert (info["Id"], info["Status"], info["Comment"]) == (CHANGE_ID, "PENDING", "proof")
    # What was put in is read at once, whatever the world knows of it.
    (made,) = records(dns, zone)
    assert made == txt("_proof.example.com.", "vpce:a & b")
    change(dns, zone, ("DELETE", made), ("CREATE", txt("_proof.example.com", "one", "two", ttl=60)))
    assert records(dns, zone) == [txt("_proof.example.com.", "one", "two", ttl=60)]
    # What is deleted has to be what is there, in any order.
    change(dns, zone, ("DELETE", txt("_PROOF.example.com.", "two", "one", ttl=60)))
    assert records(dns, zone) == []
    for value in ("new", "newer"):
        change(dns, zone, ("UPSERT", txt("_proof.example.com", value)))
    assert records(dns, zone) == [txt("_proof.example.com.", "newer")]
    assert dns.get_hosted_zone(Id=zone)["HostedZone"]["ResourceRecordSetCount"] == 3


def test_an_alias_and_weighted_records_come_back_as_they_were(dns):
    zone = make_zone(dns)
    target = {"HostedZoneId": "Z1YSA3EXCYUU9Z", "DNSName": "api.example.net.", "EvaluateTargetHealth": True}
    alias = {"Name": "api.example.com.", "Type": "A", "AliasTarget": target}
    weighted = [{**txt("w.example.com.", n), "SetIdentifier": n, "Weight": 10} for n in ("blue", "green")]
    change(dns, zone, *[("CREATE", record) for record in (alias, *weighted)])
    assert records(dns, zone) == [alias, *weighted]


@pytest.mark.parametrize("name", ["\\052.example.com.", "a\\057b.example.com."])
def test_a_name_is_told_with_octal_escapes(dns, name):
    zone = make_zone(dns)
    change(dns, zone, ("CREATE", txt(name, "x")))
    assert [record["Name"] for record in records(dns, zone)] == [name]


def test_a_batch_with_one_fault_changes_nothing(dns):
    zone = make_zone(dns)
    there = txt("there.example.com.", "x")
    change(dns, zone, ("CREATE", there))
    good = ("CREATE", txt("good.example.com", "x"))
    name = r"\[name='there.example.com.', type='TXT'\]"
    for bad, message in [
        (("CREATE", there), rf".*Tried to create resource record set {name} but it already exists.*"),
        (("DELETE", txt("gone.example.com", "x")), ".*gone.example.com.*but it was not found.*"),
        (("DELETE", txt("there.example.com", "y")), ".*the values provided do not match the current values.*"),
        (("DELETE", txt("there.example.com", "x", ttl=60)), ".*the values provided do not match the current values.*"),
        (("CREATE", txt("a.example.org", "x")), r".*a.example.org. is not permitted in zone example.com..*"),
        (("CREATE", {**there, "Type": "CNAME", "ResourceRecords": [{"Value": "b"}]}), ".*conflicting RRSet.*"),
        (("CREATE", {**txt("a.example.com"), "ResourceRecords": [{"Value": "bare"}]}), ".*InvalidCharacterString.*"),
        (("CREATE", txt("a.example.com", "x" * 256)), ".*CharacterStringTooLong.*"),
        (("CREATE", txt("a.example.com", "x", "x")), ".*Duplicate Resource Record.*"),
        (("CREATE", good[1]), None),
    ]:
        with refused("InvalidChangeBatch", message=message):
            change(dns, zone, good, bad)
    assert records(dns, zone) == [there]


def test_every_fault_of_a_batch_is_told(dns):
    zone = make_zone(dns)
    missing = [txt(f"{name}.example.com.", "x") for name in ("one", "two")]
    with refused("InvalidChangeBatch", message=r"\[.*'one\.example.*, .*'two\.example.*\]"):
        change(dns, zone, *[("DELETE", record) for record in missing])


def test_a_change_is_pending_until_it_is_in_sync(stage, dns):
    zone = make_zone(dns)
    change_id = change(dns, zone, ("CREATE", txt("a.example.com", "x")), Comment="why")["Id"]
    first = dns.get_change(Id=change_id)["ChangeInfo"]
    assert (first["Id"], first["Status"], first["Comment"]) == (change_id, "PENDING", "why")
    stage.step(10)
    assert dns.get_change(Id=change_id)["ChangeInfo"]["Status"] == "PENDING"
    stage.step(60)
    assert dns.get_change(Id=change_id)["ChangeInfo"] == {**first, "Status": "INSYNC"}


def test_botocores_waiter_sees_a_change_through(stage, dns, sleep_is_stepping):
    zone = make_zone(dns)
    info = change(dns, zone, ("CREATE", txt("a.example.com", "x")))
    naps = sleep_is_stepping(stage)
    dns.get_waiter("resource_record_sets_changed").wait(Id=info["Id"])
    assert 1 <= len(naps) <= 3


def test_record_sets_are_listed_in_order_and_in_pages(dns):
    zone = make_zone(dns)
    names = ["b", "a.b", "_x", "a", "z.a"]
    made = [txt(f"{name}.example.com.", "x") for name in names]
    made.append({"Name": "a.example.com.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]})
    change(dns, zone, *[("CREATE", record) for record in made])
    listed = [(record["Name"].removesuffix(".example.com."), record["Type"]) for record in records(dns, zone)]
    # By their labels from behind, and by their types.
    assert listed == [("_x", "TXT"), ("a", "A"), ("a", "TXT"), ("z.a", "TXT"), ("b", "TXT"), ("a.b", "TXT")]
    pages = list(dns.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone, PaginationConfig={"PageSize": 3}
    ))
    assert [len(page["ResourceRecordSets"]) for page in pages] == [3, 3, 2]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    assert all(page["MaxItems"] == "3" for page in pages)
    together = [record for page in pages for record in page["ResourceRecordSets"]]
    assert together == dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    # Where a listing begins is said by a name, and by a type too.
    begun = records(dns, zone, StartRecordName="a.example.com", StartRecordType="TXT")
    assert [(record["Name"], record["Type"]) for record in begun][0] == ("a.example.com.", "TXT")
    assert len(begun) == 4


def test_what_is_not_there_is_said_in_route_53s_words(dns):
    with refused("NoSuchHostedZone", 404, f"No hosted zone found with ID: {NOWHERE}"):
        dns.get_hosted_zone(Id=NOWHERE)
    with refused("NoSuchHostedZone", 404):
        dns.list_resource_record_sets(HostedZoneId=NOWHERE)
    with refused("NoSuchHostedZone", 404):
        change(dns, NOWHERE, ("CREATE", txt("a.example.com", "x")))
    with refused("NoSuchChange", 404, ".*C0123456789.*"):
        dns.get_change(Id="C0123456789")


def test_the_zones_and_changes_of_others_are_not_for_reading(stage, dns):
    zone = make_zone(dns)
    info = change(dns, zone, ("CREATE", txt("a.example.com", "x")))
    for stranger in (stage.client(account, service="route53") for account in (ACME, INITECH)):
        assert stranger.list_hosted_zones_by_name()["HostedZones"] == []
        for ask in (
            lambda: stranger.get_hosted_zone(Id=zone),
            lambda: stranger.list_resource_record_sets(HostedZoneId=zone),
            lambda: change(stranger, zone, ("DELETE", txt("a.example.com", "x"))),
            lambda: stranger.get_change(Id=info["Id"]),
        ):
            with refused("AccessDenied", 403, ".*not authorized.*"):
                ask()
    assert len(records(dns, zone)) == 1


def test_what_the_model_does_not_allow_is_refused(stage, dns):
    zone = make_zone(dns)
    loose = stage.client(PROVIDER, service="route53", parameter_validation=False)
    for action, record in [
        ("REPLACE", txt("a.example.com", "x")),
        ("CREATE", {**txt("a.example.com", "x"), "Type": "WKS"}),
        ("CREATE", {"Name": "a.example.com", "Type": "TXT", "TTL": 60}),
        ("CREATE", {**txt("a.example.com", "x"), "Weight": 1}),
    ]:
        with refused("InvalidInput"):
            change(loose, zone, (action, record))
    assert records(dns, zone) == []
