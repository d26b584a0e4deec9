"""A stock name server, Knot DNS, in a process of its own: zones with their delegations and signatures, on loopback."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import dns.dnssec
import dns.exception
import dns.message
import dns.name
import dns.query
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "127.0.0.1"
SERVER = """
server:
    rundir: "{run}"
    listen: {host}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: 1232
control:
    listen: "{run}/control"
database:
    storage: "{folder}"
    journal-db-max-size: 16M
    kasp-db-max-size: 16M
    timer-db-max-size: 16M
    catalog-db-max-size: 16M
log:
  - target: stderr
    any: info
policy:
  - id: own
    algorithm: ecdsap256sha256
template:
  - id: default
    storage: "{folder}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
"""
# The serial's jump at each change: what the server adds to it when it signs is less.
JUMP = 1000


class Ds(Enum):
    """What a zone's parent says of its keys, where the same server has the parent."""

    # The truth: a signed zone's own key, and nothing of another.
    OWN = "own"
    # A key that the zone does not have, signed or not: for a resolver that validates, the zone is broken.
    ANOTHER = "another"
    # Nothing, so that a signed zone counts as unsigned.
    NONE = "none"


@dataclass(frozen=True)
class Zone:
    """Lines of a zone file, relative to the zone. SOA, `NS ns`, `ns`'s address and the delegation of each zone right
    below this one on the same server, with glue and DS, come by themselves."""

    records: str = ""
    signed: bool = False
    ds: Ds = Ds.OWN


