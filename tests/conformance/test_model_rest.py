"""`aws_model_rest` finds what is broken, and finds nothing in what boto3 itself sends."""

from urllib.parse import urlsplit

import boto3
import pytest

from aws_model_rest import check_rest_request
from stage import PROVIDER
from test_model import Caught

RECORD = {"Name": "_a.example.com", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": '"vpce:a & b"'}]}
EXCHANGE = {
    "Comment": "proof",
    "Changes": [{"Action": action, "ResourceRecordSet": RECORD} for action in ("DELETE", "CREATE")],
}
SENT = [
    ("change_resource_record_sets", {"HostedZoneId": "Z1", "ChangeBatch": EXCHANGE}),
    ("list_resource_record_sets", {"HostedZoneId": "Z1", "StartRecordName": "a", "StartRecordType": "TXT"}),
    ("list_hosted_zones_by_name", {"DNSName": "example.com", "MaxItems": "100"}),
    ("list_hosted_zones_by_name", {}),
    ("get_hosted_zone", {"Id": "Z1"}),
    ("get_change", {"Id": "C1"}),
    ("create_hosted_zone", {"Name": "example.com", "CallerReference": "1", "VPC": {"VPCId": "vpc-0a"}}),
]


def sent(operation, **parameters):
    """What boto3 would send: the operation in the API's word, and the request's parts."""
    client = boto3.client("route53", aws_access_key_id=PROVIDER, aws_secret_access_key="any")

    def catch(request, event_name, **_):
        raise Caught(event_name.rpartition(".")[2], request)

    client.meta.events.register("before-send", catch)
    with pytest.raises(Caught) as caught:
        getattr(client, operation)(**parameters)
    name, request = caught.value.args
    url, body = urlsplit(request.url), request.body or ""
    return name, [request.method, url.path, url.query, body.decode() if isinstance(body, bytes) else body]


@pytest.mark.parametrize("operation, parameters", SENT)
def test_nothing_is_wrong_with_what_boto3_sends(operation, parameters):
    name, request = sent(operation, **parameters)
    assert check_rest_request(*request) == (name, [])


CHANGES = "/2013-04-01/hostedzone/Z1/rrset"
SET = "ChangeResourceRecordSetsRequest.ChangeBatch.Changes.1.ResourceRecordSet"


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("<Action>DELETE</Action>", "", "ChangeResourceRecordSetsRequest.ChangeBatch.Changes.1.Action: missing"),
        ("<Action>DELETE</Action>", "<Action>REMOVE</Action>", "`REMOVE` is none of the words of ChangeAction"),
        ("<TTL>300</TTL>", "<TTL>five</TTL>", f"{SET}.TTL: `five` is no long"),
        ("<TTL>300</TTL>", "<Ttl>300</Ttl>", f"{SET}.Ttl: not in the model"),
        ("<TTL>300</TTL>", "<TTL>300</TTL><TTL>300</TTL>", f"{SET}.TTL: there 2 times"),
        ("<Type>TXT</Type>", "", f"{SET}.Type: missing, and required"),
        ("<ResourceRecord>", "<Record>", "no XML"),
        ("https://route53", "http://route53", "in the namespace"),
        ("ChangeResourceRecordSetsRequest", "ChangeRequest", "the root is ChangeRequest"),
    ],
)
def test_what_is_wrong_with_a_body_is_named(old, new, problem):
    _, (method, path, query, body) = sent(*SENT[0][:1], **SENT[0][1])
    assert old in body
    changes = body.replace(old, new) if "Request" in old or "http" in old else body.replace(old, new, 1)
    _, problems = check_rest_request(method, path, query, changes)
    assert any(problem in found for found in problems), problems


@pytest.mark.parametrize(
    "method, path, query, body, problem",
    [
        ("PUT", CHANGES, "", "", "no operation at PUT"),
        ("GET", "/2013-04-01/hostedzone", "id=", "", "id: no parameter"),
        ("GET", CHANGES, "", "<a/>", "a body: ListResourceRecordSets takes none"),
        ("GET", CHANGES, "Name=a", "", "Name: no parameter"),
        ("GET", CHANGES, "name=a&name=b", "", "name: given more than once"),
        ("GET", CHANGES, "name=", "", "name: empty"),
        ("GET", CHANGES, "type=TEXT", "", "`TEXT` is none of the words of RRType"),
        ("GET", f"/2013-04-01/hostedzone/{'Z' * 33}", "", "", "Id: 33 is not between None and 32"),
        ("POST", CHANGES, "", "", "no XML"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(method, path, query, body, problem):
    _, problems = check_rest_request(method, path, query, body)
    assert any(problem in found for found in problems), problems
