//! `privatelink`: the autopilot from the command line.

mod check;
mod operate;
mod region;
mod rules;
mod simulated;
mod style;
mod tour;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Answers AWS PrivateLink connection requests by policy, and proves private DNS names.
///
/// Without a command it shows what it does: a simulated Region in which consumers ask for connections, and the very
/// code that the Lambda functions run decides about them. No AWS account is needed, and nothing outside this process is
/// touched.
#[derive(Debug, Parser)]
#[command(name = "privatelink", version, after_help = "Try `privatelink check infra/policy` next.")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows a Region in which requests come in and are decided
    ///
    /// This is what `privatelink` does by itself. With a folder of your own you see what your policy makes of the same
    /// consumers.
    Tour {
        /// The policy folder; the one that the product ships with if left out
        #[arg(long, value_name = "DIR")]
        policy: Option<PathBuf>,
        /// Which world: ids and delays are drawn from this
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Checks a policy folder: every fault with its file and line, then what is legal and probably not meant
    ///
    /// Ends with 0 if the folder can be deployed, and with 1 if it can not.
    Check {
        /// The folder with `*.cedar` and `consumers.toml`
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// Take warnings for faults
        #[arg(long)]
        strict: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Prints the Cedar schema that policies are held to
    Schema,
    /// Lists every connection: whose it is, how it stands, how it was decided
    List(operate::list::Arguments),
    /// Shows what the functions would do now, and does nothing
    Plan(operate::plan::Arguments),
    /// Shows what the functions would do now, and does it after a yes
    Apply(operate::plan::ApplyArguments),
    /// Tells what is decided about a connection, or would be about one that does not exist, and why
    Explain(operate::explain::Arguments),
    /// Tells what keeps a private DNS name from being proved, as the world's name servers show it
    ///
    /// It ends with 0 if the world can read the record, and with 1 if it can not.
    Diagnose(operate::diagnose::Arguments),
    /// Tries a name of an endpoint from here: DNS, TCP and, if asked, TLS and HTTP, over IPv4 and IPv6
    ///
    /// Outside of its VPC a private DNS name is not to be found, and a public answer is not the endpoint. It ends with 0
    /// if all that could be tried works, and with 1 if not.
    Probe(operate::probe::Arguments),
    /// Tells which consumer an endpoint belongs to, by its id or by a Proxy Protocol header that a target received
    Whois(operate::whois::Arguments),
    /// Accepts a connection that waits for a person
    Accept(operate::decide::Arguments),
    /// Rejects a connection that waits for a person
    Reject(operate::decide::Arguments),
    /// Cuts live connections off, and says how to keep them out
    Revoke(operate::revoke::Arguments),
    /// Checks, with reads and dry runs, whether the functions would work in this account
    ///
    /// Each question is answered yes, no, or not known. It ends with 1 if one of them is answered no.
    Doctor(operate::doctor::Arguments),
    /// Serves a simulated Region on this machine until it is stopped, and shows what happens in it
    ///
    /// Any AWS tool can speak to it. An access key id of twelve digits is the account that calls; the secret is not
    /// looked at.
    Region(region::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        None => operate::end(tour::run(None, 1).await),
        Some(Command::Tour { policy, seed }) => operate::end(tour::run(policy, seed).await),
        Some(Command::Check { dir, strict, json }) => check::run(&dir, strict, json),
        Some(Command::Schema) => {
            anstream::print!("{}", privatelink_core::policy::SCHEMA);
            ExitCode::SUCCESS
        }
        Some(Command::Region(arguments)) => operate::end(region::run(arguments).await),
        Some(Command::List(arguments)) => operate::end(operate::list::run(arguments).await),
        Some(Command::Plan(arguments)) => operate::end(operate::plan::run(arguments).await),
        Some(Command::Apply(arguments)) => operate::end(operate::plan::apply(arguments).await),
        Some(Command::Explain(arguments)) => operate::end(operate::explain::run(arguments).await),
        Some(Command::Diagnose(arguments)) => operate::end(operate::diagnose::run(arguments).await),
        Some(Command::Probe(arguments)) => operate::end(operate::probe::run(arguments).await),
        Some(Command::Whois(arguments)) => operate::end(operate::whois::run(arguments).await),
        Some(Command::Accept(arguments)) => operate::end(operate::decide::run(arguments, true).await),
        Some(Command::Reject(arguments)) => operate::end(operate::decide::run(arguments, false).await),
        Some(Command::Doctor(arguments)) => operate::end(operate::doctor::run(arguments).await),
        Some(Command::Revoke(arguments)) => operate::end(operate::revoke::run(arguments).await),
    }
}
