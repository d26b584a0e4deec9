"""What each function may do: every call that it makes, nothing that it does not make, and nothing wider than it has to be.

What it makes is not what somebody thinks that it makes, but what it made in all scenarios of the Rust tests: a recording.
"""

import copy
import functools
import json
import re

import pytest
import recording
from judges import allows
from stage import ACME, INITECH, PROVIDER, REGION
from templates import DNS_ROLE, OTHER_KEY, OTHER_TOPIC, ROOT, TOPIC_PARAMETERS, ZONE, Stack, provider, read

STACK = provider()
EC2 = f"arn:aws:ec2:{REGION}:{PROVIDER}"
SERVICE = f"{EC2}:vpc-endpoint-service/vpce-svc-0123456789abcdef0"
CONNECTION = f"{EC2}:vpc-endpoint-connection/vpce-con-0f1e2d3c4b5a69788"
NOTICES, OPERATORS = STACK.arn("NoticeTopic"), STACK.arn("OperatorTopic")
CONSUMER_TOPIC = f"arn:aws:sns:{REGION}:{PROVIDER}:privatelink-consumer-acme"
HERE = {"ec2:Region": REGION}
TAGGED = {"aws:ResourceTag/privatelink": "managed"}
BY_SNS = {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}
ROUTE53 = "route53:ChangeResourceRecordSets"


def tags(*keys):
    return {"aws:TagKeys": list(keys)}


def change(name="_6e86v84tqgqubxbwii1m.api.example.com", kind="TXT", actions=("CREATE",), without=None):
    """What Route 53 tells IAM of a batch."""
    keys = {"NormalizedRecordNames": [name], "RecordTypes": [kind], "Actions": list(actions)}
    return {ROUTE53 + key: value for key, value in keys.items() if key != without}


def platform(function):
    """What Lambda does in a function's name."""
    group = STACK.arn(function + "Logs")
    return [
        ("logs:CreateLogStream", group, {}),
        ("logs:PutLogEvents", group, {}),
        ("xray:PutTraceSegments", "*", {}),
        ("xray:PutTelemetryRecords", "*", {}),
        ("sqs:SendMessage", STACK.arn("DeadLetters"), {}),
    ]


