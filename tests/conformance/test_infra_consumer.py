"""The consumer's stack: who may reach its endpoint, who is told of it, and how its two functions hang together."""

import pytest

from judges import subscribed
from roles import CONSUMERS, NOTICES, OF_ALL, stack_of
from stage import ACME, INITECH, PROVIDER, REGION
from templates import NOTICE_TOPIC, consumer, read
from test_cargo_lambda_build import METADATA
from test_infra_policies import admitted, document

STACK = consumer()
ENDPOINT = STACK.properties("Endpoint")


def settings_of(function):
    """What becomes of asynchronous events of a function, by its qualifiers."""
    return {
        c["Properties"]["Qualifier"]: c["Properties"]
        for c in STACK.of_type("AWS::Lambda::EventInvokeConfig").values()
        if c["Properties"]["FunctionName"] == function
    }


@pytest.mark.parametrize("function", CONSUMERS)
def test_a_consumers_function_has_a_role_a_log_and_a_place_for_what_fails_of_its_own(function):
    properties = STACK.properties(function)
    assert properties["Role"] == STACK.arn(function + "Role")
    assert (properties["Runtime"], properties["Handler"]) == ("provided.al2023", "bootstrap")
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["LoggingConfig"]["LogGroup"] == function + "Logs"
    assert STACK.properties(function + "Logs")["RetentionInDays"] == "90"
    destinations = settings_of(function)["$LATEST"]["DestinationConfig"]
    assert destinations["OnFailure"]["Destination"] == STACK.arn("DeadLetters")
    for architecture in ("x86_64", "arm64"):
        assert consumer(Architecture=architecture).properties(function)["Architectures"] == [architecture]


def test_whatever_the_configurator_was_invoked_by_the_prober_gets_what_it_returns():
    configurator, prober = settings_of("EndpointConfigurator"), settings_of("ConnectivityProber")
    assert set(configurator) == {"$LATEST", "scheduled"} and set(prober) == {"$LATEST"}
    for settings in configurator.values():
        assert settings["DestinationConfig"]["OnSuccess"]["Destination"] == STACK.arn("ConnectivityProber")
    target = STACK.properties("EndpointConfiguratorSchedule")["Target"]
    assert target["Arn"] == STACK.arn("EndpointConfiguratorAlias")
    scheduled = configurator["scheduled"]
    assert scheduled["MaximumRetryAttempts"] == target["RetryPolicy"]["MaximumRetryAttempts"] == 0
    (policy,) = [policy["PolicyDocument"] for policy in STACK.properties("ScheduleRole")["Policies"]]
    (statement,) = policy["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", target["Arn"])


def test_the_prober_alone_is_in_the_vpc_with_a_group_of_its_own():
    assert "VpcConfig" not in STACK.properties("EndpointConfigurator")
    for ipv6 in ("true", "false"):
        network = consumer(SubnetsHaveIpv6=ipv6).properties("ConnectivityProber")["VpcConfig"]
        assert network == {
            "SubnetIds": STACK.properties("Endpoint")["SubnetIds"],
            "SecurityGroupIds": ["ProberGroup"],
            "Ipv6AllowedForDualStack": ipv6,
        }
    assert "SecurityGroupIngress" not in STACK.properties("ProberGroup")


def test_the_endpoint_leaves_to_the_configurator_what_is_the_configurators():
    assert not {"PrivateDnsEnabled", "IpAddressType", "DnsOptions"} & set(ENDPOINT)
    assert ENDPOINT["Tags"] == [{"Key": "privatelink", "Value": "managed"}]
    assert "ServiceRegion" not in ENDPOINT
    elsewhere = consumer(ServiceName="com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0")
    assert elsewhere.properties("Endpoint")["ServiceRegion"] == "eu-west-1" != REGION
    for name in ("Endpoint", "EndpointGroup"):
        kept = STACK.resources[name]
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
    subscription, permission = STACK.properties("NoticeSubscription"), STACK.properties("NoticePermission")
    assert (subscription["TopicArn"], subscription["Region"]) == (NOTICE_TOPIC, "eu-west-1")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("lambda", STACK.arn("EndpointConfigurator"))
    assert (permission["Principal"], permission["SourceArn"]) == ("sns.amazonaws.com", NOTICE_TOPIC)
    assert permission["FunctionName"] == "EndpointConfigurator"
    due = {"EndpointConnectionAvailable", "DomainVerified"}
    for kind in due | {"EndpointConnectionRejected", "EndpointConnectionHeld"}:
        for account in (ACME, INITECH):
            got = subscribed(subscription["FilterPolicy"], {"consumerAccount": account, "type": kind, "region": REGION})
            assert got == (kind in due and account == ACME), (kind, account)
    without = consumer(NoticeTopicArn="")
    assert not without.of_type("AWS::SNS::Subscription") and not without.of_type("AWS::Lambda::Permission")


