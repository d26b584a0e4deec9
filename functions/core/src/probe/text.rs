//! The same said to a person: a line for each name, family and port, and under what does not work, what to do.

use std::fmt::Write;

use super::{Refusal, Tried, Verdict};

/// All of it, in the order in which it was tried, endpoint by endpoint.
pub fn text(tried: &[Tried]) -> String {
    let mut text = String::new();
    let mut last = None;
    for one in tried {
        let endpoint = one.endpoint.as_ref().map(|endpoint| &endpoint.id);
        if let Some(endpoint) = endpoint.filter(|_| endpoint != last) {
            // Nothing that is written to a string fails.
            let _ = writeln!(text, "{endpoint}");
        }
        last = endpoint;
        let _ = line(&mut text, one);
    }
    text
}

fn line(text: &mut String, tried: &Tried) -> std::fmt::Result {
    let Tried { endpoint: _, name, kind: _, family, port, addresses, verdict } = tried;
    let word = match verdict {
        Verdict::Works { .. } => "ok",
        Verdict::Refused(_) => "refused",
        Verdict::NotTested(_) => "not tested",
    };
    write!(text, "{word:10}  {family} port {port:<5}  {name}")?;
    match verdict {
        Verdict::Works { status } => {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            write!(text, "  {}", addresses.join(", "))?;
            if let Some(status) = status {
                write!(text, "  HTTP {status}")?;
            }
            writeln!(text)
        }
        Verdict::Refused(Refusal { cause, detail, fix }) => {
            writeln!(text, "  {cause}: {detail}")?;
            writeln!(text, "            to do: {fix}")
        }
        Verdict::NotTested(why) => writeln!(text, "  {why}"),
    }
}
