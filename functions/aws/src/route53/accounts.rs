//! The own account, and those that are reached through a role.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_route53::Client;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use privatelink_core::config::AwsConfig;
use privatelink_core::ids::DnsName;
use tokio::time::Instant;

use super::pace::Pace;
use super::zones;
use crate::client;
use crate::deadline::until;
use crate::error::CallError;

/// What the session of a role is called, in the records of the account that it belongs to.
const SESSION: &str = "privatelink-domain-verifier";
/// Keys that end sooner than this are not begun with.
const MARGIN: Duration = Duration::from_secs(120);

/// An account that has zones.
#[derive(Debug)]
pub struct Account {
    pub(super) client: Client,
    pace: Pace,
    /// The name servers of zones that were asked for.
    name_servers: Mutex<HashMap<String, Vec<DnsName>>>,
}

impl Account {
    fn new(client: Client) -> Self {
        Self { client, pace: Pace::default(), name_servers: Mutex::default() }
    }

    /// Calls until there is an answer, each time when it is its turn.
    pub(super) async fn paced<T, F>(&self, by: Instant, mut call: impl FnMut() -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        until(by, || {
            let attempt = call();
            async move { if self.pace.turn(by).await { attempt.await } else { Err(CallError::timed_out()) } }
        })
        .await
    }

    /// The name servers of a zone.
    ///
    /// # Errors
    ///
    /// The zone could not be read.
    pub async fn name_servers(&self, zone: &str, by: Instant) -> Result<Vec<DnsName>, CallError> {
        let known = |kept: &Mutex<HashMap<String, Vec<DnsName>>>| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).get(zone).cloned()
        };
        if let Some(servers) = known(&self.name_servers) {
            return Ok(servers);
        }
        let servers = zones::name_servers(self, zone, by).await?;
        self.name_servers.lock().unwrap_or_else(PoisonError::into_inner).insert(zone.to_owned(), servers.clone());
        Ok(servers)
    }
}

/// All accounts that have zones.
#[derive(Debug)]
pub struct Accounts {
    config: AwsConfig,
    http: SharedHttpClient,
    own: Arc<Account>,
    by_role: Mutex<HashMap<String, (Arc<Account>, SystemTime)>>,
}

impl Accounts {
    /// The own account, and a way to the others.
    pub fn new(config: &AwsConfig, http: &SharedHttpClient) -> Self {
        let own = client::route53(config, client::own_keys(config), http.clone());
        Self { own: Arc::new(Account::new(own)), by_role: Mutex::default(), config: config.clone(), http: http.clone() }
    }

    /// The own account, or the one that a role leads to.
    ///
    /// # Errors
    ///
    /// The role could not be assumed.
    pub async fn get(&self, role: Option<&str>, by: Instant) -> Result<Arc<Account>, CallError> {
        let Some(role) = role else { return Ok(Arc::clone(&self.own)) };
        let fresh = |until: &SystemTime| SystemTime::now() + MARGIN < *until;
        let kept = self.by_role.lock().unwrap_or_else(PoisonError::into_inner).get(role).cloned();
        if let Some((account, _)) = kept.filter(|(_, until)| fresh(until)) {
            return Ok(account);
        }
        // Most have no role to assume, and none is assumed more than once an hour.
        let sts = client::sts(&self.config, self.http.clone());
        let call = || async {
            let call = sts.assume_role().role_arn(role).role_session_name(SESSION);
            call.send().await.map_err(CallError::from)
        };
        let answer = until(by, call).await?;
        let Some(keys) = answer.credentials else {
            return Err(CallError::unreadable("AssumeRole answered without credentials"));
        };
        let ends = SystemTime::try_from(keys.expiration).unwrap_or_else(|_| SystemTime::now());
        let token = Some(keys.session_token);
        let keys = Credentials::new(keys.access_key_id, keys.secret_access_key, token, Some(ends), "assumed role");
        let account = Arc::new(Account::new(client::route53(&self.config, keys, self.http.clone())));
        let kept = (Arc::clone(&account), ends);
        self.by_role.lock().unwrap_or_else(PoisonError::into_inner).insert(role.to_owned(), kept);
        Ok(account)
    }
}
