"""What is told to both Regions about Route 53 and SNS."""

import json
import time

from stage import ACME, PROVIDER, REGION

NO_ZONE = "Z0123456789ABCDEFGHIJ"


def dns(pair, account=PROVIDER):
    """`dns(pair)("get_hosted_zone", "a note", …)` calls Route 53 as an account."""
    return lambda operation, note="", **wanted: pair.call(account, "route53", operation, note, **wanted)


def make_zone(pair, name="example.com", reference="1", note="", **wanted):
    return dns(pair)("create_hosted_zone", note, Name=name, CallerReference=reference, **wanted)


def zones_are_made(pair, things):
    call = dns(pair)
    make_zone(pair)
    make_zone(pair, note="with a comment", reference="2", HostedZoneConfig={"Comment": "a & b", "PrivateZone": False})
    make_zone(pair, note="with a reference that is used", reference="1")
    make_zone(pair, "Example.ORG.", "3", "with capitals")
    vpc = {"VPC": {"VPCRegion": REGION, "VPCId": "vpc-0a"}}
    private = {"HostedZoneConfig": {"PrivateZone": True}}
    make_zone(pair, "inside.example.com", "4", "a private one", **vpc, **private)
    make_zone(pair, "inside.example.com", "5", "a second private one of that name", **vpc, **private)
    make_zone(pair, "other.example.com", "6", "a private one that does not say so", **vpc)
    for n, name in enumerate(["exa mple.com", "a..b", "", f"{'a' * 64}.com"]):
        make_zone(pair, name, f"bad-{n}", f"named `{name[:5]}…`" if len(name) > 20 else f"named `{name}`")
    call("create_hosted_zone", "without a reference", Name="example.com")
    call("get_hosted_zone", "a public one", Id="zone-1")
    call("get_hosted_zone", "one that is not there", Id=NO_ZONE)
    call("get_hosted_zone", "with an id that is too long", Id="Z" * 33)
    dns(pair, ACME)("get_hosted_zone", "another account's", Id="zone-1")


def zones_are_listed(pair, things):
    call, listing = dns(pair), "list_hosted_zones_by_name"
    call(listing, "none")
    for n, name in enumerate(["b.example.com", "example.org", "a.b.example.com", "example.com"]):
        make_zone(pair, name, f"list-{n}")
    call(listing, "all")
    call(listing, "a page", MaxItems="2")
    call(listing, "from a name on", DNSName="b.example.com")
    call(listing, "from a name on that is not there", DNSName="aa.example.com")
    call(listing, "on a page of none", MaxItems="0")
    call(listing, "on a page of many", MaxItems="many")
    dns(pair, ACME)(listing, "of another account")


def txt(name, *values, ttl=300, kind="TXT"):
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": f'"{value}"'} for value in values]}


def records_are_changed(pair, things):
    make_zone(pair)

    def change(note, *changes, zone="zone-1", account=PROVIDER):
        changes = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
        batch = {"Changes": changes}
        return dns(pair, account)("change_resource_record_sets", note, HostedZoneId=zone, ChangeBatch=batch)

    def look(note, **wanted):
        return dns(pair)("list_resource_record_sets", note, HostedZoneId="zone-1", **wanted)

    there, new = txt("there.example.com.", "x"), txt("new.example.com.", "x")
    look("of a new zone")
    change("one made", ("CREATE", there))
    change("made again", ("CREATE", there))
    change("made again with another value", ("CREATE", txt("there.example.com.", "y")))
    change("one put over", ("UPSERT", txt("there.example.com.", "y", "z")))
    change("taken away with another value", ("DELETE", there))
    look("after that", StartRecordName="there.example.com.", StartRecordType="TXT")
    change("put in its place", ("UPSERT", there))
    change("exchanged", ("DELETE", there), ("CREATE", txt("there.example.com.", "y")))
    look("after the exchange", StartRecordName="there.example.com.", StartRecordType="TXT")
    change("exchanged back", ("DELETE", txt("there.example.com.", "y")), ("CREATE", there))
    change("taken away that is not there", ("DELETE", new))
    change("a good one beside a bad one", ("CREATE", new), ("CREATE", there))
    look("after the bad one", MaxItems="300")
    change("in another zone's name", ("CREATE", txt("a.example.org.", "x")))
    change("twice in one batch", ("CREATE", new), ("CREATE", new))
    bare = {"ResourceRecords": [{"Value": "bare"}]}
    change("without quotes", ("CREATE", {**new, **bare}))
    change("with too long a text", ("CREATE", txt("long.example.com.", "x" * 256)))
    change("with a value twice", ("CREATE", txt("twice.example.com.", "x", "x")))
    alias = {"Name": "there.example.com.", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "b.example.net"}]}
    change("a CNAME beside others", ("CREATE", alias))
    change("of an action that is none", ("REPLACE", there))
    change("of a type that is none", ("CREATE", {**new, "Type": "WKS"}))
    change("of nothing", ("CREATE", {"Name": "empty.example.com.", "Type": "TXT", "TTL": 60}))
    change("none")
    change("of a zone that is not there", ("CREATE", new), zone=NO_ZONE)
    change("of another account's zone", ("CREATE", txt("theirs.example.com.", "x")), account=ACME)
    change("with a star", ("CREATE", txt("*.example.com.", "x")))
    look("of a star", StartRecordName="*.example.com.", StartRecordType="TXT", MaxItems="1")


