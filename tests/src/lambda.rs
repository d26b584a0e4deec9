//! A function on a stage: the Runtime API and the stage's Region on loopback, and the function's binary as a process.

use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use privatelink_region::server;
pub use privatelink_runtime::Ended;
use privatelink_runtime::Function;
use tokio::net::TcpListener;

use crate::stage::{PROVIDER, Stage};

/// The provider's secret key, and the token of its session: neither is ever to be logged.
pub const SECRETS: [&str; 2] = ["hidden", "concealed"];

/// A function that runs, and ends with this.
#[derive(Debug)]
pub struct Lambda(Function);

impl Lambda {
    /// Starts a binary with a stage's Region on the other side of loopback, its policy folder, the provider's keys, and
    /// these variables more. One that is `unset` is left out.
    pub async fn on(binary: &str, stage: &Stage, more: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(server::serve(stage.region.clone(), listener));
        let mut variables = vec![
            ("AWS_REGION", "us-west-2".to_owned()),
            ("AWS_ACCESS_KEY_ID", PROVIDER.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRETS[0].to_owned()),
            ("AWS_SESSION_TOKEN", SECRETS[1].to_owned()),
            ("AWS_ENDPOINT_URL", url),
            ("PRIVATELINK_POLICY_DIR", stage.policy.path().display().to_string()),
        ];
        for (name, value) in more {
            variables.retain(|(known, _)| known != name);
            variables.push((name, (*value).to_owned()));
        }
        variables.retain(|(_, value)| value != "unset");
        Self::start(Path::new(binary), &variables).await
    }

    /// Starts a binary with these variables, those of Lambda's own, and none of this process's.
    pub async fn start(binary: &Path, variables: &[(&str, String)]) -> Self {
        Self(Function::start(Command::new(binary), variables).await)
    }

    /// Sees that every event, good or bad, is answered with `BadConfiguration`, which names all these variables.
    pub async fn refuses_its_variables(&self, wrong: &[(&str, &str)]) {
        for payload in [&b"{}"[..], b"not json"] {
            let (kind, message) = self.invoke(payload).await.unwrap_err();
            assert_eq!(kind, "BadConfiguration");
            for (name, _) in wrong {
                assert!(message.contains(name), "{name}: {message}");
            }
        }
    }
}

impl Deref for Lambda {
    type Target = Function;

    fn deref(&self) -> &Function {
        &self.0
    }
}