SEALING = [(f"kms:{action}", STACK.arn("Key"), BY_SNS) for action in ("GenerateDataKey", "Decrypt")]
READING = ("ec2:DescribeVpcEndpointServiceConfigurations", "*", HERE)
CONNECTIONS = ("ec2:DescribeVpcEndpointConnections", "*", HERE)
FUNCTIONS = {"ConnectionAcceptor": "connection-acceptor", "DomainVerifier": "domain-verifier", "AvailabilityNotifier": "availability-notifier"}
FOREIGN = f"arn:aws:ec2:{REGION}:{INITECH}"
ELSEWHERE = {"ec2:Region": "eu-west-1"}
# What each function must not be allowed: what stands close to what it may do.
DENIED = {
    "ConnectionAcceptor": [
        (READING[0], "*", ELSEWHERE), (CONNECTIONS[0], "*", ELSEWHERE),
        *[
            (f"ec2:{verb}VpcEndpointConnections", resource, context)
            for verb in ("Accept", "Reject")
            for resource, context in [
                (SERVICE, {}), (SERVICE, {"aws:ResourceTag/privatelink": "else"}), (SERVICE, {"aws:ResourceTag/else": "managed"}),
                (SERVICE.replace(EC2, FOREIGN), TAGGED), (CONNECTION, TAGGED),
            ]
        ],
        ("ec2:CreateTags", CONNECTION, {}),
        ("ec2:CreateTags", CONNECTION, tags("privatelink:decision", "Name")),
        ("ec2:CreateTags", CONNECTION, tags("privatelink:notified")),
        ("ec2:CreateTags", SERVICE, {**TAGGED, **tags("privatelink:decision")}),
        ("ec2:CreateTags", f"{EC2}:instance/i-0123456789abcdef0", tags("privatelink:decision")),
        ("ec2:DeleteTags", CONNECTION, tags("privatelink:decision")),
        ("ec2:ModifyVpcEndpointServicePermissions", SERVICE, TAGGED),
        ("sns:Publish", OPERATORS, {}),
    ],
    "DomainVerifier": [
        (READING[0], "*", ELSEWHERE),
        (ROUTE53, ZONE, change(actions=("UPSERT",))),
        (ROUTE53, ZONE, change(actions=("CREATE", "UPSERT"))),
        (ROUTE53, ZONE, change(kind="A")),
        (ROUTE53, ZONE, change(kind="CNAME")),
        (ROUTE53, ZONE, change(name="api.example.com")),
        (ROUTE53, ZONE, change(name="www._x.example.com")),
        *[(ROUTE53, ZONE, change(without=key)) for key in ("NormalizedRecordNames", "RecordTypes", "Actions")],
        (ROUTE53, ZONE.replace("Z0", "Z9"), change()),
        ("route53:ListResourceRecordSets", ZONE.replace("Z0", "Z9"), {}),
        ("route53:DeleteHostedZone", ZONE, {}),
        ("ec2:StartVpcEndpointServicePrivateDnsVerification", SERVICE, {}),
        ("ec2:CreateTags", SERVICE, tags("privatelink:domain")),
        ("ec2:CreateTags", SERVICE, TAGGED),
        # Else it could tag whatever it likes into what it may act on.
        ("ec2:CreateTags", SERVICE, {**TAGGED, **tags("privatelink:domain", "privatelink")}),
        ("ec2:CreateTags", CONNECTION, {**TAGGED, **tags("privatelink:domain")}),
        ("ec2:AcceptVpcEndpointConnections", SERVICE, TAGGED),
        ("ec2:ModifyVpcEndpointServiceConfiguration", SERVICE, TAGGED),
        ("sts:AssumeRole", DNS_ROLE + "2", {}),
        ("sns:Publish", NOTICES, {}),
        ("kms:Decrypt", STACK.arn("Key"), {}),
    ],
    "AvailabilityNotifier": [
        (READING[0], "*", ELSEWHERE), (CONNECTIONS[0], "*", ELSEWHERE),
        ("ec2:AcceptVpcEndpointConnections", SERVICE, TAGGED),
        ("ec2:CreateTags", CONNECTION, {}),
        ("ec2:CreateTags", CONNECTION, tags("privatelink:decision")),
        ("ec2:CreateTags", SERVICE, {**TAGGED, **tags("privatelink:notified")}),
        ("sns:Publish", STACK.arn("ConnectionTopic"), {}),
        ("sns:Publish", CONSUMER_TOPIC.replace(PROVIDER, INITECH), {}),
        ("sns:Publish", OTHER_TOPIC + "2", {}),
        ("sns:Subscribe", NOTICES, {}),
        ("kms:Decrypt", STACK.arn("Key"), {}),
        ("kms:Decrypt", OTHER_KEY, {}),
        ("kms:Decrypt", OTHER_KEY + "1", BY_SNS),
    ],
}


def policies(function, stack=STACK):
    """The policies of a function's role, with those that are resources of their own."""
    assert stack.properties(function)["Role"] == stack.arn(function + "Role")
    found = [policy["PolicyDocument"] for policy in stack.properties(function + "Role")["Policies"]]
    for policy in stack.of_type("AWS::IAM::RolePolicy").values():
        if policy["Properties"]["RoleName"] == function + "Role":
            found.append(json.loads(policy["Properties"]["PolicyDocument"]))
    assert "ManagedPolicyArns" not in stack.properties(function + "Role")
    return found


def deployed(resource):
    """What stands in the deployed stack for something that a scenario made: the parameters name what there is."""
    if resource.startswith("arn:aws:sns:"):
        names = {"notices": NOTICES, "operators": OPERATORS}
        topic = CONSUMER_TOPIC if resource.startswith(f"arn:aws:sns:{REGION}:{PROVIDER}:") else OTHER_TOPIC
        return names.get(resource.rpartition(":")[2], topic)
    examples = {
        "vpc-endpoint-service/": SERVICE, "vpc-endpoint-connection/": CONNECTION, ":hostedzone/": ZONE, ":role/": DNS_ROLE,
    }
    return next((example for part, example in examples.items() if part in resource), resource)