class NameServer:
    """The process, with `zones`: names to `Zone`s. All its files are in `folder`, which holds its keys when it is
    started again."""

    def __init__(self, program, folder, zones):
        self._program, self._folder = program, Path(folder)
        self._zones = {dns.name.from_text(name): zone for name, zone in zones.items()}
        # The DS records that the parents hold, and the one of no key of the zone's.
        self._ds, self._another = {}, {}
        self._serial = 0
        self._process = None
        self.log = self._folder / "log"
        self.port = None
        self.start()

    @property
    def address(self):
        """`ip:port`, for UDP and TCP."""
        return f"{HOST}:{self.port}"

    def start(self):
        """Starts the server, at the address that it had, if it had one."""
        assert self._process is None, "it runs"
        wanted = self.port
        # Between finding a port and its being bound, somebody else may take it.
        for _ in range(1 if wanted else 5):
            self.port = wanted or _free_port()
            # Not in `folder`: the path of a socket cannot be long.
            self._run = tempfile.mkdtemp(prefix="knot-")
            self._write()
            with self.log.open("a") as log:
                command = [self._program, "-c", self._folder / "knot.conf"]
                self._process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                self._wait()
                self._delegate()
                return
            except _Ended as ended:
                self.stop()
                failure = ended
            except BaseException:
                self.stop()
                raise
        raise failure

    def stop(self):
        """Ends the server: nobody listens any more. Does nothing where it does not run."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            finally:
                self._process.kill()
                self._process.wait()
                self._process = None
                shutil.rmtree(self._run, ignore_errors=True)

    def change(self, name, **fields):
        """Gives a zone other `records`, `signed` or `ds`, and returns when they are served."""
        name = dns.name.from_text(name)
        self._zones[name] = replace(self._zones[name], **fields)
        self._reload()
        self._delegate()

    def ask(self, name, kind, tcp=False, dnssec=False, timeout=5):
        """One question, as a resolver would ask it; the answer as dnspython's message. Without `dnssec` no EDNS, so
        that UDP carries 512 bytes."""
        question = dns.message.make_query(name, kind, want_dnssec=dnssec, flags=0)
        return (dns.query.tcp if tcp else dns.query.udp)(question, HOST, timeout, self.port)

    def keys(self, name):
        """The DNSKEY record set of a signed zone."""
        name = dns.name.from_text(name) if isinstance(name, str) else name
        answer = self.ask(name, "DNSKEY", tcp=True)
        return answer.get_rrset(answer.answer, name, "IN", "DNSKEY")

    def ds(self, name):
        """The DS records of a signed zone's own key: what its parent should hold."""
        name = dns.name.from_text(name) if isinstance(name, str) else name
        entries = [key for key in self.keys(name) if key.flags & dns.dnssec.Flag.SEP]
        return [dns.dnssec.make_ds(name, key, "SHA256") for key in entries]

    def _ds_records(self):
        """What the parents are to hold, of the zones that have one here."""
        records = {}
        for name, zone in self._zones.items():
            if self._parent(name) is None:
                continue
            if zone.ds is Ds.ANOTHER:
                records[name] = [self._another.setdefault(name, _ds_of_another_key(name))]
            elif zone.ds is Ds.OWN and zone.signed:
                records[name] = self.ds(name)
        return records

    def _delegate(self):
        """The keys of a zone are known when it is served; its parent is then written once more."""
        records = self._ds_records()
        if records != self._ds:
            self._ds = records
            self._reload()

    def _reload(self):
        self._write()
        self._process.send_signal(signal.SIGHUP)
        self._wait()

    def _write(self):
        self._serial += JUMP
        self._read = self.log.stat().st_size if self.log.exists() else 0
        server = SERVER.format(host=HOST, port=self.port, folder=self._folder, run=self._run)
        for name, zone in self._zones.items():
            lines = [
                f"$ORIGIN {name}",
                "$TTL 60",
                f"@ SOA ns hostmaster {self._serial} 3600 600 86400 60",
                "@ NS ns",
                f"ns A {HOST}",
                zone.records,
                # What was written in the records may have moved the origin and the time.
                f"$ORIGIN {name}",
                "$TTL 60",
            ]
            for child in self._zones:
                if self._parent(child) == name:
                    nameserver = dns.name.from_text("ns", child)
                    lines += [f"{child} NS {nameserver}", f"{nameserver} A {HOST}"]
                    lines += [f"{child} DS {record}" for record in self._ds.get(child, [])]
            (self._folder / f"{name}zone").write_text("\n".join([*lines, ""]))
            server += f'  - domain: "{name}"\n    file: "{name}zone"\n'
            if zone.signed:
                server += "    dnssec-signing: on\n    dnssec-policy: own\n"
        (self._folder / "knot.conf").write_text(server)

    def _parent(self, name):
        """The closest zone above, among those that are served here."""
        while name != dns.name.root:
            name = name.parent()
            if name in self._zones:
                return name
        return None

    def _wait(self):
        """Until every zone is served as it was written."""
        deadline = time.monotonic() + 20
        waiting = list(self._zones)
        while waiting:
            ended = self._process.poll() is not None
            said = self.log.read_bytes()[self._read :].decode()
            if ended:
                raise _Ended(f"the name server ended:\n{said}")
            # What is wrong with a zone is said once, and the old one is served on.
            if " error: [" in said or time.monotonic() > deadline:
                raise RuntimeError(f"not served: {', '.join(map(str, waiting))}\n{said}")
            waiting = [name for name in waiting if not self._is_served(name)]
            if waiting:
                time.sleep(0.02)

    def _is_served(self, name):
        # It is signed before it is served, so that its serial tells everything.
        try:
            answer = self.ask(name, "SOA", timeout=0.5)
        # Nobody listens yet, or it is busy.
        except (OSError, dns.exception.Timeout):
            return False
        soa = answer.get_rrset(answer.answer, name, "IN", "SOA")
        return soa is not None and soa[0].serial >= self._serial


class _Ended(RuntimeError):
    """The server could not start, or died."""


def _free_port():
    """A port that is free for UDP and for TCP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((HOST, 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]


def _ds_of_another_key(name):
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    flags = dns.dnssec.Flag.ZONE | dns.dnssec.Flag.SEP
    key = dns.dnssec.make_dnskey(key, dns.dnssec.Algorithm.ECDSAP256SHA256, flags)
    return dns.dnssec.make_ds(name, key, "SHA256")
