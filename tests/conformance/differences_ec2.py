"""Where our Region and moto's differ in EC2 and STS: the table. `test_moto` holds what is found against it.

A block is who is right, why, and rows: the call, the step of the story, the path in what botocore decoded, what our
Region has there, what moto has there, and how many differences the row stands for. A `*` stands for any text.

Who is right: `region`, `moto`, `neither`, or `open` where no source that we have decides it. Sources: the model is
botocore's, with its prose; the examples are those of the `aws` command line; the rest is AWS's user guides.
"""

from beside import BROKEN, NOTHING

MAKE, READ = "ec2.create_vpc_endpoint_service_configuration", "ec2.describe_vpc_endpoint_service_configurations"
CHANGE, GONE = "ec2.modify_vpc_endpoint_service_configuration", "ec2.delete_vpc_endpoint_service_configurations"
PERMIT, PERMITTED = "ec2.modify_vpc_endpoint_service_permissions", "ec2.describe_vpc_endpoint_service_permissions"
OFFERS, ENDPOINTS = "ec2.describe_vpc_endpoint_services", "ec2.describe_vpc_endpoints"
CONNECT, ALTER, CLOSE = "ec2.create_vpc_endpoint", "ec2.modify_vpc_endpoint", "ec2.delete_vpc_endpoints"
ASSUME, WHO = "sts.assume_role", "sts.get_caller_identity"

