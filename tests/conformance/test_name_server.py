"""The name server that stories about DNS are played with does what they rely on: asked with dnspython alone."""

import os
import socket
import subprocess
import time
from pathlib import Path

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from name_server import Ds, Zone

INSTALLER = Path(__file__).with_name("name_server")
PARENT, CHILD = "example.", "child.example."
TXT = '_a._x TXT "vpce:abc"'
SIGNED = {PARENT: Zone(signed=True), CHILD: Zone(TXT, signed=True)}


def texts(server, name, **how):
    """The values of a TXT record set, each as the strings that it is made of."""
    return sorted(record.strings for record in found(server.ask(name, "TXT", **how), name, "TXT"))


def found(answer, name, kind, covers="NONE", section="answer"):
    """A record set of an answer, which has to be there."""
    rrset = answer.get_rrset(getattr(answer, section), dns.name.from_text(name), "IN", kind, covers)
    assert rrset is not None, answer
    return rrset


def validate(server, zone, name, kind, anchor):
    """Proves a record set of a zone from the DS records in `anchor`, as a resolver does."""
    apex = dns.name.from_text(zone)
    keys = server.ask(zone, "DNSKEY", dnssec=True, tcp=True)
    rrset = found(keys, zone, "DNSKEY")
    trusted = [key for key in rrset for ds in anchor if dns.dnssec.make_ds(apex, key, ds.digest_type) == ds]
    if not trusted:
        raise dns.dnssec.ValidationFailure("no key that the DS speaks of")
    entry = dns.rrset.from_rdata_list(apex, rrset.ttl, trusted)
    dns.dnssec.validate(rrset, found(keys, zone, "RRSIG", "DNSKEY"), {apex: entry})
    answer = server.ask(name, kind, dnssec=True, tcp=True)
    dns.dnssec.validate(found(answer, name, kind), found(answer, name, "RRSIG", kind), {apex: rrset})
    return found(answer, name, kind)


def test_a_txt_record_may_have_several_strings_and_a_name_several_records(name_server):
    server = name_server({CHILD: Zone('_a TXT "vpce:" "abc"\n_a TXT "a \\"quoted\\" one"')})
    assert texts(server, "_a.child.example.") == [(b'a "quoted" one',), (b"vpce:", b"abc")]
    assert texts(server, "_a.child.example.", tcp=True) == texts(server, "_a.child.example.")
    answer = server.ask("_A.Child.Example.", "TXT")
    assert answer.flags & dns.flags.AA and not answer.flags & dns.flags.RA


def test_what_is_not_there_is_said_in_two_ways_and_what_is_elsewhere_is_refused(name_server):
    server = name_server({CHILD: Zone(TXT)})
    missing, empty = server.ask("_b.child.example.", "TXT"), server.ask("_x.child.example.", "TXT")
    assert (missing.rcode(), empty.rcode()) == (dns.rcode.NXDOMAIN, dns.rcode.NOERROR)
    for answer in (missing, empty):
        assert answer.answer == [] and found(answer, CHILD, "SOA", section="authority")
    assert server.ask("elsewhere.test.", "TXT").rcode() == dns.rcode.REFUSED


def test_the_parent_knows_the_childs_name_server_and_key(name_server):
    server = name_server(SIGNED)
    (nameserver,) = found(server.ask(CHILD, "NS"), CHILD, "NS")
    assert nameserver.target.to_text() == "ns.child.example."
    (address,) = found(server.ask("ns.child.example.", "A"), "ns.child.example.", "A")
    assert address.address == "127.0.0.1"
    answer = server.ask(CHILD, "DS", dnssec=True)
    assert list(found(answer, CHILD, "DS")) == server.ds(CHILD)
    # One of two keys: the other only signs what is in the zone.
    assert (len(server.ds(CHILD)), len(server.keys(CHILD))) == (1, 2)
    # It is the parent's word, signed with its key.
    assert found(answer, CHILD, "RRSIG", "DS")[0].signer.to_text() == PARENT


