"""`domain-verifier` itself, with a stock name server for the world's DNS: what it reads there is what it acts on.

The record is a person's to publish, and here the person is the test: the Region's own DNS knows nothing of it.
"""

from urllib.parse import parse_qs, urlencode

import dns.flags
import pytest

from name_server import Ds, Zone
from stage import PROVIDER, REGION, wait_until

TOP, DOMAIN, NAME = "com.", "example.com.", "api.example.com"
START = "StartVpcEndpointServicePrivateDnsVerification"
MANUAL = '[[domain]]\nname = "example.com"\ndns = "manual"\n'


class Name:
    """A service's private DNS name, with the record that proves it."""

    def __init__(self, stage):
        self._stage = stage
        self.service = stage.create_service(PrivateDnsName=NAME)["ServiceId"]
        proof = self._described()["PrivateDnsNameConfiguration"]
        self.label, self.value = proof["Name"], proof["Value"]
        self.record = f"{self.label}.{NAME}."

    def _described(self):
        client = self._stage.client(PROVIDER)
        (only,) = client.describe_vpc_endpoint_service_configurations(ServiceIds=[self.service])[
            "ServiceConfigurations"
        ]
        return only

    @property
    def state(self):
        return self._described()["PrivateDnsNameConfiguration"]["State"]

    def starts(self):
        """How often AWS was asked to look."""
        requests = self._stage.control("GET", "requests")
        return sum(parse_qs(request["body"]).get("Action") == [START] for request in requests)

    def txt(self, *strings, at=None):
        """A line of a zone file: the record, or another name, with these strings as one value."""
        return f"{at or self.record} TXT " + " ".join(f'"{string}"' for string in strings or [self.value])


@pytest.fixture
def name(stage):
    return Name(stage)


@pytest.fixture
def verifier(deploy, tmp_path):
    """Starts the function: call it with the servers that it is to ask, and with what else is in the environment."""
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "domains.toml").write_text(MANUAL)

    def start(*servers, **variables):
        addresses = ",".join(server.address for server in servers)
        return deploy("domain-verifier", PRIVATELINK_DNS_SERVER=addresses, **variables)

    return start


def effects(answer):
    """What was done, without what is only remembered."""
    done = [(outcome["effect"], outcome["result"]) for outcome in answer["outcomes"]]
    return [effect for effect in done if effect != ("tag", "done")]


def reason(answer):
    """The one reason why nothing more was done, and what to do about it."""
    (skip,) = answer["skipped"]
    return skip["reason"], skip["fix"]


def expect_started(answer, name):
    assert effects(answer) == [("start-check", "done")] and answer["skipped"] == [], answer
    assert (name.starts(), name.state) == (1, "pendingVerification")


def test_a_record_that_is_missing_is_asked_for_and_no_check_is_started(name, name_server, verifier):
    server = name_server({TOP: Zone(), DOMAIN: Zone()})
    function = verifier(server)
    line = f'{name.record} 300 IN TXT "{name.value}"'
    for told in ([("publish", "done")], []):
        answer = function.call({})
        assert effects(answer) == told
        assert reason(answer) == ("record-required", f"publish this record: {line}")
    (notice,) = function.lines("notice")
    assert notice["notice"]["type"] == "DomainRecordRequired"
    assert name.starts() == 0
    # The line that it asks for is what a zone file takes.
    server.change(DOMAIN, records=line)
    expect_started(function.call({}), name)


