"""The calls that the functions made in the scenarios of the Rust tests, as IAM is asked about them.

`tests/src/calls.rs` writes them down where PRIVATELINK_CALLS names a file. Where it names none, those scenarios are run
here.
"""

import collections
import functools
import json
import os
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import parse_qs

from aws_model_rest import check_rest_request
from stage import ACME, PROVIDER

ROOT = Path(__file__).parents[2]
SCENARIOS = (
    "acceptor",
    "configurator",
    "notifier",
    "notifier_troubles",
    "verifier",
    "verifier_dns",
    "verifier_races",
    "verifier_zones",
    "wire",
)

# In whose accounts the functions run, unless it is the provider's.
ACCOUNTS = {"endpoint-configurator": ACME}

# One question to IAM. Its context is what conditions can see: pairs of a key and a value, or several.
Call = collections.namedtuple("Call", "action resource context")


def ask(action, resource, context):
    return Call(
        action, resource, frozenset((key, tuple(v) if isinstance(v, list) else v) for key, v in context.items())
    )


def lines():
    """What was written down."""
    path = os.environ.get("PRIVATELINK_CALLS")
    if path:
        return Path(path).read_text().splitlines()
    with tempfile.NamedTemporaryFile() as file:
        command = ["cargo", "test", "--locked", "--quiet", "--workspace"]
        for name in SCENARIOS:
            command += ["--test", name]
        variables = {**os.environ, "PRIVATELINK_CALLS": file.name}
        ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return Path(file.name).read_text().splitlines()


@functools.cache
def calls():
    """What each function asked for, once each, by its name; what it did in another account's role is `(other)`."""
    found = collections.defaultdict(set)
    for line in set(lines()):
        record = json.loads(line)
        own = record["key"] == ACCOUNTS.get(record["function"], PROVIDER)
        if not own:
            # The session of a role that it assumed, of which another account decides.
            assert (record["function"], record["service"]) == ("domain-verifier", "route53"), line
        name = record["function"] if own else "(other)"
        found[name].update(READ[record["service"]](record))
    return found


def of_ec2(record):
    given = {key: values[0] for key, values in parse_qs(record["body"]).items()}
    action = f"ec2:{given['Action']}"
    arn = f"arn:aws:ec2:{record['region']}:{record['key']}"
    if given["Action"] == "DescribeVpcAttribute":
        return [ask(action, f"{arn}:vpc/{given['VpcId']}", {})]
    if given["Action"] == "ModifyVpcEndpoint":
        # As with services: an endpoint that has not the tag is none that is changed.
        return [ask(action, f"{arn}:vpc-endpoint/{given['VpcEndpointId']}", {"aws:ResourceTag/privatelink": "managed"})]
    if given["Action"].startswith("Describe"):
        return [ask(action, "*", {"ec2:Region": record["region"]})]
    ids = [value for key, value in given.items() if key.startswith("ResourceId.")] or [given["ServiceId"]]
    context = {}
    if given["Action"] == "CreateTags":
        context["aws:TagKeys"] = sorted(
            value for key, value in given.items() if key.startswith("Tag.") and key.endswith(".Key")
        )
    # A service that has not the tag is none that a deployed function looks at: other tests hold it to that.
    asked = []
    for resource in ids:
        if resource.startswith("vpce-svc-"):
            asked.append(
                ask(
                    action,
                    f"{arn}:vpc-endpoint-service/{resource}",
                    {**context, "aws:ResourceTag/privatelink": "managed"},
                )
            )
        else:
            assert resource.startswith("vpce-con-"), resource
            asked.append(ask(action, f"{arn}:vpc-endpoint-connection/{resource}", context))
    return asked


def of_route53(record):
    operation, problems = check_rest_request(*(record[part] for part in ("method", "path", "query", "body")))
    assert problems == [], record
    action = f"route53:{operation}"
    part = record["path"].strip("/").split("/")
    if operation == "ListHostedZonesByName":
        return [ask(action, "*", {})]
    if operation == "GetChange":
        return [ask(action, f"arn:aws:route53:::change/{part[2]}", {})]
    context = {}
    if operation == "ChangeResourceRecordSets":
        body = ET.fromstring(record["body"])
        said = collections.defaultdict(set)
        for element in body.iter():
            said[element.tag.rpartition("}")[2]].add(element.text)
        context = {
            f"{action}Actions": sorted(said["Action"]),
            f"{action}RecordTypes": sorted(said["Type"]),
            # In lower case, and without the dot at the end.
            f"{action}NormalizedRecordNames": sorted({name.lower().rstrip(".") for name in said["Name"]}),
        }
    return [ask(action, f"arn:aws:route53:::hostedzone/{part[2]}", context)]


def of_sns(record):
    given = parse_qs(record["body"])
    assert given["Action"][0] in ("Publish", "PublishBatch"), record
    # A batch is allowed by the same action.
    return [ask("sns:Publish", given["TopicArn"][0], {})]


def of_sts(record):
    given = parse_qs(record["body"])
    return [ask(f"sts:{given['Action'][0]}", given["RoleArn"][0], {})]


READ = {"ec2": of_ec2, "route53": of_route53, "sns": of_sns, "sts": of_sts}
