//! Every sentence that a person reads in a notice, and every command. Change them here; nothing else depends on them.
//!
//! In a command, `<place>` is filled with a checked value, and a command of which a value is missing is left out.
//! What stands in sentences was made harmless by `shown` before it came here.

/// Names the zones' ids, by which two accounts mean the same zone.
pub(super) const ZONES_COMMAND: &str = "aws ec2 describe-availability-zones --region <region> \
     --query 'AvailabilityZones[].[ZoneName,ZoneId]' --output text";

pub(super) const OPEN_PORT: &str = "Let your clients in: the endpoint's security group has to allow their traffic. \
     This allows TCP port 443 from the whole VPC; put your own port and addresses in their place if they differ.";
pub(super) const OPEN_PORT_COMMAND: &str = "aws ec2 authorize-security-group-ingress --region <region> \
     --group-id \"$(aws ec2 describe-vpc-endpoints --region <region> --vpc-endpoint-ids <endpoint> \
     --query 'VpcEndpoints[0].Groups[0].GroupId' --output text)\" --protocol tcp --port 443 \
     --cidr \"$(aws ec2 describe-vpcs --region <region> --vpc-ids \"$(aws ec2 describe-vpc-endpoints --region <region> \
     --vpc-endpoint-ids <endpoint> --query 'VpcEndpoints[0].VpcId' --output text)\" \
     --query 'Vpcs[0].CidrBlock' --output text)\"";

pub(super) const DUAL_STACK: &str = "Speak IPv4 and IPv6: the service does. Every subnet of the endpoint needs \
     IPv6 addresses first, and the security group a rule for them. The endpoint is pending for some minutes after a \
     change; wait for that before the next one.";
pub(super) const DUAL_STACK_COMMAND: &str = "aws ec2 modify-vpc-endpoint --region <region> --vpc-endpoint-id <endpoint> \
     --ip-address-type dualstack --dns-options DnsRecordIpType=dualstack";

pub(super) const PRIVATE_DNS_COMMAND: &str =
    "aws ec2 modify-vpc-endpoint --region <region> --vpc-endpoint-id <endpoint> --private-dns-enabled";

pub(super) const CURL_4: &str = "Try it over IPv4, from inside your VPC.";
pub(super) const CURL_4_COMMAND: &str = "curl -4 -v --max-time 10 https://<name>/";
pub(super) const CURL_4_NAMED_COMMAND: &str = "curl -4 -v --max-time 10 --connect-to ::<name>: https://<private-name>/";
pub(super) const CURL_6: &str = "Try it over IPv6, from inside your VPC.";
pub(super) const CURL_6_LATER: &str = "Once the endpoint is dual-stack, try it over IPv6, from inside your VPC.";
pub(super) const CURL_6_COMMAND: &str = "curl -6 -v --max-time 10 https://<name>/";
pub(super) const CURL_6_NAMED_COMMAND: &str = "curl -6 -v --max-time 10 --connect-to ::<name>: https://<private-name>/";

pub(super) const ASK_PROVIDER: &str = "If you expected to be connected, ask your provider, and name the endpoint and \
     its account. When you have agreed, make a new endpoint, unless your provider accepts this one again.";
pub(super) const DELETE_ENDPOINT: &str = "Otherwise delete the endpoint, so that you do not pay for it.";
pub(super) const DELETE_ENDPOINT_COMMAND: &str =
    "aws ec2 delete-vpc-endpoints --region <region> --vpc-endpoint-ids <endpoint>";
pub(super) const SEE_FAILURE: &str = "See what AWS says of it.";
pub(super) const SEE_FAILURE_COMMAND: &str = "aws ec2 describe-vpc-endpoints --region <region> \
     --vpc-endpoint-ids <endpoint> --query 'VpcEndpoints[0].[State,FailureReason,LastError]'";
pub(super) const MAKE_ANEW: &str = "Delete the endpoint, and make it anew.";

pub(super) const ACCEPT: &str = "Accept.";
pub(super) const ACCEPT_COMMAND: &str = "aws ec2 accept-vpc-endpoint-connections --region <service-region> \
     --service-id <service> --vpc-endpoint-ids <endpoints>";
pub(super) const REJECT: &str = "Or reject.";
pub(super) const REJECT_COMMAND: &str = "aws ec2 reject-vpc-endpoint-connections --region <service-region> \
     --service-id <service> --vpc-endpoint-ids <endpoints>";
