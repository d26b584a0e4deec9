//! STS, as far as it matters: who a caller is, and the credentials of a role in another account.
//!
//! An access key id is an account here, or that of a session of a role, which acts as the role's account. Sessions do
//! not end: the expiry is told, and not enforced.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;

use crate::Answer;
use crate::answers::answer;
use crate::error::ApiError;
use crate::query::Params;
use crate::service::{Call, Caller};
use crate::world::{Session, World, role_parts};
use crate::xml::{Element, element, text};

/// The API's version.
pub(crate) const VERSION: &str = "2011-06-15";

/// The XML namespace.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// How long a session may last, in seconds, and how long it lasts where nobody says.
const DURATION: std::ops::RangeInclusive<u64> = 900..=43_200;
const USUAL_DURATION: u64 = 3_600;

type Fields = Result<Vec<Element>, ApiError>;

/// Carries a call out.
pub(crate) fn dispatch(world: &mut World, call: Call, request_id: &str) -> Result<Answer, ApiError> {
    let Call { caller, action, mut params } = call;
    let result = match action.as_str() {
        "GetCallerIdentity" => identity(&caller, &params),
        "AssumeRole" => assume(world, &caller, &mut params),
        _ => {
            let message = format!("Could not find operation {action} for version {VERSION}");
            Err(ApiError::new(400, "InvalidAction", &message))
        }
    }?;
    Ok(answer(NAMESPACE, &action, &result, request_id))
}

fn identity(caller: &Caller, params: &Params) -> Fields {
    params.finish()?;
    Ok(vec![text("Arn", caller.arn()), text("UserId", caller.id()), text("Account", &caller.account)])
}

fn assume(world: &mut World, caller: &Caller, params: &mut Params) -> Fields {
    let role = params.take("RoleArn").ok_or_else(|| ApiError::null("roleArn"))?;
    let name = params.take("RoleSessionName").ok_or_else(|| ApiError::null("roleSessionName"))?;
    let seconds = duration(params.take("DurationSeconds"))?;
    // What a trust policy would look at: here a role is refused to everybody, or to nobody.
    params.take("ExternalId");
    params.take("SourceIdentity");
    params.finish()?;
    check_session_name(&name)?;
    if role_parts(&role).is_none() {
        return Err(ApiError::new(400, "ValidationError", &format!("{role} is invalid")));
    }
    if world.settings.refused_roles.contains(&role) {
        let message =
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {role}", caller.arn());
        return Err(ApiError::new(403, "AccessDenied", &message));
    }
    // AWS gives whole seconds.
    let expires = (world.now() + Duration::from_secs(seconds)).replace_nanosecond(0);
    let expires = expires.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default();
    let session = Session { role, name };
    let user =
        vec![text("AssumedRoleId", format!("{}:{}", session.role_id(), session.name)), text("Arn", session.arn())];
    let credentials = vec![
        text("AccessKeyId", world.begin_session(session)),
        text("SecretAccessKey", world.token(40)),
        text("SessionToken", world.token(64)),
        text("Expiration", expires),
    ];
    Ok(vec![element("Credentials", credentials), element("AssumedRoleUser", user)])
}

fn duration(given: Option<String>) -> Result<u64, ApiError> {
    let Some(given) = given else { return Ok(USUAL_DURATION) };
    let bound = match given.parse::<u64>() {
        Ok(seconds) if DURATION.contains(&seconds) => return Ok(seconds),
        Ok(seconds) if seconds > *DURATION.end() => format!("less than or equal to {}", DURATION.end()),
        Ok(_) | Err(_) => format!("greater than or equal to {}", DURATION.start()),
    };
    Err(ApiError::validation(&format!(
        "Value '{given}' at 'durationSeconds' failed to satisfy constraint: Member must have value {bound}"
    )))
}

