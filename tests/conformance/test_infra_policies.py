"""Whom topics, queues, the key, the pipe and the schedules let in, and whom they do not."""

import pytest

from judges import allows
from roles import CONSUMER_TOPIC, EC2, FOREIGN, FUNCTIONS, NOTICES, OPERATORS, SERVICE, STACK
from stage import ACME, INITECH, PROVIDER, REGION
from templates import TOPIC_PARAMETERS, Stack, read


def admitted(policy, principal, action, resource, context):
    """Whether a resource's policy admits one principal: the same statements, of which those count that name it."""

    def named(statement):
        return any(principal in (ids if isinstance(ids, list) else [ids]) for ids in statement["Principal"].values())

    statements = [statement for statement in policy["Statement"] if named(statement)]
    return allows([{"Statement": statements}], action, resource, context)


def document(name, stack=STACK):
    return stack.properties(name)["PolicyDocument"]


def test_the_connection_topic_takes_from_this_accounts_endpoint_services_alone():
    policy, topic, vpce = document("ConnectionTopicPolicy"), STACK.arn("ConnectionTopic"), "vpce.amazonaws.com"
    ours = {"aws:SourceArn": SERVICE, "aws:SourceAccount": PROVIDER}
    assert admitted(policy, vpce, "sns:Publish", topic, ours)
    for wrong in [
        {**ours, "aws:SourceAccount": INITECH},
        {**ours, "aws:SourceArn": SERVICE.replace(EC2, FOREIGN)},
        {**ours, "aws:SourceArn": f"{EC2}:vpc-endpoint/vpce-0aa11bb22cc33dd44"},
        {"aws:SourceArn": SERVICE},
        {"aws:SourceAccount": PROVIDER},
    ]:
        assert not admitted(policy, vpce, "sns:Publish", topic, wrong), wrong
    assert not admitted(policy, vpce, "sns:Subscribe", topic, ours)
    assert {p for s in policy["Statement"] for p in s["Principal"].values()} == {vpce}


def test_every_topic_is_sealed_with_a_key_that_endpoint_services_may_use():
    topics = STACK.of_type("AWS::SNS::Topic")
    assert set(topics) == {"ConnectionTopic", "NoticeTopic", "OperatorTopic"}
    assert {topic["Properties"]["KmsMasterKeyId"] for topic in topics.values()} == {STACK.arn("Key")}
    policy, key = STACK.properties("Key")["KeyPolicy"], STACK.arn("Key")
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        assert admitted(policy, "vpce.amazonaws.com", action, key, {})
    assert not admitted(policy, "vpce.amazonaws.com", "kms:ScheduleKeyDeletion", key, {})
    assert STACK.properties("Key")["EnableKeyRotation"] is True


def test_the_shared_topics_admit_nobody_but_this_account():
    (account, alarms) = document("TopicPolicy")["Statement"]
    assert account["Principal"] == {"AWS": f"arn:aws:iam::{PROVIDER}:root"}
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    topics = STACK.properties("TopicPolicy")["Topics"]
    assert topics == [NOTICES, OPERATORS]


def test_alarms_reach_the_operators_and_no_one_else():
    policy, who = document("TopicPolicy"), "cloudwatch.amazonaws.com"
    ours = {"aws:SourceArn": STACK.arn("DeadLetter"), "aws:SourceAccount": PROVIDER}
    assert admitted(policy, who, "sns:Publish", OPERATORS, ours)
    assert not admitted(policy, who, "sns:Publish", NOTICES, ours)
    for wrong in [
        {"aws:SourceArn": ours["aws:SourceArn"].replace("privatelink-", "else-"), "aws:SourceAccount": PROVIDER},
        {**ours, "aws:SourceAccount": INITECH},
        {},
    ]:
        assert not admitted(policy, who, "sns:Publish", OPERATORS, wrong)
    key = STACK.properties("Key")["KeyPolicy"]
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        assert admitted(key, who, action, STACK.arn("Key"), {"aws:SourceAccount": PROVIDER})
        assert not admitted(key, who, action, STACK.arn("Key"), {"aws:SourceAccount": INITECH})