@pytest.mark.parametrize(
    "wrong, diagnosis",
    [
        (lambda name: name.txt(name.value.lower()), "value-lower-cased"),
        (lambda name: name.txt(name.value[:15]), "value-cut"),
        (lambda name: name.txt(f'\\"{name.value}\\"'), "value-quoted-twice"),
        (lambda name: name.txt(at=f"{name.record}{DOMAIN}"), "record-under-doubled-name"),
        (lambda name: name.txt("vpce:aaaaaaaaaaaaaaaaaaaa"), "value-of-earlier-token"),
        (lambda name: name.txt("v=spf1 -all"), "value-differs"),
        # Beside the name and not below it, and another type.
        (lambda name: name.txt(at=f"{NAME}."), "record-required"),
        (lambda name: f"{name.record} A 192.0.2.1", "record-required"),
    ],
    ids=["lower-cased", "cut", "quoted-twice", "doubled", "earlier-token", "differs", "beside", "another-type"],
)
def test_a_record_that_is_wrong_is_named_and_no_check_is_started(name, name_server, verifier, wrong, diagnosis):
    server = name_server({TOP: Zone(), DOMAIN: Zone(wrong(name))})
    function = verifier(server)
    told, fix = reason(function.call({}))
    assert told == diagnosis and f'{name.record} 300 IN TXT "{name.value}"' in fix
    assert name.starts() == 0
    server.change(DOMAIN, records=name.txt())
    expect_started(function.call({}), name)


@pytest.mark.parametrize(
    "right",
    [
        lambda name: name.txt(),
        lambda name: name.txt(name.value[:7], name.value[7:]),
        lambda name: "\n".join([name.txt("v=spf1 -all"), name.txt(), name.txt("vpce:aaaaaaaaaaaaaaaaaaaa")]),
        lambda name: name.txt(at=name.record.upper()),
        lambda name: f"{name.record} CNAME proofs.{DOMAIN}\n{name.txt(at=f'proofs.{DOMAIN}')}",
        lambda name: name.txt(at=f"*.{NAME}."),
    ],
    ids=["plain", "in-strings", "beside-others", "in-capitals", "by-an-alias", "by-a-wildcard"],
)
def test_the_right_value_in_a_signed_zone_starts_the_check(name, name_server, verifier, right):
    server = name_server({TOP: Zone(signed=True), DOMAIN: Zone(right(name), signed=True)})
    function = verifier(server)
    expect_started(function.call({}), name)
    # AWS is not asked again while it looks.
    (skip,) = function.call({})["skipped"]
    assert (skip["reason"], name.starts()) == ("not-ready", 1)


def test_a_signed_zone_whose_record_is_missing_asks_for_it(name, name_server, verifier):
    server = name_server({TOP: Zone(signed=True), DOMAIN: Zone(signed=True)})
    assert reason(verifier(server).call({}))[0] == "record-required"
    assert name.starts() == 0


def test_a_signed_zone_that_nobody_vouches_for_counts_as_unsigned(name, name_server, verifier):
    server = name_server({TOP: Zone(signed=True), DOMAIN: Zone(name.txt(), signed=True, ds=Ds.NONE)})
    expect_started(verifier(server).call({}), name)


@pytest.mark.parametrize("signed", [True, False], ids=["of-another-key", "of-a-zone-without-keys"])
def test_a_broken_ds_record_is_named_and_no_check_is_started(name, name_server, verifier, signed):
    server = name_server({TOP: Zone(signed=True), DOMAIN: Zone(name.txt(), signed=signed, ds=Ds.ANOTHER)})
    function = verifier(server)
    told, fix = reason(function.call({}))
    assert told == "dnssec-broken" and "`example.com`" in fix and "DS" in fix
    assert name.starts() == 0
    # It is the registrar's to mend, and then all is well.
    server.change(DOMAIN, ds=Ds.OWN)
    expect_started(function.call({}), name)


def test_of_two_servers_that_disagree_the_one_that_is_behind_is_named(name, name_server, verifier):
    zones = [{TOP: Zone(), DOMAIN: Zone(records)} for records in (name.txt(), "")]
    for order in ([0, 1], [1, 0]):
        servers = [name_server(zones[at]) for at in order]
        function = verifier(*servers)
        ahead, behind = (servers[order.index(at)] for at in (0, 1))
        told, fix = reason(function.call({}))
        assert told == "servers-behind"
        assert behind.address in fix and ahead.address not in fix
    assert name.starts() == 0
    behind.change(DOMAIN, records=name.txt())
    expect_started(function.call({}), name)


