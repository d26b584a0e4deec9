"""Our Region and moto's server, side by side: stories told to both, and every difference is in a table.

The table is in `differences_ec2`, `differences_networks` and `differences_more`: who is right, and by which source. A
difference that is not there fails, and so does a row with more or fewer differences than it says. What both have wrong
alike is not seen.
"""

import re
from collections import Counter
from functools import cache

import pytest
from botocore.parsers import ResponseParserError

import beside_stories
import beside_stories_more
import beside_stories_networks
from beside import Moto, Pair
from differences_ec2 import EC2, STS
from differences_more import ROUTE53, SNS
from differences_networks import NETWORKS
from operations import OPERATIONS
from stage import PROVIDER, Stage

STORIES = [
    *(beside_stories.services_are_made, beside_stories.services_are_read, beside_stories.services_are_changed),
    *(beside_stories.services_are_deleted, beside_stories.services_are_permitted),
    *(beside_stories.services_are_offered, beside_stories.endpoints_are_made, beside_stories.endpoints_live),
    *(beside_stories_networks.networks_are_read, beside_stories_networks.groups_are_opened),
    *(beside_stories.things_are_tagged, beside_stories.roles_are_assumed),
    *(beside_stories_more.zones_are_made, beside_stories_more.zones_are_listed),
    *(beside_stories_more.records_are_changed, beside_stories_more.records_are_listed),
    *(beside_stories_more.topics_are_made, beside_stories_more.topics_are_subscribed_to),
    *(beside_stories_more.messages_are_published, beside_stories_more.messages_are_delivered),
]
# What our Region has and moto has not.
NOT_IN_MOTO = [
    *("accept_vpc_endpoint_connections", "reject_vpc_endpoint_connections", "describe_vpc_endpoint_connections"),
    *("create_vpc_endpoint_connection_notification", "describe_vpc_endpoint_connection_notifications"),
    "start_vpc_endpoint_service_private_dns_verification",
]
# Our Region's operations of the other services.
OTHERS = {
    "route53": ["create_hosted_zone", "get_hosted_zone", "list_hosted_zones_by_name", "get_change"]
    + ["list_resource_record_sets", "change_resource_record_sets"],
    "sns": ["create_topic", "delete_topic", "add_permission", "list_topics", "subscribe"]
    + ["list_subscriptions_by_topic", "publish", "publish_batch", "get_topic_attributes"],
    "sts": ["get_caller_identity", "assume_role"],
}
ROWS = [row for part in (EC2, NETWORKS, STS, ROUTE53, SNS) for _, _, rows in part for row in rows]


@pytest.fixture(scope="module")
def moto():
    moto = Moto()
    yield moto
    moto.close()


@pytest.fixture(scope="module")
def told(moto):
    """Tells a story once: the differences that it showed, and what was called."""

    @cache
    def tell(story):
        moto.reset()
        stage = Stage("--no-throttling")
        try:
            pair = Pair(stage, moto)
            pair.story(story.__name__.replace("_", " "))
            story(pair, beside_stories.Things(pair))
            return pair.differences, pair.called
        finally:
            stage.close()

    return tell


@cache
def pattern(text):
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def is_listed_by(row, difference):
    return all(pattern(wanted).fullmatch(found) for wanted, found in zip(row[:5], difference, strict=True))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_difference_to_moto_is_listed_and_once(told, story):
    differences, _ = told(story)
    for difference in differences:
        listed = [row for row in ROWS if is_listed_by(row, difference)]
        assert len(listed) == 1, (difference, listed)


def test_every_listed_difference_to_moto_is_still_there(told):
    found = Counter(row for story in STORIES for one in told(story)[0] for row in ROWS if is_listed_by(row, one))
    changed = [f"{row}: found {found[row]} times" for row in ROWS if found[row] != row[5]]
    assert not changed, "\n".join(changed)


def test_every_row_says_who_is_right_and_why():
    for right, why, rows in [*EC2, *NETWORKS, *STS, *ROUTE53, *SNS]:
        assert right in ("region", "moto", "neither", "open") and why
        assert rows and all(row[5] > 0 for row in rows)


def test_what_both_have_is_in_a_story(told):
    called = set().union(*(told(story)[1] for story in STORIES))
    both = {("ec2", name) for name in OPERATIONS if name not in NOT_IN_MOTO}
    assert called == both | {(service, name) for service, names in OTHERS.items() for name in names}


@pytest.mark.parametrize("operation", NOT_IN_MOTO)
def test_what_moto_has_not_it_still_has_not(moto, operation):
    with pytest.raises(ResponseParserError, match="500 Internal Server Error"):
        getattr(moto.client(PROVIDER, "ec2"), operation)()
