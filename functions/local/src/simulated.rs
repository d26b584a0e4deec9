//! The function in a simulated Region: how an account is spoken for there, and how an event reaches the function.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connection_acceptor::answer;
use privatelink_aws::acceptor::Acceptor;
use privatelink_aws::client;
use privatelink_core::config::{AcceptorConfig, AwsConfig, Mode};
use privatelink_core::policy::Policy;
use privatelink_core::report::{Answer, Failure};
use privatelink_lambda::Invocation;
use privatelink_region::Region;
use serde_json::{Value, json};

/// How long the function has for one event.
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

/// `connection-acceptor`, as an account has it deployed.
pub(crate) struct Function {
    region: Region,
    acceptor: Result<Acceptor, Failure>,
    /// The policy that it began with.
    pub(crate) policy: Arc<Policy>,
}

impl Function {
    /// Deploys it with a policy folder.
    ///
    /// # Errors
    ///
    /// A folder with a fault: whoever begins with one is told before anything happens.
    pub(crate) fn deploy(region: &Region, account: &str, policy: &Path) -> Result<Self, Failure> {
        let policy_dir = policy.display().to_string();
        let config = AcceptorConfig { aws: aws(region, account), mode: Mode::Enforce, policy_dir, service_tag: None };
        let acceptor = Acceptor::new(config, ec2(region, account));
        let policy = acceptor.policy()?;
        Ok(Self { region: region.clone(), acceptor: Ok(acceptor), policy })
    }

    /// Hands it an event.
    pub(crate) async fn invoke(&self, event: &Value) -> Answer {
        let payload = event.to_string().into_bytes();
        let invocation = Invocation { payload, now: self.region.now(), left: LEFT };
        Box::pin(answer(&self.acceptor, invocation)).await
    }

    /// Hands it what the schedule sends.
    pub(crate) async fn scheduled(&self) -> Answer {
        self.invoke(&json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})).await
    }
}
