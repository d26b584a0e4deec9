//! Whose certificates are believed: in Lambda, those by which AWS's own services are signed; elsewhere, the system's.
//!
//! To read the system's hundreds of certificates takes a function half of its start, and all that it speaks to is AWS.
//! AWS asks of whoever keeps a list to keep all of these, which are valid until 2037 and later:
//! <https://www.amazontrust.com/repository/>.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use privatelink_core::config::AwsConfig;

/// Amazon's four roots, and Starfield's, by which they are signed for older clients.
const AMAZON: &[u8] = include_bytes!("amazon.pem");

/// The variables by which somebody names other certificates.
const OTHERS: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How the names of Regions begin that may be signed by others: those of China, of governments, and of sovereign clouds.
const OTHER_PARTITIONS: [&str; 5] = ["cn-", "us-gov-", "us-iso", "eu-iso", "eusc-"];

/// The certificates to believe; nothing, where those are the system's.
pub(crate) fn roots(config: &AwsConfig, lookup: impl Fn(&str) -> Option<String>) -> Option<TlsContext> {
    if !amazons_alone(config, lookup) {
        return None;
    }
    let store = TrustStore::empty().with_pem_certificate(AMAZON);
    TlsContext::builder().with_trust_store(store).build().ok()
}

/// Whether a process speaks TLS with AWS alone, and nothing on the way does with it.
fn amazons_alone(config: &AwsConfig, lookup: impl Fn(&str) -> Option<String>) -> bool {
    let AwsConfig { region, ec2_endpoint, sns_endpoint, route53_endpoint, sts_endpoint, .. } = config;
    let endpoints = [ec2_endpoint, sns_endpoint, route53_endpoint, sts_endpoint];
    let in_lambda = lookup("AWS_LAMBDA_RUNTIME_API").is_some();
    let elsewhere = endpoints.into_iter().flatten().any(|url| !url.starts_with("http://"));
    let named = OTHERS.iter().any(|name| lookup(name).is_some());
    in_lambda && !elsewhere && !named && !OTHER_PARTITIONS.iter().any(|begin| region.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(region: &str, ec2_endpoint: Option<&str>) -> AwsConfig {
        AwsConfig {
            region: region.to_owned(),
            access_key_id: "1".to_owned(),
            secret_access_key: "none".to_owned(),
            session_token: None,
            ec2_endpoint: ec2_endpoint.map(ToOwned::to_owned),
            sns_endpoint: None,
            route53_endpoint: None,
            sts_endpoint: None,
        }
    }

    #[test]
    fn amazons_certificates_do_where_nobody_else_is_spoken_to() {
        let set = |names: &'static [&str]| move |name: &str| names.contains(&name).then(String::new);
        let lambda = set(&["AWS_LAMBDA_RUNTIME_API"]);
        assert!(amazons_alone(&config("us-west-2", None), lambda));
        assert!(amazons_alone(&config("us-west-2", Some("http://127.0.0.1:1")), lambda));
        // A laptop's network may have certificates of its own, and so may an endpoint, an administrator, or a partition.
        assert!(!amazons_alone(&config("us-west-2", None), set(&[])));
        assert!(!amazons_alone(&config("us-west-2", Some("https://ec2.example.com")), lambda));
        assert!(!amazons_alone(&config("us-west-2", None), set(&["AWS_LAMBDA_RUNTIME_API", "SSL_CERT_FILE"])));
        for region in ["cn-north-1", "us-gov-west-1", "us-isob-east-1"] {
            assert!(!amazons_alone(&config(region, None), lambda), "{region}");
        }
    }

    #[test]
    fn every_certificate_is_one() {
        let config = config("us-west-2", None);
        let text = std::str::from_utf8(AMAZON).unwrap();
        assert_eq!(text.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        // A client that is made with them reads them, and does not live through one that is none.
        let in_lambda = |name: &str| (name == "AWS_LAMBDA_RUNTIME_API").then(String::new);
        assert!(roots(&config, in_lambda).is_some());
        drop(crate::client::ec2(&config, crate::client::network(&config, in_lambda)));
    }
}
