//! What a consumer has: VPCs, where its endpoints' interfaces are, and a VPC's resolver.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::parameter;
use crate::Region;
use crate::dns::{Inside, serve_inside};
use crate::world::VpcDraft;

/// What makes a VPC.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    owner: String,
    region: Option<String>,
    vpc: VpcDraft,
}

pub(super) fn vpc(region: &Region, body: &[u8]) -> Result<Value, String> {
    let Wanted { owner, region: of, vpc } = serde_json::from_slice(body).map_err(|error| {
        format!(
            "no VPC: {error}; one is `{{\"owner\": \"111122223333\", \"vpc\": {{\"cidrBlock\": \"10.0.0.0/16\", \
             \"subnets\": [{{\"cidrBlock\": \"10.0.1.0/24\"}}]}}}}`"
        )
    })?;
    if owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{owner}` is no account"));
    }
    let made = region.world().make_vpc(&owner, of.as_deref(), vpc)?;
    serde_json::to_value(made).map_err(|error| error.to_string())
}

pub(super) fn interface(region: &Region, query: &str) -> Result<Value, String> {
    let id = parameter(query, "id")?;
    let addresses = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "address");
    let parse = |text: &str| text.parse().map_err(|_| format!("`{text}` is no address"));
    let addresses: Vec<IpAddr> = addresses.map(|(_, text)| parse(&text)).collect::<Result<_, _>>()?;
    if addresses.is_empty() {
        return Err("`address` is missing".to_owned());
    }
    let mut world = region.world();
    let interface = world.place_interface(&id, &addresses)?;
    Ok(json!({"networkInterfaceId": interface.id, "ipv4": interface.ipv4, "ipv6": interface.ipv6}))
}

/// Opens a resolver that lives as long as the process, or the runtime that it is in.
pub(super) fn resolver(region: &Region, query: &str) -> Result<Value, String> {
    let (owner, vpc) = (parameter(query, "owner")?, parameter(query, "vpc")?);
    let of = parameter(query, "region").unwrap_or_else(|_| region.world().settings.name.clone());
    let port = match parameter(query, "port") {
        Ok(port) => port.parse().map_err(|_| format!("`{port}` is no port"))?,
        Err(_) => 0,
    };
    if region.world().network(&owner, &of).is_none_or(|network| !network.vpcs.contains_key(&vpc)) {
        return Err(format!("`{owner}` has no VPC `{vpc}` in {of}"));
    }
    let runtime = tokio::runtime::Handle::try_current().map_err(|error| error.to_string())?;
    let inside = Inside { owner, region: of, vpc };
    let resolver = serve_inside(region, inside, port).map_err(|error| format!("port {port}: {error}"))?;
    let at = resolver.at();
    runtime.spawn(async move {
        let _resolver = resolver;
        std::future::pending::<()>().await;
    });
    Ok(json!({"resolver": at}))
}
