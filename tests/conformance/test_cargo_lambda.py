"""The functions as a user runs them on a laptop: `cargo lambda watch`, and `invoke` with the files of `events/`."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from stage import ACME, PROVIDER, Stage

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
# The service that the events name, and an account that nobody lists.
SERVICE, STRANGER = "vpce-svc-0123456789abcdef0", "333344445555"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = free_port()
CARGO_LAMBDA = Path(sys.executable).with_name("cargo-lambda")

# All are served by one process. Each is built when it is first called.
FUNCTIONS = ("connection-acceptor", "domain-verifier", "availability-notifier")
CONFIGURATOR, PROBER = "endpoint-configurator", "connectivity-prober"

# What is no event is refused, and so is what only looks like one; these are events all the same.
RECOGNISED = {
    "forged-available.json",
    "forged-verified.json",
    "notice-of-foreign-endpoint.json",
    "notice-without-endpoint-id.json",
    "service-of-another-account.json",
    "sqs-with-garbage.json",
}
# `cargo lambda invoke` itself sends only UTF-8; the Rust tests send these bytes.
UNSENDABLE = {"not-utf8.json"}
HOSTILE = sorted(path for path in (EVENTS / "hostile").iterdir() if path.name not in UNSENDABLE)
# What only the configurator takes, and what it returns, which only the prober does.
OF_ENDPOINTS = [EVENTS / "direct-endpoints.json"]
REPORTS = sorted((EVENTS / "prober").iterdir())
GOOD = sorted(path for path in EVENTS.glob("*.json") if path not in OF_ENDPOINTS)
# The configurator looks for endpoints in an event, and for one alone where a notice says that there is one.
RECOGNISED_BY_CONFIGURATOR = RECOGNISED - {"notice-without-endpoint-id.json"} | {"consumer-side-key.json"}
REFUSED = [
    *[(name, path) for name in FUNCTIONS for path in HOSTILE if path.name not in RECOGNISED],
    *[(name, path) for name in FUNCTIONS for path in OF_ENDPOINTS + REPORTS],
    *[(CONFIGURATOR, path) for path in HOSTILE if path.name not in RECOGNISED_BY_CONFIGURATOR],
    *[(CONFIGURATOR, path) for path in REPORTS],
    *[(PROBER, path) for path in HOSTILE + OF_ENDPOINTS + GOOD],
]
# Those that name endpoints; the others tell of the service, or of everything.
NAMES_ENDPOINTS = {
    "cloudtrail-accept",
    "cloudtrail-reject",
    "connection-notification-object",
    "connection-notification-prose",
    "direct-endpoints",
    "sns-bus-event",
    "sns-notice",
    "sns-notice-domain-verified",
    "sns-notification-json",
    "sns-notification-prose",
    "sqs-notice",
    "sqs-raw-notification",
    "sqs-sns-envelope",
}


@pytest.fixture(scope="module")
def stage():
    stage = Stage("--no-throttling")
    stage.service = stage.control("POST", f"services?id={SERVICE}&owner={PROVIDER}")
    both = {"ServiceId": SERVICE, "AddSupportedIpAddressTypes": ["ipv6"]}
    stage.client(PROVIDER).modify_vpc_endpoint_service_configuration(**both)
    route53 = stage.client(PROVIDER, service="route53")
    stage.topic = stage.client(PROVIDER, service="sns").create_topic(Name="notices")["TopicArn"]
    stage.zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def watched(stage, tmp_path_factory):
    """`cargo lambda watch`, which builds each function when it is first called, from what the tests have built."""
    variables = {
        "AWS_ENDPOINT_URL": stage.url,
        "AWS_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": PROVIDER,
        "AWS_SECRET_ACCESS_KEY": "none",
        "PRIVATELINK_POLICY_DIR": str(ROOT / "infra" / "policy"),
        "PRIVATELINK_DNS_SERVER": stage.name_servers,
        "PRIVATELINK_NOTICE_TOPIC_ARN": stage.topic,
        "PRIVATELINK_ENDPOINT_TAG": "privatelink=managed",
    }
    log = tmp_path_factory.mktemp("watch") / "log"
    command = [CARGO_LAMBDA, "lambda", "watch", "--ignore-changes", "--invoke-address", "127.0.0.1"]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--invoke-port", str(PORT)], cwd=ROOT, env=os.environ | variables, stdout=out, stderr=out
        )
        try:
            wait_for_port(process, log)
            yield log
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for_port(process, log):
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            urlopen(f"http://127.0.0.1:{PORT}/", timeout=1)
            return
        except URLError as error:
            # Any answer at all, were it a refusal, means that somebody listens.
            if not isinstance(error.reason, OSError):
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def invoke(function, path):
    """What a person at a terminal sees: the exit status, what is printed, and what is complained of."""
    command = [CARGO_LAMBDA, "lambda", "invoke", function, "--invoke-address", "127.0.0.1"]
    # The first call waits for the build.
    ended = subprocess.run(
        [*command, "--invoke-port", str(PORT), "--data-file", path], capture_output=True, text=True, timeout=1200
    )
    return ended.returncode, ended.stdout, ended.stderr


def report_of(function, path, watched):
    """What a function returns that is to take an event."""
    status, answer, complaint = invoke(function, path)
    assert status == 0, complaint + watched.read_text()
    report = json.loads(answer)
    assert (report["function"], report["mode"]) == (function, "enforce")
    return report


def tells_of_nothing(path):
    """Whether an event is one, and no reason to look at anything."""
    return path.name in {"cloudtrail-failed-call.json", "cloudtrail-failed-start-verification.json"}


@pytest.mark.parametrize("function, path", REFUSED, ids=lambda part: getattr(part, "name", part))
def test_what_is_no_event_is_refused(watched, stage, function, path):
    before = len(stage.control("GET", "requests"))
    status, _, complaint = invoke(function, path)
    assert status != 0 and "UnrecognizedEvent" in complaint
    assert len(stage.control("GET", "requests")) == before


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_every_event_is_answered_and_leads_to_what_the_policy_says(watched, stage, path):
    service = {"ServiceName": stage.service["serviceName"]}
    partner, stranger = (stage.connect(service, account=account) for account in (ACME, STRANGER))
    report_of("connection-acceptor", path, watched)
    assert stage.state(partner) == ("pendingAcceptance" if tells_of_nothing(path) else "pending")
    assert stage.state(stranger) == "pendingAcceptance"
    for account, endpoint in ((ACME, partner), (STRANGER, stranger)):
        stage.client(account).delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_every_event_leads_to_the_record_that_proves_the_name(watched, stage, path):
    # A name of its own, so that its record is to be written anew.
    name = f"{path.stem}.example.com"
    ec2, route53 = stage.client(PROVIDER), stage.client(PROVIDER, service="route53")
    ec2.modify_vpc_endpoint_service_configuration(ServiceId=SERVICE, PrivateDnsName=name)
    (service,) = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[SERVICE])["ServiceConfigurations"]
    proof = service["PrivateDnsNameConfiguration"]
    report = report_of("domain-verifier", path, watched)
    found = [
        (record["TTL"], record["ResourceRecords"])
        for record in route53.list_resource_record_sets(HostedZoneId=stage.zone)["ResourceRecordSets"]
        if (record["Name"], record["Type"]) == (f"{proof['Name']}.{name}.", "TXT")
    ]
    if tells_of_nothing(path):
        assert (found, report["outcomes"], report["skipped"]) == ([], [], [])
    else:
        assert found == [(300, [{"Value": f'"{proof["Value"]}"'}])]
        written = [one["result"] for one in report["outcomes"] if one["effect"] == "write-record"]
        assert written == ["done"], report


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_every_event_leads_to_the_notice_that_is_due(watched, stage, path):
    endpoint = stage.connect({"ServiceName": stage.service["serviceName"]}, account=ACME)["VpcEndpointId"]
    stage.client(PROVIDER).accept_vpc_endpoint_connections(ServiceId=SERVICE, VpcEndpointIds=[endpoint])
    # Longer than a connection is `pending`.
    stage.step(130)
    report = report_of("availability-notifier", path, watched)
    told = [
        (one["type"], one["result"])
        for one in report["outcomes"]
        if one["effect"] == "publish" and one.get("endpointId") == endpoint
    ]
    assert told == ([] if tells_of_nothing(path) else [("EndpointConnectionAvailable", "done")]), report
    stage.client(ACME).delete_vpc_endpoints(VpcEndpointIds=[endpoint])


@pytest.mark.parametrize("path", GOOD + OF_ENDPOINTS, ids=lambda path: path.name)
def test_every_event_leads_to_the_endpoints_that_it_tells_of(watched, stage, path):
    tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "privatelink", "Value": "managed"}]}]
    service, ec2 = {"ServiceName": stage.service["serviceName"]}, stage.client(PROVIDER)
    endpoint = stage.connect(service, account=PROVIDER, TagSpecifications=tags)["VpcEndpointId"]
    ec2.accept_vpc_endpoint_connections(ServiceId=SERVICE, VpcEndpointIds=[endpoint])
    stage.step(130)
    report = report_of(CONFIGURATOR, path, watched)
    done = [(one["endpointId"], one["result"]) for one in report["outcomes"] if one["effect"] == "modify-endpoint"]
    (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    reasons = {skip["reason"] for skip in report["skipped"]}
    if tells_of_nothing(path) or path.stem in NAMES_ENDPOINTS:
        # The endpoints that events name are nobody's here.
        assert (done, found["IpAddressType"]) == ([], "ipv4")
        assert reasons == (set() if tells_of_nothing(path) else {"foreign"}), report
    else:
        assert (done, found["IpAddressType"]) == ([(endpoint, "done")], "dualstack"), report
        assert endpoint in [one["id"] for one in report["endpoints"]]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.name)
def test_what_the_configurator_returns_is_tried_name_by_name(watched, stage, path):
    before = len(stage.control("GET", "requests"))
    report = report_of(PROBER, path, watched)
    (endpoint,) = json.loads(REPORTS[0].read_bytes())["endpoints"]
    tried = {(one["name"], one["family"], one["port"]) for one in report["outcomes"]}
    assert tried == {(name["name"], family, 443) for name in endpoint["names"] for family in ("ipv4", "ipv6")}, report
    # The world's DNS knows none of them, and each says so and what to do.
    assert all(one["result"] == "refused" and one["cause"] and one["fix"] for one in report["outcomes"]), report
    assert len(stage.control("GET", "requests")) == before
