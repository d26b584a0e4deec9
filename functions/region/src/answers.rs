//! The Query protocol, as far as it goes out: the answers of all its services but EC2, which has a form of its own.

use crate::Answer;
use crate::error::ApiError;
use crate::xml::{Element, element, text};

/// An answer. An operation that returns nothing has no result in it.
pub(crate) fn answer(namespace: &str, action: &str, result: &[Element], request_id: &str) -> Answer {
    let mut out = format!("<{action}Response xmlns=\"{namespace}\">");
    if !result.is_empty() {
        out.push_str(&format!("<{action}Result>"));
        result.iter().for_each(|field| field.write(&mut out));
        out.push_str(&format!("</{action}Result>"));
    }
    element("ResponseMetadata", vec![text("RequestId", request_id)]).write(&mut out);
    out.push_str(&format!("</{action}Response>"));
    Answer::xml(out)
}

/// The body of a refusal.
pub(crate) fn refusal(namespace: &str, error: &ApiError, request_id: &str) -> String {
    let at_fault = if error.status < 500 { "Sender" } else { "Receiver" };
    let mut out = format!("<ErrorResponse xmlns=\"{namespace}\">");
    let fields = vec![text("Type", at_fault), text("Code", &error.code), text("Message", &error.message)];
    element("Error", fields).write(&mut out);
    text("RequestId", request_id).write(&mut out);
    out.push_str("</ErrorResponse>");
    out
}

/// A list: each entry a `member` of its own.
pub(crate) fn members(name: &'static str, items: impl IntoIterator<Item = Vec<Element>>) -> Element {
    element(name, items.into_iter().map(|item| element("member", item)).collect())
}
