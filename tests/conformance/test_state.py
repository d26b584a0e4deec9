"""A Region that is stopped and started again from its file is the same to whoever uses it."""

import json
import os
import signal
import socket
import subprocess
from datetime import datetime, timedelta

import pytest

from stage import ACME, INITECH, PROVIDER, REGION, Stage

ACCOUNTS = (PROVIDER, ACME, INITECH)


@pytest.fixture
def start(tmp_path):
    """Starts Regions that live in one file, one after another: gives the newest, and the file."""
    file, stages = tmp_path / "region.json", []

    def start():
        stages.append(Stage("--state", str(file)))
        return stages[-1]

    start.file = file
    yield start
    for stage in stages:
        stage.close()


def fill(stage):
    """Something of everything, some of it on its way. Gives what it takes to go on with the story."""
    sns, route53 = (stage.client(PROVIDER, service=service) for service in ("sns", "route53"))
    topic = sns.create_topic(Name="notices", Tags=[{"Key": "team", "Value": "ö & <edge>"}])["TopicArn"]
    queue = f"arn:aws:sqs:{REGION}:{ACME}:notices"
    filtered = {"FilterPolicy": json.dumps({"type": ["EndpointConnectionAvailable"]})}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=filtered)
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    service = stage.create_service(PrivateDnsName="api.example.com")
    proof = service["PrivateDnsNameConfiguration"]
    record = {
        "Name": f"{proof['Name']}.api.example.com",
        "Type": "TXT",
        "TTL": 300,
        "ResourceRecords": [{"Value": f'"{proof["Value"]}"'}],
    }
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    change = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]["Id"]
    welcome, unwelcome, waiting = (stage.connect(service, account=account) for account in (ACME, INITECH, ACME))
    ids = {"ServiceId": service["ServiceId"]}
    ec2 = stage.client(PROVIDER)
    ec2.accept_vpc_endpoint_connections(**ids, VpcEndpointIds=[welcome["VpcEndpointId"]])
    ec2.reject_vpc_endpoint_connections(**ids, VpcEndpointIds=[unwelcome["VpcEndpointId"]])
    ec2.create_tags(Resources=[service["ServiceId"]], Tags=[{"Key": "team", "Value": "edge"}])
    ec2.create_vpc_endpoint_connection_notification(
        **ids, ConnectionNotificationArn=topic, ConnectionEvents=["Connect", "Accept"]
    )
    stage.control("POST", "txt?name=_x.example.org&value=vpce%3AaB")
    return {"zone": zone, "change": change, **ids, "endpoints": [welcome, unwelcome, waiting], "topic": topic}


def seen(stage, made):
    """All that boto3 can see of it, from every account."""
    ids = {"ServiceId": made["ServiceId"]}
    route53, sns = (stage.client(PROVIDER, service=service) for service in ("route53", "sns"))
    answers = [
        stage.client(PROVIDER).describe_vpc_endpoint_service_configurations(),
        stage.client(PROVIDER).describe_vpc_endpoint_service_permissions(**ids),
        stage.client(PROVIDER).describe_vpc_endpoint_connections(),
        stage.client(PROVIDER).describe_vpc_endpoint_connection_notifications(),
        *[stage.client(account).describe_vpc_endpoints() for account in ACCOUNTS],
        route53.list_hosted_zones_by_name(),
        route53.get_hosted_zone(Id=made["zone"]),
        route53.list_resource_record_sets(HostedZoneId=made["zone"]),
        route53.get_change(Id=made["change"]),
        sns.list_topics(),
        sns.list_subscriptions_by_topic(TopicArn=made["topic"]),
    ]
    for answer in answers:
        del answer["ResponseMetadata"]
    return answers


def world(stage):
    """The Region's own account of itself, but for the time and what throttling has counted since."""
    document = stage.control("GET", "state")
    return {key: value for key, value in document.items() if key not in ("now", "buckets")}


