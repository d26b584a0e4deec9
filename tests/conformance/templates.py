"""The deployment templates as AWS would see them: translated by SAM's own translator, with their parameters filled in.

What CloudFormation does with a template's functions (`Ref`, `Fn::Sub` and the rest) is done here for those that the
templates use, so that rules, policies and targets can be read as they would be deployed.
"""

import copy
import functools
import re
from pathlib import Path

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from stage import ACME, NLB, PROVIDER, REGION

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
STACK = "privatelink"
ZONE = "arn:aws:route53:::hostedzone/Z0123456789ABC"
DNS_ROLE = "arn:aws:iam::444455556666:role/dns"
OTHER_TOPIC = "arn:aws:sns:eu-west-1:999988887777:acme"
OTHER_KEY = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-0000-0000-000000000000"
# The topic of a provider in another account and Region.
NOTICE_TOPIC = f"arn:aws:sns:eu-west-1:{PROVIDER}:privatelink-consumer-acme"
# Everything that a parameter can switch on is on.
PROVIDER_PARAMETERS = {
    "ServiceTag": "privatelink=managed",
    "NotifySince": "2026-01-31T12:00:00Z",
    "HostedZoneArns": ZONE,
    "DnsRoleArns": DNS_ROLE,
    "OtherTopicArns": OTHER_TOPIC,
    "OtherKeyArns": OTHER_KEY,
    "ReservedConcurrency": "5",
}
TOPIC_PARAMETERS = {"Consumer": "acme", "Accounts": f"{ACME},111122224444"}
CONSUMER_PARAMETERS = {
    "ServiceName": f"com.amazonaws.vpce.{REGION}.vpce-svc-0123456789abcdef0",
    "EndpointTag": "privatelink=managed",
    "PrivateDns": "true",
    "VpcId": "vpc-0a0a0a0a",
    "SubnetIds": "subnet-0a0a0a0a,subnet-0b0b0b0b",
    "SubnetsHaveIpv6": "true",
    "ClientCidr": "10.0.0.0/16",
    "ClientIpv6Cidr": "2001:db8::/56",
    "Ports": "443,8443,9443",
    "NoticeTopicArn": NOTICE_TOPIC,
}
SERVICE_PARAMETERS = {
    "ServiceTag": "privatelink=managed",
    "AllowedPrincipals": f"arn:aws:iam::{ACME}:root",
    "NetworkLoadBalancerArn": NLB,
}
GIVEN = {
    "provider.yaml": PROVIDER_PARAMETERS,
    "consumer.yaml": CONSUMER_PARAMETERS,
    "consumer-topic.yaml": TOPIC_PARAMETERS,
    "service.yaml": SERVICE_PARAMETERS,
}
# Those that are SAM's, and whose account they are deployed in.
SERVERLESS = {"provider.yaml": PROVIDER, "consumer.yaml": ACME}
LEFT_OUT = object()


def read(name):
    return yaml_parse((INFRA / name).read_text())


@functools.cache
def translation(name="provider.yaml"):
    """One of SAM's templates as plain CloudFormation, with the folders uploaded as `sam deploy` does it."""
    template = read(name)
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/function"
    if "PolicyLayer" in template["Resources"]:
        template["Resources"]["PolicyLayer"]["Properties"]["ContentUri"] = "s3://bucket/layer"
    translator = Translator({}, Parser(), boto_session=boto3.session.Session(region_name=REGION))
    return translator.translate(template, GIVEN[name])


def plain(name):
    """Any of the templates as CloudFormation takes it."""
    return translation(name) if name in SERVERLESS else read(name)


def provider(**parameters):
    """`provider.yaml` as it would be deployed."""
    return Stack(translation(), {**PROVIDER_PARAMETERS, **parameters})


def consumer(**parameters):
    """`consumer.yaml` as it would be deployed."""
    given = {**CONSUMER_PARAMETERS, **parameters}
    return Stack(translation("consumer.yaml"), given, account=SERVERLESS["consumer.yaml"])


class Stack:
    """A template with its parameters, and its resources with all functions resolved."""

    def __init__(self, template, parameters, account=PROVIDER):
        self.template, self.account = copy.deepcopy(template), account
        self.parameters = {}
        for name, parameter in template["Parameters"].items():
            value = str(parameters.get(name, parameter.get("Default")))
            self.parameters[name] = value.split(",") if parameter["Type"] == "CommaDelimitedList" else value
        self.resources = {
            name: self.resolve(resource)
            for name, resource in self.template["Resources"].items()
            if self.holds(resource.get("Condition"))
        }

    def of_type(self, kind):
        return {name: found for name, found in self.resources.items() if found["Type"] == kind}

    def properties(self, name):
        return self.resources[name]["Properties"]

    def holds(self, condition):
        return condition is None or self.resolve(self.template["Conditions"][condition])

    def resolve(self, value):
        if isinstance(value, list):
            resolved = (self.resolve(item) for item in value)
            return [item for item in resolved if item is not LEFT_OUT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self.ref(argument)
            if name.startswith("Fn::"):
                return getattr(self, "fn_" + name[4:].lower())(argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not LEFT_OUT}

    def ref(self, name):
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::Region": REGION,
            "AWS::Partition": "aws",
            "AWS::StackName": STACK,
            "AWS::NoValue": LEFT_OUT,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        kind = self.template["Resources"][name]["Type"]
        return self.arn(name) if kind in ("AWS::SNS::Topic", "AWS::Lambda::Alias") else name

    def arn(self, name):
        resource = self.template["Resources"][name]
        service, kind = resource["Type"].split("::")[1:]
        if kind == "Role":
            return f"arn:aws:iam::{self.account}:role/{name}"
        if kind == "Alarm":
            return f"arn:aws:cloudwatch:{REGION}:{self.account}:alarm:{STACK}-{name}"
        if kind == "Alias":
            properties = resource["Properties"]
            return f"{self.arn(properties['FunctionName']['Ref'])}:{properties['Name']}"
        prefix = {
            "Function": "function:",
            "LogGroup": "log-group:",
            "Key": "key/",
            "EventBus": "event-bus/",
            "Rule": "rule/",
        }.get(kind, "")
        suffix = ":*" if kind == "LogGroup" else ""
        return f"arn:aws:{service.lower()}:{REGION}:{self.account}:{prefix}{name}{suffix}"

    def fn_getatt(self, argument):
        name, attribute = argument if isinstance(argument, list) else argument.split(".")
        assert attribute in ("Arn", "QueueName"), argument
        return self.arn(name) if attribute == "Arn" else name

    def fn_sub(self, argument):
        text, more = argument if isinstance(argument, list) else (argument, {})
        more = self.resolve(more)

        def value(found):
            name = found[1]
            if name in more:
                return more[name]
            return self.fn_getatt(name) if "." in name else self.ref(name)

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def fn_join(self, argument):
        separator, parts = argument
        return separator.join(self.resolve(parts))

    def fn_select(self, argument):
        index, items = argument
        return self.resolve(items)[int(index)]

    def fn_split(self, argument):
        separator, text = argument
        return self.resolve(text).split(separator)

    def fn_if(self, argument):
        condition, then, otherwise = argument
        return self.resolve(then if self.holds(condition) else otherwise)

    def fn_equals(self, argument):
        one, other = self.resolve(argument)
        return one == other

    def fn_and(self, argument):
        return all(self.holds(one["Condition"]) for one in argument)

    def fn_not(self, argument):
        return not self.resolve(argument[0])

    def fn_importvalue(self, argument):
        return f"imported {self.resolve(argument)}"