@functools.cache
def recorded(function):
    """Every call that a function made, once each."""
    made = recording.calls()[FUNCTIONS[function]]
    asked = {recording.Call(call.action, deployed(call.resource), call.context) for call in made}
    contexts = lambda call: {key: list(v) if isinstance(v, tuple) else v for key, v in call.context}
    return [(call.action, call.resource, contexts(call)) for call in sorted(asked, key=str)]


def needed(function):
    """What it made, and what AWS does in its name."""
    calls = recorded(function)
    sealed = list(SEALING) if any(action == "sns:Publish" for action, _, _ in calls) else []
    if any(resource == OTHER_TOPIC for _, resource, _ in calls):
        sealed += [(action, OTHER_KEY, {"kms:ViaService": "sns.eu-west-1.amazonaws.com"}) for action, _, _ in SEALING]
    return calls + sealed + platform(function)


# ---- the recording ----


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_was_recorded_with_what_its_work_is(function):
    """A recording that lacks something would let a role lack it too."""
    work = {
        "ConnectionAcceptor": {"AcceptVpcEndpointConnections", "RejectVpcEndpointConnections", "CreateTags"},
        "DomainVerifier": {"ChangeResourceRecordSets", "GetChange", "StartVpcEndpointServicePrivateDnsVerification", "AssumeRole", "Publish", "CreateTags"},
        "AvailabilityNotifier": {"Publish", "CreateTags"},
    }
    assert work[function] <= {action.partition(":")[2] for action, _, _ in recorded(function)}


def test_every_tag_that_the_code_writes_was_recorded():
    source = (ROOT / "functions/core/src/observed.rs").read_text()
    written = set(re.findall(r'pub const TAG_\w+: &str = "([^"]+)"', source))
    assert written == {key for function in FUNCTIONS for _, _, context in recorded(function) for key in context.get("aws:TagKeys", ())}


def test_the_role_of_another_account_needs_what_the_readme_says():
    assert {call.action for call in recording.calls()["(other)"]} == {
        "route53:ListHostedZonesByName", "route53:GetHostedZone", "route53:ListResourceRecordSets", "route53:GetChange", ROUTE53,
    }


# ---- the roles ----


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_every_call_of_its_function(function):
    for action, resource, context in needed(function):
        assert allows(policies(function), action, resource, context), (action, resource, context)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_denies_what_stands_close_to_it(function):
    for action, resource, context in DENIED[function]:
        assert not allows(policies(function), action, resource, context), (action, resource, context)


def places(value, path=()):
    """Where in a statement something could be left out: every item of every list, and every condition."""
    if isinstance(value, dict):
        for key, item in value.items():
            if path[:1] == ("Condition",) and len(path) == 1 and len(value[key]) == 0:
                continue
            if path[:1] == ("Condition",) and len(path) == 2 - 1:
                for name in item:
                    yield (*path, key, name)
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield (*path, index)


def weighed(function):
    """Each thing that a role's policies say, with the policies as they would be without it."""
    whole = policies(function)
    for p, policy in enumerate(whole):
        for s, statement in enumerate(policy["Statement"]):
            yield (statement["Sid"],), without(whole, p, s, ())
            for place in places(statement):
                yield (statement["Sid"], *place), without(whole, p, s, place)


def without(whole, p, s, place):
    changed = copy.deepcopy(whole)
    at, key = changed[p]["Statement"], s
    for step in place:
        at, key = at[key], step
    del at[key]
    return changed


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_says_nothing_that_could_be_left_out(function):
    judged = 0
    for place, less in weighed(function):
        denied = [call for call in needed(function) if not allows(less, *call)]
        allowed = [call for call in DENIED[function] if allows(less, *call)]
        # What is granted is needed, and what is forbidden by a condition is forbidden by that one.
        assert denied or allowed, place
        judged += 1
    assert judged >= 20


