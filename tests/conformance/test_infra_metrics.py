"""What a person wakes for and looks at: alarms, dashboard and saved queries, by what the functions really write."""

import json
import re

import pytest

from stage import ACME, INITECH, PROVIDER
from templates import INFRA, ROOT, consumer, provider

A, V, N = FUNCTIONS = ("connection-acceptor", "domain-verifier", "availability-notifier")
C, P = CONSUMERS = ("endpoint-configurator", "connectivity-prober")
EVERY = {*FUNCTIONS, *CONSUMERS}
STACKS = {"provider": provider(), "consumer": consumer()}
STACK = STACKS["provider"]
ALARMS_OF = {
    side: {name: alarm["Properties"] for name, alarm in stack.of_type("AWS::CloudWatch::Alarm").items()}
    for side, stack in STACKS.items()
}
ALARMS = ALARMS_OF["provider"]
LOGS = {
    "ConnectionAcceptorLogs": A,
    "AvailabilityNotifierLogs": N,
    "DomainVerifierLogs": V,
    "EndpointConfiguratorLogs": C,
    "ConnectivityProberLogs": P,
}
# The metrics of the functions, by their dimensions, and who sends them.
METRICS = {
    ("function",): {
        "Sweeps": EVERY,
        "BadConfiguration": EVERY,
        "BadPolicy": EVERY,
        "ApiCalls": EVERY,
        "ApiRetries": EVERY,
        "OpenServices": {A},
        "Undecided": {A},
        "Held": {A},
        "UndecidedOldestAge": {A},
        "HeldOldestAge": {A},
        "NoticesSent": {V, N},
        "NoticesNotSent": {V, N},
        "DomainsVerified": {V},
        "DomainsPending": {V},
        "DomainsFailed": {V},
        "DomainsWaitingLongest": {V},
        "ProbesDone": {P},
        "ProbesRefused": {P},
        "ProbesNotTested": {P},
    },
    ("function", "service"): {
        "Accepted": {A},
        "Rejected": {A},
        "HeldNew": {A},
        "TimeToAccept": {A},
        "TimeToAvailable": {N},
    },
}
EACH = METRICS[("function",)]