def test_a_parent_alone_refers_to_the_childs_name_server_with_glue(name_server):
    server = name_server({PARENT: Zone("child NS ns.child\nns.child A 127.0.0.2")})
    answer = server.ask("_a.child.example.", "TXT")
    assert not answer.flags & dns.flags.AA and answer.answer == []
    assert found(answer, CHILD, "NS", section="authority")
    assert found(answer, "ns.child.example.", "A", section="additional")[0].address == "127.0.0.2"


def test_a_chain_of_zones_may_begin_at_the_root(name_server):
    zones = {".": Zone(signed=True), **SIGNED}
    server = name_server(zones)
    anchor = server.ds(".")
    for zone in (PARENT, CHILD):
        parent = dns.name.from_text(zone).parent().to_text()
        anchor = validate(server, parent, zone, "DS", anchor)
    (record,) = validate(server, CHILD, "_a._x.child.example.", "TXT", anchor)
    assert record.strings == (b"vpce:abc",)


def test_a_signed_record_is_proved_from_the_parents_key(name_server):
    server = name_server(SIGNED)
    anchor = validate(server, PARENT, CHILD, "DS", server.ds(PARENT))
    (record,) = validate(server, CHILD, "_a._x.child.example.", "TXT", anchor)
    assert record.strings == (b"vpce:abc",)
    # Who does not ask for signatures gets none.
    assert len(server.ask("_a._x.child.example.", "TXT").answer) == 1


def test_a_zone_with_the_ds_of_another_key_is_broken(name_server):
    server = name_server({**SIGNED, CHILD: Zone(TXT, signed=True, ds=Ds.ANOTHER)})
    anchor = validate(server, PARENT, CHILD, "DS", server.ds(PARENT))
    with pytest.raises(dns.dnssec.ValidationFailure, match="no key that the DS speaks of"):
        validate(server, CHILD, "_a._x.child.example.", "TXT", anchor)
    # Nothing but the DS is wrong, and it can be mended.
    validate(server, CHILD, "_a._x.child.example.", "TXT", server.ds(CHILD))
    server.change(CHILD, ds=Ds.OWN)
    anchor = validate(server, PARENT, CHILD, "DS", server.ds(PARENT))
    validate(server, CHILD, "_a._x.child.example.", "TXT", anchor)


def test_signatures_can_be_turned_off_while_the_parent_holds_a_key(name_server):
    server = name_server({PARENT: Zone(signed=True), CHILD: Zone(TXT, ds=Ds.ANOTHER)})
    assert len(validate(server, PARENT, CHILD, "DS", server.ds(PARENT))) == 1
    assert server.keys(CHILD) is None
    assert [rrset.rdtype.name for rrset in server.ask("_a._x.child.example.", "TXT", dnssec=True).answer] == ["TXT"]


def test_a_signed_zone_without_ds_is_proved_to_have_none(name_server):
    server = name_server({**SIGNED, CHILD: Zone(TXT, signed=True, ds=Ds.NONE)})
    answer = server.ask(CHILD, "DS", dnssec=True)
    assert answer.answer == [] and found(answer, PARENT, "SOA", section="authority")
    (nsec,) = validate_authority(server, answer, CHILD, "NSEC")
    assert "NS" in nsec.to_text() and "DS" not in nsec.to_text()


def validate_authority(server, answer, name, kind):
    keys = {dns.name.from_text(PARENT): server.keys(PARENT)}
    rrset = found(answer, name, kind, section="authority")
    dns.dnssec.validate(rrset, found(answer, name, "RRSIG", kind, section="authority"), keys)
    return rrset


def test_what_is_too_long_for_udp_comes_over_tcp(name_server):
    server = name_server({CHILD: Zone("\n".join(f'_a TXT "{number:0200}"' for number in range(10)))})
    answer = server.ask("_a.child.example.", "TXT")
    assert answer.flags & dns.flags.TC and len(answer.to_wire()) <= 512
    assert len(texts(server, "_a.child.example.", tcp=True)) == 10


@pytest.mark.parametrize("signed", [False, True])
def test_a_change_is_served_when_the_call_returns(name_server, signed):
    server = name_server({PARENT: Zone(signed=signed), CHILD: Zone(signed=signed)})
    for number in range(5):
        server.change(CHILD, records=f'_a TXT "{number}"')
        assert texts(server, "_a.child.example.") == [(b"%d" % number,)]
        if signed:
            validate(server, CHILD, "_a.child.example.", "TXT", server.ds(CHILD))
    server.change(CHILD, records="")
    assert server.ask("_a.child.example.", "TXT").rcode() == dns.rcode.NXDOMAIN


