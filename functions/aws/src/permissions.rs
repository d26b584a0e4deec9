//! Reads who may ask for connections to a service.

use aws_sdk_ec2::Client;
use privatelink_core::ids::ServiceId;
use privatelink_core::report::Failure;
use tokio::time::Instant;

use crate::deadline::until;
use crate::error::CallError;
use crate::observe::Pages;

/// The largest page that EC2 gives of them.
const PAGE: i32 = 1000;

/// The principals that may ask for connections to a service, as AWS shows them.
///
/// # Errors
///
/// [`Failure::ReadFailed`], if any page could not be read.
pub async fn allowed_principals(ec2: &Client, service: &ServiceId, by: Instant) -> Result<Vec<String>, Failure> {
    let read = async {
        let mut all = Vec::new();
        let mut pages = Pages::default();
        loop {
            let call = || async {
                let call = ec2.describe_vpc_endpoint_service_permissions().service_id(service.as_str());
                let call = call.max_results(PAGE).set_next_token(pages.token());
                call.send().await.map_err(CallError::from)
            };
            let page = until(by, call).await?;
            all.extend(page.allowed_principals.unwrap_or_default().into_iter().filter_map(|found| found.principal));
            if !pages.turn(page.next_token)? {
                return Ok(all);
            }
        }
    };
    read.await.map_err(|error: CallError| {
        Failure::ReadFailed(format!("DescribeVpcEndpointServicePermissions of `{service}` failed with {error}"))
    })
}
