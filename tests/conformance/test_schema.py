"""The published form of notices, read by a stock implementation of JSON Schema, and the sample notices held to it."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "infra" / "notice.schema.json").read_text())


def notices(events):
    """The notices in events, wherever in an event they stand."""
    found = []

    def look(value):
        if isinstance(value, dict):
            if "schemaVersion" in value:
                found.append(value)
            value = list(value.values())
        if isinstance(value, list):
            for part in value:
                look(part)
        elif isinstance(value, str):
            try:
                look(json.loads(value))
            except (ValueError, RecursionError):
                pass

    for path in sorted(events):
        look(path.read_text(errors="replace"))
    return found


@pytest.fixture(scope="module")
def validator():
    return Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_form_is_a_valid_schema():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_the_sample_notices_are_of_the_form(validator):
    samples = notices((ROOT / "events").glob("*.json"))
    assert len(samples) >= 2
    for sample in samples:
        assert [error.message for error in validator.iter_errors(sample)] == [], sample


def test_what_is_not_of_the_form_is_told_from_it(validator):
    [other] = notices([ROOT / "events" / "hostile" / "notice-of-another-version.json"])
    assert not validator.is_valid(other), "another version"
    for field, value in (("time", "yesterday"), ("type", "Something"), ("endpoint", {}), ("policy", "one")):
        assert not validator.is_valid(other | {"schemaVersion": "1", field: value}), field
    assert validator.is_valid(other | {"schemaVersion": "1"})
