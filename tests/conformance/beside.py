"""Two Regions side by side, ours and moto's server: one call to both, and what differs in what botocore decoded.

A story makes its calls through `Pair.call`. Ids, times and tokens are made alike on their way back: the first endpoint
that a side tells of is `vpce-1`, the second `vpce-2`, and so on; in a later call `vpce-1` stands for each side's own.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from urllib.request import Request, urlopen

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from stage import _session

# What stands where one side says nothing.
NOTHING = "(nothing)"
# What is said of an answer that is no answer of AWS's form.
BROKEN = "an internal error"
# The end of ids that stand for what is not there. They are what they are.
NOWHERE = "0123456789abcdef0"
# Lists that have no order.
_UNORDERED = {
    *("Tags", "AllowedPrincipals", "ServiceConfigurations", "VpcEndpoints", "AddedPrincipals", "Groups"),
    *("SubnetIds", "NetworkInterfaceIds", "Subnets", "SecurityGroups", "SecurityGroupRules"),
    *("IpPermissions", "IpPermissionsEgress"),
}
_KINDS = [
    ("vpce-svc-perm", r"\bvpce-svc-perm-[0-9a-f]{8,17}\b"),
    ("vpce-svc", r"\bvpce-svc-[0-9a-f]{8,17}\b"),
    ("vpce", r"\bvpce-[0-9a-f]{8,17}\b"),
    ("dns", r"(?<=vpce-\d-)[a-z0-9]{8}(?=\.)"),
    ("sg", r"\bsg-[0-9a-f]{8,17}\b"),
    ("sgr", r"\bsgr-[0-9a-f]{8,17}\b"),
    ("eni", r"\beni-[0-9a-f]{8,17}\b"),
    ("assoc", r"\bvpc-cidr-assoc-[0-9a-f]{8,17}\b"),
    ("mac", r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b"),
    ("uuid", r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
    ("change", r"(?<=/change/)C[A-Z0-9]+\b"),
    ("zone", r"(?<=/hostedzone/)[A-Z0-9]{13,32}\b|\bZ[A-Z0-9]{13,31}\b"),
    ("ns", r"\bns-\d+\.awsdns-\d+\.(?:com|net|org|co\.uk)\b"),
    ("label", r"(?<![\w.-])_[a-z0-9]{20}\b"),
    ("proof", r"\bvpce:[A-Za-z0-9]{20}\b"),
    ("role", r"\bAROA[A-Z0-9]+\b"),
    ("key", r"\bASIA[A-Z0-9]+\b"),
]
# What a record in a list is known by.
_IDENTITIES = (
    *("Principal", "ServiceId", "VpcEndpointId", "Key", "SubscriptionArn", "TopicArn", "GroupId", "DnsName"),
    *("Name", "Id", "ServiceName", "ServiceType", "Value", "VPCId"),
    *("NetworkInterfaceId", "SecurityGroupRuleId", "SubnetId", "VpcId", "AssociationId"),
)
# Members that are JSON in a text: in which order its parts are written, and with how many spaces, means nothing.
_DOCUMENTS = {"Policy", "PolicyDocument", "EffectiveDeliveryPolicy"}
# Members that are drawn by lot, whatever they look like.
_SECRETS = {"SecretAccessKey", "SessionToken", "SequenceNumber", "NextToken", "NextHostedZoneId"}


class Moto:
    """moto's server in a process of its own."""

    def __init__(self):
        self._clients = {}
        self._output = tempfile.TemporaryFile()
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
        # In another time zone moto's records of the time would be another's, too.
        environment = {**os.environ, "TZ": "UTC"}
        self._process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT, env=environment)
        try:
            self.url = self._wait_for_url()
        except BaseException:
            self.close()
            raise

    def _wait_for_url(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            text = os.pread(self._output.fileno(), 1 << 16, 0).decode()
            if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)\s", text):
                return found.group(1)
            time.sleep(0.02)
        raise RuntimeError(f"moto's server told no address, but:\n{text}")

    def reset(self):
        """Makes it forget everything."""
        with urlopen(Request(f"{self.url}/moto-api/reset", method="POST"), timeout=30):
            pass

    def client(self, account, service):
        """A boto3 client of an account, which moto is told of in a header of its own."""
        if (account, service) not in self._clients:
            self._clients[account, service] = self._make_client(account, service)
        return self._clients[account, service]

    def _make_client(self, account, service):
        config = Config(retries={"total_max_attempts": 1}, read_timeout=30, parameter_validation=False)
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "any"}
        client = _session.client(service, endpoint_url=self.url, config=config, **keys)
        # The key of a role's session says by itself whose it is.
        if account.isdigit():
            client.meta.events.register("before-sign", lambda request, **_: _say_account(request, account))
        return client

    def close(self):
        # It has nothing to put in order, and would take seconds to do so.
        self._process.kill()
        self._process.wait()
        self._output.close()


def _say_account(request, account):
    request.headers["x-moto-account-id"] = account


