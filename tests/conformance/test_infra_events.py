"""The wires between events and functions: each rule against each event, the pipe against what SNS puts in a queue."""

import functools
import itertools
import json
import re

import boto3
import pytest
from moto import mock_aws

from judges import OPERATORS, matches, operators
from stage import ACME, PROVIDER, REGION
from templates import INFRA, ROOT, provider

NOTIFICATIONS = [
    "connection-notification-object",
    "connection-notification-prose",
    "connection-notification-without-id",
]
# The service that the events name.
SERVICE = "vpce-svc-0123456789abcdef0"
# What each rule takes of all that is in `events/`.
TAKEN = {
    "ConnectionAcceptorNotification": NOTIFICATIONS,
    "ConnectionAcceptorCall": [
        "cloudtrail-modify-permissions",
        "cloudtrail-modify-service",
        "cloudtrail-parameters-omitted",
        "cloudtrail-reject",
        "cloudtrail-remove-private-dns-name",
    ],
    "DomainVerifierCall": [
        "cloudtrail-create-service",
        "cloudtrail-modify-service",
        "cloudtrail-remove-private-dns-name",
        "cloudtrail-start-verification",
    ],
    "AvailabilityNotifierNotification": NOTIFICATIONS,
    "AvailabilityNotifierCall": ["cloudtrail-accept", "cloudtrail-reject"],
}
RULES = {name: rule["Properties"] for name, rule in provider().of_type("AWS::Events::Rule").items()}


def events():
    """All that is in `events/` and is an event at all, by its name there."""
    found = {}
    for path in sorted((ROOT / "events").rglob("*")):
        try:
            event = json.loads(path.read_bytes()) if path.is_file() else None
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            found[str(path.relative_to(ROOT / "events").with_suffix(""))] = event
    return found


EVENTS = events()


def test_there_are_no_other_rules_than_these():
    assert set(RULES) == set(TAKEN) and len(EVENTS) > 30
    # One of each function's calls reaches some function, and no call does of which the functions know nothing.
    source = (ROOT / "functions/core/src/trigger.rs").read_text()
    calls = re.search(r"const CALLS: .*?= \[(.*?)\];", source, re.DOTALL)[1]
    named = {name for rule in RULES.values() for name in rule["EventPattern"].get("detail", {}).get("eventName", [])}
    assert named == set(re.findall(r'"(\w+)"', calls))


@pytest.mark.parametrize("rule", TAKEN)
def test_a_rule_takes_its_events_and_no_others(rule):
    pattern = RULES[rule]["EventPattern"]
    assert operators(pattern) <= OPERATORS
    taken = {name for name, event in EVENTS.items() if matches(pattern, event)}
    hostile = {name for name in taken if name.startswith("hostile/")}
    assert taken - hostile == set(TAKEN[rule])
    # A hostile one is taken only for what it pretends to be, which is one of the two forms.
    for name in hostile:
        kind = pattern["detail-type"][0]
        assert (EVENTS[name]["source"], EVENTS[name]["detail-type"]) == (pattern["source"][0], kind), name


@pytest.mark.parametrize("rule", TAKEN)
@pytest.mark.parametrize(
    "field, other",
    [("source", "aws.s3"), ("source", "privatelink.else"), ("account", "111122223333"), ("detail-type", "Else")],
)
def test_a_rule_takes_nothing_of_another_source_account_or_kind(rule, field, other):
    pattern = RULES[rule]["EventPattern"]
    for name in TAKEN[rule]:
        event = EVENTS[name]
        assert matches(pattern, event)
        assert not matches(pattern, {**event, field: other}), name
        assert not matches(pattern, {key: value for key, value in event.items() if key != field}), name


@pytest.mark.parametrize("rule", [rule for rule in TAKEN if rule.endswith("Call")])
def test_a_call_that_failed_wakes_nobody(rule):
    pattern = RULES[rule]["EventPattern"]
    for name in TAKEN[rule]:
        event = EVENTS[name]
        failed = {**event["detail"], "errorCode": "Client.DryRunOperation"}
        assert not matches(pattern, {**event, "detail": failed})
        assert not matches(pattern, {**event, "detail": {**event["detail"], "eventSource": "s3.amazonaws.com"}})


def test_the_acceptor_does_not_hear_of_its_own_rejections():
    pattern = RULES["ConnectionAcceptorCall"]["EventPattern"]
    event = EVENTS["cloudtrail-reject"]
    role = provider().properties("ConnectionAcceptor")["Role"]
    session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/connection-acceptor"
    assert session != role

    def heard(identity):
        return matches(pattern, {**event, "detail": {**event["detail"], "userIdentity": identity}})

    assert not heard({"type": "AssumedRole", "arn": session})
    assert heard({"type": "AssumedRole", "arn": session.replace("assumed-role/", "assumed-role/x")})
    assert heard({"type": "Root", "arn": f"arn:aws:iam::{PROVIDER}:root"})
    assert heard({"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"})


