"""The README's subscriptions, made with the `aws` command line on moto, and real notices that go through them.

The notifier looks at connections in our Region and publishes to moto's SNS: who gets what is moto's to decide.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from jsonschema import Draft202012Validator

import aws_model
from beside import Moto
from function import Function, program
from stage import ACME, INITECH, PROVIDER, REGION
from test_cargo_lambda import ROOT

README = (ROOT / "README.md").read_text()
VALIDATOR = Draft202012Validator(json.loads((ROOT / "infra" / "notice.schema.json").read_text()))
NOTICES = f"arn:aws:sns:{REGION}:{PROVIDER}:notices"
OWN = f"arn:aws:sns:{REGION}:{PROVIDER}:notices-initech"


def commands():
    """The README's `aws sns subscribe` commands, as lists of words."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("aws sns subscribe ")]


COMMANDS = commands()


def option(command, name):
    return command[command.index(f"--{name}") + 1] if f"--{name}" in command else None


def changed(command, **options):
    """The command with other values of its options."""
    command = list(command)
    for name, value in options.items():
        command[command.index(f"--{name.replace('_', '-')}") + 1] = value
    return command


@pytest.fixture
def moto(monkeypatch):
    """moto, in which everything belongs to the provider: it looks for a queue in the account of the subscription."""
    monkeypatch.setenv("MOTO_ACCOUNT_ID", PROVIDER)
    moto = Moto()
    yield moto
    moto.close()


def aws(moto, command):
    """Runs an `aws` command of the README's against moto."""
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": REGION}
    program = [Path(sys.executable).with_name("aws"), *command[1:], "--endpoint-url", moto.url]
    ended = subprocess.run(program, env=os.environ | keys, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, (command, ended.stderr)
    return json.loads(ended.stdout)


@pytest.fixture
def tell(tmp_path):
    """Runs the notifier once: call it with where EC2 is and where SNS is."""

    def tell(ec2, sns):
        folder = tmp_path / f"function-{time.monotonic_ns()}"
        folder.mkdir()
        policy = folder / "consumers"
        policy.mkdir()
        consumers = [("acme", ACME, ""), ("initech", INITECH, f'topic = "{OWN}"\n')]
        tables = [f'[[consumer]]\nname = "{name}"\naccounts = ["{id}"]\n{topic}' for name, id, topic in consumers]
        (policy / "consumers.toml").write_text("".join(tables))
        variables = {
            "AWS_ENDPOINT_URL_EC2": ec2,
            "AWS_ENDPOINT_URL_SNS": sns,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": PROVIDER,
            "AWS_SECRET_ACCESS_KEY": "none",
            "PRIVATELINK_NOTICE_TOPIC_ARN": NOTICES,
            "PRIVATELINK_POLICY_DIR": str(policy),
        }
        notifier = Function(program("availability-notifier"), variables, folder)
        try:
            return notifier.call({})
        finally:
            notifier.close()

    return tell


def connected(stage, service, account, rejected=False):
    """An endpoint that is available, or was turned away."""
    endpoint = stage.connect(service, account)
    ids = {"ServiceId": service["ServiceId"], "VpcEndpointIds": [endpoint["VpcEndpointId"]]}
    provider = stage.client(PROVIDER)
    (provider.reject_vpc_endpoint_connections if rejected else provider.accept_vpc_endpoint_connections)(**ids)
    return endpoint["VpcEndpointId"]


def queue(moto, name):
    """A new queue's URL and ARN."""
    client = moto.client(PROVIDER, "sqs")
    url = client.create_queue(QueueName=name)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def received(moto, url):
    """The documents in a queue, out of SNS's envelope where they are in one."""
    client, found = moto.client(PROVIDER, "sqs"), []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            body = json.loads(message["Body"])
            found.append(json.loads(body["Message"]) if "TopicArn" in body else body)
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def filters(command):
    attributes = json.loads(option(command, "attributes") or "{}")
    return json.loads(attributes.get("FilterPolicy", "{}"))


def test_the_readme_shows_each_protocol_and_each_filter():
    assert {option(command, "protocol") for command in COMMANDS} >= {"email", "sqs", "lambda", "https"}
    assert {key for command in COMMANDS for key in filters(command)} >= {"consumerAccount", "type", "serviceId"}
    # On a topic that all share, nobody gets everything.
    assert all(filters(command) for command in COMMANDS if option(command, "topic-arn") == NOTICES)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: option(command, "notification-endpoint"))
def test_a_subscription_of_the_readme_gets_what_it_should_and_nothing_else(stage, moto, tell, command):
    sns = moto.client(PROVIDER, "sns")
    for topic in {NOTICES, OWN, option(command, "topic-arn")}:
        sns.create_topic(Name=topic.rpartition(":")[2])
    services = [stage.create_service() for _ in range(2)]
    # The README's service stands for one of these.
    command = [word.replace("vpce-svc-0123456789abcdef0", services[0]["ServiceId"]) for word in command]
    wanted_filter = filters(command)
    # It is taken as it stands; and then a queue listens in its place, since moto sends no mail.
    sns.unsubscribe(SubscriptionArn=aws(moto, command)["SubscriptionArn"])
    url, arn = queue(moto, "listens")
    aws(moto, changed(command, protocol="sqs", notification_endpoint=arn))
    # One that gets all of the topic shows that there was something to be kept out.
    all_url, all_arn = queue(moto, "listens-to-all")
    sns.subscribe(TopicArn=option(command, "topic-arn"), Protocol="sqs", Endpoint=all_arn)

    for service in services:
        for account in (ACME, INITECH, "333344445555"):
            connected(stage, service, account)
            connected(stage, service, account, rejected=True)
    stage.step(130)
    answer = tell(stage.url, moto.url)
    assert [outcome for outcome in answer["outcomes"] if outcome["result"] != "done"] == []

    everything, got = received(moto, all_url), received(moto, url)
    assert everything and all(VALIDATOR.is_valid(document) for document in [*everything, *got])

    def passes(document):
        words = {
            "consumerAccount": document["endpoint"]["account"],
            "type": document["type"],
            "serviceId": document["service"]["id"],
        }
        return all(words[key] in values for key, values in wanted_filter.items())

    def ids(documents):
        return sorted(document["id"] for document in documents)

    assert got and ids(got) == ids(filter(passes, everything))
    assert bool(wanted_filter) == (len(got) < len(everything))
    if option(command, "topic-arn") == OWN:
        assert {document["consumer"] for document in everything} == {"initech"}
    else:
        assert {document["endpoint"]["account"] for document in everything} == {ACME, "333344445555"}

    # A second look sends nothing.
    assert tell(stage.url, moto.url)["outcomes"] == []
    assert received(moto, all_url) == []


def test_what_the_notifier_sends_is_what_aws_takes(stage, tell):
    service = stage.create_service()
    sns = stage.client(PROVIDER, service="sns")
    for topic in (NOTICES, OWN):
        sns.create_topic(Name=topic.rpartition(":")[2])
    for account in (ACME, INITECH):
        connected(stage, service, account)
    stage.step(130)
    before = len(stage.control("GET", "requests"))
    tell(stage.url, stage.url)
    sent = stage.control("GET", "requests")[before:]
    operations = [parse_qs(request["body"])["Action"][0] for request in sent]
    assert operations.count("PublishBatch") == 2 and operations.count("CreateTags") == 2, operations
    for operation, request in zip(operations, sent, strict=True):
        assert aws_model.check_request(operation, request["body"], request["service"]) == [], json.dumps(request)