pub(super) const LIST_WAITING: &str = "Or change the policy, which is applied by itself. This lists what else waits.";
pub(super) const LIST_WAITING_COMMAND: &str = "aws ec2 describe-vpc-endpoint-connections --region <service-region> \
     --filters Name=service-id,Values=<service> Name=vpc-endpoint-state,Values=pendingAcceptance \
     --query 'VpcEndpointConnections[].[VpcEndpointOwner,VpcEndpointId,CreationTimestamp]' --output text";

pub(super) const SEE_TOPIC: &str = "See whether the topic exists, and whom its policy lets publish.";
pub(super) const SEE_TOPIC_COMMAND: &str = "aws sns get-topic-attributes --region <topic-region> --topic-arn <topic>";
pub(super) const TELL: &str = "Mend the topic, or name another one in consumers.toml. Until then, tell the consumer.";

pub(super) const SEE_RECORD: &str = "See whether the world can read the record.";
pub(super) const SEE_RECORD_COMMAND: &str = "dig +short TXT <record>";

/// The step that turns a private name on.
pub(super) fn private_dns(name: &str) -> String {
    format!(
        "Turn private DNS on, so that {name} leads to this endpoint everywhere in your VPC. The VPC's enableDnsSupport \
         and enableDnsHostnames have to be on; and if the name is in use in that VPC already, it moves at once."
    )
}

/// Subjects: what happened comes first, since lists of mails cut the end off.
pub(super) mod subjects {
    pub(in super::super) fn available(name: &str, endpoint: &str, region: &str) -> String {
        format!("Ready: {name} through {endpoint} in {region}")
    }
    pub(in super::super) fn rejected(name: &str, endpoint: &str, was_available: bool) -> String {
        let what = if was_available { "Cut off" } else { "Turned away" };
        format!("{what}: {endpoint} from {name}")
    }
    pub(in super::super) fn failed(name: &str, endpoint: &str) -> String {
        format!("Failed: {endpoint} to {name}")
    }
    pub(in super::super) fn expired(name: &str, endpoint: &str) -> String {
        format!("Expired: the request of {endpoint} to {name}")
    }
    pub(in super::super) fn held(name: &str, who: &str, how_many: usize) -> String {
        match how_many {
            1 => format!("Waits for you: {who} asks for {name}"),
            n => format!("Waits for you: {n} connections of {who} to {name}"),
        }
    }
    pub(in super::super) fn verified(name: &str, endpoint: &str) -> String {
        format!("Private name ready: {name} for {endpoint}")
    }
    pub(in super::super) fn undeliverable(who: &str, what: &str) -> String {
        format!("Not delivered to {who}: {what}")
    }
    pub(in super::super) fn record_required(name: &str) -> String {
        format!("Publish a TXT record for {name}")
    }
    pub(in super::super) fn domain_failed(name: &str, why: &str) -> String {
        format!("Not verified: {name} ({why})")
    }
    pub(in super::super) fn domain_lost(name: &str) -> String {
        format!("No longer verified: {name}")
    }
    pub(in super::super) fn domain_verified(name: &str) -> String {
        format!("Verified: {name}")
    }
}

/// What is in a mail about a connection besides its steps. All values in it are [`super::shown`].
pub(super) struct Names {
    /// The service as its consumers know it: its private DNS name, or else its id.
    pub(super) what: String,
    /// The consumer's endpoint.
    pub(super) endpoint: String,
    /// The endpoint's Region.
    pub(super) region: String,
    /// The consumer, with its account.
    pub(super) who: String,
}

pub(super) fn available(names: &Names) -> String {
    let Names { what, endpoint, region, who: _ } = names;
    format!("Your endpoint {endpoint} in {region} is connected to {what}, and ready for traffic.")
}

pub(super) fn rejected(names: &Names, was_available: bool) -> String {
    let Names { what, endpoint, region, who: _ } = names;
    if was_available {
        format!("The provider of {what} has cut your endpoint {endpoint} in {region} off. Nothing passes any more.")
    } else {
        format!("The provider of {what} has turned your endpoint {endpoint} in {region} away.")
    }
}

pub(super) fn failed(names: &Names) -> String {
    let Names { what, endpoint, region, who: _ } = names;
    format!("AWS could not connect your endpoint {endpoint} in {region} to {what}.")
}

pub(super) fn expired(names: &Names) -> String {
    let Names { what, endpoint, region, who: _ } = names;
    format!("Nobody accepted your endpoint {endpoint} in {region} at {what} in time, and the request has expired.")
}

pub(super) fn held(names: &Names, how_many: usize, since: &str) -> String {
    let Names { what, endpoint, region: _, who } = names;
    let decides = "and the policy neither accepts nor rejects that";
    match how_many {
        1 => format!("{who} asks for a connection of {endpoint} to {what}, {decides}. It waits since {since}."),
        n => format!(
            "{who} asks for {n} connections to {what}, {decides}. The oldest, of {endpoint}, waits since {since}."
        ),
    }
}