@pytest.mark.parametrize("function, name", OF_ALL.items())
def test_the_command_line_deploys_a_function_as_the_template_does(function, name):
    wanted = stack_of(function).properties(function)
    (package,) = [package for package in METADATA["packages"] if package["name"] == name]
    given = package["metadata"]["lambda"]["deploy"]
    found = (given["memory"], given["timeout"], given["tracing"])
    assert found == (wanted["MemorySize"], wanted["Timeout"], wanted["TracingConfig"]["Mode"])
    # The rest it is told when it is deployed, and the folder is where it was packed.
    variables = wanted["Environment"]["Variables"]
    assert {key: variables[key] for key in given["env"] if key != "PRIVATELINK_POLICY_DIR"} == {
        key: value for key, value in given["env"].items() if key != "PRIVATELINK_POLICY_DIR"
    }


def test_the_operators_topic_takes_this_stacks_alarms_and_nothing_else():
    policy, topic, who = document("OperatorTopicPolicy", STACK), STACK.arn("OperatorTopic"), "cloudwatch.amazonaws.com"
    ours = {"aws:SourceArn": STACK.arn("DeadLetter"), "aws:SourceAccount": ACME}
    assert admitted(policy, who, "sns:Publish", topic, ours)
    assert not admitted(policy, who, "sns:Publish", NOTICES, ours)
    assert not admitted(policy, who, "sns:Subscribe", topic, ours)
    for wrong in (
        {**ours, "aws:SourceArn": ours["aws:SourceArn"].replace("privatelink-", "else-")},
        {**ours, "aws:SourceAccount": INITECH},
        {},
    ):
        assert not admitted(policy, who, "sns:Publish", topic, wrong)
    assert {name for statement in policy["Statement"] for name in statement["Principal"].values()} == {who}


@pytest.mark.parametrize("mode, done", [("observe", "planned"), ("enforce", "done")])
@pytest.mark.parametrize("private_dns", ["true", "false"])
def test_the_functions_do_what_the_parameters_say(stage, deploy, mode, done, private_dns):
    service = stage.create_service(
        SupportedIpAddressTypes=["ipv4", "ipv6"], PrivateDnsName="api.example.com", AcceptanceRequired=False
    )
    tags = {"Tags": ENDPOINT["Tags"], "ResourceType": "vpc-endpoint"}
    endpoint = stage.connect(service, account=PROVIDER, TagSpecifications=[tags])["VpcEndpointId"]
    stage.step(130)
    stack = consumer(Mode=mode, PrivateDns=private_dns, IpAddressType="ipv6", Ports="443,8443")
    variables = stack.properties("EndpointConfigurator")["Environment"]["Variables"]
    # For a test it waits no longer than it has to.
    assert variables.pop("PRIVATELINK_WATCH_SECONDS") == "50"
    configurator = deploy("endpoint-configurator", **variables)
    answer = configurator.call({})
    (outcome,) = answer["outcomes"]
    assert (answer["mode"], outcome["endpointId"], outcome["result"]) == (mode, endpoint, done)
    assert outcome["ipAddressType"] == "ipv6"
    # What was set takes its time.
    stage.step(130)
    answer = configurator.call({})
    (told,) = answer["endpoints"]
    assert told["ports"] == [443, 8443]
    # The name is not verified, which somebody who did not ask for it does not care about.
    missed = [skip for skip in answer["skipped"] if "private" in skip.get("detail", "")]
    assert bool(missed) == (private_dns == "true"), answer["skipped"]

    # The prober gets what the configurator returned, as Lambda's destination brings it.
    variables = stack.properties("ConnectivityProber")["Environment"]["Variables"]
    prober = deploy("connectivity-prober", **variables, PRIVATELINK_DNS_SERVER=stage.name_servers)
    answer = prober.call({"responsePayload": answer})
    assert answer["mode"] == mode and {one["endpointId"] for one in answer["outcomes"]} == {endpoint}


@pytest.mark.parametrize("function, name", CONSUMERS.items())
def test_a_function_is_built_from_its_own_program(function, name):
    metadata = read("consumer.yaml")["Resources"][function]["Metadata"]
    assert metadata == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": name}}
