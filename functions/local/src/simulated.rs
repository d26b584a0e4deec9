//! The functions in a simulated Region: how an account is spoken for there, and how an event reaches a function.

mod consumer;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use privatelink_aws::acceptor::Acceptor;
use privatelink_aws::client;
use privatelink_aws::notifier::Notifier;
use privatelink_aws::verifier::Verifier;
use privatelink_core::config::{AcceptorConfig, AwsConfig, Mode, NotifierConfig, VerifierConfig};
use privatelink_core::ids::TopicArn;
use privatelink_core::policy::Policy;
use privatelink_core::report::{Answer, Failure};
use privatelink_dns::Dns;
use privatelink_lambda::Invocation;
use privatelink_region::Region;
use serde_json::{Value, json};

use crate::rules::Rules;

pub(crate) use consumer::{Consumer, Consumers, SCHEDULE, TAG, probe};

/// How long a function has for one event.
const LEFT: Duration = Duration::from_secs(50);

/// An EC2 client of an account.
pub(crate) fn ec2(region: &Region, account: &str) -> aws_sdk_ec2::Client {
    client::ec2(&aws(region, account), region.http_client())
}

fn aws(region: &Region, account: &str) -> AwsConfig {
    AwsConfig {
        region: region.world().settings.name.clone(),
        access_key_id: account.to_owned(),
        secret_access_key: "simulated".to_owned(),
        session_token: None,
        ec2_endpoint: None,
        sns_endpoint: None,
        route53_endpoint: None,
        sts_endpoint: None,
    }
}

/// The functions of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// `connection-acceptor`.
    ConnectionAcceptor,
    /// `domain-verifier`.
    DomainVerifier,
    /// `availability-notifier`.
    AvailabilityNotifier,
}

impl Function {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::ConnectionAcceptor, Self::DomainVerifier, Self::AvailabilityNotifier];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ConnectionAcceptor => "connection-acceptor",
            Self::DomainVerifier => "domain-verifier",
            Self::AvailabilityNotifier => "availability-notifier",
        }
    }

    /// How often its schedule looks at everything, in the Region's time. In an account, one invocation goes on looking
    /// while something is on its way; here it is asked more often instead.
    pub(crate) fn schedule(self) -> Duration {
        match self {
            Self::ConnectionAcceptor => Duration::from_secs(60),
            Self::DomainVerifier => Duration::from_secs(30),
            Self::AvailabilityNotifier => Duration::from_secs(5),
        }
    }
}

/// A provider's account with the functions deployed in it.
pub(crate) struct Provider {
    region: Region,
    /// Which events its functions are handed.
    pub(crate) rules: Rules,
    acceptor: Result<Acceptor, Failure>,
    verifier: Result<Verifier, Failure>,
    notifier: Result<Notifier, Failure>,
    /// The policy that it began with.
    pub(crate) policy: Arc<Policy>,
}

impl Provider {
    /// Deploys the functions with a policy folder, and makes their topics, to which the provider itself subscribes by
    /// mail; `name_servers` answer for the world.
    ///
    /// # Errors
    ///
    /// A folder with a fault: whoever begins with one is told before anything happens.
    pub(crate) fn deploy(
        region: &Region,
        account: &str,
        policy: &Path,
        name_servers: &[SocketAddr],
    ) -> Result<Self, Failure> {
        let (aws, policy_dir) = (aws(region, account), policy.display().to_string());
        let topic = |name: &str, mail: &str| {
            let made = region.make_topic(account, name, "email", mail).map_err(Failure::BadConfiguration)?;
            TopicArn::parse(&made).map_err(|error| Failure::BadConfiguration(error.to_string()))
        };
        let notices = topic("notices", "customers@provider.example")?;
        let operators = topic("operators", "operators@provider.example")?;
        let config =
            AcceptorConfig { aws: aws.clone(), mode: Mode::Enforce, policy_dir: policy_dir.clone(), service_tag: None };
        let acceptor = Acceptor::new(config, ec2(region, account));
        let config = VerifierConfig {
            aws: aws.clone(),
            mode: Mode::Enforce,
            policy_dir: Some(policy_dir.clone()),
            service_tag: None,
            operator_topic: Some(operators.clone()),
            watch: Duration::ZERO,
            dns_servers: name_servers.to_vec(),
        };
        let verifier = Verifier::new(config, &region.http_client(), Dns::servers(name_servers.to_vec()));
        let config = NotifierConfig {
            aws,
            mode: Mode::Enforce,
            policy_dir,
            service_tag: None,
            notice_topic: notices,
            operator_topic: Some(operators),
            notify_since: None,
            watch: Duration::ZERO,
        };
        let notifier = Notifier::new(config, &region.http_client());
        verifier.domains()?;
        let policy = acceptor.policy()?;
        let rules = Rules::of_template(account).map_err(|error| Failure::BadConfiguration(error.to_string()))?;
        let (acceptor, verifier, notifier) = (Ok(acceptor), Ok(verifier), Ok(notifier));
        Ok(Self { region: region.clone(), rules, acceptor, verifier, notifier, policy })
    }

    /// Hands a function an event.
    pub(crate) async fn invoke(&self, function: Function, event: &Value) -> Answer {
        let invocation = invocation(&self.region, event);
        match function {
            Function::ConnectionAcceptor => Box::pin(connection_acceptor::answer(&self.acceptor, invocation)).await,
            Function::DomainVerifier => Box::pin(domain_verifier::answer(&self.verifier, invocation)).await,
            Function::AvailabilityNotifier => Box::pin(availability_notifier::answer(&self.notifier, invocation)).await,
        }
    }

    /// Hands a function what its schedule sends.
    pub(crate) async fn scheduled(&self, function: Function) -> Answer {
        self.invoke(function, &schedule()).await
    }
}

/// An event, as a function gets it.
fn invocation(region: &Region, event: &Value) -> Invocation {
    Invocation { payload: event.to_string().into_bytes(), now: region.now(), left: LEFT }
}

/// What a schedule sends.
fn schedule() -> Value {
    json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})
}
