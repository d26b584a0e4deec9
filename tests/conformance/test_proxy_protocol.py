"""What a target behind the provider's load balancer receives tells whose endpoint it came through: the header of a stock
proxy, with the field that AWS puts into it, given to `privatelink whois`."""

import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from proxy import Proxy, Target
from stage import ACME, PROVIDER, REGION

HERE = Path(__file__).parent
# AWS's field, and what it begins with where it holds an endpoint's id.
AWS, ENDPOINT_ID = 0xEA, b"\x01"
WORD = b"a word of the client's"


@pytest.fixture(scope="session")
def haproxy():
    """A proxy's program, which is unpacked when the first test asks for it."""
    made = subprocess.run([HERE / "proxy"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture
def through(haproxy, tmp_path):
    """What a target receives of a client that connects to an address of the proxy, and where the client came from: call
    it with the address, the fields of the header, and the proxy's options."""
    with ExitStack() as things:
        target = Target()
        things.callback(target.close)

        def send(host, fields, options=""):
            proxy = Proxy(haproxy, tmp_path, target, fields, options)
            things.callback(proxy.close)
            source = proxy.send(host, WORD)
            return target.received(WORD), source

        yield send


@pytest.fixture
def whois(stage):
    """Runs `privatelink whois` as the provider: whether it ends well, and what it says."""

    def run(*arguments):
        account = {"AWS_ACCESS_KEY_ID": PROVIDER, "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": REGION}
        policy = {"PRIVATELINK_POLICY_DIR": str(HERE / "../../infra/policy"), "AWS_ENDPOINT_URL": stage.url}
        command = [os.environ["PRIVATELINK_BIN"], "whois", *arguments]
        ended = subprocess.run(command, env={**os.environ, **account, **policy}, capture_output=True, text=True)
        return ended.returncode == 0, ended.stdout + ended.stderr

    return run


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_targets_first_bytes_tell_the_consumer(stage, through, whois, host):
    endpoint = stage.connect(stage.create_service(AcceptanceRequired=True))["VpcEndpointId"]
    fields = {AWS: ENDPOINT_ID + endpoint.encode()}
    # Fields of the proxy's own stand around it.
    received, _ = through(host, fields, "proxy-v2-options crc32c,unique-id")
    assert received.endswith(WORD) and endpoint.encode() in received
    good, text = whois("--json", "--proxy-header", received.hex())
    assert good, text
    told = json.loads(text)
    assert (told["endpointId"], told["account"], told["consumer"]) == (endpoint, ACME, "acme")


def test_a_header_that_came_in_part_is_no_answer(stage, through, whois):
    endpoint = stage.connect(stage.create_service(AcceptanceRequired=True))["VpcEndpointId"]
    received, _ = through("127.0.0.1", {AWS: ENDPOINT_ID + endpoint.encode()})
    header = received.removesuffix(WORD)
    assert whois("--proxy-header", header.hex(":"))[0]
    for length in (1, 12, 16, 27, len(header) - 1):
        good, text = whois("--proxy-header", header[:length].hex())
        assert not good and "more bytes are needed" in text, text


def test_who_came_another_way_is_named_by_address(stage, through, whois):
    for host, fields in {"127.0.0.1": {}, "::1": {AWS: b"\x02something else"}}.items():
        received, (address, port) = through(host, fields)
        good, text = whois("--proxy-header", received.hex())
        source = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        assert not good and f"{source} did not come through PrivateLink" in text, text


def test_a_health_check_is_the_proxys_own(stage, haproxy, tmp_path, whois):
    target = Target()
    proxy = Proxy(haproxy, tmp_path, target, options="check check-send-proxy inter 100ms")
    try:
        # It says nothing after its header, whose command is `LOCAL`.
        received = next(one for one in iter(target.received, None) if one[12:13] == b"\x20")
    finally:
        proxy.close()
        target.close()
    good, text = whois("--proxy-header", received.hex())
    assert not good and "to see whether the target is healthy" in text, text


def test_an_id_that_is_none_is_named_as_it_stands_there(stage, through, whois):
    received, _ = through("127.0.0.1", {AWS: ENDPOINT_ID + b"vpce-svc-0a"})
    good, text = whois("--proxy-header", received.hex())
    assert not good and "`vpce-svc-0a` is not a VPC endpoint's id" in text, text


def test_the_program_is_unpacked_once(haproxy):
    again = subprocess.run([HERE / "proxy"], capture_output=True, text=True)
    assert (again.returncode, again.stdout, again.stderr) == (0, f"{haproxy}\n", "")


def test_a_program_of_the_users_own_has_to_run():
    ended = subprocess.run([HERE / "proxy"], capture_output=True, text=True, env={**os.environ, "HAPROXY": "/missing"})
    assert ended.returncode == 1 and "`/missing` does not run" in ended.stderr
