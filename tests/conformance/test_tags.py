"""Tags, as boto3 writes them and reads them back."""

import pytest

from stage import ACME, PROVIDER, refused


def tags(*pairs):
    return [{"Key": key, "Value": value} for key, value in pairs]


@pytest.fixture
def connected(stage):
    """A service and a connection to it."""
    service = stage.create_service()
    stage.connect(service)
    (connection,) = stage.connections()
    return service["ServiceId"], connection["VpcEndpointConnectionId"], connection["VpcEndpointId"]


def read(stage, service_id):
    client = stage.client(PROVIDER)
    (connection,) = stage.connections(service_id=[service_id])
    (service,) = client.describe_vpc_endpoint_service_configurations(ServiceIds=[service_id])["ServiceConfigurations"]
    return [{tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in (connection, service)]


def test_one_call_tags_many_things_and_the_last_value_stays(stage, connected):
    service_id, connection_id, _ = connected
    client = stage.client(PROVIDER)
    odd = ("privatelink:policy", "a+b c=1 & <d> +-=._:/@ ☂")
    client.create_tags(Resources=[connection_id, service_id], Tags=tags(("state", "held"), odd))
    assert read(stage, service_id) == [dict([("state", "held"), odd])] * 2
    client.create_tags(Resources=[connection_id], Tags=tags(("state", "accepted"), ("empty", "")))
    assert read(stage, service_id) == [
        dict([("state", "accepted"), odd, ("empty", "")]),
        dict([("state", "held"), odd]),
    ]


def test_a_tag_without_a_value_has_an_empty_one(stage, connected):
    service_id, connection_id, _ = connected
    stage.client(PROVIDER).create_tags(Resources=[connection_id], Tags=[{"Key": "only"}])
    assert read(stage, service_id)[0] == {"only": ""}


def test_the_consumers_tags_are_not_the_providers(stage, connected):
    service_id, connection_id, endpoint_id = connected
    stage.client(ACME).create_tags(Resources=[endpoint_id], Tags=tags(("mine", "yes")))
    assert read(stage, service_id)[0] == {}
    for account, thing in [(ACME, connection_id), (ACME, service_id), (PROVIDER, endpoint_id)]:
        with refused(f"InvalidVpcEndpoint{kind(thing)}Id.NotFound", message=f".*{thing}.*"):
            stage.client(account).create_tags(Resources=[thing], Tags=tags(("mine", "yes")))


def kind(thing):
    return {"con": "Connection", "svc": "Service"}.get(thing.split("-")[1], "")


@pytest.mark.parametrize(
    "code, given",
    [
        ("InvalidParameterValue", tags(("aws:mine", "x"))),
        ("InvalidParameterValue", tags(("AWS:mine", "x"))),
        ("InvalidParameterValue", tags(("k" * 128, "x"))),
        ("InvalidParameterValue", tags(("key", "v" * 257))),
        ("TagLimitExceeded", tags(*[(f"key{n}", "x") for n in range(51)])),
    ],
)
def test_tags_that_aws_forbids_are_refused(stage, connected, code, given):
    service_id, connection_id, _ = connected
    with refused(code):
        stage.client(PROVIDER).create_tags(Resources=[connection_id], Tags=given)
    assert read(stage, service_id)[0] == {}


def test_one_thing_that_is_not_there_spoils_the_call(stage, connected):
    service_id, connection_id, _ = connected
    with refused("InvalidVpcEndpointConnectionId.NotFound"):
        gone = "vpce-con-0123456789abcdef0"
        stage.client(PROVIDER).create_tags(Resources=[connection_id, gone], Tags=tags(("a", "b")))
    assert read(stage, service_id)[0] == {}


def test_fifty_tags_are_enough(stage, connected):
    service_id, connection_id, _ = connected
    client = stage.client(PROVIDER)
    fifty = [(f"key{n}", "x") for n in range(50)]
    client.create_tags(Resources=[connection_id], Tags=tags(*fifty))
    client.create_tags(Resources=[connection_id], Tags=tags(("key0", "changed")))
    with refused("TagLimitExceeded"):
        client.create_tags(Resources=[connection_id], Tags=tags(("key50", "x")))
    assert read(stage, service_id)[0] == {**dict(fifty), "key0": "changed"}