EC2 = [
    ("region", "the model: a dry run changes nothing, and is answered with the error DryRunOperation", [
        ("ec2.*", "*: tried only", "outcome", "DryRunOperation: *", "done", 9),
    ]),
    ("region", "the same; moto does not get so far, since it finds no services of accounts", [
        (OFFERS, "*: tried only", "refused.Code", "DryRunOperation", "InvalidServiceName", 1),
        (OFFERS, "*: tried only", "refused.Message", "Request would have succeeded, *", "* does not exist", 1),
        (OFFERS, "*: tried only", "HTTPStatusCode", "412", "400", 1),
    ]),
    ("region", "moto's dry run took effect: its endpoint has the subnets that were only tried", [
        (ENDPOINTS, "*: after its end", "VpcEndpoints[].SubnetIds", '["known-6"]', '["known-5", "known-6"]', 1),
    ]),
    ("region", "the model: these parameters are required; that AWS says MissingParameter is in EC2's error codes", [
        ("ec2.*", "*", "outcome", "MissingParameter: *", "done", 7),
        ("ec2.*", "*", "refused.Code", "MissingParameter", "Invalid*", 4),
        ("ec2.*", "*", "refused.Message", "The request must contain the parameter *", "*None*", 4),
    ]),
    ("region", "the model has these words only, and EC2's error codes have InvalidParameterValue for others", [
        ("ec2.create_vpc_*", "*: for addresses that are not there", "outcome", "InvalidParameterValue: *", "done", 2),
        (CONNECT, "*: of a type that is not there", "outcome", "InvalidParameterValue: *", "done", 1),
        (MAKE, "*: tagged as something else", "outcome", "InvalidParameterValue: 'vpc' is *", "done", 1),
    ]),
    ("region", "the model: a page has between 5 and 1,000 items, and what does not fit has a token", [
        (READ, "*: on a page that is too small", "outcome", "InvalidParameterValue: *", "done", 1),
        (PERMITTED, "*: on a page that is too small", "outcome", "InvalidParameterValue: *", "done", 1),
        (READ, "*: a page", "ServiceConfigurations", "*", "vpce-svc-1 * vpce-svc-6", 1),
        (READ, "*: a page", "NextToken", "(drawn by lot)", NOTHING, 1),
        ("ec2.*", "*: from a token from nowhere", "outcome", "InvalidNextToken: *", "done", 2),
    ]),
    ("open", "here the model tells of no least size of a page, as it does for the other reads", [
        (ENDPOINTS, "*: on a page that is too small", "outcome", "InvalidParameterValue: *", "done", 1),
    ]),
    ("region", "the model lists the filters of a read; moto heeds none here, or fails", [
        (READ, "*: not found by a tag", "ServiceConfigurations", "", "vpce-svc-1", 1),
        (READ, "*: by a filter *", "outcome", "InvalidParameterValue: The filter 'x' is invalid", "done", 1),
        (PERMITTED, "*: by a filter", "AllowedPrincipals", "", "*:role/network", 1),
        (PERMITTED, "*: by a filter *", "outcome", "InvalidParameterValue: The filter 'x' is invalid", "done", 1),
        (ENDPOINTS, "*: by a filter *", "outcome", "InvalidParameterValue: The filter 'x' is invalid", BROKEN, 1),
        (OFFERS, "*: by owner", "outcome", "done", "InvalidFilter: The filter 'owner' is invalid", 1),
    ]),
    ("open", "EC2's error codes have both; which this operation uses is not said", [
        (OFFERS, "*: by a filter *", "refused.Code", "InvalidParameterValue", "InvalidFilter", 1),
    ]),
    ("region", "the model: a service has its types of address, and ipv4 is in the guide's default", [
        ("ec2.*", "*", "Service*.SupportedIpAddressTypes", '["ipv4"*]', NOTHING, 33),
    ]),
    ("region", "the examples: a service without a private name has no configuration of one", [
        ("ec2.*", "*", "ServiceConfiguration*.PrivateDnsNameConfiguration", NOTHING, "{}", 30),
    ]),
    ("open", "no source says whether a service for its own Region alone lists none, or that one, or nothing", [
        ("ec2.*", "*", "ServiceConfiguration*.SupportedRegions", NOTHING, "[]", 32),
    ]),
    ("region", "the guide: a new name waits for its proof, which has a label and a value of its own", [
        (MAKE, "*: with a name", "ServiceConfiguration.PrivateDnsNameConfiguration.State", "pending*", "verified", 1),
        (MAKE, "*: with a name", "ServiceConfiguration.PrivateDnsNameConfiguration.Value", "proof-1", "val", 1),
        (MAKE, "*: with a name", "ServiceConfiguration.PrivateDnsNameConfiguration.Name", "label-1", "n", 1),
    ]),
    ("region", "the guide: a private name is in lower case", [
        (MAKE, "*: with a name in capitals", "outcome", "InvalidParameter: *", "done", 1),
    ]),
    ("region", "the model has RemovePrivateDnsName, which moto does not heed", [
        (CHANGE, "*: a name and none", "outcome", "InvalidParameterCombination: *", "done", 1),
        (READ, "*: in the end", "ServiceConfigurations[].PrivateDnsName", NOTHING, "api.example.com", 1),
        (READ, "*: in the end", "*.PrivateDnsNameConfiguration", NOTHING, '{"State": "verified", *}', 1),
    ]),
    ("region", "the model and the examples: the type is GatewayLoadBalancer; Gateway is that of S3 and DynamoDB", [
        (MAKE, "*", "ServiceConfiguration.ServiceType", "GatewayLoadBalancer", "Gateway", 1),
    ]),
    ("region", "the model: a service has load balancers of one kind or of the other; moto drops one without a word. "
     "The words are those that are known of a service with neither, which moto has, too", [
        (MAKE, "*: of both kinds", "outcome", "InvalidParameter: exactly one of *", "done", 1),
    ]),
    ("moto", "the model: the load balancer is made before. The code for one that is not there is in no source; our "
     "Region knows no load balancers, and takes all", [
        (MAKE, "*: of a load balancer that is not there", "outcome", "done", "LoadBalancerNotFound: *", 1),
    ]),
    ("region", "a service lives on load balancers, of which the last can not go; the code is in no source", [
        (CHANGE, "*: one load balancer less, which *", "outcome", "InvalidParameterValue: *", BROKEN, 1),
        (CHANGE, "*: the last load balancer gone", "outcome", "InvalidParameterValue: *", "done", 1),
    ]),
    ("open", "EC2's error codes have Malformed for endpoints, and for services they have NotFound only", [
        (READ, "*: one with an id that can be none", "refused.Code", "*.Malformed", "*.NotFound", 1),
        (READ, "*: one with an id that can be none", "refused.Message", "Invalid Id: *", "The VpcEndpointService *", 1),
    ]),
    ("region", "EC2's error codes have Malformed for endpoints, as they do for most things", [
        (ENDPOINTS, "*: one with an id that can be none", "refused.Code", "*.Malformed", "*.NotFound", 1),
        (ENDPOINTS, "*: one with an id that can be none", "refused.Message", "Invalid Id: *", "The VpcEndPoint *", 1),
    ]),
    ("region", "the guide: a service that has live connections is not deleted", [
        (GONE, "*: one that is used", "Unsuccessful", "*ExistingVpcEndpointConnections*", "", 1),
    ]),
    ("region", "moto had deleted it when it was only tried, so that it is not there any more", [
        (GONE, "*: one that is free, and one *", "Unsuccessful", "*", "*'vpce-svc-2' does not exist*", 1),
    ]),
    ("region", "the model: the principals that were added are told, with their types and ids", [
        (PERMIT, "*", "AddedPrincipals", "[*]", NOTHING, 9),
        (PERMITTED, "*", "AllowedPrincipals[].PrincipalType", "*", NOTHING, 3),
        (PERMITTED, "*", "AllowedPrincipals[].Service*Id", "*", NOTHING, 6),
        (PERMITTED, "*", "AllowedPrincipals[].Tags", "[]", NOTHING, 3),
    ]),
    ("region", "the guide: a principal is an ARN or a star. The code is in no source", [
        (PERMIT, "*: what can be no principal", "outcome", "InvalidPrincipal: *", "done", 1),
    ]),
    ("region", "the guide: who is permitted finds the service; moto shows each account its own only", [
        (OFFERS, "*: by name, to another account", "outcome", "done", "InvalidServiceName: *", 1),
    ]),
    ("region", "the model has these for an offer", [
        (OFFERS, "*", "ServiceDetails[].ServiceRegion", "us-west-2", NOTHING, 1),
        (OFFERS, "*", "ServiceDetails[].Tags", "[]", NOTHING, 1),
    ]),
    ("open", "an empty list where there is no name, or none: the examples show offers with a name", [
        (OFFERS, "*", "ServiceDetails[].PrivateDnsNames", NOTHING, "[]", 1),
    ]),
    ("open", "no source says whether endpoint policies work for services of accounts", [
        (OFFERS, "*", "ServiceDetails[].VpcEndpointPolicySupported", "false", "true", 1),
    ]),
    ("region", "the guide: an endpoint is pending, or waits for acceptance, before it is available, and so it is again "
     "after a change", [
        (CONNECT, "*", "VpcEndpoint.State", "pending*", "available", 5),
        (ENDPOINTS, "*: after this", "VpcEndpoints[].State", "pending", "available", 1),
    ]),
    ("region", "the model has these for an endpoint", [
        ("ec2.*", "*", "VpcEndpoint*.IpAddressType", "ipv4", NOTHING, 10),
        ("ec2.*", "*", "VpcEndpoint*.DnsOptions", '{"DnsRecordIpType": "ipv4"}', NOTHING, 10),
        ("ec2.*", "*", "VpcEndpoint*.RequesterManaged", "false", NOTHING, 10),
        ("ec2.*", "*", "VpcEndpoint*.ServiceRegion", "us-west-2", NOTHING, 10),
    ]),
    ("region", "the guide: an endpoint's name ends with the service's id, the Region and vpce.amazonaws.com", [
        ("ec2.*", "*", "VpcEndpoint*.DnsEntries", "*.vpce-svc-1.us-west-2.vpce.amazonaws.com", "*.vpce-svc-1", 10),
    ]),
    ("region", "the model: without a security group an endpoint has the VPC's default one, and keeps it", [
        ("ec2.*", "*", "VpcEndpoint*.Groups", "known-8", "", 6),
        (ENDPOINTS, "*", "VpcEndpoints[].Groups", "known-7 known-8", "known-7", 2),
    ]),
    ("region", "the guide: an endpoint has an interface in each of its subnets; moto changes none", [
        (ENDPOINTS, "*", "VpcEndpoints[].NetworkInterfaceIds", '["eni-2"]', '["eni-1"]', 2),
    ]),
    ("region", "the guide: private DNS needs a service with a name, of which the proof was seen", [
        (CONNECT, "*: with private DNS", "outcome", "InvalidParameter: Private DNS can't be enabled *", "done", 1),
    ]),
    ("region", "EC2's error codes have InvalidServiceName for a service that is not there", [
        (CONNECT, "*: to a service that is not there", "outcome", "InvalidServiceName: *", "done", 1),
    ]),
    ("open", "whether a subnet that the endpoint does not have is refused is in no source", [
        (ALTER, "*: one subnet less, which *", "outcome", "InvalidParameter: *", "done", 1),
    ]),
    ("open", "AWS documents the codes of refusals, and not their texts", [
        ("ec2.*", "*", "refused.Message", "The Vpc Endpoint Id *", "The VpcEndPoint ID *", 4),
        ("ec2.create_tags", "*: too many", "refused.Message", "The maximum * Tags has *", "* Tags for a resource *", 1),
        ("ec2.*_tags", "*: of an id that can be none", "refused.Message", "*does not exist", "*is not valid", 2),
        ("ec2.*_tags", "*: of nothing", "refused.Message", "*parameter ResourceId", "*parameter resourceIdSet", 2),
    ]),
    ("region", "the model: what could not be deleted is told; moto tells of none", [
        (CLOSE, "*", "Unsuccessful", "*InvalidVpcEndpoint.NotFound*", "", 2),
    ]),
    ("region", "the model: a tag without a value has an empty one; without tags, all are deleted", [
        ("ec2.create_tags", "*: without a value", "outcome", "done", BROKEN, 1),
        (READ, "*: in the end", "ServiceConfigurations[].Tags", "", "e tier", 1),
    ]),
    ("region", "the model: a key does not begin with aws:, and key and value have their lengths", [
        ("ec2.create_tags", "*", "outcome", "InvalidParameterValue: Tag *", "done", 4),
    ]),
    ("region", "EC2's error codes have NotFound for what is not there, as for what is another account's", [
        ("ec2.create_tags", "*", "outcome", "InvalidVpcEndpointServiceId.NotFound: *", "done", 2),
    ]),
    ("open", "no source says whether deleting the tags of what is not there is refused", [
        ("ec2.delete_tags", "*", "outcome", "InvalidVpcEndpointServiceId.NotFound: *", "done", 2),
    ]),
]