def test_a_consumers_topic_admits_that_consumer_alone_and_the_notifier_may_publish_to_it():
    stack = Stack(read("consumer-topic.yaml"), TOPIC_PARAMETERS)
    policy, topic = document("TopicPolicy", stack), stack.arn("Topic")
    for account in (ACME, "111122224444"):
        assert admitted(policy, account, "sns:Subscribe", topic, {})
        assert not admitted(policy, account, "sns:Publish", topic, {})
    assert not admitted(policy, INITECH, "sns:Subscribe", topic, {})
    properties = stack.properties("Topic")
    assert CONSUMER_TOPIC.endswith(":" + properties["TopicName"])
    assert properties["KmsMasterKeyId"] == "imported privatelink-KeyArn"
    (export,) = [
        out["Export"]["Name"]
        for out in STACK.template["Outputs"].values()
        if out["Value"] == {"Fn::GetAtt": ["Key", "Arn"]}
    ]
    assert STACK.resolve(export) == "privatelink-KeyArn"


def test_queues_take_from_the_topic_and_from_this_stacks_rules_alone():
    queue, topic = STACK.arn("ConnectionQueue"), {"aws:SourceArn": STACK.arn("ConnectionTopic")}
    assert admitted(document("ConnectionQueuePolicy"), "sns.amazonaws.com", "sqs:SendMessage", queue, topic)
    assert not admitted(
        document("ConnectionQueuePolicy"), "sns.amazonaws.com", "sqs:SendMessage", queue, {"aws:SourceArn": NOTICES}
    )
    assert STACK.properties("ConnectionSubscription")["RedrivePolicy"] == {
        "deadLetterTargetArn": STACK.arn("DeadLetters")
    }
    assert admitted(
        document("DeadLettersPolicy"), "sns.amazonaws.com", "sqs:SendMessage", STACK.arn("DeadLetters"), topic
    )
    assert not admitted(
        document("DeadLettersPolicy"),
        "sns.amazonaws.com",
        "sqs:SendMessage",
        STACK.arn("DeadLetters"),
        {"aws:SourceArn": NOTICES},
    )
    dead, rules = STACK.arn("DeadLetters"), f"arn:aws:events:{REGION}:{PROVIDER}:rule/"
    for rule, expected in [
        ("privatelink-DomainVerifierCall-1ABC", True),
        ("privatelink/privatelink-Notification-1ABC", True),
        ("else", False),
        ("else/privatelink-x", False),
    ]:
        context = {"aws:SourceArn": rules + rule}
        assert (
            admitted(document("DeadLettersPolicy"), "events.amazonaws.com", "sqs:SendMessage", dead, context)
            == expected
        ), rule


@pytest.mark.parametrize(
    "role, service, calls",
    [
        (
            "ConnectionPipeRole",
            "pipes.amazonaws.com",
            [
                *[
                    (f"sqs:{action}", "ConnectionQueue", {})
                    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
                ],
                (
                    "events:PutEvents",
                    "Bus",
                    {"events:source": "privatelink", "events:detail-type": "Endpoint Connection Notification"},
                ),
            ],
        ),
        (
            "ScheduleRole",
            "scheduler.amazonaws.com",
            [("lambda:InvokeFunction", f"{function}Alias", {}) for function in FUNCTIONS],
        ),
    ],
)
def test_the_pipe_and_the_schedules_may_do_their_part(role, service, calls):
    (policy,) = [policy["PolicyDocument"] for policy in STACK.properties(role)["Policies"]]
    for action, resource, context in calls:
        assert allows([policy], action, STACK.arn(resource), context), (action, resource)
        assert not allows([policy], action, STACK.arn("DeadLetters"), context), action
    listed = [
        action
        for statement in policy["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]
    assert set(listed) == {action for action, _, _ in calls}
    trust = STACK.properties(role)["AssumeRolePolicyDocument"]["Statement"]
    assert [(s["Principal"], s["Condition"]) for s in trust] == [
        ({"Service": service}, {"StringEquals": {"aws:SourceAccount": PROVIDER}})
    ]
