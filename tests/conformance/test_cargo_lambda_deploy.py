"""The README's way without CloudFormation: its own commands, run on moto, and what they made beside the template.

`cargo lambda deploy` sends the programs that the tests have built to moto's Lambda, with what each function's
Cargo.toml says of it.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from beside import Moto
from function import program
from judges import allows, matches
from roles import DENIED, FUNCTIONS, OTHER_TOPIC, platform, recorded
from stage import PROVIDER, REGION
from templates import INFRA, PROVIDER_PARAMETERS, ROOT, provider
from test_infra_events import EVENTS, RULES

STACK = provider(Architecture="x86_64")
BY_HAND = f"arn:aws:sns:{REGION}:{PROVIDER}:privatelink-"
# What the template calls something, and what it is by hand.
NAMES = {
    STACK.arn("NoticeTopic"): BY_HAND + "notices",
    STACK.arn("OperatorTopic"): BY_HAND + "operators",
    "/opt/policy": "/var/task/infra/policy",
}
MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]


@pytest.fixture(scope="module")
def moto():
    """moto, in which everything belongs to the provider, after somebody has done what the README says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_ACCOUNT_ID", PROVIDER)
        server = Moto()
        yield server
        server.close()


@pytest.fixture(scope="module")
def made(moto, tmp_path_factory):
    """The folder of what was built, after the README's commands have sent it."""
    folder = tmp_path_factory.mktemp("by-hand")
    for name in FUNCTIONS.values():
        (folder / "lambda" / name).mkdir(parents=True)
        # Without what is there for debuggers, as `cargo lambda build --release` makes it.
        subprocess.run(["strip", "-o", folder / "lambda" / name / "bootstrap", program(name)], check=True)
    (commands,) = re.findall(r"```sh\n# by hand\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    tag, since = PROVIDER_PARAMETERS["ServiceTag"], PROVIDER_PARAMETERS["NotifySince"]
    assert f"\nregion={REGION} tag={tag} since={since} mode=observe\n" in commands
    variables = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": moto.url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        # Where `cargo lambda` looks for what was built.
        "CARGO_TARGET_DIR": str(folder),
    }
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


@pytest.fixture
def client(moto, made):
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return lambda service: boto3.client(service, REGION, endpoint_url=moto.url, **keys)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_what_the_template_says(client, function):
    got = client("lambda").get_function(FunctionName=FUNCTIONS[function])
    found, wanted = got["Configuration"], STACK.properties(function)
    assert (
        (found["Handler"], found["Runtime"])
        == (wanted["Handler"], wanted["Runtime"])
        == ("bootstrap", "provided.al2023")
    )
    assert (found["MemorySize"], found["Timeout"]) == (wanted["MemorySize"], wanted["Timeout"])
    assert found["Architectures"] == [MACHINE] == provider(Architecture=MACHINE).properties(function)["Architectures"]
    assert found["TracingConfig"] == wanted["TracingConfig"]
    assert found["Role"] == f"arn:aws:iam::{PROVIDER}:role/privatelink-{FUNCTIONS[function]}"
    variables = {key: NAMES.get(value, value) for key, value in wanted["Environment"]["Variables"].items()}
    others = {"PRIVATELINK_OPERATOR_TOPIC_ARN", "PRIVATELINK_NOTICE_TOPIC_ARN", "PRIVATELINK_NOTIFY_SINCE"} - set(
        variables
    )
    given = found["Environment"]["Variables"]
    # The commands give each function all that one of them reads.
    assert {key: value for key, value in given.items() if key not in others} == {
        **variables,
        "PRIVATELINK_MODE": "observe",
    }
    assert provider().properties(function)["Environment"]["Variables"]["PRIVATELINK_MODE"] == "observe"