pub(super) fn verified(names: &Names) -> String {
    let Names { what, endpoint, region, who: _ } = names;
    format!("{what} is verified, and your endpoint {endpoint} in {region} can answer to it from now on.")
}

pub(super) fn undeliverable(names: &Names, kind: &str, topic: &str, code: &str) -> String {
    let Names { what, endpoint, region: _, who } = names;
    format!(
        "{who} was to be told of {endpoint} and {what} ({kind}), and could not be: publishing to {topic} ended with \
         {code}."
    )
}

pub(super) const NAMES: &str = "Names";
pub(super) const REGIONAL: &str = "the Regional name: use this one";
pub(super) const ELSEWHERE: &str = "another name";
pub(super) const NO_NAMES: &str = "AWS has not told the endpoint's names yet. The endpoint itself lists them.";
pub(super) const WHICH_ZONE: &str = "Which zone a zone's name stands for differs between accounts. Its id does not:";

/// What a name is good for that stands for one zone only.
pub(super) fn zonal(zone: &str, is_id: bool) -> String {
    if is_id { format!("only the zone with the id {zone}") } else { format!("only the zone {zone}") }
}

pub(super) fn more(n: usize) -> String {
    format!("and {n} more")
}

pub(super) const PRIVATE_NAME: &str = "Private name";
pub(super) const NO_PRIVATE_NAME: &str = "The service has none.";

pub(super) fn private_name_ready(name: &str) -> String {
    format!("{name} is verified. It leads to your endpoint as soon as you turn private DNS on: see below.")
}

pub(super) fn private_name_later(name: &str) -> String {
    format!("{name} can not be used yet: its verification is not complete. You will be told when it is.")
}

pub(super) const FAMILIES: &str = "IPv4 and IPv6";

pub(super) fn families(endpoint: &str, service: &str) -> String {
    format!("Your endpoint speaks {endpoint}, and the service {service}.")
}

pub(super) fn family(ipv4: bool, ipv6: bool) -> &'static str {
    match (ipv4, ipv6) {
        (true, true) => "IPv4 and IPv6",
        (true, false) => "IPv4 alone",
        (false, true) => "IPv6 alone",
        (false, false) => "what AWS does not tell",
    }
}

pub(super) const NEXT_STEPS: &str = "What to do now";

pub(super) const NO_ANSWER: &str = "When there is no answer";
pub(super) const CAUSES: [&str; 5] = [
    "It times out: the endpoint's security group, or a network ACL of its subnets, does not let you through.",
    "It is refused or reset at once: you reached the endpoint, and nothing behind it answers. Tell your provider.",
    "The name is not found: ask from inside the VPC, with its enableDnsSupport on. A private name also needs private \
     DNS turned on.",
    "The certificate does not match: it is the service's, so ask by the service's own name and not by the endpoint's.",
    "Only IPv6 fails: the client's subnet has no IPv6, or the security group no rule for it.",
];

pub(super) const OTHERS: &str = "All that wait, the oldest first";
pub(super) const NEAREST: &str = "Policies that forbade it, or came nearest";
pub(super) const NO_POLICY: &str = "none";

/// What a command for many connections leaves out.
pub(super) fn first_only(n: usize, of: usize) -> String {
    format!("The commands name the first {n} of {of}.")
}

pub(super) const FACTS: &str = "For the record";
pub(super) const SERVICE: &str = "service";
pub(super) const ENDPOINT: &str = "endpoint";
pub(super) const ACCOUNT: &str = "account";
pub(super) const POLICY: &str = "policy";
pub(super) const NOTICE: &str = "notice";

pub(super) const RECORD: &str = "The record";

pub(super) fn record_required(name: &str) -> String {
    format!("Somebody has to publish a TXT record, so that AWS believes that {name} is yours.")
}

pub(super) fn domain_failed(name: &str, why: &str) -> String {
    format!("AWS could not verify {name}: {why}. Consumers can not use it until this is mended.")
}

pub(super) fn domain_lost(name: &str, why: &str) -> String {
    format!(
        "{name} was verified and is no longer: {why}. Connections that use it go on; no new one can turn it on until \
         this is mended."
    )
}

pub(super) fn domain_verified(name: &str) -> String {
    format!("{name} is verified. Consumers can turn private DNS on. Leave the record where it is: AWS looks again.")
}

pub(super) const NO_DIAGNOSIS: &str = "AWS does not say why";
