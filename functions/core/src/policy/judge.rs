//! One connection, judged: `Accept` if it is permitted, else `Reject` if that is, else held; and an error in either
//! holds it.

use std::fmt;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Entities, EntityUid, Request, Response, RestrictedExpression,
};
use serde::Serialize;

use super::{NearMiss, Policy};
use crate::ids::{AccountId, EndpointId, ServiceId};
use crate::observed::Service;

/// What a connection is judged by, and what the audit log shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The consumer's account.
    pub account: AccountId,
    /// The consumer's endpoint.
    pub endpoint_id: EndpointId,
    /// The endpoint's Region.
    pub endpoint_region: String,
    /// Whether that is not the service's Region.
    pub cross_region: bool,
    /// `ipv4`, `dualstack` or `ipv6`.
    pub ip_address_type: String,
    /// How long the request has waited, in whole seconds.
    pub age_seconds: i64,
    /// How many other connections there are.
    #[serde(flatten)]
    pub counts: Counts,
}

/// How many other connections to the service are pending or available, those accepted in this run included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Of the same account.
    pub account_connections: i64,
    /// Of all accounts of the same consumer; of the account where no consumer lists it.
    pub consumer_connections: i64,
    /// Of everybody.
    pub service_connections: i64,
}

/// What is to be done with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// `Accept` is permitted.
    Accept,
    /// `Accept` is not permitted and `Reject` is.
    Reject,
    /// It is left for a person.
    Hold(HoldReason),
}

/// Why a connection is left for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// No policy permits anything.
    NoPolicyMatched,
    /// A policy forbids to accept it.
    Forbidden,
    /// A policy failed while it was evaluated.
    PolicyError,
}

/// A decision, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What is to be done.
    pub decision: Decision,
    /// The ids of the policies that decided it: those that permitted, or those that forbade or erred, or, where none
    /// did either, those that came nearest.
    pub policies: Vec<String>,
    /// For a connection that no policy matched: which came nearest, and what was missing.
    pub nearest: Vec<NearMiss>,
    /// What failed while it was evaluated.
    pub errors: Vec<String>,
}

/// Judges the connections of one service.
pub struct Judge<'p> {
    policy: &'p Policy,
    entities: Entities,
    service: EntityUid,
    accept: EntityUid,
    reject: EntityUid,
}

impl fmt::Debug for Judge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Policy {
    /// Prepares the judging of one service's connections.
    ///
    /// # Errors
    ///
    /// A service that can not be put in Cedar's words. None is known, and then nothing of it is judged.
    pub fn at(&self, service: &Service) -> Result<Judge<'_>, Box<dyn std::error::Error + Send + Sync>> {
        let names = &self.entities.names;
        Ok(Judge {
            entities: self.entities.with(service)?,
            service: names.service(service.id.as_str()),
            accept: names.action("Accept"),
            reject: names.action("Reject"),
            policy: self,
        })
    }
}