def watched(alarm):
    """The metrics of this product that an alarm looks at, each with its function."""
    stats = [metric["MetricStat"]["Metric"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric] or [alarm]
    found = set()
    for stat in stats:
        (dimension,) = stat["Dimensions"]
        if stat["Namespace"] == "PrivateLink":
            assert dimension["Name"] == "function" and dimension["Value"] in EACH[stat["MetricName"]], stat
            found.add((stat["MetricName"], dimension["Value"]))
    return found


def test_there_is_an_alarm_for_everything_that_a_person_should_wake_for():
    both = [("NoticesNotSent", V), ("NoticesNotSent", N)]
    bad = [(metric, function) for metric in ("BadConfiguration", "BadPolicy") for function in FUNCTIONS]
    assert {name: watched(alarm) for name, alarm in ALARMS.items()} == {
        "ConnectionAcceptorNoSweep": {("Sweeps", A)},
        "DomainVerifierNoSweep": {("Sweeps", V)},
        "AvailabilityNotifierNoSweep": {("Sweeps", N)},
        "UndecidedForLong": {("UndecidedOldestAge", A)},
        "DomainNotVerified": {("DomainsWaitingLongest", V)},
        "NoticesNotSent": set(both),
        "BadInput": set(bad),
        "DeadLetter": set(),
    }
    assert {name: watched(alarm) for name, alarm in ALARMS_OF["consumer"].items()} == {
        "EndpointConfiguratorNoSweep": {("Sweeps", C)},
        "ConnectivityProberNoSweep": {("Sweeps", P)},
        "ProbesRefused": {("ProbesRefused", P)},
        "BadInput": {("BadConfiguration", C), ("BadConfiguration", P)},
        "DeadLetter": set(),
    }
    for alarms in ALARMS_OF.values():
        dead = alarms["DeadLetter"]
        assert (dead["Namespace"], dead["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
        assert dead["Dimensions"] == [{"Name": "QueueName", "Value": "DeadLetters"}]


@pytest.mark.parametrize("side, name", [(side, name) for side, alarms in ALARMS_OF.items() for name in alarms])
def test_an_alarm_tells_the_operators_when_it_comes_and_when_it_goes(side, name):
    alarm = ALARMS_OF[side][name]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [STACKS[side].arn("OperatorTopic")]
    assert alarm["AlarmName"] == f"privatelink-{name}" and len(alarm["AlarmDescription"]) > 40
    # Silence is what a missing sweep is; of all else there is none, and the sweep's alarm tells of it.
    assert alarm["TreatMissingData"] == ("breaching" if name.endswith("NoSweep") else "notBreaching")


@pytest.mark.parametrize(
    "function, side, schedule",
    [
        ("ConnectionAcceptor", "provider", "SweepEvery"),
        ("DomainVerifier", "provider", "VerifyEvery"),
        ("AvailabilityNotifier", "provider", "SweepEvery"),
        ("EndpointConfigurator", "consumer", "LookEvery"),
        ("ConnectivityProber", "consumer", "LookEvery"),
    ],
)
def test_ten_minutes_without_a_sweep_are_an_alarm_and_one_failed_sweep_is_none(function, side, schedule):
    alarm = ALARMS_OF[side][function + "NoSweep"]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "LessThanThreshold", 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 600 and alarm["Period"] == 60
    assert "DatapointsToAlarm" not in alarm, "all of them"
    # The slowest schedule that the parameters allow comes twice in that time.
    pattern = STACKS[side].template["Parameters"][schedule]["AllowedPattern"]
    allowed = [minutes for minutes in range(2, 61) if re.fullmatch(pattern, f"rate({minutes} minutes)")]
    assert max(allowed) * 60 * 2 <= 600


def test_a_name_that_does_not_work_is_an_alarm_when_no_test_of_a_quarter_of_an_hour_finds_it_well():
    alarm = ALARMS_OF["consumer"]["ProbesRefused"]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Minimum",
        "GreaterThanThreshold",
        0,
    )
    # The slowest schedule tests at least twice in that time.
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 900


@pytest.mark.parametrize("name, threshold", [("UndecidedForLong", 600), ("DomainNotVerified", 3600)])
def test_what_waits_is_an_alarm_by_its_age(name, threshold):
    alarm = ALARMS[name]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Maximum",
        "GreaterThanThreshold",
        threshold,
    )


@pytest.mark.parametrize(
    "side, name", [("provider", "NoticesNotSent"), ("provider", "BadInput"), ("consumer", "BadInput")]
)
def test_an_alarm_over_several_metrics_adds_them_with_nothing_for_those_that_are_not_there(side, name):
    metrics = ALARMS_OF[side][name]["Metrics"]
    (sum_of_all,) = [metric for metric in metrics if metric.get("ReturnData", True)]
    assert sum_of_all["Expression"] == "SUM(FILL(METRICS(), 0))"
    assert {m["MetricStat"]["Stat"] for m in metrics if "MetricStat" in m} == {"Sum"}


def test_the_dashboard_shows_every_metric_and_every_alarm():
    body = json.loads(STACK.properties("Dashboard")["DashboardBody"])
    assert STACK.properties("Dashboard")["DashboardName"] == "privatelink"
    (alarms,) = [widget["properties"]["alarms"] for widget in body["widgets"] if widget["type"] == "alarm"]
    assert set(alarms) == {STACK.arn(name) for name in ALARMS}
    shown, places = set(), set()
    for widget in body["widgets"]:
        place = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not place & places and max(x for x, _ in place) < 24, widget
        places |= place
        for metric, *rest in widget["properties"].get("metrics", []):
            if isinstance(metric, dict):
                found = re.fullmatch(
                    r"SEARCH\('\{PrivateLink,function,service\} MetricName=\"(\w+)\"', '(Sum|p50|p99)', 300\)",
                    metric["expression"],
                )
                assert found[1] in METRICS[("function", "service")], metric
                shown.add(found[1])
            else:
                assert (metric, rest[1]) == ("PrivateLink", "function") and rest[2] in EACH[rest[0]], rest
                shown.add(rest[0])
    # Those two are no curve but an alarm, and so is the age of the oldest name. It is the provider's dashboard.
    ours = {name for metrics in METRICS.values() for name, by in metrics.items() if by & set(FUNCTIONS)}
    assert shown == ours - {
        "BadConfiguration",
        "BadPolicy",
        "DomainsWaitingLongest",
    }


def test_the_readme_counts_what_is_paid_for():
    readme = (ROOT / "README.md").read_text()
    rows = dict(re.findall(r"^\| (metrics of the functions|alarms) \| (.*?) at ", readme, re.MULTILINE))
    assert rows["metrics of the functions"] == str(sum(len(by & set(FUNCTIONS)) for by in EACH.values()))
    looked_at = [sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1 for alarm in ALARMS.values()]
    assert sorted(looked_at) == [1] * 6 + [2, 6]
    assert rows["alarms"] == f"6 of one metric, 1 of two, 1 of six: {sum(looked_at)}"
    theirs = sum(len(by & set(CONSUMERS)) for by in EACH.values())
    watched_there = sum(len(watched(alarm)) or 1 for alarm in ALARMS_OF["consumer"].values())
    words = f"A consumer's stack: {theirs} metrics at\n0.30 and {watched_there} that alarms look at, at 0.10, are "
    assert words + f"{theirs * 0.3 + watched_there * 0.1:.2f};" in readme
    # Each is an alarm of the README's with what to do.
    assert set(
        re.findall(
            r"`(\w+)`", "".join(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| [^|]* \| [^|]* \|$", readme, re.MULTILINE))
        )
    ) >= {name for alarms in ALARMS_OF.values() for name in alarms}
    together = sum(
        float(cost)
        for row in re.findall(
            r"\| ([\d.]+(?: \+ [\d.]+)?) \|$",
            readme.split("### What it costs a month")[1].split("| together")[0],
            re.MULTILINE,
        )
        for cost in row.split(" + ")
    )
    assert f"| together | | {together:.2f} |" in readme


# ---- the saved queries, and the metrics themselves ----


@pytest.fixture
def lines(stage, deploy):
    """What the functions log while a partner is accepted, somebody is turned away, and both are told."""
    service = stage.create_service()
    for account in (ACME, INITECH, "333344445555"):
        stage.connect(service, account)
    topic = stage.client(PROVIDER, service="sns").create_topic(Name="notices")["TopicArn"]
    said = {}
    for name, log in ((A, "ConnectionAcceptorLogs"), (N, "AvailabilityNotifierLogs"), (V, "DomainVerifierLogs")):
        function = deploy(
            name,
            PRIVATELINK_POLICY_DIR=str(INFRA / "policy"),
            PRIVATELINK_NOTICE_TOPIC_ARN=topic,
            PRIVATELINK_DNS_SERVER=stage.name_servers,
        )
        function.call({})
        stage.step(130)
        said[log] = logged(function)
    return said


def logged(function):
    return [json.loads(line) for line in function.log().splitlines() if line.startswith("{")]


@pytest.fixture
def all_lines(lines, deploy):
    """The same, and what the consumer's functions log while an endpoint is looked at and handed on."""
    configurator, prober = deploy(C, PRIVATELINK_ENDPOINT_TAG="privatelink=managed"), deploy(P)
    prober.call({"responsePayload": configurator.call({})})
    return {**lines, "EndpointConfiguratorLogs": logged(configurator), "ConnectivityProberLogs": logged(prober)}


def has(line, path):
    """Whether Logs Insights finds a field of that name in a line: members and numbers of items, between dots."""
    at = line
    for step in path.split("."):
        if isinstance(at, list) and step.isdigit():
            return True
        if not isinstance(at, dict) or step not in at:
            return False
        at = at[step]
    return True


def test_the_saved_queries_ask_for_what_the_functions_log(lines):
    queries = {
        query["Properties"]["Name"]: query["Properties"]
        for query in STACK.of_type("AWS::Logs::QueryDefinition").values()
    }
    assert set(queries) == {
        "privatelink/why was this decided",
        "privatelink/what was done for this consumer",
        "privatelink/what failed",
    }
    for query in queries.values():
        asked = [line for log in query["LogGroupNames"] for line in lines[log]]
        words = set(
            re.findall(r"(?<![@\w\"/:.-])[a-zA-Z]\w*(?:\.\w+)*", re.sub(r'#.*|"[^"]*"', "", query["QueryString"]))
        )
        fields = words - {"fields", "filter", "sort", "desc", "and", "or", "in", "as", "coalesce", "what"}
        assert len(fields) >= 6
        for field in fields:
            assert any(has(line, field) for line in asked), field


def test_the_queries_conditions_pick_the_decisions_and_the_notices(lines):
    decisions = [line for line in lines["ConnectionAcceptorLogs"] if line.get("message") == "decision"]
    assert {(line["facts"]["account"], line["decision"]) for line in decisions} >= {
        (ACME, "accept"),
        (INITECH, "reject"),
    }
    told = [
        line
        for line in lines["AvailabilityNotifierLogs"]
        if line.get("message") == "effect" and line["effect"] == "publish"
    ]
    assert {line["type"] for line in told} >= {"EndpointConnectionAvailable", "EndpointConnectionRejected"}
    whose = {line["endpointId"]: line["facts"]["account"] for line in decisions}
    assert all(line["consumerAccount"] == whose[line["endpointId"]] for line in told)


def test_the_functions_send_these_metrics_and_no_others(all_lines):
    source = (ROOT / "functions/core/src/metrics/mod.rs").read_text()
    words = re.findall(r"^    (\w+): (?:Count|Seconds),$", source, re.MULTILINE)
    assert set(words) == {name for metrics in METRICS.values() for name in metrics}
    for log, function in LOGS.items():
        sent = {dimensions: set() for dimensions in METRICS}
        for line in (line for line in all_lines[log] if "_aws" in line):
            assert line["function"] == function
            for directive in line["_aws"]["CloudWatchMetrics"]:
                for dimensions in directive["Dimensions"]:
                    sent[tuple(dimensions)] |= {metric["Name"] for metric in directive["Metrics"]}
        of = {
            dimensions: {name for name, by in METRICS[dimensions].items() if function in by} for dimensions in METRICS
        }
        # A sweep that succeeds tells all that there is of a function, and of its services what there was to tell.
        assert sent[("function",)] == of[("function",)]
        assert sent[("function", "service")] == of[("function", "service")]
