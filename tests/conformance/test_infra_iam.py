"""What each function may do: every call that it makes, nothing else, and nothing wider than it has to be."""

import copy
import re

import pytest

import recording
from judges import allows
from roles import (
    ATTACHING,
    CONNECTIONS,
    CONSUMER_TOPIC,
    DENIED,
    FUNCTIONS,
    OF_ALL,
    READING,
    ROUTE53,
    change,
    needed,
    policies,
    recorded,
)
from templates import DNS_ROLE, OTHER_KEY, OTHER_TOPIC, ROOT, ZONE, consumer, provider

# ---- the recording ----


@pytest.mark.parametrize("function", OF_ALL)
def test_each_function_was_recorded_with_what_its_work_is(function):
    """A recording that lacks something would let a role lack it too."""
    work = {
        "ConnectionAcceptor": {"AcceptVpcEndpointConnections", "RejectVpcEndpointConnections", "CreateTags"},
        "DomainVerifier": {
            "ChangeResourceRecordSets",
            "GetChange",
            "StartVpcEndpointServicePrivateDnsVerification",
            "AssumeRole",
            "Publish",
            "CreateTags",
        },
        "AvailabilityNotifier": {"Publish", "CreateTags"},
        "EndpointConfigurator": {"ModifyVpcEndpoint", "DescribeVpcAttribute", "DescribeSecurityGroupRules"},
        # It calls no AWS API.
        "ConnectivityProber": set(),
    }
    called = {action.partition(":")[2] for action, _, _ in recorded(function)}
    assert work[function] <= called and bool(work[function]) == bool(called)


def test_every_tag_that_the_code_writes_was_recorded():
    source = (ROOT / "functions/core/src/observed.rs").read_text()
    written = set(re.findall(r'pub const TAG_\w+: &str = "([^"]+)"', source))
    assert written == {
        key for function in FUNCTIONS for _, _, context in recorded(function) for key in context.get("aws:TagKeys", ())
    }


def test_the_role_of_another_account_needs_what_the_readme_says():
    assert {call.action for call in recording.calls()["(other)"]} == {
        "route53:ListHostedZonesByName",
        "route53:GetHostedZone",
        "route53:ListResourceRecordSets",
        "route53:GetChange",
        ROUTE53,
    }


# ---- the roles ----


@pytest.mark.parametrize("function", OF_ALL)
def test_a_role_allows_every_call_of_its_function(function):
    for action, resource, context in needed(function):
        assert allows(policies(function), action, resource, context), (action, resource, context)


@pytest.mark.parametrize("function", OF_ALL)
def test_a_role_denies_what_stands_close_to_it(function):
    for action, resource, context in DENIED[function]:
        assert not allows(policies(function), action, resource, context), (action, resource, context)


def places(statement):
    """Where in a statement something could be left out: items of lists, and conditions."""
    for key in ("Action", "Resource"):
        if isinstance(statement[key], list):
            yield from ((key, index) for index in range(len(statement[key])))
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield "Condition", operator, key
            if isinstance(values, list) and len(values) > 1:
                yield from (("Condition", operator, key, index) for index in range(len(values)))


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


@pytest.mark.parametrize("function", OF_ALL)
def test_a_role_says_nothing_that_could_be_left_out(function):
    judged = 0
    for place, less in weighed(function):
        denied = [call for call in needed(function) if not allows(less, *call)]
        allowed = [call for call in DENIED[function] if allows(less, *call)]
        # What is granted is needed, and what is forbidden by a condition is forbidden by that one.
        assert denied or allowed, place
        judged += 1
    assert judged >= 15


@pytest.mark.parametrize("function", OF_ALL)
def test_everything_is_named_that_can_be(function):
    nameless = {
        READING[0],
        CONNECTIONS[0],
        "route53:ListHostedZonesByName",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcEndpointServices",
        *ATTACHING,
    }
    for policy in policies(function):
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not any("*" in action for action in actions)
            if statement["Resource"] == "*":
                assert set(actions) <= nameless, statement


def test_without_zones_roles_and_topics_nothing_is_granted_for_them():
    bare = provider(HostedZoneArns="", DnsRoleArns="", OtherTopicArns="", OtherKeyArns="", ReservedConcurrency="")
    verifier, notifier = policies("DomainVerifier", bare), policies("AvailabilityNotifier", bare)
    for call in [
        (ROUTE53, ZONE, change()),
        ("route53:ListResourceRecordSets", ZONE, {}),
        ("sts:AssumeRole", DNS_ROLE, {}),
    ]:
        assert allows(policies("DomainVerifier"), *call) and not allows(verifier, *call)
    assert not allows(notifier, "sns:Publish", OTHER_TOPIC, {})
    assert not allows(notifier, "kms:Decrypt", OTHER_KEY, {"kms:ViaService": "sns.eu-west-1.amazonaws.com"})
    assert allows(notifier, "sns:Publish", CONSUMER_TOPIC, {})


def test_without_private_dns_nothing_is_granted_for_it():
    call = ("route53:AssociateVPCWithHostedZone", ZONE, {})
    assert allows(policies("EndpointConfigurator"), *call)
    assert not allows(policies("EndpointConfigurator", consumer(PrivateDns="false")), *call)
