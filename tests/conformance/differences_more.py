"""Where our Region and moto's differ in Route 53 and SNS: the rest of the table of `differences_ec2`."""

from beside import BROKEN, NOTHING

ZONE, SHOW, ZONES = "route53.create_hosted_zone", "route53.get_hosted_zone", "route53.list_hosted_zones_by_name"
RECORDS, LIST = "route53.change_resource_record_sets", "route53.list_resource_record_sets"
TOPIC, SUBSCRIBE, PUBLISH, BATCH = "sns.create_topic", "sns.subscribe", "sns.publish", "sns.publish_batch"
ATTRIBUTES = "sns.get_topic_attributes"
VALUES = "ResourceRecordSets[].ResourceRecords"

ROUTE53 = [
    ("region", "the model: a change is PENDING until all name servers have it, and has an id of its own, by which it "
     "is found with its comment", [
        ("route53.*", "*", "ChangeInfo.Status", "PENDING", "INSYNC", 18),
        ("route53.*", "*", "ChangeInfo.Id", "/change/change-*", "/change/change-*", 11),
        ("route53.get_change", "*", "ChangeInfo.Id", "/change/change-*", "change-*", 2),
        ("route53.*", "*", "ChangeInfo.Comment", "why", NOTHING, 3),
        ("route53.get_change", "*: that is not there", "outcome", "NoSuchChange: *", "done", 1),
    ]),
    ("region", "the model: these two are of delegation sets that can be used again, and this is none", [
        ("route53.*", "*", "DelegationSet.Id", NOTHING, "", 11),
        ("route53.*", "*", "DelegationSet.CallerReference", NOTHING, "DelSet_*", 11),
    ]),
    ("region", "the guide: each zone has four name servers of its own", [
        (ZONE, "*", "DelegationSet.NameServers", "*", '["ns-1", "ns-2", "ns-3", "ns-4"]', 5),
    ]),
    ("region", "the model has these refusals", [
        (ZONE, "*: with a reference that is used", "outcome", "HostedZoneAlreadyExists: *", "done", 1),
        (ZONE, "*: a second private one *", "outcome", "ConflictingDomainExists: *", "done", 1),
        (ZONE, "*: named *", "outcome", "InvalidDomainName: *", "done", 3),
        (ZONE, "*: named ``", "outcome", "InvalidDomainName: *", BROKEN, 1),
        (ZONE, "*: without a reference", "outcome", "InvalidInput: *", "done", 1),
        (ZONES, "*: on a page of *", "outcome", "InvalidInput: *", "done", 2),
    ]),
    ("region", "the guide: Route 53 keeps names in lower case", [
        (ZONE, "*: with capitals", "HostedZone.Name", "example.org.", "Example.ORG.", 1),
    ]),
    ("region", "the model: a zone with a VPC is a private one, and PrivateZone may be left out", [
        (ZONE, "*: a private one that *", "HostedZone.Config.PrivateZone", "true", "false", 1),
        (ZONE, "*: a private one that *", "VPC", '{"VPCRegion": "us-west-2", "VPCId": "vpc-0a"}', NOTHING, 1),
        (ZONE, "*: a private one that *", "DelegationSet", NOTHING, "{*}", 1),
    ]),
    ("region", "the model: an id has 32 characters at most, and InvalidInput is for what is not valid", [
        (SHOW, "*: with an id that is too long", "refused.*", "*nvalid*", "*", 2),
        (SHOW, "*: with an id that is too long", "HTTPStatusCode", "400", "404", 1),
    ]),
    ("open", "the model has no refusal for zones of others; it lists no AccessDenied for any operation", [
        ("route53.*", "*: *another account's*", "refused.Code", "AccessDenied", "NoSuchHostedZone", 2),
        ("route53.*", "*: *another account's*", "refused.Message", "User: *", "No hosted zone found *", 2),
        ("route53.*", "*: *another account's*", "HTTPStatusCode", "403", "404", 2),
    ]),
    ("region", "the model: a listing has pages, begins at a name whether it is there or not, and gives back what was "
     "asked for", [
        (ZONES, "*", "IsTruncated", "*", NOTHING, 6),
        (ZONES, "*", "MaxItems", "*", NOTHING, 6),
        (ZONES, "*: a page", "Next*", "*", NOTHING, 2),
        (ZONES, "*: a page", "HostedZones", "example.com. b.example.com.", "example.com. * example.org.", 1),
        (ZONES, "*: from a name on*", "HostedZones", "b.example.com. a.b.example.com. example.org.", "*", 2),
        (ZONES, "*: from a name on*", "DNSName", "*.example.com", "*.example.com.", 2),
    ]),
    ("region", "the guide: the SOA record of a new zone names awsdns-hostmaster.amazon.com. moto's value is how Python "
     "prints a dictionary", [
        (LIST, "*", VALUES, "ns-1. awsdns-hostmaster.amazon.com. *", "{'Value': 'ns-1. hostmaster.example.com. *", 4),
    ]),
    ("region", "the guide's listings of NS records: the names are full ones, with a dot", [
        (LIST, "*", VALUES, "ns-1. ns-2. ns-3. ns-4.", "ns-1 ns-2 ns-3 ns-4", 4),
    ]),
    ("region", "the model: to delete a set, all its values have to be as they are; a set is created once, whatever its "
     "values", [
        (RECORDS, "*: made again with another value", "outcome", "InvalidChangeBatch: *already exists]", "done", 1),
        (RECORDS, "*: taken away with another value", "outcome", "InvalidChangeBatch: *do not match *]", "done", 1),
        (LIST, "*: after that", "ResourceRecordSets", "there.example.com./TXT", "", 1),
    ]),
    ("region", "the model: a batch is a transaction, in which a set can be exchanged by DELETE and CREATE", [
        (RECORDS, "*: exchanged*", "outcome", "done", "InvalidChangeBatch: *already exists", 2),
        (LIST, "*: after the exchange", VALUES, '"y"', '"x"', 1),
    ]),
    ("region", "the model: InvalidChangeBatch is for what is wrong with a batch as such; the set was complete", [
        (RECORDS, "*: taken away that is not there", "refused.Code", "InvalidChangeBatch", "InvalidInput", 1),
        (RECORDS, "*: taken away that is not there", "refused.Message", "*was not found]", "*found none in *", 1),
    ]),
    ("region", "the guide: a text is in quotes, has 255 characters at most, and is there once; nothing is beside a "
     "CNAME. That the same set twice in a batch is refused is in no source", [
        (RECORDS, "*: twice in one batch", "outcome", "InvalidChangeBatch: *invalid set of changes*", "done", 1),
        (RECORDS, "*: with*", "outcome", "InvalidChangeBatch: *Resource Record: *", "done", 3),
        (RECORDS, "*: a CNAME beside others", "outcome", "InvalidChangeBatch: *", "done", 1),
    ]),
    ("region", "the model has the types, the least number of changes, and that a set has values or an alias", [
        (RECORDS, "*: of a type that is none", "outcome", "InvalidInput: *", "done", 1),
        (RECORDS, "*: of nothing", "outcome", "InvalidInput: *", "done", 1),
        (RECORDS, "*: none", "outcome", "InvalidInput: *", "done", 1),
        # The set without values that moto took above.
        (LIST, "*: of a star", "NextRecordName", "there.example.com.", "empty.example.com.", 1),
    ]),
    ("region", "the guide: a star is told as its octal escape", [
        (LIST, "*: of a star", "ResourceRecordSets", r"\052.example.com./TXT", "*.example.com./TXT", 1),
    ]),
    ("open", "AWS documents the codes of refusals, and not their texts", [
        (RECORDS, "*", "refused.Message", "[Tried to create *]", "Tried to create *", 2),
        (RECORDS, "*: in another zone's name", "refused.Message", "[RRSet *]", "RRSet *", 1),
        (RECORDS, "*: of an action that is none", "refused.Message", "1 validation error *", "Invalid XML ; *", 1),
        (LIST, "*: from a type on, *", "refused.Message", "Invalid request: type can *", "The input is not valid", 1),
    ]),
]

