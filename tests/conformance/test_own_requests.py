"""What this product's own clients send, held against botocore's models of what AWS takes."""

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import parse_qs

import aws_model
from stage import ACME, INITECH, PROVIDER

POLICY = Path(__file__).parents[2] / "infra" / "policy"

# Each command, with the operations that it has to make: one that sends nothing would be found without fault.
COMMANDS = (
    (["plan"], {"DescribeVpcEndpointServiceConfigurations", "DescribeVpcEndpointConnections"}),
    (["plan"], {"DescribeVpcEndpointServicePermissions"}),
    (["doctor"], {"AcceptVpcEndpointConnections", "RejectVpcEndpointConnections", "CreateTags"}),
    (["apply", "--yes"], {"AcceptVpcEndpointConnections", "RejectVpcEndpointConnections", "CreateTags"}),
    (["revoke", "--consumer", "acme", "--yes"], {"RejectVpcEndpointConnections", "CreateTags"}),
)


def run(stage, arguments):
    """Runs a command of ours against the Region."""
    variables = {
        "AWS_ENDPOINT_URL": stage.url,
        "AWS_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": PROVIDER,
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_SESSION_TOKEN": "none",
        "PRIVATELINK_POLICY_DIR": str(POLICY),
    }
    command = [os.environ["PRIVATELINK_BIN"], *arguments]
    ended = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_request_of_our_own_is_one_that_aws_takes(stage):
    service = stage.create_service()
    for account in (ACME, INITECH, "333344445555"):
        stage.connect(service, account=account)
    for arguments, wanted in COMMANDS:
        before = len(stage.control("GET", "requests"))
        run(stage, arguments)
        sent = stage.control("GET", "requests")[before:]
        operations = {parse_qs(request["body"])["Action"][0] for request in sent}
        assert wanted <= operations, (arguments, operations)
        for request in sent:
            operation = parse_qs(request["body"])["Action"][0]
            assert request["service"] == "ec2"
            assert aws_model.check_request(operation, request["body"]) == [], json.dumps(request)
