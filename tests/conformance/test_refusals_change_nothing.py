"""What is refused, or only tried, changes nothing: of every operation."""

import pytest

from operations import OPERATIONS, TRIED
from stage import PROVIDER, refused

every_operation = pytest.mark.parametrize("operation", OPERATIONS)


def everything(stage):
    """All that is there, to be held against all that is there later."""
    client = stage.client(PROVIDER)
    services = client.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    permissions = [
        client.describe_vpc_endpoint_service_permissions(ServiceId=service["ServiceId"])["AllowedPrincipals"]
        for service in services[-3:]
    ]
    notifications = client.describe_vpc_endpoint_connection_notifications()["ConnectionNotificationSet"]
    networks = client.describe_vpcs()["Vpcs"], client.describe_subnets()["Subnets"]
    hostnames = [
        client.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")["EnableDnsHostnames"]
        for vpc in networks[0]
    ]
    rules = client.describe_security_group_rules()["SecurityGroupRules"]
    endpoints = client.describe_vpc_endpoints()["VpcEndpoints"]
    return services, permissions, notifications, endpoints, stage.connections(), networks, hostnames, rules


@pytest.mark.parametrize("operation", TRIED)
def test_a_dry_run_says_that_it_would_have_gone_well_and_changes_nothing(stage, example, operation):
    wanted, before = example(operation), everything(stage)
    with refused("DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set."):
        getattr(stage.client(PROVIDER), operation)(**wanted, DryRun=True)
    assert everything(stage) == before


@every_operation
@pytest.mark.parametrize("name", ["Nonsense", "Nonsense.1", "dryRun"])
def test_a_parameter_that_is_not_there_is_refused_and_nothing_is_done(stage, example, operation, name):
    wanted, before = example(operation), everything(stage)
    client = stage.client(PROVIDER, add={name: "true"})
    with refused("UnknownParameter", message="The parameter (Nonsense|dryRun) is not recognized"):
        getattr(client, operation)(**wanted)
    assert everything(stage) == before
