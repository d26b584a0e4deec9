"""The deployment templates: nothing that a linter finds, nothing wrong that gets in, and the same each time."""

import json
import os
import re
import subprocess
import sys

import pytest

import linters
from stage import ACME, PROVIDER
from templates import (
    DNS_ROLE, INFRA, OTHER_KEY, OTHER_TOPIC, PROVIDER_PARAMETERS, ROOT, TOPIC_PARAMETERS, ZONE, Stack, provider, read,
    translation,
)

NLB = f"arn:aws:elasticloadbalancing:us-west-2:{PROVIDER}:loadbalancer/net/api/50dc6c495c0c9188"
SERVICE_PARAMETERS = {"ServiceTag": "privatelink=managed", "AllowedPrincipals": f"arn:aws:iam::{ACME}:root", "NetworkLoadBalancerArn": NLB}
GIVEN = {"provider.yaml": PROVIDER_PARAMETERS, "consumer-topic.yaml": TOPIC_PARAMETERS, "service.yaml": SERVICE_PARAMETERS}
FUNCTIONS = ("ConnectionAcceptor", "DomainVerifier", "AvailabilityNotifier")
STACK = provider()

# Everything that is found, and why it stays.
ANSWERED = {
    **{("WS1004", function): "its log group has another name than the rule looks for, and a retention" for function in FUNCTIONS},
    ("ES6000", "DeadLetters"): "it is the end of the road: an alarm empties it",
    ("GenericResourceWildcardPolicyRule", "Key"): "the account's own administration of its key, without which nobody could change it",
    **{
        (rule, "TopicPolicy"): "the account's own root in provider.yaml, and in consumer-topic.yaml the consumer's accounts, which are what it is for"
        for rule in ("GenericResourcePartialWildcardPrincipalRule", "PartialWildcardPrincipalRule", "GenericCrossAccountTrustRule")
    },
    ("CREDENTIALS_EXPOSURE", "DomainVerifierRole"): "sts:AssumeRole, held to the roles that a parameter names",
}


def translated(tmp_path):
    path = tmp_path / "translation.json"
    path.write_text(json.dumps(translation(), default=str))
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
    found = linters.cfn_lint(*(INFRA / name for name in GIVEN), translated(tmp_path))
    for name, parameters in GIVEN.items():
        found |= linters.cfripper(translation() if name == "provider.yaml" else read(name), parameters)
    found |= found_by_parliament(STACK)
    assert {key: found[key] for key in found if key not in ANSWERED} == {}
    assert set(ANSWERED) <= set(found), "an answer without a finding"