STS = [
    ("region", "the examples: a user's id begins with AIDA, and its ARN is of IAM", [
        (WHO, "*: of a user", "UserId", "AIDA*", "AKIA*", 1),
        (WHO, "*: of a user", "Arn", "arn:aws:iam::*:user/simulated", "arn:aws:sts::*:user/moto", 1),
    ]),
    ("region", "the model: it is the size of session policies and tags, of which there are none", [
        (ASSUME, "*", "PackedPolicySize", NOTHING, "6", 2),
    ]),
    ("region", "the model: the id is the role's, from when it was made; moto knows no such role", [
        (WHO, "*: of a role's session", "UserId", "role-1:verifier", "role-2:verifier", 1),
        (ASSUME, "*: for a while", "AssumedRoleUser.AssumedRoleId", "role-1:verifier", "role-3:verifier", 1),
    ]),
    ("region", "the model has the bounds and the pattern", [
        (ASSUME, "*", "outcome", "ValidationError: 1 validation error detected: *", "done", 4),
        (ASSUME, "*", "outcome", "ValidationError: arn is invalid", "done", 1),
        (ASSUME, "*", "outcome", "ValidationError: *Member must not be null", BROKEN, 2),
    ]),
    ("region", "the model: it is the ARN of a role", [
        (ASSUME, "*: of a user", "outcome", "ValidationError: *:user/somebody is invalid", "done", 1),
    ]),
    ("region", "the words are the same, but for a second space of moto's", [
        (ASSUME, "*: in a name that is too long", "refused.Message", "*or equal to 64", "*or  equal to 64", 1),
    ]),
]