def records_are_listed(pair, things):
    make_zone(pair)
    call, listing = dns(pair), "list_resource_record_sets"
    names = ["b", "a.b", "_x", "a", "z.a"]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": txt(f"{name}.example.com.", "x")} for name in names]}
    call("change_resource_record_sets", "five", HostedZoneId="zone-1", ChangeBatch=batch)
    ids = {"HostedZoneId": "zone-1"}
    call(listing, "all", **ids)
    call(listing, "a page", **ids, MaxItems="3")
    call(listing, "from a name on", **ids, StartRecordName="a.example.com")
    call(listing, "from a type on, without a name", **ids, StartRecordType="TXT")
    call(listing, "from what is behind all", **ids, StartRecordName="zz.example.com")
    call(listing, "of a zone that is not there", HostedZoneId=NO_ZONE)
    call("get_hosted_zone", "with seven sets", Id="zone-1")
    change = call("change_resource_record_sets", "one more", **ids, ChangeBatch={
        "Changes": [{"Action": "CREATE", "ResourceRecordSet": txt("c.example.com.", "x")}], "Comment": "why",
    })
    call("get_change", "at once", Id=change["ChangeInfo"]["Id"])
    pair.stage.step(120)
    call("get_change", "later", Id=change["ChangeInfo"]["Id"])
    call("get_change", "that is not there", Id="C0123456789")


def sns(pair, account=PROVIDER):
    """`sns(pair)("publish", "a note", …)` calls SNS as an account."""
    return lambda operation, note="", **wanted: pair.call(account, "sns", operation, note, **wanted)


def topic_arn(name):
    return f"arn:aws:sns:{REGION}:{PROVIDER}:{name}"


def topics_are_made(pair, things):
    call = sns(pair)
    call("list_topics", "none")
    call("create_topic", "one", Name="notices")
    call("create_topic", "the same", Name="notices")
    call("create_topic", "the same with another name to show", Name="notices", Attributes={"DisplayName": "x"})
    call("create_topic", "the same with tags", Name="notices", Tags=[{"Key": "a", "Value": "b"}])
    call("create_topic", "ordered", Name="notices.fifo", Attributes={"FifoTopic": "true"})
    for name in ("", "two words", "x" * 256, "x" * 257, "other.fifo"):
        call("create_topic", f"named `{name[:9]}` of {len(name)}", Name=name)
    call("create_topic", "ordered, and not named so", Name="ordered", Attributes={"FifoTopic": "true"})
    call("create_topic", "without a name")
    call("list_topics", "all")
    sns(pair, ACME)("list_topics", "of another account")
    permission = {"Label": "acme", "AWSAccountId": [ACME], "ActionName": ["Publish"]}
    call("add_permission", "for another account", TopicArn=topic_arn("notices"), **permission)
    call("add_permission", "again", TopicArn=topic_arn("notices"), **permission)
    call("add_permission", "of a topic that is not there", TopicArn=topic_arn("nothing"), **permission)
    for note, topic in [("of one", "notices"), ("of an ordered one", "notices.fifo"), ("of none", "nothing")]:
        call("get_topic_attributes", note, TopicArn=topic_arn(topic))
    sns(pair, ACME)("get_topic_attributes", "by another account", TopicArn=topic_arn("notices"))
    for note in ("one", "once more"):
        call("delete_topic", note, TopicArn=topic_arn("notices"))
    call("delete_topic", "of no ARN", TopicArn="topic")
    call("list_topics", "in the end")


