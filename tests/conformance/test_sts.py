"""STS: who a caller is, and the credentials of a role in another account, as boto3 asks for them."""

from datetime import datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ParamValidationError

from stage import ACME, NLB, PROVIDER, REGION, Like, refused

ROLE = f"arn:aws:iam::{ACME}:role/teams/dns"


@pytest.fixture
def sts(stage):
    """A client whose answers are not held against the model: `test_an_answer_with_credentials_is_as_the_model_says`."""
    return stage.client(PROVIDER, service="sts", check=False)


def test_an_answer_with_credentials_is_as_the_model_says(stage):
    stage.client(PROVIDER, service="sts").assume_role(RoleArn=ROLE, RoleSessionName="verifier")


def test_a_caller_is_its_account(stage):
    for account in (PROVIDER, ACME):
        identity = stage.client(account, service="sts").get_caller_identity()
        assert (identity["Account"], identity["Arn"]) == (account, Like(rf"arn:aws:iam::{account}:user/\w+"))
        assert identity["UserId"] == Like(r"[A-Z0-9]+")


def test_an_assumed_role_has_credentials_for_as_long_as_asked(stage, sts):
    for more, seconds in [({}, 3600), ({"DurationSeconds": 900}, 900), ({"DurationSeconds": 43200}, 43200)]:
        answer = sts.assume_role(RoleArn=ROLE, RoleSessionName="the@verifier", ExternalId="x1", **more)
        credentials, user = answer["Credentials"], answer["AssumedRoleUser"]
        assert len(credentials["SecretAccessKey"]) == 40 and credentials["SessionToken"]
        now = datetime.fromisoformat(stage.now()[:19] + "+00:00")
        assert abs(credentials["Expiration"] - now - timedelta(seconds=seconds)) < timedelta(seconds=5)
        assert credentials["Expiration"].microsecond == 0
        # A role's path is not in the ARN of its session.
        assert user["Arn"] == f"arn:aws:sts::{ACME}:assumed-role/dns/the@verifier"
        assert user["AssumedRoleId"] == Like("[A-Z0-9]+:the@verifier")


def test_assumed_credentials_are_those_of_the_roles_account(stage, sts):
    credentials = sts.assume_role(RoleArn=ROLE, RoleSessionName="verifier")["Credentials"]
    session = boto3.session.Session(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"], REGION
    )
    assumed = {name: session.client(name, endpoint_url=stage.url) for name in ("ec2", "route53", "sns", "sts")}
    assert assumed["sts"].get_caller_identity()["Account"] == ACME
    made = assumed["ec2"].create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[NLB])
    theirs = stage.client(ACME).describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    assert [one["ServiceId"] for one in theirs] == [made["ServiceConfiguration"]["ServiceId"]]
    assert stage.client(PROVIDER).describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []
    zone = assumed["route53"].create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    assert stage.client(ACME, service="route53").get_hosted_zone(Id=zone)["HostedZone"]["Id"] == zone
    assert assumed["sns"].create_topic(Name="t")["TopicArn"] == f"arn:aws:sns:{REGION}:{ACME}:t"


def test_a_session_is_told_to_be_the_role(stage, sts):
    answer = sts.assume_role(RoleArn=ROLE, RoleSessionName="verifier")
    identity = stage.client(answer["Credentials"]["AccessKeyId"], service="sts").get_caller_identity()
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    assert identity["Account"] == ACME


def test_every_session_has_a_key_of_its_own(stage, sts):
    names = ["one", "two", "two"]
    keys = [sts.assume_role(RoleArn=ROLE, RoleSessionName=name)["Credentials"]["AccessKeyId"] for name in names]
    assert len(set(keys)) == 3 and all(key == Like("ASIA[A-Z0-9]{16}") for key in keys)
    arns = [stage.client(key, service="sts").get_caller_identity()["Arn"] for key in keys]
    assert [arn.rpartition("/")[2] for arn in arns] == names
    with refused("AuthFailure", 401):
        stage.client("ASIAAAAAAAAAAAAAAAAA", check=False).describe_vpc_endpoints()


@pytest.mark.parametrize(
    "name, value", [("DurationSeconds", 899), ("DurationSeconds", 43201), ("RoleSessionName", "x")]
)
def test_what_botocore_or_sts_does_not_allow_is_refused(stage, name, value):
    loose = stage.client(PROVIDER, service="sts", check=False, parameter_validation=False)
    with refused("ValidationError", message=rf".*'{value}' at '(?i:{name})' failed to satisfy constraint: Member.*"):
        loose.assume_role(**{"RoleArn": ROLE, "RoleSessionName": "verifier", name: value})


@pytest.mark.parametrize("role", [f"arn:aws:iam::{ACME}:user/dns/and/more", "arn:aws:iam::4444:role/dns/and/more"])
def test_what_is_no_role_is_refused(sts, role):
    with refused("ValidationError", message=f"{role} is invalid"):
        sts.assume_role(RoleArn=role, RoleSessionName="verifier")


@pytest.mark.parametrize("name", ["RoleArn", "RoleSessionName"])
def test_a_role_and_a_session_have_to_be_named(stage, sts, name):
    given = {"RoleArn": ROLE, "RoleSessionName": "verifier"}
    del given[name]
    with pytest.raises(ParamValidationError):
        sts.assume_role(**given)
    with refused("ValidationError", message=".*failed to satisfy constraint: Member must not be null.*"):
        stage.client(PROVIDER, service="sts", check=False, parameter_validation=False).assume_role(**given)


def test_what_sts_does_not_know_is_refused(sts):
    with refused("InvalidAction"):
        sts.get_session_token()
