"""What the functions call in the deployed stack, what stands close to that, and what their roles say to it.

What they call is not what somebody thinks that they do, but what they did in the scenarios of the Rust tests: a
recording.
"""

import functools
import json

import recording
from stage import ACME, INITECH, PROVIDER, REGION
from templates import DNS_ROLE, OTHER_KEY, OTHER_TOPIC, ZONE, consumer, provider

STACK, CONSUMER_STACK = provider(), consumer()
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
    stack = stack_of(function)
    group = stack.arn(function + "Logs")
    return [
        ("logs:CreateLogStream", group, {}),
        ("logs:PutLogEvents", group, {}),
        ("xray:PutTraceSegments", "*", {}),
        ("xray:PutTelemetryRecords", "*", {}),
        ("sqs:SendMessage", stack.arn("DeadLetters"), {}),
        *IN_THE_NAME_OF.get(function, []),
    ]


SEALING = [(f"kms:{action}", STACK.arn("Key"), BY_SNS) for action in ("GenerateDataKey", "Decrypt")]
READING = ("ec2:DescribeVpcEndpointServiceConfigurations", "*", HERE)
CONNECTIONS = ("ec2:DescribeVpcEndpointConnections", "*", HERE)
FUNCTIONS = {
    "ConnectionAcceptor": "connection-acceptor",
    "DomainVerifier": "domain-verifier",
    "AvailabilityNotifier": "availability-notifier",
}
CONSUMERS = {"EndpointConfigurator": "endpoint-configurator", "ConnectivityProber": "connectivity-prober"}
OF_ALL = FUNCTIONS | CONSUMERS
OWN_VPC = f"arn:aws:ec2:{REGION}:{ACME}:vpc/vpc-0a0a0a0a"
OWN_ENDPOINT = f"arn:aws:ec2:{REGION}:{ACME}:vpc-endpoint/vpce-0aa11bb22cc33dd44"
PROBER = CONSUMER_STACK.arn("ConnectivityProber")
ATTACHING = [
    f"ec2:{action}"
    for action in (
        "AssignPrivateIpAddresses",
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "UnassignPrivateIpAddresses",
    )
]
# What AWS does beside: the zone of a private name, the destination, and the way into a VPC.
IN_THE_NAME_OF = {
    "EndpointConfigurator": [
        ("route53:AssociateVPCWithHostedZone", ZONE, {}),
        ("lambda:InvokeFunction", PROBER, {}),
    ],
    "ConnectivityProber": [(action, "*", HERE) for action in ATTACHING],
}
FOREIGN = f"arn:aws:ec2:{REGION}:{INITECH}"
ELSEWHERE = {"ec2:Region": "eu-west-1"}
# What each function must not be allowed: what stands close to what it may do.
DENIED = {
    "ConnectionAcceptor": [
        (READING[0], "*", ELSEWHERE),
        (CONNECTIONS[0], "*", ELSEWHERE),
        *[
            (f"ec2:{verb}VpcEndpointConnections", resource, context)
            for verb in ("Accept", "Reject")
            for resource, context in [
                (SERVICE, {}),
                (SERVICE, {"aws:ResourceTag/privatelink": "else"}),
                (SERVICE, {"aws:ResourceTag/else": "managed"}),
                (SERVICE.replace(EC2, FOREIGN), TAGGED),
                (CONNECTION, TAGGED),
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
        ("kms:Decrypt", STACK.arn("Key"), {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}),
    ],
    "AvailabilityNotifier": [
        (READING[0], "*", ELSEWHERE),
        (CONNECTIONS[0], "*", ELSEWHERE),
        ("ec2:AcceptVpcEndpointConnections", SERVICE, TAGGED),
        ("ec2:CreateTags", CONNECTION, {}),
        ("ec2:CreateTags", CONNECTION, tags("privatelink:decision")),
        ("ec2:CreateTags", SERVICE, {**TAGGED, **tags("privatelink:notified")}),
        ("sns:Publish", STACK.arn("ConnectionTopic"), {}),
        ("sns:Publish", CONSUMER_TOPIC.replace(PROVIDER, INITECH), {}),
        ("sns:Publish", OTHER_TOPIC + "2", {}),
        ("sns:Subscribe", NOTICES, {}),
        ("kms:Decrypt", STACK.arn("Key"), {}),
        ("kms:Decrypt", STACK.arn("Key"), {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}),
        ("kms:Decrypt", OTHER_KEY, {}),
        ("kms:Decrypt", OTHER_KEY, {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}),
        ("kms:Decrypt", OTHER_KEY + "1", BY_SNS),
    ],
    "EndpointConfigurator": [
        ("ec2:DescribeVpcEndpoints", "*", ELSEWHERE),
        ("ec2:DescribeVpcAttribute", OWN_VPC.replace("vpc-0a", "vpc-0b"), {}),
        ("ec2:ModifyVpcEndpoint", OWN_ENDPOINT, {}),
        ("ec2:ModifyVpcEndpoint", OWN_ENDPOINT, {"aws:ResourceTag/privatelink": "else"}),
        ("ec2:ModifyVpcEndpoint", OWN_ENDPOINT, {"aws:ResourceTag/else": "managed"}),
        ("ec2:ModifyVpcEndpoint", OWN_ENDPOINT.replace(ACME, INITECH), TAGGED),
        ("ec2:ModifyVpcEndpoint", OWN_VPC, TAGGED),
        ("ec2:DeleteVpcEndpoints", OWN_ENDPOINT, TAGGED),
        ("ec2:CreateTags", OWN_ENDPOINT, TAGGED),
        ("ec2:AuthorizeSecurityGroupIngress", "*", HERE),
        ("route53:ChangeResourceRecordSets", ZONE, change()),
        ("lambda:InvokeFunction", CONSUMER_STACK.arn("EndpointConfigurator"), {}),
        ("sns:Publish", CONSUMER_STACK.arn("OperatorTopic"), {}),
    ],
    "ConnectivityProber": [
        *[(action, "*", ELSEWHERE) for action in ATTACHING],
        # The function's own code, with what Lambda may do in its name.
        *[(action, "*", {**HERE, "lambda:SourceFunctionArn": PROBER}) for action in ATTACHING],
        ("ec2:DescribeVpcEndpoints", "*", HERE),
        ("ec2:ModifyVpcEndpoint", OWN_ENDPOINT, TAGGED),
        ("sns:Publish", CONSUMER_STACK.arn("OperatorTopic"), {}),
    ],
}


def stack_of(function):
    return CONSUMER_STACK if function in CONSUMERS else STACK


def policies(function, stack=None):
    """The policies of a function's role, with those that are resources of their own."""
    stack = stack or stack_of(function)
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
        "vpc-endpoint-service/": SERVICE,
        "vpc-endpoint-connection/": CONNECTION,
        ":hostedzone/": ZONE,
        ":role/": DNS_ROLE,
        ":vpc/": OWN_VPC,
        ":vpc-endpoint/": OWN_ENDPOINT,
    }
    return next((example for part, example in examples.items() if part in resource), resource)


@functools.cache
def recorded(function):
    """Every call that a function made, once each."""
    made = recording.calls()[OF_ALL[function]]
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