impl Judge<'_> {
    /// Decides about one connection.
    pub fn judge(&self, facts: &Facts) -> Verdict {
        let (accept, reject) = match (self.request(&self.accept, facts), self.request(&self.reject, facts)) {
            (Ok(accept), Ok(reject)) => (accept, reject),
            (Err(error), _) | (_, Err(error)) => return Verdict::failed(Vec::new(), vec![error]),
        };
        let to_accept = self.ask(&accept);
        let to_reject = self.ask(&reject);
        let forbade = !permitted(&to_accept);

        let errors: Vec<_> =
            [&to_accept, &to_reject].iter().flat_map(|response| response.diagnostics().errors()).collect();
        if !errors.is_empty() {
            let erred =
                errors.iter().map(|AuthorizationError::PolicyEvaluationError(error)| error.policy_id().to_string());
            let forbidding = forbade.then(|| reasons(&to_accept)).into_iter().flatten();
            let mut ids: Vec<_> = erred.chain(forbidding).collect();
            ids.sort();
            ids.dedup();
            let mut errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            errors.sort();
            errors.dedup();
            return Verdict::failed(ids, errors);
        }
        if permitted(&to_accept) {
            return Verdict::of(Decision::Accept, reasons(&to_accept));
        }
        if permitted(&to_reject) {
            return Verdict::of(Decision::Reject, reasons(&to_reject));
        }
        // Cedar names the policies that forbid as the reasons of a denial; where none does, nobody permitted.
        let forbidding = reasons(&to_accept);
        if !forbidding.is_empty() {
            return Verdict::of(Decision::Hold(HoldReason::Forbidden), forbidding);
        }
        let nearest = self.policy.cedar.clauses.nearest(&accept, &self.entities);
        let policies = nearest.iter().map(|miss| miss.policy.clone()).collect();
        Verdict { nearest, ..Verdict::of(Decision::Hold(HoldReason::NoPolicyMatched), policies) }
    }

    fn ask(&self, request: &Request) -> Response {
        Authorizer::new().is_authorized(request, &self.policy.cedar.set, &self.entities)
    }

    fn request(&self, action: &EntityUid, facts: &Facts) -> Result<Request, String> {
        let Facts { account, endpoint_id, endpoint_region, cross_region, ip_address_type, age_seconds, counts } = facts;
        let Counts { account_connections, consumer_connections, service_connections } = counts;
        let string = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let context = Context::from_pairs(
            [
                ("endpointId", string(endpoint_id.as_str())),
                ("endpointRegion", string(endpoint_region)),
                ("crossRegion", RestrictedExpression::new_bool(*cross_region)),
                ("ipAddressType", string(ip_address_type)),
                ("ageSeconds", RestrictedExpression::new_long(*age_seconds)),
                ("accountConnections", RestrictedExpression::new_long(*account_connections)),
                ("consumerConnections", RestrictedExpression::new_long(*consumer_connections)),
                ("serviceConnections", RestrictedExpression::new_long(*service_connections)),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        )
        .map_err(|error| error.to_string())?;
        let principal = self.policy.entities.names.account(account.as_str());
        Request::new(principal, action.clone(), self.service.clone(), context, None).map_err(|error| error.to_string())
    }
}

impl Verdict {
    fn of(decision: Decision, policies: Vec<String>) -> Self {
        Self { decision, policies, nearest: Vec::new(), errors: Vec::new() }
    }

    fn failed(policies: Vec<String>, errors: Vec<String>) -> Self {
        Self { errors, ..Self::of(Decision::Hold(HoldReason::PolicyError), policies) }
    }
}

fn permitted(response: &Response) -> bool {
    response.decision() == cedar_policy::Decision::Allow
}

fn reasons(response: &Response) -> Vec<String> {
    let mut ids: Vec<_> = response.diagnostics().reason().map(ToString::to_string).collect();
    // Cedar keeps them in a hash set: without an order the same decision would be written in two ways.
    ids.sort();
    ids
}

/// The listed consumers that are permitted both actions in some plain case, for `check`: `Accept` goes first, so that
/// whoever wrote the `Reject` is in for a surprise.
pub(super) fn permitted_both(policy: &Policy) -> Vec<String> {
    let id = |id: &str| ServiceId::parse(id).ok();
    let (Some(service), Ok(endpoint)) = (id("vpce-svc-0"), EndpointId::parse("vpce-0")) else { return Vec::new() };
    let service = Service {
        name: format!("com.amazonaws.vpce.us-east-1.{service}"),
        id: service,
        region: "us-east-1".to_owned(),
        private_dns: None,
        ip_address_types: ["ipv4".to_owned(), "ipv6".to_owned()].into(),
        acceptance_required: true,
        tags: Default::default(),
    };
    let Ok(judge) = policy.at(&service) else { return Vec::new() };
    let mut found = Vec::new();
    for consumer in policy.consumers.iter() {
        let accounts = consumer.accounts.iter();
        // A request that has just come, and one that has waited for a year.
        let cases = accounts.flat_map(|account| [0, 365 * 86_400].map(|age| (account, age)));
        let both = cases.into_iter().find_map(|(account, age_seconds)| {
            let facts = Facts {
                account: account.clone(),
                endpoint_id: endpoint.clone(),
                endpoint_region: service.region.clone(),
                cross_region: false,
                ip_address_type: "ipv4".to_owned(),
                age_seconds,
                counts: Counts::default(),
            };
            let accept = judge.ask(&judge.request(&judge.accept, &facts).ok()?);
            let reject = judge.ask(&judge.request(&judge.reject, &facts).ok()?);
            (permitted(&accept) && permitted(&reject)).then(|| (reasons(&accept), reasons(&reject)))
        });
        if let Some((accept, reject)) = both {
            found.push(format!(
                "consumer `{}` is permitted both actions, and is accepted: `Accept` by `{}`, `Reject` by `{}`; \
                 to turn it away, forbid `Accept` too",
                consumer.name,
                accept.join(" "),
                reject.join(" "),
            ));
        }
    }
    found
}