SNS = [
    ("open", "the model says only that making a topic again returns its ARN", [
        (TOPIC, "*: the same with *", "outcome", "InvalidParameter: *already exists with different *", "done", 2),
    ]),
    ("open", "AWS documents the codes of refusals, and not their texts", [
        (TOPIC, "*: named *", "refused.Message", "Invalid parameter: Topic Name", "Topic names must be *", 4),
        (TOPIC, "*: ordered, *", "refused.Message", "Invalid parameter: Fifo Topic names *", "Fifo Topic names *", 1),
        ("sns.add_permission", "*: again", "refused.Message", "Invalid parameter: Statement *", "Statement *", 1),
        (SUBSCRIBE, "*", "refused.Message", "Invalid parameter: Attributes Reason: *", "Invalid parameter: Filter*", 3),
        (SUBSCRIBE, "*: with a filter that is a range *", "refused.Message", "*than top", "*than top\n at ...", 1),
        (PUBLISH, "*", "refused.Message", "*", "An error occurred (*", 2),
        (PUBLISH, "*: too long a subject", "refused.Message", "*: Subject", "Subject must be *", 1),
        (PUBLISH, "*: to a topic that is not there", "refused.Message", "Topic does *", "Endpoint does not exist", 1),
        (PUBLISH, "*: to no topic", "refused.Message", "*An ARN must have *", "not enough values to unpack *", 1),
    ]),
    ("region", "the example: the policy is what is in force for HTTP; there is none of the topic's own", [
        (ATTRIBUTES, "*", "Attributes.EffectiveDeliveryPolicy", '{"http": *', "*", 2),
        (ATTRIBUTES, "*", "Attributes.DeliveryPolicy", NOTHING, "", 2),
    ]),
    ("region", "the guide: by default only the topic's owner may read its attributes", [
        (ATTRIBUTES, "*: by another account", "outcome", "AuthorizationError: *", "done", 1),
    ]),
    ("region", "the model requires these, and has the ARN of a topic; moto fails where it does not take them", [
        ("sns.*", "*", "outcome", "ValidationError: *Member must not be null", BROKEN, 1),
        (SUBSCRIBE, "*: over nothing", "outcome", "ValidationError: *", "done", 1),
        ("sns.*", "*", "outcome", "InvalidParameter: *TopicArn*", BROKEN, 3),
    ]),
    ("open", "no source says whether a subscription made again with other attributes is refused or changed", [
        (SUBSCRIBE, "*: the same with another filter", "outcome", "InvalidParameter: *different attributes", "done", 1),
    ]),
    ("region", "the model has the protocols, and what an endpoint of each is", [
        (SUBSCRIBE, "*: over nothing that there is", "outcome", "InvalidParameter: *pigeon", "done", 1),
        (SUBSCRIBE, "*: no *", "outcome", "InvalidParameter: *", "done", 2),
    ]),
    ("region", "the guide: a filter is JSON, and a key has at least one value", [
        (SUBSCRIBE, "*: with a filter that is no JSON", "outcome", "InvalidParameter: *", BROKEN, 1),
        (SUBSCRIBE, "*: with a filter that is an empty list", "outcome", "InvalidParameter: *", "done", 1),
    ]),
    ("region", "the model: raw messages are for queues and HTTPS", [
        (SUBSCRIBE, "*: raw, as mail", "outcome", "InvalidParameter: *RawMessageDelivery*", "done", 1),
    ]),
    ("region", "the guide has this operator; moto takes it and delivers nothing", [
        (PUBLISH, "*: through `folded`", "got", "m1 m2 m4", "", 1),
    ]),
    ("region", "the model: a subject has no line breaks, and a structure is JSON with a default", [
        (PUBLISH, "*: a subject of two lines", "outcome", "InvalidParameter: *", "done", 1),
        (PUBLISH, "*: a structure *", "outcome", "InvalidParameter: *Message Structure*", "done", 2),
    ]),
    ("open", "the model does not say that a message can not be empty", [
        (PUBLISH, "*: nothing", "outcome", "InvalidParameter: *Empty message", "done", 1),
        (BATCH, "*: a good one and a bad one", "Successful", "a", "a b", 1),
        (BATCH, "*: a good one and a bad one", "Failed", "b", "", 1),
    ]),
    ("region", "the model: the code for a parameter's value is ParameterValueInvalid", [
        (PUBLISH, "*", "refused.Code", "ParameterValueInvalid", "InvalidParameter", 2),
        (PUBLISH, "*: an attribute without a value", "outcome", "ParameterValueInvalid: *", "done", 1),
    ]),
    ("region", "the guide: by default only the topic's owner may publish", [
        (PUBLISH, "*: by another account", "outcome", "AuthorizationError: *", "done", 1),
    ]),
    ("region", "the model has these refusals of a batch", [
        (BATCH, "*: none", "outcome", "EmptyBatchRequest: *", "done", 1),
        (BATCH, "*: an id that can be none", "outcome", "InvalidBatchEntryId: *", "done", 1),
        (BATCH, "*: too much together", "outcome", "BatchRequestTooLong: *", "done", 1),
    ]),
    ("region", "the model: a message to a FIFO topic has a number, and a group or the refusal InvalidParameter", [
        (PUBLISH, "*", "SequenceNumber", "(drawn by lot)", NOTHING, 2),
        (PUBLISH, "*: in order without a group", "refused.Code", "InvalidParameter", "MissingParameter", 1),
        (PUBLISH, "*: in order without a group", "refused.Message", "*MessageGroupId*", "*MessageGroupId.", 1),
    ]),
    ("open", "the model: a message that is there already is accepted and not delivered; with which id is not said", [
        (PUBLISH, "*: the same in order", "MessageId", "uuid-*", "uuid-*", 1),
    ]),
]
