"""The faults of our matrix in microburst's words, as far as it has any for them."""

# What each service says of too many calls, and of one that is not permitted: code and HTTP status.
THROTTLED = {
    "ec2": ("RequestLimitExceeded", 503),
    "route53": ("Throttling", 400),
    "sns": ("Throttled", 429),
    "sts": ("Throttling", 400),
}
DENIED = {
    "ec2": ("UnauthorizedOperation", 403),
    "route53": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "sts": ("AccessDenied", 403),
}

# What a call of CreateTags is for, by what its body says, as microburst reads it.
IS_MEMORY = "\"Tag.1.Key\" == 'privatelink:domain' && !DryRun"
IS_OF_NOTICE = "contains(\"Tag.1.Value\", 'told=verified')"
PARTS = {
    "the decision": "\"Tag.1.Key\" == 'privatelink:decision'",
    "the dry run": "DryRun",
    "the memory": f"{IS_MEMORY} && !{IS_OF_NOTICE}",
    "the memory of a notice": f"{IS_MEMORY} && {IS_OF_NOTICE}",
    "the claim": "\"Tag.1.Key\" == 'privatelink:notifying'",
    "the mark": "\"Tag.1.Key\" == 'privatelink:notified'",
    "a later page": "NextToken",
}

# Longer than any function waits.
NEVER = 120_000


def service(operation):
    if operation in ("Publish", "PublishBatch"):
        return "sns"
    if operation == "AssumeRole":
        return "sts"
    route53 = ("HostedZone", "ResourceRecordSets", "GetChange")
    return "route53" if any(word in operation for word in route53) else "ec2"


def rule(cell):
    """microburst's rule for a cell, or why there is none."""
    of, fault, part = service(cell["operation"]), cell["fault"], cell["part"]
    kinds = {
        "throttled": lambda: {"error": dict(zip(("code", "status"), THROTTLED[of]))},
        "denied": lambda: {"error": dict(zip(("code", "status"), DENIED[of]))},
        "internal-error": lambda: {"error": {"code": "InternalError", "status": 500}},
        "reset-before": lambda: {"reset": True},
        "reset-after": lambda: {"response": {"abort_bytes": 0}},
        "silence-before": lambda: {"timeout_ms": NEVER},
        "garbage-after": lambda: {"response": {"truncate_bytes": 20}},
        "page-refused": lambda: {"error": {"code": "InvalidNextToken", "status": 400}},
    }
    if fault not in kinds:
        return None, {
            "unavailable": "an error of microburst's comes before the call takes effect, and ours after it",
            "silence-after": "microburst holds a call back before it takes effect, and not its answer",
            "garbage-before": "microburst spoils the answers of calls that took effect",
            "page-empty": "microburst has no empty pages",
        }[fault]
    if part == "after a write":
        return None, "microburst does not know what was called before"
    if part == "a later page" and of == "route53":
        return None, "microburst matches bodies, and Route 53's pages are asked for in the address"
    rule = {"service": of, "operation": cell["operation"], **kinds[fault]()}
    if cell["operation"] == "ChangeResourceRecordSets":
        # microburst knows it by botocore's address, whose last slash the Rust SDK leaves out.
        del rule["operation"]
        rule["body"] = "ChangeResourceRecordSetsRequest"
    elif part:
        rule["body"] = PARTS[part]
    elif of == "ec2":
        rule["body"] = "!NextToken"
    if cell["often"] == "once":
        rule["times"] = 1
    return rule, None


def expected(cell):
    """What is to be answered through microburst, and why it is something else than the matrix has."""
    answer = cell["answer"]
    if cell["fault"] == "reset-after" and answer.endswith(" ConnectionFailed"):
        return answer.replace("ConnectionFailed", "UnreadableResponse"), (
            "microburst breaks the connection after the answer's head, and ours before it"
        )
    if (cell["operation"], cell["fault"], cell["often"]) == ("ChangeResourceRecordSets", "garbage-after", "for-ever"):
        return "1 write-record refused HTTP400", (
            "microburst cuts refusals off as well: the second try finds the record there, and the refusal has no code"
        )
    return answer, None