class _Side:
    """One of the two: its clients, and what its ids are called here."""

    def __init__(self, make_client, counted):
        self._make_client, self._clients = make_client, {}
        # How many ids of a kind the pair has named before this call, and how many this side has in it.
        self._counted, self.new = counted, Counter()
        self.names, self.ids, self.known = {}, {}, {}

    def client(self, account, service):
        if (account, service) not in self._clients:
            self._clients[account, service] = self._make_client(account, service)
        return self._clients[account, service]

    def call(self, account, service, operation, wanted):
        """What botocore decoded, or raised, made alike."""
        client = self.client(self._own(account), service)
        try:
            answer = getattr(client, operation)(**self._own(wanted))
        except ClientError as error:
            answer = error.response
            if answer["Error"].get("Code") == "500":
                return {"refused": BROKEN}
            refusal = self._alike({name: answer["Error"].get(name, NOTHING) for name in ("Code", "Message")})
            return {"refused": refusal, "HTTPStatusCode": answer["ResponseMetadata"]["HTTPStatusCode"]}
        except ResponseParserError:
            return {"refused": BROKEN}
        metadata = answer.pop("ResponseMetadata")
        return {**self._alike(answer), "HTTPStatusCode": metadata["HTTPStatusCode"]}

    def _own(self, value):
        """With this side's own ids for the names of the pair."""
        if isinstance(value, dict):
            return {name: self._own(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._own(part) for part in value]
        if not isinstance(value, str):
            return value
        kinds = "|".join([*(kind for kind, _ in _KINDS), "known"])
        return re.sub(rf"\b(?:{kinds})-\d+\b", lambda found: self.ids.get(found.group(), found.group()), value)

    def _alike(self, value, name=None):
        if name in _SECRETS and value:
            return "(drawn by lot)"
        if name in _DOCUMENTS and isinstance(value, str):
            value = json.dumps(json.loads(value), sort_keys=True)
        if isinstance(value, dict):
            return {name: self._alike(part, name) for name, part in value.items()}
        if isinstance(value, list):
            parts = [self._alike(part, name) for part in value]
            return sorted(parts, key=json.dumps) if name in _UNORDERED else parts
        if isinstance(value, datetime):
            return "(a time)"
        return self._named(value) if isinstance(value, str) else value

    def _named(self, text):
        # The longest first: one may begin as another.
        for found, name in sorted(self.known.items(), reverse=True):
            text = text.replace(found, name)
        for kind, pattern in _KINDS:
            text = re.sub(pattern, lambda found: self._name(kind, found.group()), text)
        return text

    def _name(self, kind, found):
        if found.endswith(NOWHERE):
            return found
        if found not in self.names:
            self.new[kind] += 1
            name = f"{kind}-{self._counted[kind] + self.new[kind]}"
            self.names[found], self.ids[name] = name, found
        return self.names[found]


class Pair:
    """Both sides, and the differences that calls to them showed."""

    def __init__(self, stage, moto):
        self.stage = stage
        options = {"check": False, "parameter_validation": False}
        self._counted = Counter()
        self.region = _Side(lambda account, service: stage.client(account, service=service, **options), self._counted)
        self.moto = _Side(moto.client, self._counted)
        self.differences, self.called = [], set()
        self._when = ""

    def story(self, name):
        """What is called from here on belongs to this story."""
        self._when = name

    def call(self, account, service, operation, note="", **wanted):
        """Calls both, and keeps what differs. Returns what the Region said, with the pair's names."""
        self.called.add((service, operation))
        ours, theirs = (side.call(account, service, operation, wanted) for side in (self.region, self.moto))
        # What only one of them made is counted by both, so that the next is the next for both.
        self._counted.update(self.region.new | self.moto.new)
        for side in (self.region, self.moto):
            side.new.clear()
        self.compare(f"{service}.{operation}", note, ours, theirs)
        return ours

    def know(self, name, ours, theirs):
        """Gives a name to what each side has under another id of its own."""
        for side, found in ((self.region, ours), (self.moto, theirs)):
            side.known[found], side.ids[name] = name, found

    def compare(self, call, note, ours, theirs):
        """Keeps what differs between two values."""
        when = f"{self._when}: {note}" if note else self._when
        # Where only one refuses, its words are the difference, and not each part of the other's answer.
        if BROKEN in (ours.get("refused"), theirs.get("refused")) or ("refused" in ours) != ("refused" in theirs):
            ours, theirs = ({"outcome": _words(said)} for said in (ours, theirs))
        self.differences += [(call, when, *difference) for difference in _differences(ours, theirs)]


def _words(said):
    refusal = said.get("refused", "done")
    return refusal if isinstance(refusal, str) else f"{refusal['Code']}: {refusal['Message']}"


def _differences(ours, theirs, path=""):
    """Where two values differ: a path such as `Tags[].Key`, and what each has there."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in [*ours, *(name for name in theirs if name not in ours)]:
            inner = f"{path}.{name}" if path else name
            yield from _differences(ours.get(name, NOTHING), theirs.get(name, NOTHING), inner)
    elif _is_records(ours) and _is_records(theirs):
        # Which there are is one difference; how one differs from itself is another.
        ours, theirs = ({_identity(record): record for record in records} for records in (ours, theirs))
        yield from _differences(" ".join(ours), " ".join(theirs), path)
        for identity in ours.keys() & theirs.keys():
            yield from _differences(ours[identity], theirs[identity], f"{path}[]")
    elif ours != theirs:
        yield path, _said(ours), _said(theirs)


def _is_records(value):
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _identity(record):
    """What a record is told from others by."""
    name = next((record[name] for name in _IDENTITIES if name in record), json.dumps(record, sort_keys=True))
    return f"{name}/{record['Type']}" if "Type" in record else name


def _said(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