@pytest.mark.parametrize("function", FUNCTIONS)
def test_everything_is_named_that_can_be(function):
    nameless = {READING[0], CONNECTIONS[0], "route53:ListHostedZonesByName", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    for policy in policies(function):
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not any("*" in action for action in actions)
            if statement["Resource"] == "*":
                assert set(actions) <= nameless, statement


def test_without_zones_roles_and_topics_nothing_is_granted_for_them():
    bare = provider(HostedZoneArns="", DnsRoleArns="", OtherTopicArns="", OtherKeyArns="", ReservedConcurrency="")
    verifier, notifier = policies("DomainVerifier", bare), policies("AvailabilityNotifier", bare)
    for call in [(ROUTE53, ZONE, change()), ("route53:ListResourceRecordSets", ZONE, {}), ("sts:AssumeRole", DNS_ROLE, {})]:
        assert allows(policies("DomainVerifier"), *call) and not allows(verifier, *call)
    assert not allows(notifier, "sns:Publish", OTHER_TOPIC, {})
    assert not allows(notifier, "kms:Decrypt", OTHER_KEY, {"kms:ViaService": "sns.eu-west-1.amazonaws.com"})
    assert allows(notifier, "sns:Publish", CONSUMER_TOPIC, {})


# ---- the policies of topics, queues and the key ----


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
        {"aws:SourceArn": SERVICE}, {"aws:SourceAccount": PROVIDER},
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
        {**ours, "aws:SourceAccount": INITECH}, {},
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
    (export,) = [out["Export"]["Name"] for out in STACK.template["Outputs"].values() if out["Value"] == {"Fn::GetAtt": ["Key", "Arn"]}]
    assert STACK.resolve(export) == "privatelink-KeyArn"


def test_queues_take_from_the_topic_and_from_this_stacks_rules_alone():
    queue, topic = STACK.arn("ConnectionQueue"), {"aws:SourceArn": STACK.arn("ConnectionTopic")}
    assert admitted(document("ConnectionQueuePolicy"), "sns.amazonaws.com", "sqs:SendMessage", queue, topic)
    assert not admitted(document("ConnectionQueuePolicy"), "sns.amazonaws.com", "sqs:SendMessage", queue, {"aws:SourceArn": NOTICES})
    assert STACK.properties("ConnectionSubscription")["RedrivePolicy"] == {"deadLetterTargetArn": STACK.arn("DeadLetters")}
    assert admitted(document("DeadLettersPolicy"), "sns.amazonaws.com", "sqs:SendMessage", STACK.arn("DeadLetters"), topic)
    assert not admitted(document("DeadLettersPolicy"), "sns.amazonaws.com", "sqs:SendMessage", STACK.arn("DeadLetters"), {"aws:SourceArn": NOTICES})
    dead, rules = STACK.arn("DeadLetters"), f"arn:aws:events:{REGION}:{PROVIDER}:rule/"
    for rule, expected in [
        ("privatelink-DomainVerifierCall-1ABC", True), ("privatelink/privatelink-Notification-1ABC", True),
        ("else", False), ("else/privatelink-x", False),
    ]:
        context = {"aws:SourceArn": rules + rule}
        assert admitted(document("DeadLettersPolicy"), "events.amazonaws.com", "sqs:SendMessage", dead, context) == expected, rule


@pytest.mark.parametrize(
    "role, service, calls",
    [
        ("ConnectionPipeRole", "pipes.amazonaws.com", [
            *[(f"sqs:{action}", "ConnectionQueue", {}) for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")],
            ("events:PutEvents", "Bus", {"events:source": "privatelink", "events:detail-type": "Endpoint Connection Notification"}),
        ]),
        ("ScheduleRole", "scheduler.amazonaws.com", [
            ("lambda:InvokeFunction", f"{function}Alias", {}) for function in FUNCTIONS
        ]),
    ],
)
def test_the_pipe_and_the_schedules_may_do_their_part(role, service, calls):
    (policy,) = [policy["PolicyDocument"] for policy in STACK.properties(role)["Policies"]]
    for action, resource, context in calls:
        assert allows([policy], action, STACK.arn(resource), context), (action, resource)
        assert not allows([policy], action, STACK.arn("DeadLetters"), context), action
    listed = [action for statement in policy["Statement"] for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])]
    assert set(listed) == {action for action, _, _ in calls}
    trust = STACK.properties(role)["AssumeRolePolicyDocument"]["Statement"]
    assert [(s["Principal"], s["Condition"]) for s in trust] == [
        ({"Service": service}, {"StringEquals": {"aws:SourceAccount": PROVIDER}})
    ]
