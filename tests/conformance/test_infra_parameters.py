"""The templates' parameters: what is wrong is refused before anything is made, with a message."""

import re

import pytest

from stage import ACME, NLB
from templates import (
    CONSUMER_PARAMETERS,
    DNS_ROLE,
    GIVEN,
    NOTICE_TOPIC,
    OTHER_KEY,
    OTHER_TOPIC,
    ROOT,
    SERVICE_PARAMETERS,
    ZONE,
    Stack,
    read,
)

RATES = (
    ["rate(1 minute)", "rate(5 minutes)"],
    ["rate(1 minutes)", "rate(5 minute)", "rate(6 minutes)", "5 minutes", "rate(0 minutes)", "cron(* * * * ? *)", ""],
)
STACKS = (["privatelink", "a-1"], ["", "1a", "a_b", "privatelink "])
TAGS = (
    ["privatelink=managed", "team:a=b/c@d"],
    ["privatelink", "=managed", "privatelink=", "a=b=c", "aws:x=y", "a b=c", 'a"=b', "a=${b}", "a=b*"],
)
NAME = CONSUMER_PARAMETERS["ServiceName"]
PATTERNS = {
    ("consumer.yaml", "EndpointTag"): TAGS,
    ("consumer.yaml", "LookEvery"): RATES,
    ("consumer.yaml", "ServiceName"): (
        [NAME, NAME.replace("us-west-2", "us-gov-west-1"), NAME.replace("us-west-2", "ap-southeast-5")],
        ["", NAME + "x", NAME.replace("vpce.", "", 1), NAME.replace("us-west-2.", ""), "com.amazonaws.us-west-2.s3"],
    ),
    ("consumer.yaml", "VpcId"): (["vpc-0a0a0a0a", "vpc-0123456789abcdef0"], ["", "vpc-", "vpc-xyz", "subnet-0a0a0a0a"]),
    ("consumer.yaml", "SubnetIds"): (
        ["subnet-0a0a0a0a", "subnet-0a0a0a0a,subnet-0b0b0b0b"],
        ["", "subnet-", "subnet-0a0a0a0a,", "subnet-0a0a0a0a subnet-0b0b0b0b", "vpc-0a0a0a0a"],
    ),
    ("consumer.yaml", "ClientCidr"): (
        ["10.0.0.0/16", "172.31.255.1/32", "192.168.0.0/9"],
        ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/0", "10.0.0.256/16", "10.0.0/16", "2001:db8::/56", "sg-0a0a0a0a"],
    ),
    ("consumer.yaml", "ClientIpv6Cidr"): (
        ["", "2001:db8::/56", "2600:1f14:abc:de00::/128"],
        ["2001:db8::", "2001:db8::/129", "::/0", "10.0.0.0/16", "2001:DB8::/56"],
    ),
    ("consumer.yaml", "Ports"): (
        ["443", "443,8443", "1,22,65535"],
        ["", "0", "443,", "443, 8443", "1,2,3,4", "443-445", "https", "123456"],
    ),
    ("consumer.yaml", "NoticeTopicArn"): (
        ["", NOTICE_TOPIC],
        ["acme", NOTICE_TOPIC + ".fifo", NOTICE_TOPIC + ":sub", NOTICE_TOPIC.replace("sns", "sqs")],
    ),
    ("provider.yaml", "ServiceTag"): TAGS,
    ("service.yaml", "ServiceTag"): TAGS,
    ("provider.yaml", "NotifySince"): (
        ["2026-01-31T12:00:00Z"],
        [
            "",
            "2026-01-31",
            "2026-01-31 12:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00+01:00",
            "now",
        ],
    ),
    ("provider.yaml", "HostedZoneArns"): (
        ["", ZONE, ZONE.replace("aws", "aws-cn")],
        ["Z0123456789ABC", "*", ZONE[:-1] + "*", ZONE.replace("zone/", "zone/*"), ZONE + " "],
    ),
    ("provider.yaml", "DnsRoleArns"): (
        ["", DNS_ROLE, DNS_ROLE.replace("dns", "path/dns")],
        ["dns", DNS_ROLE + "*", DNS_ROLE.replace("role", "user"), "arn:aws:iam::*:role/dns"],
    ),
    ("provider.yaml", "OtherTopicArns"): (
        ["", OTHER_TOPIC, OTHER_TOPIC + ".fifo"],
        ["acme", OTHER_TOPIC + "*", OTHER_TOPIC.replace("sns", "sqs"), OTHER_TOPIC + ":subscription"],
    ),
    ("provider.yaml", "OtherKeyArns"): (
        ["", OTHER_KEY],
        ["alias/x", OTHER_KEY.replace("key/", "alias/"), OTHER_KEY[:-1] + "*", "*"],
    ),
    ("provider.yaml", "SweepEvery"): RATES,
    ("provider.yaml", "VerifyEvery"): RATES,
    ("provider.yaml", "ReservedConcurrency"): (["", "1", "100"], ["0", "-1", "01", "some", "10000"]),
    ("consumer-topic.yaml", "Consumer"): (["acme", "Acme_2-x"], ["", "a b", "acmé", "x" * 101, "a.fifo"]),
    ("consumer-topic.yaml", "Accounts"): (
        ["111122223333", "000000000001"],
        ["", "11112222333", "1111222233334", "arn:aws:iam::111122223333:root", "*", "१११११११११११२"],
    ),
    ("consumer-topic.yaml", "ProviderStack"): STACKS,
    ("service.yaml", "ProviderStack"): STACKS,
    ("service.yaml", "PrivateDnsName"): (
        ["", "api.example.com", "*.example.com", "a-b.xn--p1ai.example.io"],
        [
            "example",
            "API.example.com",
            "api..example.com",
            "-a.example.com",
            "api.example.com.",
            "*.*.example.com",
            "a_b.example.com",
        ],
    ),
    ("service.yaml", "AllowedPrincipals"): (
        ["", "*", f"arn:aws:iam::{ACME}:root", f"arn:aws:iam::{ACME}:role/path/x"],
        [ACME, f"arn:aws:iam::{ACME}:*", "arn:aws:iam::*:root", f"arn:aws:iam::{ACME}:role/*"],
    ),
    ("service.yaml", "NetworkLoadBalancerArn"): (
        ["", NLB],
        [NLB.replace("/net/", "/app/"), NLB[:-1], "api", NLB + "*"],
    ),
    ("service.yaml", "VpcId"): (
        ["", "vpc-0a0a0a0a", "vpc-0123456789abcdef0"],
        ["vpc-", "vpc-xyz", "subnet-0a0a0a0a", "VPC-0a0a0a0a"],
    ),
    ("service.yaml", "SubnetIds"): (
        ["", "subnet-0a0a0a0a", "subnet-0a0a0a0a,subnet-0b0b0b0b"],
        ["subnet-", "subnet-0a0a0a0a,", "subnet-0a0a0a0a subnet-0b0b0b0b", "vpc-0a0a0a0a"],
    ),
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


@pytest.mark.parametrize(
    "template, wanted",
    [
        ("provider.yaml", {"ServiceTag", "NotifySince"}),
        ("consumer.yaml", {"ServiceName", "EndpointTag", "PrivateDns", "VpcId", "SubnetIds", "ClientCidr"}),
    ],
)
def test_what_nobody_can_guess_has_to_be_given_and_the_first_deployment_observes(template, wanted):
    required = {
        key for (name, key), parameter in PARAMETERS.items() if name == template and "Default" not in parameter
    }
    assert required == wanted
    assert PARAMETERS[template, "Mode"]["Default"] == "observe"


def test_an_example_without_a_place_is_refused_by_a_rule():
    (rule,) = read("service.yaml")["Rules"].values()
    for given, complaints in [
        ({}, {"VpcId", "SubnetIds"}),
        ({"VpcId": "vpc-0a0a0a0a"}, {"SubnetIds"}),
        ({"VpcId": "vpc-0a0a0a0a", "SubnetIds": "subnet-0a0a0a0a"}, set()),
    ]:
        stack = Stack(read("service.yaml"), {"ServiceTag": "a=b", **given})
        assert stack.resolve(rule["RuleCondition"])
        failed = [one["AssertDescription"] for one in rule["Assertions"] if not stack.resolve(one["Assert"])]
        assert {text.split()[-1] for text in failed} == complaints
    assert not Stack(read("service.yaml"), SERVICE_PARAMETERS).resolve(rule["RuleCondition"])


def test_the_readmes_commands_give_what_the_templates_take():
    text = (ROOT / "README.md").read_text().replace("\\\n", " ")
    # `sam deploy` takes the template that `sam build` was given.
    override = r"--template(?:-file)? infra/([\w-]+\.yaml)[^`]*? --parameter-overrides((?:\s+\w+=\S+)+)"
    commands = re.findall(override, text)
    given = {name: dict(pair.split("=", 1) for pair in pairs.strip("`").split()) for name, pairs in commands}
    assert set(given) == set(GIVEN)
    for name, values in given.items():
        parameters = {key: parameter for (where, key), parameter in PARAMETERS.items() if where == name}
        assert (
            {key for key, parameter in parameters.items() if "Default" not in parameter}
            <= set(values)
            <= set(parameters)
        )
        for key, value in values.items():
            value, parameter = value.strip("`;"), parameters[key]
            pattern = parameter.get("AllowedPattern") or "|".join(parameter["AllowedValues"])
            assert re.fullmatch(pattern, value, re.ASCII), (key, value)
