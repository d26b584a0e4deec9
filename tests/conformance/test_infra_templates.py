"""The deployment templates: nothing that a linter finds, nothing wrong that gets in, and the same each time."""

import json
import os
import re
import subprocess
import sys

import pytest

import linters
from templates import (
    GIVEN,
    INFRA,
    PROVIDER_PARAMETERS,
    ROOT,
    SERVERLESS,
    SERVICE_PARAMETERS,
    Stack,
    consumer,
    plain,
    provider,
    read,
    translation,
)

FUNCTIONS = ("ConnectionAcceptor", "DomainVerifier", "AvailabilityNotifier")
CONSUMERS = ("EndpointConfigurator", "ConnectivityProber")
STACK, CONSUMER = provider(), consumer()

# Everything that is found, and why it stays.
ANSWERS = [
    (["WS1004"], FUNCTIONS + CONSUMERS, "its log group has another name than the rule looks for, and a retention"),
    (["ES6000"], ["DeadLetters"], "it is the end of the road: an alarm has it emptied"),
    (
        ["GenericResourceWildcardPolicyRule"],
        ["provider.yaml Key"],
        "without the account's own rule nobody could change it",
    ),
    (
        ["GenericResourcePartialWildcardPrincipalRule", "PartialWildcardPrincipalRule"],
        ["provider.yaml TopicPolicy"],
        "the account itself, whose own policies say which of its principals",
    ),
    (
        [
            "GenericResourcePartialWildcardPrincipalRule",
            "PartialWildcardPrincipalRule",
            "GenericCrossAccountTrustRule",
        ],
        ["consumer-topic.yaml TopicPolicy"],
        "the consumer's accounts, for whom the topic is",
    ),
    (["ES7000"], ["NoticeSubscription"], "its queue would have to be where the provider's topic is"),
    (["ES1007"], ["NoticePermission"], "SAM makes that resource"),
    (["WildcardResourceRule"], ["consumer.yaml EndpointConfiguratorRole"], "AWS takes no resource for that call"),
    (["RESOURCE_STAR"], ["ConnectivityProberRole"], "the subnets of a shared VPC are another account's"),
    (["UNKNOWN_CONDITION_FOR_ACTION"], ["ConnectivityProberItself"], "Lambda's own key, which every call may have"),
    (["CREDENTIALS_EXPOSURE"], ["DomainVerifierRole"], "sts:AssumeRole, held to the roles that a parameter names"),
]
ANSWERED = {(rule, place) for rules, places, why in ANSWERS for rule in rules for place in places if why}


def translated(tmp_path, name):
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(translation(name), default=str))
    return path


def found_by_parliament(stack):
    found = {}
    for name, role in stack.of_type("AWS::IAM::Role").items():
        for policy in role["Properties"]["Policies"]:
            found |= linters.parliament(name, policy["PolicyDocument"])
    for name, policy in stack.of_type("AWS::IAM::RolePolicy").items():
        found |= linters.parliament(name, json.loads(policy["Properties"]["PolicyDocument"]))
    return found


def test_linters_find_nothing_that_is_not_answered_and_everything_that_is(tmp_path):
    assert {path.name for path in INFRA.glob("*.yaml")} == set(GIVEN)
    found = linters.cfn_lint(*(INFRA / name for name in GIVEN), *(translated(tmp_path, name) for name in SERVERLESS))
    for name, parameters in GIVEN.items():
        risks = linters.cfripper(plain(name), parameters)
        found |= {(rule, f"{name} {place}"): why for (rule, place), why in risks.items()}
    found |= found_by_parliament(STACK) | found_by_parliament(CONSUMER)
    assert {key: found[key] for key in found if key not in ANSWERED} == {}
    assert set(found) >= ANSWERED, "an answer without a finding"