def test_a_zone_can_be_signed_and_unsigned_while_it_is_served(name_server):
    server = name_server({PARENT: Zone(signed=True), CHILD: Zone(TXT)})
    assert server.ask(CHILD, "DS").answer == []
    server.change(CHILD, signed=True)
    anchor = validate(server, PARENT, CHILD, "DS", server.ds(PARENT))
    validate(server, CHILD, "_a._x.child.example.", "TXT", anchor)
    server.change(CHILD, signed=False)
    assert server.ask(CHILD, "DS").answer == [] and server.keys(CHILD) is None


def test_a_server_that_was_stopped_comes_back_where_it_was_with_its_keys(name_server):
    server = name_server(SIGNED)
    address, ds = server.address, server.ds(CHILD)
    server.stop()
    with pytest.raises((OSError, dns.exception.Timeout)):
        server.ask(CHILD, "SOA", timeout=0.5)
    with pytest.raises(ConnectionRefusedError):
        server.ask(CHILD, "SOA", tcp=True)
    server.start()
    assert (server.address, server.ds(CHILD)) == (address, ds)
    validate(server, CHILD, "_a._x.child.example.", "TXT", ds)


def test_two_servers_may_say_different_things(name_server):
    servers = [name_server({CHILD: Zone(f'_a TXT "{number}"')}) for number in range(2)]
    assert [texts(server, "_a.child.example.") for server in servers] == [[(b"0",)], [(b"1",)]]


def test_a_mistake_in_a_zone_is_told_at_once(name_server):
    begun = time.monotonic()
    with pytest.raises(RuntimeError, match="line 6"):
        name_server({CHILD: Zone("_a TXXT mistake")})
    server = name_server({CHILD: Zone(TXT)})
    with pytest.raises(RuntimeError, match="line 6"):
        server.change(CHILD, records="_a TXXT mistake")
    assert time.monotonic() - begun < 10


def test_a_server_whose_port_was_taken_meanwhile_says_so(name_server):
    server = name_server({CHILD: Zone(TXT)})
    server.stop()
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", server.port))
        with pytest.raises(RuntimeError, match="address already in use"):
            server.start()


def test_the_program_is_unpacked_once(knotd):
    version = subprocess.run([knotd, "--version"], capture_output=True, text=True, check=True).stdout
    assert "Knot DNS" in version
    again = subprocess.run([INSTALLER], capture_output=True, text=True)
    assert (again.returncode, again.stdout, again.stderr) == (0, f"{knotd}\n", "")


@pytest.mark.parametrize(
    "offered, said",
    [
        ("(none)", "apt's sources offer no package `knot`"),
        ("3.2.6-1+deb12u1", "unpacking knot 3.2.6-1+deb12u1\n"),
        ("1:3.2.11-0+deb12u1", "which has replaced the 3.2.6 that"),
        ("3.20.1-1", "add `3.20.1` to `tried` in"),
    ],
)
def test_another_version_is_taken_from_the_same_series_only_and_named(tmp_path, offered, said):
    # An apt that offers this, and then fetches nothing.
    for name, script in {"apt-cache": f"echo '  Candidate: {offered}'", "apt-get": "exit 0"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    variables = {name: value for name, value in os.environ.items() if name != "KNOTD"}
    variables |= {"PRIVATELINK_CACHE": str(tmp_path / "cache"), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ended = subprocess.run([INSTALLER], capture_output=True, text=True, env=variables)
    assert ended.returncode != 0 and ended.stdout == ""
    assert said in ended.stderr
    assert not list((tmp_path / "cache").glob("*/whole"))


def test_a_program_of_the_users_own_has_to_run():
    ended = subprocess.run([INSTALLER], capture_output=True, text=True, env={**os.environ, "KNOTD": "/missing"})
    assert ended.returncode == 1 and "`/missing` does not run" in ended.stderr
