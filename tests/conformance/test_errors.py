"""Refusals that every operation has in common, as boto3 raises them."""

import re

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from operations import OPERATIONS, READS, anything, documented_filters, input_shape, of_the_model
from stage import ACME, NLB, PROVIDER, Like, Stage, refused

every_operation = pytest.mark.parametrize("operation", OPERATIONS)
every_read = pytest.mark.parametrize("operation", READS)


@pytest.fixture(scope="module")
def stage():
    """One Region for all: what one test here leaves behind means nothing to the others."""
    stage = Stage("--no-throttling")
    yield stage
    stage.close()


def read(stage, example, operation, **more):
    return getattr(stage.client(PROVIDER), operation)(**example(operation), **more)


def read_unchecked(stage, example, operation, **more):
    """The same where the model does not allow what is asked for: botocore would not send it."""
    client = stage.client(PROVIDER, check=False, parameter_validation=False)
    return getattr(client, operation)(**example(operation), **more)


@every_operation
def test_an_example_without_a_dry_run_goes_well(stage, example, operation):
    answer = getattr(stage.client(PROVIDER), operation)(**example(operation))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer.get("Unsuccessful", []) == []


@pytest.mark.parametrize("operation, name", of_the_model(lambda shape: shape.members))
def test_every_parameter_of_the_model_is_known(stage, example, operation, name):
    client = stage.client(PROVIDER)
    word = client.meta.method_to_api_mapping[operation]
    shape = client.meta.service_model.operation_model(word).input_shape.members[name]
    try:
        getattr(client, operation)(**{name: anything(shape), **example(operation)})
    except ClientError as error:
        # Anything may be wrong with the value.
        assert error.response["Error"]["Code"] != "UnknownParameter", error


@pytest.mark.parametrize("operation, name", of_the_model(documented_filters))
def test_every_documented_filter_is_known(stage, example, operation, name):
    read(stage, example, operation, Filters=[{"Name": name, "Values": ["x"]}])


def test_a_dry_run_of_what_would_be_refused_is_refused(stage):
    with refused("InvalidVpcEndpointServiceId.NotFound"):
        ids = {"ServiceId": "vpce-svc-0123456789abcdef0", "VpcEndpointIds": ["vpce-0123456789abcdef0"]}
        stage.client(PROVIDER).accept_vpc_endpoint_connections(**ids, DryRun=True)


@pytest.mark.parametrize("operation, name", of_the_model(lambda shape: shape.required_members))
def test_what_botocore_requires_the_region_requires_too(stage, example, operation, name):
    given = example(operation)
    del given[name]
    with pytest.raises(ParamValidationError):
        getattr(stage.client(PROVIDER), operation)(**given)
    with refused("MissingParameter", message="The request must contain the parameter .+"):
        getattr(stage.client(PROVIDER, check=False, parameter_validation=False), operation)(**given)


@every_read
@pytest.mark.parametrize("size", [0, 1, 4, -5])
def test_a_page_has_five_items_at_least(stage, example, operation, size):
    with refused("InvalidParameterValue", message=rf".*\({size}\).*MaxResults.*"):
        read_unchecked(stage, example, operation, MaxResults=size)


@every_read
@pytest.mark.parametrize("size", [5, 1000])
def test_a_page_has_a_thousand_items_at_most(stage, example, operation, size):
    read(stage, example, operation, MaxResults=size)


@every_read
def test_who_asks_for_a_longer_page_gets_a_thousand_or_is_refused(stage, example, operation):
    """The model's words: if MaxResults is given a value larger than 1,000, only 1,000 results are returned. Where the
    model has a bound, that is kept."""
    if "max" not in input_shape(operation).members["MaxResults"].metadata:
        read(stage, example, operation, MaxResults=1001)
    else:
        with refused("InvalidParameterValue", message=r".*\(1001\).*MaxResults.*"):
            read_unchecked(stage, example, operation, MaxResults=1001)


@every_read
def test_a_size_that_is_no_number_is_refused(stage, example, operation):
    with refused("InvalidParameterValue", message=".*MaxResults.*"):
        getattr(stage.client(PROVIDER, add={"MaxResults": "many"}), operation)(**example(operation))