def test_a_rule_is_on_the_bus_that_its_events_come_on_and_invokes_one_function():
    stack = provider()
    permissions = stack.of_type("AWS::Lambda::Permission").values()
    for name, rule in RULES.items():
        function = re.sub("(Notification|Call)$", "", name)
        assert rule.get("EventBusName") == ("Bus" if name.endswith("Notification") else None)
        (target,) = rule["Targets"]
        assert target["Arn"] == stack.arn(function)
        assert target["DeadLetterConfig"] == {"Arn": stack.arn("DeadLetters")}
        (permission,) = [p["Properties"] for p in permissions if p["Properties"]["SourceArn"] == stack.arn(name)]
        assert (permission["FunctionName"], permission["Principal"]) == (function, "events.amazonaws.com")
        # Its input is the event as it is.
        assert not {"Input", "InputPath", "InputTransformer"} & set(target)


# ---- the pipe ----

PIPE = provider().properties("ConnectionPipe")
MESSAGES = {
    "prose": EVENTS["connection-notification-prose"]["detail"]["message"],
    "quoted": 'A "VPC endpoint",\n\\ and more: vpce-0aa11bb22cc33dd44 <$.body.Subject>',
    "json": json.dumps(EVENTS["connection-notification-object"]["detail"]["message"]),
}


@functools.cache
def delivered(message, subject):
    """What SNS, as moto has it, puts in a queue."""
    with mock_aws():
        keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
        sns, sqs = (boto3.client(name, REGION, **keys) for name in ("sns", "sqs"))
        topic = sns.create_topic(Name="endpoint-connections")["TopicArn"]
        queue = sqs.create_queue(QueueName="connections")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        sns.publish(TopicArn=topic, Message=message, **({"Subject": subject} if subject else {}))
        (received,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    return {"messageId": received["MessageId"], "body": received["Body"], "eventSource": "aws:sqs"}


def piped(record, *, absent, nested):
    """The event that the pipe makes of a queue's record.

    By AWS's words: the record's body is read as JSON, a variable that is a string gets its quotes, one that is an
    object gets none. They leave open what stands where a path leads nowhere (`absent`), and whether JSON within the
    JSON is read too (`nested`); this is done each way.
    """
    event = {**record, "body": json.loads(record["body"])}

    def value(found):
        at = event
        for key in found[1].split("."):
            if key not in at:
                return absent
            at = at[key]
        if nested and isinstance(at, str) and at.startswith("{"):
            return at
        return json.dumps(at)

    detail = json.loads(re.sub(r"<\$\.([A-Za-z.]+)>", value, PIPE["TargetParameters"]["InputTemplate"]))
    bus = PIPE["TargetParameters"]["EventBridgeEventBusParameters"]
    return {"account": PROVIDER, "source": bus["Source"], "detail-type": bus["DetailType"], "detail": detail}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("absent", ["null", '""'])
@pytest.mark.parametrize("subject", [None, "VPC endpoint connection"])
@pytest.mark.parametrize("message", MESSAGES)
def test_the_pipe_makes_the_event_that_is_promised(message, subject, absent, nested):
    record = delivered(MESSAGES[message], subject)
    envelope = json.loads(record["body"])
    assert ("Subject" in envelope) == (subject is not None)
    event = piped(record, absent=absent, nested=nested)
    assert event["detail"] == {
        "topicArn": envelope["TopicArn"],
        "messageId": envelope["MessageId"],
        "timestamp": envelope["Timestamp"],
        "subject": subject or json.loads(absent),
        "message": json.loads(MESSAGES[message]) if nested and message == "json" else MESSAGES[message],
    }
    # It has the fields of the events that the functions are tested with, and both functions get it.
    assert set(event["detail"]) == set(EVENTS["connection-notification-prose"]["detail"])
    takers = {name for name, rule in RULES.items() if matches(rule["EventPattern"], event)}
    assert takers == {"ConnectionAcceptorNotification", "AvailabilityNotifierNotification"}


def test_the_acceptor_takes_what_the_pipe_makes(stage, deploy):
    service = stage.control("POST", f"services?id={SERVICE}&owner={PROVIDER}")
    acceptor = deploy("connection-acceptor", PRIVATELINK_POLICY_DIR=str(INFRA / "policy"))
    for message in MESSAGES.values():
        for subject, absent, nested in itertools.product(
            (None, "VPC endpoint connection"), ("null", '""'), (False, True)
        ):
            endpoint = stage.connect({"ServiceName": service["serviceName"]})
            acceptor.call(piped(delivered(message, subject), absent=absent, nested=nested))
            assert stage.state(endpoint) == "pending"
            # Nobody may have more than two.
            stage.client(ACME).delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])


def test_the_road_leads_from_the_topic_to_the_bus():
    stack = provider()
    subscription = stack.properties("ConnectionSubscription")
    assert subscription == {
        "TopicArn": stack.arn("ConnectionTopic"),
        "Protocol": "sqs",
        "Endpoint": stack.arn("ConnectionQueue"),
        "RedrivePolicy": {"deadLetterTargetArn": stack.arn("DeadLetters")},
    }, "with the envelope, which raw delivery would take away"
    assert (PIPE["Source"], PIPE["Target"]) == (stack.arn("ConnectionQueue"), stack.arn("Bus"))
    queue = stack.properties("ConnectionQueue")
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == stack.arn("DeadLetters")