def moment(text):
    """A time of the Region's, to the millisecond: Python before 3.11 takes no other fractions."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction:0<3.3}")


def test_a_region_goes_on_where_it_was_stopped(start):
    stage = start()
    made = fill(stage)
    before, whole, at = seen(stage, made), world(stage), stage.now()
    # Nothing is in the file before the end.
    assert not start.file.exists()
    assert stage.close() == 0
    saved = json.loads(start.file.read_text())
    assert {key: value for key, value in saved.items() if key not in ("now", "buckets")} == whole

    stage = start()
    # Its time did not go on while it was stopped, but for what a clock that all but stands adds.
    assert timedelta(0) <= moment(stage.now()) - moment(at) < timedelta(seconds=1)
    assert (world(stage), seen(stage, made)) == (whole, before)
    # What was on its way arrives.
    welcome, unwelcome, waiting = made["endpoints"]
    stage.client(PROVIDER).start_vpc_endpoint_service_private_dns_verification(ServiceId=made["ServiceId"])
    stage.step(200)
    assert [stage.state(one) for one in (welcome, unwelcome, waiting)] == ["available", "rejected", "pendingAcceptance"]
    route53 = stage.client(PROVIDER, service="route53")
    assert route53.get_change(Id=made["change"])["ChangeInfo"]["Status"] == "INSYNC"
    (service,) = stage.client(PROVIDER).describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    assert service["PrivateDnsNameConfiguration"]["State"] == "verified"
    # What is made now is nothing that was there, and the third run has all of it.
    new = stage.connect(service)
    assert new["VpcEndpointId"] not in [one["VpcEndpointId"] for one in made["endpoints"]]
    whole = world(stage)
    assert stage.close() == 0
    assert world(start()) == whole


def test_two_regions_from_one_file_have_the_same_future(start):
    stage = start()
    made = fill(stage)
    assert stage.close() == 0
    text, futures = start.file.read_text(), []
    for _ in range(2):
        start.file.write_text(text)
        stage = start()
        stage.step(200)
        for _ in range(3):
            stage.connect(stage.create_service())
        futures.append([one["VpcEndpointId"] for one in stage.connections()])
        assert stage.close() == 0
    assert futures[0] == futures[1] and len(futures[0]) == 3 + len(made["endpoints"])


def refuse(*options):
    """Starts a Region that can not be: its exit status, and what it complains of."""
    command = [os.environ["PRIVATELINK_BIN"], "region", "--speed", "0.001", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20)
    # Nobody is told an address at which nothing answers.
    assert "A simulated Region" not in ended.stdout
    return ended.returncode, ended.stderr


def broken_documents(text):
    whole = json.loads(text)
    (endpoint, *_) = whole["endpoints"]
    lost = {**whole, "endpoints": {**whole["endpoints"], "vpce-0a": whole["endpoints"][endpoint]}}
    return [
        (text[:100], "line"),
        ("", "EOF"),
        ("[]", "object"),
        (json.dumps({**whole, "format": 99}), "99"),
        (json.dumps({**whole, "surprise": 1}), "surprise"),
        (json.dumps({key: value for key, value in whole.items() if key != "services"}), "services"),
        (json.dumps(lost), "/endpoints/vpce-0a"),
    ]


def test_a_file_that_is_broken_is_refused_with_its_fault_and_stays_as_it_is(start):
    stage = start()
    fill(stage)
    assert stage.close() == 0
    for text, fault in broken_documents(start.file.read_text()):
        start.file.write_text(text)
        status, complaint = refuse("--port", "0", "--state", str(start.file))
        assert status == 1 and fault in complaint and str(start.file) in complaint, (fault, status, complaint)
        assert len(complaint.splitlines()) == 1 and "panicked" not in complaint, complaint
        assert start.file.read_text() == text
    # Nor is anything left beside it.
    assert [path.name for path in start.file.parent.iterdir()] == [start.file.name]


def test_a_file_that_can_not_be_read_or_written_is_said_to_be_so(tmp_path):
    status, complaint = refuse("--port", "0", "--state", str(tmp_path))
    assert status == 1 and str(tmp_path) in complaint
    # What could not be saved at the end is refused before anything is lost.
    status, complaint = refuse("--port", "0", "--state", str(tmp_path / "missing" / "region.json"))
    assert status == 1 and str(tmp_path / "missing") in complaint


def test_a_settings_option_beside_a_file_is_refused(tmp_path):
    for option in (["--seed", "2"], ["--no-throttling"]):
        status, complaint = refuse("--port", "0", "--state", str(tmp_path / "region.json"), *option)
        assert status == 2 and option[0] in complaint


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=["TERM", "INT", "HUP"])
def test_every_usual_way_to_end_it_saves_it(start, sign):
    stage = start()
    fill(stage)
    whole = world(stage)
    assert stage.close(sign) == 0
    assert world(start()) == whole


def test_a_port_that_is_taken_is_named_with_the_option_that_chooses_another(stage, tmp_path):
    port = stage.url.rpartition(":")[2]
    file = tmp_path / "region.json"
    status, complaint = refuse("--port", port, "--state", str(file))
    assert status == 1 and f"port {port} is taken" in complaint and "`--port`" in complaint, complaint
    assert len(complaint.splitlines()) == 1 and not file.exists()
    # The first keeps on answering.
    assert stage.now()


def test_a_port_for_dns_that_is_taken_is_named_too():
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        status, complaint = refuse("--port", "0", "--dns-port", str(port))
    assert status == 1 and str(port) in complaint and "`--dns-port`" in complaint, complaint