def test_the_linters_are_awake(tmp_path):
    """Each of them finds a fault of the kind that it is there for."""
    broken = json.loads(json.dumps(translation(), default=str))
    resources = broken["Resources"]
    resources["ConnectionAcceptor"]["Properties"]["Runtime"] = "provided.al2099"
    resources["ConnectionSubscription"]["Properties"].pop("RedrivePolicy")
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    assert {("E3030", "ConnectionAcceptor"), ("ES7000", "ConnectionSubscription")} <= set(linters.cfn_lint(tmp_path / "broken.json"))
    (statement,) = resources["ConnectionQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    statement["Principal"] = "*"
    del statement["Condition"]
    open_queue = linters.cfripper(broken, PROVIDER_PARAMETERS)
    assert "ConnectionQueuePolicy" in {name for _, name in open_queue}
    statement = {"Effect": "Allow", "Action": "ec2:DescribeVpcEndpointConnections", "Resource": "*"}
    wrong = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": {"StringEquals": {"ec2:Regoin": "us-west-2"}}}]}
    assert set(linters.parliament("x", wrong)) == {("UNKNOWN_CONDITION_FOR_ACTION", "x")}


# ---- parameters ----

RATES = (["rate(1 minute)", "rate(5 minutes)"], ["rate(1 minutes)", "rate(5 minute)", "rate(6 minutes)", "5 minutes", "rate(0 minutes)", "cron(* * * * ? *)", ""])
STACKS = (["privatelink", "a-1"], ["", "1a", "a_b", "privatelink "])
TAGS = (["privatelink=managed", "team:a=b/c@d"], ["privatelink", "=managed", "privatelink=", "a=b=c", "aws:x=y", "a b=c", 'a"=b', "a=${b}", "a=b*"])
PATTERNS = {
    ("provider.yaml", "ServiceTag"): TAGS,
    ("service.yaml", "ServiceTag"): TAGS,
    ("provider.yaml", "NotifySince"): (
        ["2026-01-31T12:00:00Z"],
        ["", "2026-01-31", "2026-01-31 12:00:00Z", "2026-13-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00", "2026-01-31T12:00:00+01:00", "now"],
    ),
    ("provider.yaml", "HostedZoneArns"): (["", ZONE, ZONE.replace("aws", "aws-cn")], ["Z0123456789ABC", "*", ZONE[:-1] + "*", ZONE.replace("zone/", "zone/*"), ZONE + " "]),
    ("provider.yaml", "DnsRoleArns"): (["", DNS_ROLE, DNS_ROLE.replace("dns", "path/dns")], ["dns", DNS_ROLE + "*", DNS_ROLE.replace("role", "user"), "arn:aws:iam::*:role/dns"]),
    ("provider.yaml", "OtherTopicArns"): (["", OTHER_TOPIC, OTHER_TOPIC + ".fifo"], ["acme", OTHER_TOPIC + "*", OTHER_TOPIC.replace("sns", "sqs"), OTHER_TOPIC + ":subscription"]),
    ("provider.yaml", "OtherKeyArns"): (["", OTHER_KEY], ["alias/x", OTHER_KEY.replace("key/", "alias/"), OTHER_KEY[:-1] + "*", "*"]),
    ("provider.yaml", "SweepEvery"): RATES,
    ("provider.yaml", "VerifyEvery"): RATES,
    ("provider.yaml", "ReservedConcurrency"): (["", "1", "100"], ["0", "-1", "01", "some", "10000"]),
    ("consumer-topic.yaml", "Consumer"): (["acme", "Acme_2-x"], ["", "a b", "acmé", "x" * 101, "a.fifo"]),
    ("consumer-topic.yaml", "Accounts"): (["111122223333", "000000000001"], ["", "11112222333", "1111222233334", "arn:aws:iam::111122223333:root", "*", "१११११११११११२"]),
    ("consumer-topic.yaml", "ProviderStack"): STACKS,
    ("service.yaml", "ProviderStack"): STACKS,
    ("service.yaml", "PrivateDnsName"): (["", "api.example.com", "*.example.com", "a-b.xn--p1ai.example.io"], ["example", "API.example.com", "api..example.com", "-a.example.com", "api.example.com.", "*.*.example.com", "a_b.example.com"]),
    ("service.yaml", "AllowedPrincipals"): (
        ["", "*", f"arn:aws:iam::{ACME}:root", f"arn:aws:iam::{ACME}:role/path/x"], [ACME, f"arn:aws:iam::{ACME}:*", "arn:aws:iam::*:root", f"arn:aws:iam::{ACME}:role/*"],
    ),
    ("service.yaml", "NetworkLoadBalancerArn"): (["", NLB], [NLB.replace("/net/", "/app/"), NLB[:-1], "api", NLB + "*"]),
    ("service.yaml", "VpcId"): (["", "vpc-0a0a0a0a", "vpc-0123456789abcdef0"], ["vpc-", "vpc-xyz", "subnet-0a0a0a0a", "VPC-0a0a0a0a"]),
    ("service.yaml", "SubnetIds"): (["", "subnet-0a0a0a0a", "subnet-0a0a0a0a,subnet-0b0b0b0b"], ["subnet-", "subnet-0a0a0a0a,", "subnet-0a0a0a0a subnet-0b0b0b0b", "vpc-0a0a0a0a"]),
}
PARAMETERS = {(name, key): parameter for name in GIVEN for key, parameter in read(name)["Parameters"].items()}


def test_every_parameter_says_what_it_takes_before_anything_is_made():
    for (name, key), parameter in PARAMETERS.items():
        assert parameter["Description"]
        if "AllowedPattern" in parameter:
            assert len(parameter["ConstraintDescription"]) > 10, key
        else:
            assert parameter.get("AllowedValues") or {"MinValue", "MaxValue"} <= set(parameter), key
    assert {key for key, parameter in PARAMETERS.items() if "AllowedPattern" in parameter} == set(PATTERNS)


@pytest.mark.parametrize("where", PATTERNS, ids="/".join)
def test_a_parameters_pattern_takes_what_is_right_and_nothing_else(where):
    # CloudFormation reads patterns as Java does, each against the whole of a value, or of each value in a list. What
    # stands in them means the same in Python, if `\\d` is held to ASCII.
    pattern = PARAMETERS[where]["AllowedPattern"]
    assert not re.search(r"\\[^d.*()]|\[\[|&&|\(\?[^:!=]|[+*?}]\+", pattern), "what Java and Python read apart"
    good, bad = PATTERNS[where]
    for value in [*good, *([PARAMETERS[where]["Default"]] if "Default" in PARAMETERS[where] else [])]:
        assert re.fullmatch(pattern, value, re.ASCII), value
    for value in bad:
        assert not re.fullmatch(pattern, value, re.ASCII), value


def test_the_service_tag_and_the_time_of_the_first_notice_have_to_be_given():
    required = {key for (name, key), parameter in PARAMETERS.items() if name == "provider.yaml" and "Default" not in parameter}
    assert required == {"ServiceTag", "NotifySince"}
    assert PARAMETERS["provider.yaml", "Mode"]["Default"] == "observe"


def test_an_example_without_a_place_is_refused_by_a_rule():
    (rule,) = read("service.yaml")["Rules"].values()
    for given, complaints in [({}, {"VpcId", "SubnetIds"}), ({"VpcId": "vpc-0a0a0a0a"}, {"SubnetIds"}), ({"VpcId": "vpc-0a0a0a0a", "SubnetIds": "subnet-0a0a0a0a"}, set())]:
        stack = Stack(read("service.yaml"), {"ServiceTag": "a=b", **given})
        assert stack.resolve(rule["RuleCondition"])
        failed = [one["AssertDescription"] for one in rule["Assertions"] if not stack.resolve(one["Assert"])]
        assert {text.split()[-1] for text in failed} == complaints
    assert not Stack(read("service.yaml"), SERVICE_PARAMETERS).resolve(rule["RuleCondition"])


# ---- the same each time ----


def test_the_same_template_is_translated_to_the_same_stack():
    """In another process with another order of hashes: nothing is named by chance or by the time."""
    program = "import json, templates; print(json.dumps(templates.translation(), default=str, sort_keys=True))"
    here = os.path.dirname(__file__)
    texts = {
        subprocess.run([sys.executable, "-c", program], cwd=here, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
    (text,) = texts
    # A version or a deployment that a transform publishes anew each time is of these types.
    assert not {"AWS::Lambda::Version", "AWS::ApiGateway::Deployment"} & {r["Type"] for r in json.loads(text)["Resources"].values()}


def test_the_services_stack_keeps_everything_when_it_is_deleted_and_takes_both_kinds_of_addresses():
    for given in (SERVICE_PARAMETERS, {"ServiceTag": "a=b", "VpcId": "vpc-0a0a0a0a", "SubnetIds": "subnet-0a0a0a0a"}):
        stack = Stack(read("service.yaml"), {**given, "PrivateDnsName": "api.example.com"})
        for name, resource in stack.resources.items():
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name
        service = stack.properties("Service")
        assert service["AcceptanceRequired"] is True and service["SupportedIpAddressTypes"] == ["ipv4", "ipv6"]
    assert stack.properties("LoadBalancer")["IpAddressType"] == "dualstack"
    assert {"Key": "proxy_protocol_v2.enabled", "Value": "true"} in stack.properties("TargetGroup")["TargetGroupAttributes"]


# ---- the functions ----


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_role_a_log_and_a_place_for_what_fails_of_its_own(function):
    properties = STACK.properties(function)
    assert properties["Role"] == STACK.arn(function + "Role")
    assert (properties["Runtime"], properties["Handler"]) == ("provided.al2023", "bootstrap")
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["Environment"]["Variables"]["PRIVATELINK_POLICY_DIR"] == "/opt/policy" and len(properties["Layers"]) == 1
    assert STACK.properties(properties["LoggingConfig"]["LogGroup"])["RetentionInDays"] == "365"
    settings = {c["Properties"]["Qualifier"]: c["Properties"] for c in STACK.of_type("AWS::Lambda::EventInvokeConfig").values() if c["Properties"]["FunctionName"] == function}
    events, scheduled = settings.pop("$LATEST"), settings.pop("scheduled")
    assert not settings
    assert events["DestinationConfig"]["OnFailure"]["Destination"] == STACK.arn("DeadLetters")
    assert (events["MaximumRetryAttempts"], events["MaximumEventAgeInSeconds"]) == (2, 3600)
    # What the schedule sends comes again anyway.
    assert (scheduled["MaximumRetryAttempts"], scheduled["MaximumEventAgeInSeconds"]) == (0, 60) and "DestinationConfig" not in scheduled
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
        assert {p.name: p.read_bytes() for p in (made / "policy").iterdir()} == {p.name: p.read_bytes() for p in (INFRA / "policy").iterdir()}
    assert (ROOT / "infra" / "Makefile").exists()
