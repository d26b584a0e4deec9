//! A Region on loopback, and the command line in front of it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses a part of it")]

use std::process::{Command, Output, Stdio};

use privatelink_region::server;
use privatelink_tests::{PROVIDER, Stage};
use tokio::net::TcpListener;

/// A stage whose Region answers on loopback.
#[derive(Debug)]
pub struct Desk {
    /// The stage.
    pub stage: Stage,
    /// Where the Region answers.
    pub url: String,
    variables: Vec<(&'static str, String)>,
}

impl Desk {
    pub async fn open() -> Self {
        Self::at(Stage::new()).await
    }

    /// The same with a stage that exists.
    pub async fn at(stage: Stage) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(server::serve(stage.region.clone(), listener));
        Self { stage, url, variables: Vec::new() }
    }

    /// Sets a variable for every command.
    pub fn set(&mut self, name: &'static str, value: String) {
        self.variables.push((name, value));
    }

    /// Runs a command as a program would: nobody is there to say yes.
    pub async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_privatelink"));
        command
            .args(arguments)
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_REGION", "us-west-2")
            .env("AWS_ACCESS_KEY_ID", PROVIDER)
            .env("AWS_SECRET_ACCESS_KEY", "none")
            .env("PRIVATELINK_POLICY_DIR", self.stage.policy.path())
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        let Output { status, stdout, stderr } =
            tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = format!("{}{}", String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert!(!text.contains('\u{1b}'), "there is colour in a pipe: {text}");
        (status.success(), text)
    }
}