def test_the_linters_are_awake(tmp_path):
    """Each of them finds a fault of the kind that it is there for."""
    broken = json.loads(json.dumps(translation(), default=str))
    resources = broken["Resources"]
    resources["ConnectionAcceptor"]["Properties"]["Runtime"] = "provided.al2099"
    resources["ConnectionSubscription"]["Properties"].pop("RedrivePolicy")
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    assert {("E3030", "ConnectionAcceptor"), ("ES7000", "ConnectionSubscription")} <= set(
        linters.cfn_lint(tmp_path / "broken.json")
    )
    (statement,) = resources["ConnectionQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    statement["Principal"] = "*"
    del statement["Condition"]
    open_queue = linters.cfripper(broken, PROVIDER_PARAMETERS)
    assert "ConnectionQueuePolicy" in {name for _, name in open_queue}
    statement = {"Effect": "Allow", "Action": "ec2:DescribeVpcEndpointConnections", "Resource": "*"}
    wrong = {
        "Version": "2012-10-17",
        "Statement": [{**statement, "Condition": {"StringEquals": {"ec2:Regoin": "us-west-2"}}}],
    }
    assert set(linters.parliament("x", wrong)) == {("UNKNOWN_CONDITION_FOR_ACTION", "x")}


# ---- the same each time ----


@pytest.mark.parametrize("name", SERVERLESS)
def test_the_same_template_is_translated_to_the_same_stack(name):
    """In another process with another order of hashes: nothing is named by chance or by the time."""
    program = f"import json, templates; print(json.dumps(templates.translation('{name}'), default=str, sort_keys=True))"
    here = os.path.dirname(__file__)
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=here,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
    (text,) = texts
    # A version or a deployment that a transform publishes anew each time is of these types.
    assert not {"AWS::Lambda::Version", "AWS::ApiGateway::Deployment"} & {
        r["Type"] for r in json.loads(text)["Resources"].values()
    }


def test_the_services_stack_keeps_everything_when_it_is_deleted_and_takes_both_kinds_of_addresses():
    for given in (SERVICE_PARAMETERS, {"ServiceTag": "a=b", "VpcId": "vpc-0a0a0a0a", "SubnetIds": "subnet-0a0a0a0a"}):
        stack = Stack(read("service.yaml"), {**given, "PrivateDnsName": "api.example.com"})
        for name, resource in stack.resources.items():
            kept = resource["DeletionPolicy"], resource["UpdateReplacePolicy"]
            assert kept == ("RetainExceptOnCreate", "Retain"), name
        service = stack.properties("Service")
        assert service["AcceptanceRequired"] is True and service["SupportedIpAddressTypes"] == ["ipv4", "ipv6"]
    assert stack.properties("LoadBalancer")["IpAddressType"] == "dualstack"
    assert {"Key": "proxy_protocol_v2.enabled", "Value": "true"} in stack.properties("TargetGroup")[
        "TargetGroupAttributes"
    ]


# ---- the functions ----


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_role_a_log_and_a_place_for_what_fails_of_its_own(function):
    properties = STACK.properties(function)
    assert properties["Role"] == STACK.arn(function + "Role")
    assert (properties["Runtime"], properties["Handler"]) == ("provided.al2023", "bootstrap")
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert (
        properties["Environment"]["Variables"]["PRIVATELINK_POLICY_DIR"] == "/opt/policy"
        and len(properties["Layers"]) == 1
    )
    assert STACK.properties(properties["LoggingConfig"]["LogGroup"])["RetentionInDays"] == "365"
    settings = {
        c["Properties"]["Qualifier"]: c["Properties"]
        for c in STACK.of_type("AWS::Lambda::EventInvokeConfig").values()
        if c["Properties"]["FunctionName"] == function
    }
    events, scheduled = settings.pop("$LATEST"), settings.pop("scheduled")
    assert not settings
    assert events["DestinationConfig"]["OnFailure"]["Destination"] == STACK.arn("DeadLetters")
    assert (events["MaximumRetryAttempts"], events["MaximumEventAgeInSeconds"]) == (2, 3600)
    # What the schedule sends comes again anyway.
    assert (scheduled["MaximumRetryAttempts"], scheduled["MaximumEventAgeInSeconds"]) == (
        0,
        60,
    ) and "DestinationConfig" not in scheduled
    target = STACK.properties(function + "Schedule")["Target"]
    assert target["Arn"] == STACK.arn(function + "Alias") and target["RetryPolicy"]["MaximumRetryAttempts"] == 0
    assert "ReservedConcurrentExecutions" not in provider(ReservedConcurrency="").properties(function)
    for architecture in ("x86_64", "arm64"):
        assert provider(Architecture=architecture).properties(function)["Architectures"] == [architecture]


def test_what_reads_a_queue_says_which_records_failed():
    for mapping in STACK.of_type("AWS::Lambda::EventSourceMapping").values():
        assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_with_the_variables_that_the_template_gives_it(function, deploy):
    name = re.sub(r"(?<!^)([A-Z])", r"-\1", function).lower()
    (given,) = [resource["Metadata"] for key, resource in read("provider.yaml")["Resources"].items() if key == function]
    assert given == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": name}}
    for mode in ("observe", "enforce"):
        variables = provider(Mode=mode).properties(function)["Environment"]["Variables"]
        answer = deploy(name, **{**variables, "PRIVATELINK_POLICY_DIR": str(INFRA / "policy")}).call({})
        assert (answer["function"], answer["mode"]) == (name, mode)


def test_the_layer_holds_the_folder_that_it_is_told(tmp_path):
    for more in ([], [f"POLICY={INFRA / 'policy'}"]):
        made = tmp_path / str(len(more))
        subprocess.run(["make", "-s", "-C", INFRA, f"ARTIFACTS_DIR={made}", *more, "build-PolicyLayer"], check=True)
        assert {p.name: p.read_bytes() for p in (made / "policy").iterdir()} == {
            p.name: p.read_bytes() for p in (INFRA / "policy").iterdir()
        }
    assert (ROOT / "infra" / "Makefile").exists()