@every_read
def test_a_token_from_nowhere_is_refused(stage, example, operation):
    with refused("InvalidNextToken"):
        read(stage, example, operation, NextToken="from nowhere")


@every_read
@pytest.mark.parametrize("name", ["nonsense", "Service-Id", "service_id", "tag", ""])
def test_a_filter_that_is_not_there_is_refused(stage, example, operation, name):
    with refused("InvalidParameterValue", message=f"The filter '{name}' is invalid"):
        read(stage, example, operation, Filters=[{"Name": name, "Values": ["x"]}])


@every_read
def test_a_filter_has_two_hundred_values_at_most(stage, example, operation):
    values = [f"vpce-svc-{n:017x}" for n in range(201)]
    name = documented_filters(input_shape(operation))[-1]
    with refused("FilterLimitExceeded"):
        read(stage, example, operation, Filters=[{"Name": name, "Values": values}])
    read(stage, example, operation, Filters=[{"Name": name, "Values": values[:200]}])


def test_filters_that_belong_to_another_operation_are_refused(stage):
    for name in ("vpc-endpoint-id", "service-name", "tag:team", "tag-key"):
        with refused("InvalidParameterValue", message=f"The filter '{name}' is invalid"):
            stage.connections(**{name: ["x"]})


def test_a_boolean_that_is_none_is_refused(stage):
    client = stage.client(PROVIDER, add={"AcceptanceRequired": "perhaps"})
    with refused("InvalidParameterValue", message=".*perhaps.*AcceptanceRequired.*"):
        client.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[NLB])


def test_an_operation_that_is_not_here_is_refused(stage):
    with refused("InvalidAction", message="The action DescribeAvailabilityZones is not valid for this web service."):
        stage.client(PROVIDER).describe_availability_zones()


def test_another_version_of_the_api_is_refused(stage):
    with refused("InvalidAction"):
        stage.client(PROVIDER, add={"Version": "2008-12-01"}).describe_vpc_endpoint_connections()


@pytest.mark.parametrize("key", ["AKIAIOSFODNN7EXAMPLE", "11112222333", "1111222233334"])
def test_a_key_that_is_no_account_is_refused(stage, key):
    with refused("AuthFailure", 401, "AWS was not able to validate the provided access credentials.*"):
        stage.client(key).describe_vpc_endpoint_connections()


@pytest.mark.parametrize("kind", ["create_vpc_endpoint", "create_vpc_endpoint_service_configuration"])
def test_tags_of_another_kind_of_thing_are_refused(stage, example, kind):
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}]
    with refused("InvalidParameterValue", message="'vpc' is not a valid taggable resource type for this operation."):
        getattr(stage.client(ACME), kind)(**example(kind), TagSpecifications=tags)


@pytest.mark.parametrize("service_id", ["service", "vpce-svc-xyz", "vpce-0123456789abcdef0"])
def test_a_service_id_that_can_be_none_is_malformed(stage, service_id):
    with refused("InvalidVpcEndpointServiceId.Malformed", message=f"Invalid Id: '{service_id}'.*"):
        ids = {"ServiceId": service_id, "VpcEndpointIds": ["vpce-0123456789abcdef0"]}
        stage.client(PROVIDER).accept_vpc_endpoint_connections(**ids)


def request_ids(stage):
    client = stage.client(PROVIDER)
    yield client.describe_vpc_endpoint_connections()["ResponseMetadata"]
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.describe_vpc_endpoint_connections(MaxResults=1)
    yield caught.value.response["ResponseMetadata"]


def test_every_answer_has_a_request_id_of_its_own(stage):
    ids = [metadata["RequestId"] for metadata in request_ids(stage)]
    assert all(ids) and len(set(ids)) == 2


def test_a_request_id_is_a_uuid_and_in_a_header_too(stage):
    for metadata in request_ids(stage):
        assert metadata["RequestId"] == Like(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
        assert metadata["HTTPHeaders"]["x-amzn-requestid"] == metadata["RequestId"]


def test_answers_are_said_to_be_xml(stage):
    for metadata in request_ids(stage):
        assert re.match(r"text/xml\b", metadata["HTTPHeaders"]["content-type"])