def test_a_server_that_is_down_does_not_hide_one_that_has_the_record(name, name_server, verifier):
    servers = [name_server({TOP: Zone(), DOMAIN: Zone(name.txt())}) for _ in range(2)]
    servers[1].stop()
    expect_started(verifier(*servers).call({}), name)


def test_a_person_is_asked_for_the_record_though_no_server_answers(name, name_server, verifier):
    server = name_server({TOP: Zone(), DOMAIN: Zone(name.txt())})
    function = verifier(server)
    server.stop()
    assert reason(function.call({}))[0] == "record-required"
    assert name.starts() == 0
    server.start()
    expect_started(function.call({}), name)


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_a_record_set_too_long_for_udp_is_read_over_tcp(name, name_server, verifier, signed):
    others = [name.txt(f"{number:0200}") for number in range(20)]
    server = name_server({TOP: Zone(signed=signed), DOMAIN: Zone("\n".join([*others, name.txt()]), signed=signed)})
    assert server.ask(name.record, "TXT", dnssec=True).flags & dns.flags.TC
    function = verifier(server)
    expect_started(function.call({}), name)


def test_a_name_is_followed_to_verified_and_the_operators_are_told(stage, name, name_server, verifier):
    topic = stage.client(PROVIDER, service="sns").create_topic(Name="operators")["TopicArn"]
    queue = f"arn:aws:sqs:{REGION}:{PROVIDER}:operators"
    stage.client(PROVIDER, service="sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    server = name_server({TOP: Zone(signed=True), DOMAIN: Zone(signed=True)})
    function = verifier(server, PRIVATELINK_OPERATOR_TOPIC_ARN=topic)
    assert reason(function.call({}))[0] == "record-required"
    # Somebody publishes it, in a zone that both this server and the Region's DNS then know.
    server.change(DOMAIN, records=name.txt())
    stage.control("POST", "txt?" + urlencode({"name": name.record, "value": name.value}))
    expect_started(function.call({}), name)
    stage.step(181)
    assert name.state == "verified"
    answer = function.call({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})
    assert effects(answer) == [("publish", "done")]
    assert [skip["reason"] for skip in answer["skipped"]] == ["already-right"]
    wait_until(lambda: len(stage.deliveries()), 2)
    assert all(to == "operators" and NAME in subject for to, subject in stage.deliveries())
    # It goes from the zone: as long as AWS says `verified`, that is for a person, once.
    server.change(DOMAIN, records="")
    for published in ([("publish", "done")], []):
        answer = function.call({})
        assert (effects(answer), reason(answer)[0]) == (published, "record-required")
    assert name.starts() == 1


def test_a_hosted_zone_that_the_world_does_not_ask_is_named(stage, name, name_server, deploy):
    """Route 53 has a zone of that name, and the domain is delegated to somebody else's server all the same."""
    route53 = stage.client(PROVIDER, service="route53")
    zone = route53.create_hosted_zone(Name=DOMAIN, CallerReference="1")
    server = name_server({TOP: Zone(), DOMAIN: Zone()})
    function = deploy("domain-verifier", PRIVATELINK_DNS_SERVER=server.address)
    answer = function.call({})
    assert effects(answer) == [("write-record", "done")]
    stage.step(70)
    told, fix = reason(function.call({}))
    assert told == "zone-delegated-elsewhere"
    assert all(own in fix for own in zone["DelegationSet"]["NameServers"])
    # Not even a copy of the record there makes it right: it would be forgotten at the next change.
    server.change(DOMAIN, records=name.txt())
    assert reason(function.call({}))[0] == "zone-delegated-elsewhere"
    assert name.starts() == 0