def topics_are_subscribed_to(pair, things):
    call, arn = sns(pair), topic_arn("notices")
    call("create_topic", Name="notices")
    queue = f"arn:aws:sqs:{REGION}:{PROVIDER}:notices"

    def subscribe(note, endpoint=queue, protocol="sqs", topic=arn, **attributes):
        wanted = {"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint, "ReturnSubscriptionArn": True}
        return call("subscribe", note, **wanted, **({"Attributes": attributes} if attributes else {}))

    policy = json.dumps({"type": ["held", {"prefix": "Domain"}]})
    subscribe("a queue", FilterPolicy=policy, RawMessageDelivery="true")
    subscribe("the same", FilterPolicy=policy, RawMessageDelivery="true")
    subscribe("the same with another filter", FilterPolicy='{"type": ["other"]}')
    subscribe("a mailbox", "ops@example.com", "email")
    call("list_subscriptions_by_topic", "two", TopicArn=arn)
    subscribe("over nothing that there is", "x", "pigeon")
    subscribe("no mailbox", "nobody", "email")
    subscribe("no queue", "nowhere", "sqs")
    subscribe("no HTTPS", "http://example.com", "https")
    subscribe("to a topic that is not there", topic=topic_arn("nothing"))
    subscribe("to no topic", topic="topic")
    call("subscribe", "over nothing", TopicArn=arn, Endpoint=queue)
    for note, policy in [
        ("no JSON", "{"),
        ("no list", '{"type": "x"}'),
        ("an empty list", '{"type": []}'),
        ("an operator that is none", '{"type": [{"like": "x"}]}'),
        ("a range that is none", '{"count": [{"numeric": [">", 2, "<", 1]}]}'),
        ("nested", '{"type": {"of": ["x"]}}'),
        ("six keys", json.dumps({str(n): ["x"] for n in range(6)})),
    ]:
        subscribe(f"with a filter that is {note}", f"arn:aws:sqs:{REGION}:{PROVIDER}:other", FilterPolicy=policy)
    subscribe("raw, as mail", "more@example.com", "email", RawMessageDelivery="true")
    call("list_subscriptions_by_topic", "of a topic that is not there", TopicArn=topic_arn("nothing"))


def messages_are_published(pair, things):
    call, arn = sns(pair), topic_arn("notices")
    call("create_topic", Name="notices")
    call("publish", "one", TopicArn=arn, Message="x", Subject="y")
    call("publish", "to a target", TargetArn=arn, Message="x")
    for note, wanted in [
        ("nothing", {"Message": ""}),
        ("too much", {"Message": "x" * (256 * 1024 + 1)}),
        ("a long subject", {"Subject": "x" * 100}),
        ("too long a subject", {"Subject": "x" * 101}),
        ("a subject of two lines", {"Subject": "two\nlines"}),
        ("a structure", {"Message": '{"default": "x"}', "MessageStructure": "json"}),
        ("a structure that is no JSON", {"Message": "x", "MessageStructure": "json"}),
        ("a structure without a default", {"Message": '{"email": "x"}', "MessageStructure": "json"}),
        ("a group for no FIFO topic", {"MessageGroupId": "g"}),
        ("a deduplication for no FIFO topic", {"MessageDeduplicationId": "1"}),
        ("an attribute of no type", {"MessageAttributes": {"a": {"DataType": "Text", "StringValue": "x"}}}),
        ("a number that is none", {"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "x"}}}),
        ("an attribute without a value", {"MessageAttributes": {"a": {"DataType": "String"}}}),
        ("to a topic that is not there", {"TopicArn": topic_arn("nothing")}),
        ("to no topic", {"TopicArn": "topic"}),
    ]:
        call("publish", note, **{"TopicArn": arn, "Message": "x", **wanted})
    call("publish", "to nobody", Message="x")
    sns(pair, ACME)("publish", "by another account", TopicArn=arn, Message="x")
    for note, entries in [
        ("two good ones", [{"Id": "a", "Message": "x"}, {"Id": "b", "Message": "y"}]),
        ("a good one and a bad one", [{"Id": "a", "Message": "x"}, {"Id": "b", "Message": ""}]),
        ("none", []),
        ("eleven", [{"Id": str(n), "Message": "x"} for n in range(11)]),
        ("the same id twice", [{"Id": "a", "Message": "x"}] * 2),
        ("an id that can be none", [{"Id": "a b", "Message": "x"}]),
        ("too much together", [{"Id": str(n), "Message": "x" * 140_000} for n in range(2)]),
    ]:
        call("publish_batch", note, TopicArn=arn, PublishBatchRequestEntries=entries)
    ordered = topic_arn("ordered.fifo")
    call("create_topic", Name="ordered.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"})
    for note in ("in order", "the same in order"):
        call("publish", note, TopicArn=ordered, Message="x", MessageGroupId="g")
    call("publish", "in order without a group", TopicArn=ordered, Message="x")


# What a filter lets through, as pairs of a filter and the numbers of MESSAGES: what SNS's guide says of them.
FILTERS = {
    "plain": {"type": ["held"]},
    "prefix": {"type": [{"prefix": "he"}]},
    "anything-but": {"type": [{"anything-but": ["held"]}]},
    "exists": {"type": [{"exists": True}]},
    "absent": {"type": [{"exists": False}]},
    "number": {"count": [{"numeric": [">=", 2, "<", 10]}]},
    "exact-number": {"count": [2]},
    "both": {"type": ["held"], "count": [{"numeric": [">", 1]}]},
    "suffix": {"type": [{"suffix": "ld"}]},
    "folded": {"type": [{"equals-ignore-case": "HELD"}]},
    "either": {"$or": [{"type": ["other"]}, {"count": [10]}]},
    "not-two": {"count": [{"anything-but": [2]}]},
    "all": None,
}
MESSAGES = [{}, {"type": "held"}, {"type": "HELD"}, {"type": "other", "count": 2}, {"type": "held", "count": 10}]


def messages_are_delivered(pair, things):
    """A message's subject is its number. Our Region prints what it delivers; moto has queues to look into."""
    call, arn = sns(pair), topic_arn("filtered")
    queues = pair.moto.client(PROVIDER, "sqs")
    call("create_topic", Name="filtered")
    for name, policy in FILTERS.items():
        queues.create_queue(QueueName=name)
        wanted = {"TopicArn": arn, "Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{REGION}:{PROVIDER}:{name}"}
        attributes = {"Attributes": {"FilterPolicy": json.dumps(policy)}} if policy else {}
        call("subscribe", name, **wanted, **attributes)
    for number, values in enumerate(MESSAGES):
        attributes = {
            name: {"DataType": "String" if isinstance(value, str) else "Number", "StringValue": str(value)}
            for name, value in values.items()
        }
        call("publish", f"{number}", TopicArn=arn, Message="x", Subject=f"m{number}", MessageAttributes=attributes)
    ours, theirs = delivered_here(pair.stage), {name: delivered_there(queues, name) for name in FILTERS}
    for name in FILTERS:
        pair.compare("sns.publish", f"through `{name}`", {"got": " ".join(ours[name])}, {"got": " ".join(theirs[name])})
    assert ours["all"] == [f"m{number}" for number in range(len(MESSAGES))]


def delivered_here(stage):
    deadline = time.monotonic() + 5
    while True:
        got = {name: [] for name in FILTERS}
        for name, subject in stage.deliveries():
            got[name].append(subject)
        # Last comes the last message to the last queue.
        if f"m{len(MESSAGES) - 1}" in got["all"] or time.monotonic() > deadline:
            return {name: sorted(subjects) for name, subjects in got.items()}
        time.sleep(0.02)


def delivered_there(queues, name):
    url = queues.get_queue_url(QueueName=name)["QueueUrl"]
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return sorted(json.loads(message["Body"])["Subject"] for message in messages)
