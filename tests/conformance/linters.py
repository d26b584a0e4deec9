"""Those who look for faults and weaknesses in the templates. Each finding has a rule and a place."""

import importlib.resources
import json
import logging
import subprocess
import sys
import types
import warnings
from pathlib import Path

import pycfmodel
from cfripper.config.config import Config
from cfripper.rule_processor import RuleProcessor
from cfripper.rules import DEFAULT_RULES

from stage import PROVIDER, REGION

# parliament finds its own files by a module that setuptools has given up. It is given what it asks of it.
_resources = types.ModuleType("pkg_resources")
_resources.resource_filename = lambda package, name: str(importlib.resources.files(package) / name)
sys.modules.setdefault("pkg_resources", _resources)
from parliament import analyze_policy_string


def cfn_lint(*templates):
    """cfn-lint, with AWS's own rules for serverless applications among its own."""
    command = [
        Path(sys.executable).with_name("cfn-lint"),
        "--format",
        "json",
        "--append-rules",
        "cfn_lint_serverless.rules",
    ]
    ended = subprocess.run([*command, "--", *templates], capture_output=True, text=True)
    assert ended.stderr == "", ended.stderr
    found = json.loads(ended.stdout or "[]")
    return {(match["Rule"]["Id"], (match["Location"]["Path"] or [None, None])[1]): match["Message"] for match in found}


def cfripper(template, parameters):
    """cfripper: who is let in by policies, and how far."""
    # It tells at length of every type and function that it does not know.
    logging.disable(logging.CRITICAL)
    # The version of a policy is a date in YAML.
    model = pycfmodel.parse(json.loads(json.dumps(template, default=str)))
    pseudo = {
        "AWS::AccountId": PROVIDER,
        "AWS::Region": REGION,
        "AWS::Partition": "aws",
        "AWS::StackName": "privatelink",
    }
    config = Config(stack_name="privatelink", aws_account_id=PROVIDER, rules=list(DEFAULT_RULES))
    rules = [rule(config) for rule in DEFAULT_RULES.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = RuleProcessor(*rules).process_cf_template(model.resolve({**parameters, **pseudo}), config)
    logging.disable(logging.NOTSET)
    return {(failure.rule, name): failure.reason for failure in result.failures for name in failure.resource_ids}


def parliament(name, policy):
    """parliament: actions, resources and condition keys that do not exist or go together, and what is sensitive."""
    analysis = analyze_policy_string(json.dumps(policy, default=str), include_community_auditors=True)
    return {(finding.issue, name): str(finding.detail) for finding in analysis.findings}
