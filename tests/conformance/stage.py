"""A simulated Region in a process of its own, and stock clients for the accounts that play in it."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import aws_model

REGION = "us-west-2"
PROVIDER, ACME, INITECH = "999988887777", "111122223333", "222233334444"
NLB = f"arn:aws:elasticloadbalancing:{REGION}:{PROVIDER}:loadbalancer/net/api/50dc6c495c0c9188"
GWLB = f"arn:aws:elasticloadbalancing:{REGION}:{PROVIDER}:loadbalancer/gwy/wall/50dc6c495c0c9188"

# One for all: it reads EC2's model once.
_session = boto3.session.Session(region_name=REGION)


class Region:
    """The process. Its clock all but stands: time passes when it is stepped."""

    def __init__(self, *options):
        command = [os.environ["PRIVATELINK_BIN"], "region", "--port", "0", "--speed", "0.001", *options]
        # A file, since a pipe that nobody reads would stop it one day.
        self._output = tempfile.TemporaryFile()
        self._process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT)
        try:
            # Where it takes requests, and its own DNS as PRIVATELINK_DNS_SERVER names it.
            self.url, self.name_servers = self._wait_for_greeting()
        except BaseException:
            self.close()
            raise

    def _wait_for_greeting(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            ended = self._process.poll() is not None
            # Not `seek`: the process writes where the file is at, which it shares.
            text = os.pread(self._output.fileno(), 1 << 16, 0).decode()
            found = [re.search(rf"{words}(\S+)\s", text) for words in (" at ", "PRIVATELINK_DNS_SERVER=")]
            if all(found):
                return [part[1] for part in found]
            if ended:
                break
            time.sleep(0.005)
        raise RuntimeError(f"`{' '.join(self._process.args)}` told no address, but:\n{text}")

    def control(self, method, path, body=None):
        """Asks the Region for what AWS has not."""
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}/_region/{path}", data=data, method=method), timeout=10) as answer:
            return json.load(answer)

    def now(self):
        return self.control("GET", "now")["now"]

    def step(self, seconds):
        """Lets time pass, at least that much and in whole seconds."""
        self.control("POST", f"step?seconds={int(-(-seconds // 1))}")

    def fault(self, action, kind, times=1, when="before"):
        """Asks for the next calls of an operation to go wrong; the kinds are in `functions/region/src/faults.rs`."""
        self.control("POST", "faults", {"action": action, "kind": kind, "times": times, "when": when})

    def make_vpc(self, owner, **vpc):
        """A VPC with its subnets and groups, made or changed as the `VpcDraft` of the Region's sources has it."""
        return self.control("POST", "vpcs", {"owner": owner, "vpc": vpc})

    def mend(self):
        self.control("DELETE", "faults")

    def deliveries(self):
        """Which queues got which messages, as the program prints it: pairs of a queue's name and a subject."""
        text = os.pread(self._output.fileno(), 1 << 22, 0).decode()
        return re.findall(r"SNS delivers to Sqs \S+:(\S+): (.*)$", text, re.MULTILINE)

    def close(self, sign=signal.SIGTERM):
        """Ends the process, unless it has ended, and gives its exit status."""
        self._process.send_signal(sign)
        status = self._process.wait()
        self._output.close()
        return status


class Stage(Region):
    """A Region, with what a story about it needs."""

    def __init__(self, *options):
        super().__init__(*options)
        # What was sent and what came: pairs of an operation and the body.
        self.requests, self.answers = [], []
        self._clients = {}

    def client(self, account, **options):
        """A boto3 client of an account, with the options of `_make_client`."""
        key = repr((account, sorted(options.items())))
        if key not in self._clients:
            self._clients[key] = self._make_client(account, **options)
        return self._clients[key]

    def _make_client(self, account, service="ec2", add=None, check=True, attempts=1, **config):
        """Every request and every answer is held against botocore's model on its way, unless `check` is false. What is
        in `add` goes into each request, unseen by botocore's own validation. The rest is botocore's configuration.
        """
        config = Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            **{"connect_timeout": 5, "read_timeout": 10, **config},
        )
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "any"}
        client = _session.client(service, endpoint_url=self.url, config=config, **keys)
        forms = client.meta.service_model.resolved_protocol in ("ec2", "query")

        def sent(request, event_name, **_):
            operation = event_name.rpartition(".")[2]
            self.requests.append((operation, request.body))
            if check and forms and not add:
                _complain(aws_model.check_request(operation, request.body, service), request.body)

        def came(operation_model, response_dict, **_):
            status, body = response_dict["status_code"], response_dict["body"]
            self.answers.append((operation_model.name, body))
            if check:
                _complain(aws_model.check_answer(operation_model.name, status, body, service), body)

        if add:
            client.meta.events.register("before-call", lambda params, **_: params["body"].update(add))
        client.meta.events.register("before-send", sent)
        client.meta.events.register("before-parse", came)
        return client

    def create_service(self, account=PROVIDER, **wanted):
        """An endpoint service that everybody may connect to, as boto3 decodes it."""
        if "GatewayLoadBalancerArns" not in wanted:
            wanted.setdefault("NetworkLoadBalancerArns", [NLB])
        client = self.client(account)
        service = client.create_vpc_endpoint_service_configuration(**wanted)["ServiceConfiguration"]
        self.allow_everybody(service, account)
        return service

    def allow_everybody(self, service, account=PROVIDER):
        """Permits every account to connect to a service."""
        permissions = {"ServiceId": service["ServiceId"], "AddAllowedPrincipals": ["*"]}
        self.client(account).modify_vpc_endpoint_service_permissions(**permissions)

    def connect(self, service, account=ACME, **wanted):
        """An endpoint to a service, as boto3 decodes it."""
        wanted = {"VpcEndpointType": "Interface", "VpcId": "vpc-0a", "ServiceName": service["ServiceName"], **wanted}
        return self.client(account).create_vpc_endpoint(**wanted)["VpcEndpoint"]

    def connections(self, account=PROVIDER, **filters):
        """The connections that an account sees; the filters' names with `_` for `-`."""
        filters = [{"Name": name.replace("_", "-"), "Values": values} for name, values in filters.items()]
        return self.client(account).describe_vpc_endpoint_connections(Filters=filters)["VpcEndpointConnections"]

    def state(self, endpoint):
        """The state of an endpoint's connection."""
        found = [one for one in self.connections() if one["VpcEndpointId"] == endpoint["VpcEndpointId"]]
        assert len(found) == 1
        return found[0]["VpcEndpointState"]


def wait_until(look, wanted):
    """Looks until it is as wanted: what happens in another process needs a moment of the wall's clock."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and look() != wanted:
        time.sleep(0.05)
    assert look() == wanted


def _complain(problems, about):
    if problems:
        about = about.decode(errors="replace") if isinstance(about, bytes) else about
        raise AssertionError("\n".join([*problems, about]))


class Like(str):
    """Equal to every text that the pattern matches as a whole."""

    def __eq__(self, other):
        return isinstance(other, str) and re.fullmatch(str(self), other) is not None

    __hash__ = None


@contextmanager
def refused(code, status=400, message=None):
    """What is within is refused by AWS, in these words: the message is a pattern."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert answer["ResponseMetadata"]["RequestId"]
    if message is not None:
        assert answer["Error"]["Message"] == Like(message)
