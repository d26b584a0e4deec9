"""Who judges instead of AWS whether an event matches a pattern, and whether a policy allows a call. None is ours."""

import collections
import collections.abc
import json

from moto.events.models import EventPattern, EventPatternParser
from moto.sns.utils import FilterPolicyMatcher

try:
    # A port of AWS's own engine, of which there are programs for some Pythons and Linux alone.
    from event_ruler import test_event_pattern as ruler
except ImportError:
    ruler = None

# PMapper is written for Pythons in which these names still had a second place. It is given that while it is loaded.
_MOVED = ("Mapping", "MutableMapping")
for _name in _MOVED:
    setattr(collections, _name, getattr(collections.abc, _name))
from principalmapper.querying.local_policy_simulation import policy_has_matching_statement
from principalmapper.util.case_insensitive_dict import CaseInsensitiveDict

for _name in _MOVED:
    delattr(collections, _name)

# What all judges know to judge, and what moto does.
COMMON = {"exists"}
OPERATORS = COMMON | {"anything-but"}


def matches(pattern, event):
    """Whether a rule with that pattern takes the event; all judges have to agree who know its operators."""
    text = json.dumps(pattern)
    verdict = EventPattern(text, EventPatternParser(text).parse()).matches_event(event)
    if ruler and operators(pattern) <= COMMON:
        assert ruler(json.dumps(event), text) == verdict, (pattern, event)
    return verdict


def operators(pattern):
    """The names of the operators in a pattern."""
    if isinstance(pattern, dict):
        return set().union(*map(operators, pattern.values()))
    return {name for value in pattern if isinstance(value, dict) for name in value}


def subscribed(policy, attributes):
    """Whether a subscription with that filter gets a message with those attributes, all of them texts."""
    attributes = {name: {"Type": "String", "Value": value} for name, value in attributes.items()}
    return FilterPolicyMatcher(policy, "MessageAttributes").matches(attributes, "")


def allows(policies, action, resource, context):
    """Whether some policies together allow a call."""
    context = CaseInsensitiveDict(context)

    def says(effect):
        return any(policy_has_matching_statement(policy, effect, action, resource, context) for policy in policies)

    return says("Allow") and not says("Deny")