fn check_session_name(name: &str) -> Result<(), ApiError> {
    let problem = match name.chars().count() {
        0 | 1 => "have length greater than or equal to 2",
        65.. => "have length less than or equal to 64",
        _ if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)) => {
            "satisfy regular expression pattern: [\\w+=,.@-]*"
        }
        _ => return Ok(()),
    };
    Err(ApiError::validation(&format!(
        "Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must {problem}"
    )))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use crate::clock::Clock;
    use crate::{Region, Reply, Request, Settings};

    const ROLE: &str = "arn:aws:iam::444455556666:role/teams/dns";

    fn region() -> Region {
        let settings = Settings {
            throttling: false,
            refused_roles: vec!["arn:aws:iam::444455556666:role/closed".to_owned()],
            ..Settings::default()
        };
        Region::new(settings, Clock::standing(datetime!(2026-01-31 12:00 UTC)))
    }

    fn call(region: &Region, account: &str, params: &[(&str, &str)]) -> (u16, String) {
        let mut body = form_urlencoded::Serializer::new(String::from("Version=2011-06-15"));
        body.extend_pairs(params);
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={account}/20260131/us-west-2/sts/aws4_request, Signature=x");
        let request = Request { authorization, body: body.finish().into_bytes(), ..Request::default() };
        match region.answer(&request) {
            Reply::Answer(answer) => (answer.status, answer.body),
            other @ (Reply::Reset | Reply::Silence) => panic!("{other:?}"),
        }
    }

    fn assume(region: &Region, role: &str, session: &str, more: &[(&str, &str)]) -> (u16, String) {
        let mut params = vec![("Action", "AssumeRole"), ("RoleArn", role), ("RoleSessionName", session)];
        params.extend(more);
        call(region, "111122223333", &params)
    }

    fn field<'a>(body: &'a str, name: &str) -> &'a str {
        let (_, rest) = body.split_once(&format!("<{name}>")).unwrap();
        rest.split_once(&format!("</{name}>")).unwrap().0
    }

    #[test]
    fn whoever_assumes_a_role_is_its_account() {
        let region = region();
        let (status, body) = call(&region, "111122223333", &[("Action", "GetCallerIdentity")]);
        assert_eq!((status, field(&body, "Account")), (200, "111122223333"));
        assert_eq!(field(&body, "Arn"), "arn:aws:iam::111122223333:user/simulated");
        let (status, body) = assume(&region, ROLE, "verifier", &[]);
        assert_eq!(status, 200);
        assert_eq!(field(&body, "Expiration"), "2026-01-31T13:00:00Z");
        assert_eq!(field(&body, "Arn"), "arn:aws:sts::444455556666:assumed-role/dns/verifier");
        let (_, identity) = call(&region, field(&body, "AccessKeyId"), &[("Action", "GetCallerIdentity")]);
        assert_eq!(field(&identity, "Account"), "444455556666");
        assert_eq!(field(&identity, "Arn"), field(&body, "Arn"));
        assert_eq!(field(&identity, "UserId"), field(&body, "AssumedRoleId"));
    }

    #[test]
    fn every_session_has_a_key_of_its_own_and_is_told_from_the_others() {
        let region = region();
        let begin = |session| assume(&region, ROLE, session, &[]).1;
        let (one, two, again) = (begin("one"), begin("two"), begin("two"));
        let keys = [&one, &two, &again].map(|body| field(body, "AccessKeyId"));
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{keys:?}");
        for key in keys {
            assert!(key.starts_with("ASIA") && key.len() == 20, "{key}");
            assert!(key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{key}");
        }
        for (key, session) in keys.into_iter().zip(["one", "two", "two"]) {
            let (_, identity) = call(&region, key, &[("Action", "GetCallerIdentity")]);
            assert!(field(&identity, "Arn").ends_with(&format!(":assumed-role/dns/{session}")), "{identity}");
        }
        // From a session one comes to another role, and a refusal names who was refused.
        let closed = [("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::444455556666:role/closed")];
        let (status, body) = call(&region, keys[0], &[&closed[..], &[("RoleSessionName", "more")]].concat());
        assert_eq!(status, 403);
        assert!(field(&body, "Message").contains("assumed-role/dns/one is not authorized"), "{body}");
    }

    #[test]
    fn a_key_that_nobody_was_given_is_refused() {
        for key in ["ASIA444455556666", "ASIAAAAAAAAAAAAAAAAA", "44445555666", ""] {
            let (status, body) = call(&region(), key, &[("Action", "GetCallerIdentity")]);
            assert_eq!((status, field(&body, "Code")), (401, "AuthFailure"), "{key}");
        }
    }

    #[test]
    fn a_refused_role_is_access_denied() {
        let (status, body) = assume(&region(), "arn:aws:iam::444455556666:role/closed", "verifier", &[]);
        assert_eq!((status, field(&body, "Code"), field(&body, "Type")), (403, "AccessDenied", "Sender"));
        assert!(
            body.starts_with("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"),
            "{body}"
        );
    }

    #[test]
    fn a_session_lasts_from_fifteen_minutes_to_twelve_hours() {
        let region = region();
        for (seconds, status) in [("899", 400), ("900", 200), ("43200", 200), ("43201", 400), ("soon", 400)] {
            let (got, body) = assume(&region, ROLE, "verifier", &[("DurationSeconds", seconds)]);
            assert_eq!(got, status, "{seconds}: {body}");
            assert_eq!(body.contains("<Code>ValidationError</Code>"), status == 400, "{body}");
        }
        let (_, body) = assume(&region, ROLE, "verifier", &[("DurationSeconds", "900")]);
        assert_eq!(field(&body, "Expiration"), "2026-01-31T12:15:00Z");
    }

    #[test]
    fn roles_and_session_names_have_their_form() {
        let region = region();
        let long = "x".repeat(65);
        for session in ["x", "two words", long.as_str()] {
            let (status, body) = assume(&region, ROLE, session, &[]);
            assert_eq!((status, field(&body, "Code")), (400, "ValidationError"), "{session}");
        }
        let foreign = "arn:aws:iam::444455556666:user/dns";
        for role in ["dns", foreign, "arn:aws:iam::4444:role/dns", "arn:aws:iam::444455556666:role/"] {
            let (status, body) = assume(&region, role, "verifier", &[]);
            assert_eq!((status, field(&body, "Message")), (400, format!("{role} is invalid").as_str()));
        }
        let (status, body) = call(&region, "111122223333", &[("Action", "AssumeRole"), ("RoleArn", ROLE)]);
        assert_eq!((status, field(&body, "Code")), (400, "ValidationError"));
    }
}
