"""The lines from which CloudWatch makes metrics, as a function's own program prints them.

The schema is the one that AWS publishes with the format, written anew; beyond it, what its text says in words: each name
stands at the top, a dimension is a text there, and a metric a number or at most a hundred of them.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from function import Failed, Function, program
from stage import ACME, INITECH, PROVIDER, REGION

POLICY = Path(__file__).parents[2] / "infra" / "policy"
FUNCTIONS = ("connection-acceptor", "domain-verifier", "availability-notifier")
# The most values that one metric has in one document.
MOST_VALUES = 100
PREFIXES = ("", "Kilo", "Mega", "Giga", "Tera")
SIZES = [f"{prefix}{what}".capitalize() for prefix in PREFIXES for what in ("bytes", "bits")]
UNITS = ["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"]
UNITS += [size + rate for size in SIZES for rate in ("", "/Second")]


def text(longest):
    return {"type": "string", "minLength": 1, "maxLength": longest}


def members(required, **properties):
    return {"type": "object", "required": required, "properties": properties}


METRIC = members(
    ["Name"], Name=text(1024), Unit={"enum": UNITS}, StorageResolution={"type": "integer", "enum": [1, 60]}
)
DIMENSIONS = {"type": "array", "minItems": 1, "items": {"type": "array", "maxItems": 30, "items": text(250)}}
DIRECTIVE = members(
    ["Namespace", "Dimensions", "Metrics"],
    Namespace=text(1024),
    Dimensions=DIMENSIONS,
    Metrics={"type": "array", "maxItems": 100, "items": METRIC},
)
SCHEMA = Draft202012Validator(
    members(
        ["_aws"],
        _aws=members(
            ["Timestamp", "CloudWatchMetrics"],
            Timestamp={"type": "integer"},
            CloudWatchMetrics={"type": "array", "items": DIRECTIVE},
        ),
    )
)


def figures(document):
    """What CloudWatch makes of one document: for each metric its values, by the dimensions' values."""
    SCHEMA.validate(document)
    assert len(json.dumps(document)) <= 256 * 1024
    assert abs(document["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    found = {}
    for directive in document["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == "PrivateLink"
        for dimensions in directive["Dimensions"]:
            values = tuple(document[name] for name in dimensions)
            assert dimensions in (["function"], ["function", "service"])
            assert all(isinstance(value, str) and 1 <= len(value) <= 1024 for value in values)
            for metric in directive["Metrics"]:
                value = document[metric["Name"]]
                value = value if isinstance(value, list) else [value]
                assert 1 <= len(value) <= MOST_VALUES
                assert all(type(number) in (int, float) for number in value)
                found.setdefault((*values, metric["Name"]), []).extend(value)
    return found


def counted(function, before=0):
    """All figures of the lines after the first so many; and how many lines there are."""
    lines = [json.loads(line) for line in function.log().splitlines() if line.startswith("{")]
    found = {}
    for line in (line for line in lines[before:] if "_aws" in line):
        # It bears what every line of the log does, by which the invocation is found.
        assert line["requestId"] and line["timestamp"] and line["level"] == "INFO"
        for name, values in figures(line).items():
            found.setdefault(name, []).extend(values)
    return found, len(lines)


@pytest.fixture
def start(stage):
    functions = []

    def begin(name, **more):
        variables = {
            "AWS_ENDPOINT_URL": stage.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": PROVIDER,
            "AWS_SECRET_ACCESS_KEY": "none",
            "PRIVATELINK_POLICY_DIR": str(POLICY),
            "PRIVATELINK_DNS_SERVER": stage.name_servers,
            "PRIVATELINK_NOTICE_TOPIC_ARN": f"arn:aws:sns:{REGION}:{PROVIDER}:notices",
        }
        functions.append(Function(program(name), variables | more))
        return functions[-1]

    yield begin
    for function in functions:
        function.close()


def test_decisions_are_in_lines_that_cloudwatch_takes(stage, start):
    service = stage.create_service()
    for account in (ACME, INITECH, "333344445555"):
        stage.connect(service, account=account)
    before = len(stage.control("GET", "requests"))
    function = start("connection-acceptor")
    function.call({})
    found, lines = counted(function)
    requests = len(stage.control("GET", "requests")) - before
    of_service = ("connection-acceptor", service["ServiceId"])
    assert {name: found[(*of_service, name)] for name in ("Accepted", "Rejected", "HeldNew")} == {
        "Accepted": [1],
        "Rejected": [1],
        "HeldNew": [1],
    }
    assert len(found[(*of_service, "TimeToAccept")]) == 1
    of_function = {name[1]: values for name, values in found.items() if len(name) == 2}
    assert of_function.pop("HeldOldestAge")[0] >= 0
    assert of_function == {
        "ApiCalls": [requests],
        "Sweeps": [1],
        "BadConfiguration": [0],
        "BadPolicy": [0],
        "ApiRetries": [0],
        "OpenServices": [0],
        "Undecided": [0],
        "UndecidedOldestAge": [0],
        "Held": [1],
    }
    # What was decided once is not counted twice.
    function.call({})
    again, _ = counted(function, lines)
    assert ("connection-acceptor", "Sweeps") in again and not [name for name in again if len(name) == 3]


def test_more_times_than_a_line_takes_go_on_in_the_next(stage, start, tmp_path):
    service = stage.create_service()
    for _ in range(MOST_VALUES + 1):
        stage.connect(service)
    (tmp_path / "consumers.toml").write_text("")
    everybody = '@id("all") permit(principal, action == PrivateLink::Action::"Accept", resource);'
    (tmp_path / "all.cedar").write_text(everybody)
    function = start("connection-acceptor", PRIVATELINK_POLICY_DIR=str(tmp_path))
    function.call({})
    found, _ = counted(function)
    of_service = ("connection-acceptor", service["ServiceId"])
    assert found[(*of_service, "Accepted")] == [MOST_VALUES + 1]
    assert len(found[(*of_service, "TimeToAccept")]) == MOST_VALUES + 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_invocation_that_fails_is_counted_too(stage, start, name, tmp_path):
    wrong = start(name, PRIVATELINK_MODE="maybe")
    with pytest.raises(Failed) as failed:
        wrong.call({})
    assert failed.value.kind == "BadConfiguration"
    assert counted(wrong)[0][(name, "BadConfiguration")] == [1]

    for file in ("consumers.toml", "domains.toml", "bad.cedar"):
        (tmp_path / file).write_text("what is this")
    spoilt = start(name, PRIVATELINK_POLICY_DIR=str(tmp_path))
    for event in ({}, {"what": "ever"}):
        with pytest.raises(Failed) as failed:
            spoilt.call(event)
        assert failed.value.kind == "BadPolicy"
    found = counted(spoilt)[0]
    assert (found[(name, "BadPolicy")], found[(name, "BadConfiguration")]) == ([1, 1], [0, 0])
    assert (name, "Sweeps") not in found

    good = start(name)
    stage.fault("DescribeVpcEndpointServiceConfigurations", "throttled")
    good.call({})
    with pytest.raises(Failed) as failed:
        good.call({"what": "ever"})
    assert failed.value.kind == "UnrecognizedEvent"
    found = counted(good)[0]
    assert (found[(name, "Sweeps")], found[(name, "ApiRetries")]) == ([1], [1, 0])
    assert found[(name, "BadPolicy")] == [0, 0]


def test_the_schema_refuses_what_is_wrong():
    """The schema can fail: otherwise it would prove nothing."""
    good = {
        "_aws": {
            "Timestamp": 1,
            "CloudWatchMetrics": [
                {"Namespace": "N", "Dimensions": [["d"]], "Metrics": [{"Name": "M", "Unit": "Count"}]}
            ],
        }
    }
    assert SCHEMA.is_valid(good) and len(UNITS) == 27
    for path, value in (
        (("_aws", "Timestamp"), "1"),
        (("_aws", "CloudWatchMetrics", 0, "Namespace"), ""),
        (("_aws", "CloudWatchMetrics", 0, "Dimensions"), ["d"]),
        (("_aws", "CloudWatchMetrics", 0, "Metrics", 0, "Unit"), "Pieces"),
        (("_aws", "CloudWatchMetrics", 0, "Metrics"), [{"Name": "M"}] * 101),
    ):
        bad = json.loads(json.dumps(good))
        where = bad
        for step in path[:-1]:
            where = where[step]
        where[path[-1]] = value
        assert not SCHEMA.is_valid(bad), path
