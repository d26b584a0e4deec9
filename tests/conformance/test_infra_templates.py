"""The deployment templates: nothing that a linter finds, nothing wrong that gets in, and the same each time."""

import json
import os
import re
import subprocess
import sys

import pytest

import linters
from stage import REGION
from templates import (
    GIVEN,
    INFRA,
    NOTICE_TOPIC,
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
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name
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


# ---- the consumer's stack ----


def settings_of(function):
    """What becomes of asynchronous events of a function, by its qualifiers."""
    return {
        c["Properties"]["Qualifier"]: c["Properties"]
        for c in CONSUMER.of_type("AWS::Lambda::EventInvokeConfig").values()
        if c["Properties"]["FunctionName"] == function
    }


@pytest.mark.parametrize("function", CONSUMERS)
def test_a_consumers_function_has_a_role_a_log_and_a_place_for_what_fails_of_its_own(function):
    properties = CONSUMER.properties(function)
    assert properties["Role"] == CONSUMER.arn(function + "Role")
    assert (properties["Runtime"], properties["Handler"]) == ("provided.al2023", "bootstrap")
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["LoggingConfig"]["LogGroup"] == function + "Logs"
    assert CONSUMER.properties(function + "Logs")["RetentionInDays"] == "90"
    destinations = settings_of(function)["$LATEST"]["DestinationConfig"]
    assert destinations["OnFailure"]["Destination"] == CONSUMER.arn("DeadLetters")
    for architecture in ("x86_64", "arm64"):
        assert consumer(Architecture=architecture).properties(function)["Architectures"] == [architecture]


def test_whatever_the_configurator_was_invoked_by_the_prober_gets_what_it_returns():
    configurator, prober = settings_of("EndpointConfigurator"), settings_of("ConnectivityProber")
    assert set(configurator) == {"$LATEST", "scheduled"} and set(prober) == {"$LATEST"}
    for settings in configurator.values():
        assert settings["DestinationConfig"]["OnSuccess"]["Destination"] == CONSUMER.arn("ConnectivityProber")
    target = CONSUMER.properties("EndpointConfiguratorSchedule")["Target"]
    assert target["Arn"] == CONSUMER.arn("EndpointConfiguratorAlias")
    scheduled = configurator["scheduled"]
    assert scheduled["MaximumRetryAttempts"] == target["RetryPolicy"]["MaximumRetryAttempts"] == 0
    (policy,) = [policy["PolicyDocument"] for policy in CONSUMER.properties("ScheduleRole")["Policies"]]
    (statement,) = policy["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", target["Arn"])


def test_the_prober_alone_is_in_the_vpc_with_a_group_of_its_own():
    assert "VpcConfig" not in CONSUMER.properties("EndpointConfigurator")
    for ipv6 in ("true", "false"):
        network = consumer(SubnetsHaveIpv6=ipv6).properties("ConnectivityProber")["VpcConfig"]
        assert network == {
            "SubnetIds": CONSUMER.properties("Endpoint")["SubnetIds"],
            "SecurityGroupIds": ["ProberGroup"],
            "Ipv6AllowedForDualStack": ipv6,
        }
    assert "SecurityGroupIngress" not in CONSUMER.properties("ProberGroup")


def test_the_endpoint_leaves_to_the_configurator_what_is_the_configurators():
    endpoint = CONSUMER.properties("Endpoint")
    assert not {"PrivateDnsEnabled", "IpAddressType", "DnsOptions"} & set(endpoint)
    assert endpoint["Tags"] == [{"Key": "privatelink", "Value": "managed"}]
    assert "ServiceRegion" not in endpoint
    elsewhere = consumer(ServiceName="com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0")
    assert elsewhere.properties("Endpoint")["ServiceRegion"] == "eu-west-1" != REGION
    for name in ("Endpoint", "EndpointGroup"):
        kept = CONSUMER.resources[name]
        assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


@pytest.mark.parametrize("ports", [["443"], ["443", "8443"], ["443", "8443", "9443"]])
@pytest.mark.parametrize("ipv6", ["", "2001:db8::/56"])
def test_the_endpoint_is_open_at_its_ports_for_clients_and_the_prober_and_for_nobody_else(ports, ipv6):
    stack = consumer(Ports=",".join(ports), ClientIpv6Cidr=ipv6)
    rules = list(stack.properties("EndpointGroup")["SecurityGroupIngress"])
    for rule in stack.of_type("AWS::EC2::SecurityGroupIngress").values():
        assert rule["Properties"]["GroupId"] == "EndpointGroup"
        rules.append(rule["Properties"])
    assert {rule["IpProtocol"] for rule in rules} == {"tcp"}
    opened = [
        (rule["FromPort"], rule["ToPort"], rule.get("CidrIp"), rule.get("CidrIpv6"), rule.get("SourceSecurityGroupId"))
        for rule in rules
    ]
    sources = [("10.0.0.0/16", None, None), (None, None, "ProberGroup"), *([(None, ipv6, None)] if ipv6 else [])]
    wanted = [(port, port, *source) for port in ports for source in sources]
    assert sorted(opened, key=str) == sorted(wanted, key=str)


def test_the_notices_of_a_topic_elsewhere_reach_the_configurator_and_no_topic_none():
    subscription, permission = CONSUMER.properties("NoticeSubscription"), CONSUMER.properties("NoticePermission")
    assert (subscription["TopicArn"], subscription["Region"]) == (NOTICE_TOPIC, "eu-west-1")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("lambda", CONSUMER.arn("EndpointConfigurator"))
    assert (permission["Principal"], permission["SourceArn"]) == ("sns.amazonaws.com", NOTICE_TOPIC)
    assert permission["FunctionName"] == "EndpointConfigurator"
    without = consumer(NoticeTopicArn="")
    assert not without.of_type("AWS::SNS::Subscription") and not without.of_type("AWS::Lambda::Permission")


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


def test_a_consumers_function_starts_with_the_variables_that_the_template_gives_it(deploy):
    endpoints = {}
    for function in CONSUMERS:
        name = re.sub(r"(?<!^)([A-Z])", r"-\1", function).lower()
        metadata = read("consumer.yaml")["Resources"][function]["Metadata"]
        assert metadata == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": name}}
        for mode in ("observe", "enforce"):
            variables = consumer(Mode=mode).properties(function)["Environment"]["Variables"]
            # The prober gets what the configurator returned, as Lambda's destination brings it.
            answer = deploy(name, **variables).call({"responsePayload": endpoints} if endpoints else {})
            assert (answer["function"], answer["mode"]) == (name, mode)
        endpoints = answer


def test_the_layer_holds_the_folder_that_it_is_told(tmp_path):
    for more in ([], [f"POLICY={INFRA / 'policy'}"]):
        made = tmp_path / str(len(more))
        subprocess.run(["make", "-s", "-C", INFRA, f"ARTIFACTS_DIR={made}", *more, "build-PolicyLayer"], check=True)
        assert {p.name: p.read_bytes() for p in (made / "policy").iterdir()} == {
            p.name: p.read_bytes() for p in (INFRA / "policy").iterdir()
        }
    assert (ROOT / "infra" / "Makefile").exists()
