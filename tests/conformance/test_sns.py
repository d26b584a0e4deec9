"""SNS's topics, subscriptions and messages, as boto3 makes them and sends them."""

import json

import pytest

from operations import ACME_ROOT
from stage import ACME, PROVIDER, REGION, Like, refused, wait_until

UUID = Like(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
QUEUE = f"arn:aws:sqs:{REGION}:{ACME}:notices"


@pytest.fixture
def sns(stage):
    return stage.client(PROVIDER, service="sns")


@pytest.fixture
def topic(sns):
    return sns.create_topic(Name="notices")["TopicArn"]


def subscribe(sns, topic, endpoint=QUEUE, protocol="sqs", **attributes):
    wanted = {"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes}
    return sns.subscribe(**wanted, ReturnSubscriptionArn=True)["SubscriptionArn"]


def strings(**attributes):
    return {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}


def test_a_topic_is_made_once_and_listed(sns):
    arns = [sns.create_topic(Name=name)["TopicArn"] for name in ("b", "a", "b")]
    assert arns == [f"arn:aws:sns:{REGION}:{PROVIDER}:{name}" for name in ("b", "a", "b")]
    assert sns.list_topics()["Topics"] == [{"TopicArn": arn} for arn in sorted(set(arns))]


def test_a_topic_made_again_has_to_be_as_it_is(sns):
    tags = [{"Key": "team", "Value": "a & b"}]
    wanted = {"Name": "notices", "Attributes": {"DisplayName": "Notices"}, "Tags": tags}
    arn = sns.create_topic(**wanted)["TopicArn"]
    assert sns.create_topic(**wanted)["TopicArn"] == arn
    assert sns.create_topic(Name="notices")["TopicArn"] == arn
    with refused("InvalidParameter", message=".*already exists with different attributes"):
        sns.create_topic(Name="notices", Attributes={"DisplayName": "Others"})
    with refused("InvalidParameter", message=".*already exists with different tags"):
        sns.create_topic(Name="notices", Tags=[{"Key": "team", "Value": "c"}])


@pytest.mark.parametrize("name", ["", "two words", "x" * 257, "notices.fifo"])
def test_a_topic_has_a_name_that_can_be_one(sns, name):
    with refused("InvalidParameter", message="Invalid parameter: Topic Name"):
        sns.create_topic(Name=name)


def test_a_topic_tells_its_attributes(stage, sns, topic):
    subscribe(sns, topic)
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    (statement,) = json.loads(attributes.pop("Policy"))["Statement"]
    assert (statement["Resource"], statement["Condition"]["StringEquals"]) == (topic, {"AWS:SourceOwner": PROVIDER})
    assert json.loads(attributes.pop("EffectiveDeliveryPolicy"))["http"]["disableSubscriptionOverrides"] is False
    assert attributes == {
        "TopicArn": topic,
        "Owner": PROVIDER,
        "DisplayName": "",
        "SubscriptionsConfirmed": "1",
        "SubscriptionsPending": "0",
        "SubscriptionsDeleted": "0",
    }
    fifo = {"FifoTopic": "true", "ContentBasedDeduplication": "true", "DisplayName": "Notices"}
    ordered = sns.create_topic(Name="notices.fifo", Attributes=fifo)["TopicArn"]
    assert fifo.items() <= sns.get_topic_attributes(TopicArn=ordered)["Attributes"].items()
    with refused("NotFound", 404, "Topic does not exist"):
        sns.get_topic_attributes(TopicArn=f"{topic}x")
    stranger = stage.client(ACME, service="sns")
    with refused("AuthorizationError", 403, f"User: .*{ACME}.* is not authorized to perform: SNS:GetTopicAttributes.*"):
        stranger.get_topic_attributes(TopicArn=topic)
    permission = {"Label": "acme", "AWSAccountId": [ACME], "ActionName": ["GetTopicAttributes"]}
    sns.add_permission(TopicArn=topic, **permission)
    policy = json.loads(stranger.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert policy["Statement"][1:] == [
        {
            "Sid": "acme",
            "Effect": "Allow",
            "Principal": {"AWS": ACME_ROOT},
            "Action": "SNS:GetTopicAttributes",
            "Resource": topic,
        }
    ]


def test_the_paginator_reads_every_topic_once(sns):
    arns = sorted(sns.create_topic(Name=f"t{n:03}")["TopicArn"] for n in range(101))
    pages = [page["Topics"] for page in sns.get_paginator("list_topics").paginate()]
    assert [len(page) for page in pages] == [100, 1]
    assert [topic["TopicArn"] for page in pages for topic in page] == arns


def test_a_subscription_is_as_it_was_asked_for(sns, topic):
    policy = {"type": ["EndpointConnectionHeld", {"prefix": "Domain"}]}
    arn = subscribe(sns, topic, FilterPolicy=json.dumps(policy), RawMessageDelivery="true")
    assert arn == Like(f"{topic}:{UUID}")
    expected = {"SubscriptionArn": arn, "Owner": PROVIDER, "Protocol": "sqs", "Endpoint": QUEUE, "TopicArn": topic}
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == [expected]
    # The same again is the same; with another filter it is refused.
    assert subscribe(sns, topic, FilterPolicy=json.dumps(policy), RawMessageDelivery="true") == arn
    with refused("InvalidParameter", message=".*already exists with different attributes"):
        subscribe(sns, topic, FilterPolicy='{"type": ["other"]}')


@pytest.mark.parametrize(
    "policy, message",
    [
        ("{", ".*failed to parse JSON.*"),
        ('{"type": "x"}', '.*"type" must be an object or an array.*'),
        ('{"type": []}', ".*Empty arrays are not allowed.*"),
        ('{"type": [{"like": "x"}]}', ".*Unrecognized match type like.*"),
        ('{"n": [{"numeric": [">", 2, "<", 1]}]}', ".*Bottom must be less than top.*"),
        ('{"n": [{"numeric": ["!=", 1]}]}', ".*Unrecognized numeric range operator: !=.*"),
        ('{"type": [{"suffix": 1}]}', ".*suffix match pattern must be a string.*"),
        (json.dumps({str(n): ["x"] for n in range(6)}), ".*can not have more than 5 keys.*"),
    ],
)
def test_a_filter_that_is_none_is_refused(sns, topic, policy, message):
    with refused("InvalidParameter", message=f"Invalid parameter: Attributes Reason: FilterPolicy: {message}"):
        subscribe(sns, topic, FilterPolicy=policy)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


@pytest.mark.parametrize(
    "policy",
    [
        {"n": [1]},
        {"n": [{"numeric": [">", 0]}]},
        {"type": [{"suffix": "Held"}]},
        {"type": [{"equals-ignore-case": "held"}]},
        {"type": [{"anything-but": [1]}]},
        {"address": [{"cidr": "192.0.2.0/24"}]},
        {"$or": [{"type": ["x"]}, {"n": [1]}]},
    ],
)
def test_a_filter_may_have_every_condition_of_the_guide(sns, topic, policy):
    subscribe(sns, topic, FilterPolicy=json.dumps(policy))


def test_a_filter_may_look_at_the_body(stage, sns, topic):
    policy = {"type": [{"suffix": "Held"}], "service": {"region": [{"anything-but": ["us-west-2"]}]}}
    subscribe(sns, topic, FilterPolicy=json.dumps(policy), FilterPolicyScope="MessageBody", RawMessageDelivery="true")
    for subject, region in [("first", "us-west-2"), ("second", "eu-west-1")]:
        message = {"type": "EndpointConnectionHeld", "service": {"region": region}}
        sns.publish(TopicArn=topic, Subject=subject, Message=json.dumps(message))
    sns.publish(TopicArn=topic, Subject="third", Message="no JSON")
    wait_until(lambda: [subject for _, subject in stage.deliveries()], ["second"])
    with refused("InvalidParameter", message=".*does not support nested filter policy"):
        subscribe(sns, topic, f"{QUEUE}-2", FilterPolicy=json.dumps(policy))


def test_a_subscription_needs_a_protocol_and_an_endpoint_for_it(sns, topic):
    for protocol, endpoint in [
        ("carrier-pigeon", "roof"),
        ("email", "nobody"),
        ("sqs", "https://example.com"),
        ("lambda", QUEUE),
        ("https", "http://example.com"),
    ]:
        with refused("InvalidParameter"):
            subscribe(sns, topic, endpoint, protocol)
    with refused("InvalidParameter", message=".*RawMessageDelivery.*"):
        subscribe(sns, topic, "ops@example.com", "email", RawMessageDelivery="true")


def test_a_message_is_published_with_everything_that_it_can_have(sns, topic):
    subscribe(sns, topic, FilterPolicy='{"type": ["held"]}')
    ids = [
        sns.publish(
            TopicArn=topic,
            Subject="A connection is held",
            Message='ö ☂ <b> & "q"\n',
            MessageAttributes={
                **strings(type=kind),
                "count": {"DataType": "Number", "StringValue": "1.5"},
                "bytes": {"DataType": "Binary", "BinaryValue": b"\0\xff"},
            },
        )["MessageId"]
        for kind in ("held", "other")
    ]
    assert ids[0] == UUID and ids[1] == UUID and ids[0] != ids[1]
    # To a target it is the same.
    texts = json.dumps({"default": "all", "email": "mail"})
    assert sns.publish(TargetArn=topic, Message=texts, MessageStructure="json")["MessageId"] == UUID


def test_a_message_that_can_not_be_one_is_refused(sns, topic):
    for wrong, message in [
        ({"Message": ""}, ".*Empty message"),
        ({"Message": "x" * (256 * 1024 + 1)}, ".*Message too long"),
        ({"Subject": "x" * 101}, ".*Subject"),
        ({"Subject": "two\nlines"}, ".*Subject"),
        ({"Message": "no JSON", "MessageStructure": "json"}, ".*failed to parse"),
        ({"Message": '{"email": "x"}', "MessageStructure": "json"}, ".*No default entry.*"),
        ({"MessageDeduplicationId": "1"}, ".*MessageDeduplicationId.*"),
    ]:
        with refused("InvalidParameter", message=f"Invalid parameter: {message}"):
            sns.publish(**{"TopicArn": topic, "Message": "x", **wrong})
    for attribute in [{"DataType": "Text", "StringValue": "x"}, {"DataType": "Number", "StringValue": "x"}]:
        with refused("ParameterValueInvalid"):
            sns.publish(TopicArn=topic, Message="x", MessageAttributes={"a": attribute})
    with refused("InvalidParameter", message=".*TopicArn or TargetArn.*"):
        sns.publish(Message="x")


def test_one_entry_of_a_batch_fails_alone(sns, topic):
    entries = [
        {"Id": "good", "Message": "x", "MessageAttributes": strings(type="held")},
        {"Id": "bad", "Message": "x", "Subject": "two\nlines"},
        {"Id": "fine", "Message": "y"},
    ]
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [(one["Id"], one["MessageId"]) for one in answer["Successful"]] == [("good", UUID), ("fine", UUID)]
    (failed,) = answer["Failed"]
    assert failed["Message"] == "Invalid parameter: Subject"
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("bad", "InvalidParameter", True)


@pytest.mark.parametrize(
    "code, entries",
    [
        ("EmptyBatchRequest", []),
        ("TooManyEntriesInBatchRequest", [{"Id": str(n), "Message": "x"} for n in range(11)]),
        ("BatchEntryIdsNotDistinct", [{"Id": "a", "Message": "x"}] * 2),
        ("InvalidBatchEntryId", [{"Id": "a b", "Message": "x"}]),
        ("BatchRequestTooLong", [{"Id": str(n), "Message": "x" * 140_000} for n in range(2)]),
    ],
)
def test_a_batch_that_can_not_be_one_is_refused_as_a_whole(sns, topic, code, entries):
    # With the code that the error has on the wire, and the exception that the model has for it.
    names = {
        "BatchEntryIdsNotDistinct": "BatchEntryIdsNotDistinctException",
        "InvalidBatchEntryId": "InvalidBatchEntryIdException",
    }
    exception = getattr(sns.exceptions, names.get(code, f"{code}Exception"))
    with pytest.raises(exception) as caught:
        sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert caught.value.response["Error"]["Code"] == code


def test_a_fifo_topic_numbers_its_messages_and_takes_each_once(sns):
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    topic = sns.create_topic(Name="notices.fifo", Attributes=attributes)["TopicArn"]
    one, again, two = (sns.publish(TopicArn=topic, Message=text, MessageGroupId="g") for text in ("1", "1", "2"))
    assert (one["MessageId"], one["SequenceNumber"]) == (again["MessageId"], again["SequenceNumber"])
    assert one["SequenceNumber"] == Like(r"\d{20}") and two["SequenceNumber"] > one["SequenceNumber"]
    with refused("InvalidParameter", message=".*MessageGroupId.*"):
        sns.publish(TopicArn=topic, Message="x")


def test_a_topic_that_is_gone_is_not_found(sns, topic):
    for _ in range(2):
        sns.delete_topic(TopicArn=topic)
    assert sns.list_topics()["Topics"] == []
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=topic, Message="x")
    with refused("NotFound", 404, "Topic does not exist"):
        subscribe(sns, topic)
    with refused("NotFound", 404):
        sns.list_subscriptions_by_topic(TopicArn=topic)
    with refused("InvalidParameter"):
        sns.publish(TopicArn="no ARN", Message="x")


def test_another_account_may_do_what_it_is_permitted(stage, sns, topic):
    stranger = stage.client(ACME, service="sns")
    with refused("AuthorizationError", 403, f"User: .*{ACME}.* is not authorized to perform: SNS:Publish.*{topic}.*"):
        stranger.publish(TopicArn=topic, Message="x")
    sns.add_permission(TopicArn=topic, Label="acme", AWSAccountId=[ACME], ActionName=["Publish"])
    assert stranger.publish(TopicArn=topic, Message="x")["MessageId"] == UUID
    with refused("AuthorizationError", 403):
        subscribe(stranger, topic)
    assert stranger.list_topics()["Topics"] == []


def test_what_sns_does_not_know_is_refused(stage, sns, topic):
    with refused("InvalidAction"):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="x")
    for name in ("Nonsense", "Attributes.entry.1.nonsense"):
        with refused(Like(".+")):
            stage.client(PROVIDER, service="sns", add={name: "x"}).create_topic(Name="other")
