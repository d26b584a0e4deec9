//! `privatelink list`: every connection, with its consumer's name.

use clap::Args;
use comfy_table::{Cell, ContentArrangement, Table, presets};
use privatelink_core::observed::{Connection, TAG_DECISION, TAG_POLICY};
use serde_json::{Value, json};

use super::{Ending, Place, Session, ago};

/// What the command is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Only connections in this state, in EC2's word: `pendingAcceptance`, `available`, …
    #[arg(long)]
    state: Option<String>,
    /// Only connections of this consumer; `?` is everybody whom nobody lists
    #[arg(long)]
    consumer: Option<String>,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Ending {
    let Arguments { place, state, consumer, json } = arguments;
    let session = Session::open(place).await?;
    let wanted = |connection: &&Connection| {
        let name = session.consumer(connection).unwrap_or("?");
        state.as_ref().is_none_or(|state| state.eq_ignore_ascii_case(connection.state.word()))
            && consumer.as_ref().is_none_or(|consumer| consumer == name)
    };
    let mut connections: Vec<_> = session.observed.connections.iter().filter(wanted).collect();
    connections.sort_by(|a, b| (&a.service, a.created, &a.endpoint).cmp(&(&b.service, b.created, &b.endpoint)));
    if json {
        let list: Vec<_> = connections.iter().map(|connection| as_json(&session, connection)).collect();
        anstream::println!("{}", Value::from(list));
        return Ok(());
    }
    if connections.is_empty() {
        anstream::println!("no connection");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["consumer", "account", "endpoint", "service", "state", "age", "decision", "policies", "told"]);
    for connection in connections {
        let tag = |key: &str| connection.tags.get(key).map_or("", String::as_str);
        let age = ago((session.now - connection.created).whole_seconds());
        table.add_row(
            [
                session.consumer(connection).unwrap_or("?"),
                connection.owner.as_str(),
                connection.endpoint.as_str(),
                connection.service.as_str(),
                connection.state.word(),
                &age,
                tag(TAG_DECISION),
                tag(TAG_POLICY),
                tag("privatelink:notified"),
            ]
            .map(Cell::new),
        );
    }
    anstream::println!("{table}");
    Ok(())
}

fn as_json(session: &Session, connection: &Connection) -> Value {
    let tag = |key: &str| connection.tags.get(key);
    json!({
        "consumer": session.consumer(connection),
        "account": connection.owner,
        "endpointId": connection.endpoint,
        "connectionId": connection.id,
        "serviceId": connection.service,
        "state": connection.state.word(),
        "region": connection.region,
        "ipAddressType": connection.ip_address_type,
        "ageSeconds": (session.now - connection.created).whole_seconds(),
        "decision": tag(TAG_DECISION),
        "policy": tag(TAG_POLICY).map(|ids| ids.split_whitespace().collect::<Vec<_>>()),
        "notified": tag("privatelink:notified"),
    })
}