@pytest.mark.parametrize("name", FUNCTIONS.values())
def test_the_policy_folder_travels_with_the_program(client, made, name):
    package = made / "lambda" / name / "bootstrap.zip"
    # It is this that was sent.
    digest = base64.b64encode(hashlib.sha256(package.read_bytes()).digest()).decode()
    assert client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"] == digest
    policy = {f"infra/policy/{path.name}": path.read_bytes() for path in (INFRA / "policy").iterdir()}
    with zipfile.ZipFile(package) as packed:
        assert {info.filename for info in packed.infolist() if not info.is_dir()} == {"bootstrap", *policy}
        assert {file: packed.read(file) for file in policy} == policy


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_made_by_hand_allows_what_the_templates_role_does(client, function):
    iam, name = client("iam"), f"privatelink-{FUNCTIONS[function]}"
    policy = iam.get_role_policy(RoleName=name, PolicyName="function")["PolicyDocument"]
    assert (
        iam.list_role_policies(RoleName=name)["PolicyNames"] == ["function"]
        and not iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    )
    logs = f"arn:aws:logs:{REGION}:{PROVIDER}:log-group:/aws/lambda/{FUNCTIONS[function]}:*"
    # Its log group has another name, and it has no queue for what fails.
    extra = [
        (action, logs if action.startswith("logs:") else resource, context)
        for action, resource, context in platform(function)
        if not action.startswith("sqs:")
    ]
    for action, resource, context in recorded(function) + extra:
        if resource != OTHER_TOPIC:
            assert allows([policy], action, NAMES.get(resource, resource), context), (action, resource, context)
    for action, resource, context in DENIED[function]:
        assert not allows([policy], action, NAMES.get(resource, resource), context), (action, resource, context)


def test_the_rules_take_what_the_templates_rules_take_and_invoke_the_same_functions(client):
    events = client("events")
    rules = {rule["Name"]: rule for rule in events.list_rules()["Rules"]}
    targets = {
        name: {t["Arn"].rpartition(":")[2] for t in events.list_targets_by_rule(Rule=name)["Targets"]} for name in rules
    }
    assert targets == {
        "privatelink-sweep": {"connection-acceptor", "availability-notifier"},
        "privatelink-verify": {"domain-verifier"},
        "privatelink-acceptor": {"connection-acceptor"},
        "privatelink-verifier": {"domain-verifier"},
        "privatelink-notifier": {"availability-notifier"},
    }
    parameters = STACK.template["Parameters"]
    assert rules["privatelink-sweep"]["ScheduleExpression"] == parameters["SweepEvery"]["Default"]
    assert rules["privatelink-verify"]["ScheduleExpression"] == parameters["VerifyEvery"]["Default"]
    for ours, theirs in (
        ("acceptor", "ConnectionAcceptorCall"),
        ("verifier", "DomainVerifierCall"),
        ("notifier", "AvailabilityNotifierCall"),
    ):
        text = rules[f"privatelink-{ours}"]["EventPattern"]
        pattern = json.loads(text)
        # By hand a role is called after its function.
        text = text.replace("assumed-role/privatelink-connection-acceptor/", "assumed-role/ConnectionAcceptorRole/")
        assert json.loads(text) == RULES[theirs]["EventPattern"]
        assert any(matches(pattern, event) for event in EVENTS.values())


def test_whoever_invokes_a_function_is_allowed_to(client):
    for name in FUNCTIONS.values():
        policy = json.loads(client("lambda").get_policy(FunctionName=name)["Policy"])
        found = {s["Principal"]["Service"]: s["Condition"]["ArnLike"]["AWS:SourceArn"] for s in policy["Statement"]}
        wanted = {"events.amazonaws.com": f"arn:aws:events:{REGION}:{PROVIDER}:rule/privatelink-*"}
        if name != "domain-verifier":
            wanted["sns.amazonaws.com"] = BY_HAND + "connections"
        assert found == wanted


def test_connection_notifications_reach_both_functions_and_come_from_this_account_alone(client):
    sns = client("sns")
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=BY_HAND + "connections")["Subscriptions"]
    assert {(s["Protocol"], s["Endpoint"].rpartition(":")[2]) for s in subscriptions} == {
        ("lambda", "connection-acceptor"),
        ("lambda", "availability-notifier"),
    }
    (statement,) = json.loads(sns.get_topic_attributes(TopicArn=BY_HAND + "connections")["Attributes"]["Policy"])[
        "Statement"
    ]
    (wanted,) = STACK.properties("ConnectionTopicPolicy")["PolicyDocument"]["Statement"]
    same = ("Effect", "Principal", "Action", "Condition")
    assert {key: statement[key] for key in same} == {key: wanted[key] for key in same}
    assert {topic["TopicArn"] for topic in sns.list_topics()["Topics"]} == {
        BY_HAND + name for name in ("connections", "notices", "operators")
    }
