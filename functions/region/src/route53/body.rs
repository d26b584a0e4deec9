//! Requests' bodies: XML, held against what an operation knows, in the words of the schema validation that Route 53
//! answers with.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{NAMESPACE, invalid_input};
use crate::error::ApiError;

/// No body has an element that lies deeper.
const DEEPEST: usize = 16;

/// An element of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    name: String,
    namespace: Option<String>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    /// Reads a body whose outermost element is to have that name.
    pub(super) fn parse(body: &str, root: &str) -> Result<Self, ApiError> {
        let node = Self::read(body)?;
        if node.name != root {
            let message = format!("{} is not valid, expected {root}", node.name);
            return Err(ApiError::new(400, "MalformedInput", &message));
        }
        if node.namespace.as_deref() != Some(NAMESPACE) {
            return Err(invalid_xml(&format!("cvc-elt.1: Cannot find the declaration of element '{root}'.")));
        }
        Ok(node)
    }

    fn read(body: &str) -> Result<Self, ApiError> {
        let broken = |cause: &dyn std::fmt::Display| invalid_xml(&cause.to_string());
        let mut reader = Reader::from_str(body);
        // The elements that are open, the outermost first, below one that stands for the document.
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| broken(&error))? {
                Event::Start(start) if open.len() > DEEPEST => {
                    return Err(broken(&format!("<{}> lies too deep", &*start)));
                }
                Event::Start(start) => open.push(Self::of(&start)?),
                Event::Empty(start) => {
                    let node = Self::of(&start)?;
                    open.last_mut().into_iter().for_each(|parent| parent.children.push(node.clone()));
                }
                Event::End(_) => {
                    let node = open.pop().unwrap_or_default();
                    open.last_mut().into_iter().for_each(|parent| parent.children.push(node.clone()));
                }
                Event::Text(text) => push(&mut open, &text.xml10_content()),
                Event::CData(text) => push(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let entity = format!("&{};", &*reference);
                    push(&mut open, &quick_xml::escape::unescape(&entity).map_err(|error| broken(&error))?);
                }
                Event::DocType(_) => return Err(broken(&"a document type is not allowed")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(Self { mut children, text, .. }), true) if children.len() == 1 && text.trim().is_empty() => {
                children.pop().ok_or_else(|| broken(&"premature end of file"))
            }
            _ => Err(broken(&"XML document structures must start and end within the same entity.")),
        }
    }

    fn of(start: &BytesStart<'_>) -> Result<Self, ApiError> {
        let namespace = match start.try_get_attribute("xmlns") {
            Ok(Some(attribute)) => {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                Some(value.map_err(|error| invalid_xml(&error.to_string()))?.into_owned())
            }
            Ok(None) => None,
            Err(error) => return Err(invalid_xml(&error.to_string())),
        };
        Ok(Self { name: start.name().as_ref().to_owned(), namespace, ..Self::default() })
    }

    /// Says that it has these elements in it and no others, and none of them twice.
    pub(super) fn only(&self, known: &[&str]) -> Result<&Self, ApiError> {
        let mut left = known.to_vec();
        for child in &self.children {
            match left.iter().position(|name| *name == child.name) {
                Some(at) => left.remove(at),
                None => return Err(unexpected(&child.name, &left)),
            };
        }
        Ok(self)
    }

    /// The element with that name in it.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The element with that name, which has to be in it.
    pub(super) fn require(&self, name: &str) -> Result<&Self, ApiError> {
        self.child(name).ok_or_else(|| self.incomplete(name))
    }

    /// The elements of a list, all of one name, of which there has to be one.
    pub(super) fn items(&self, name: &str) -> Result<&[Self], ApiError> {
        if let Some(other) = self.children.iter().find(|child| child.name != name) {
            return Err(unexpected(&other.name, &[name]));
        }
        if self.children.is_empty() {
            return Err(self.incomplete(name));
        }
        Ok(&self.children)
    }

    /// The text in it, which has no elements.
    pub(super) fn text(&self) -> Result<&str, ApiError> {
        match self.children.first() {
            None => Ok(&self.text),
            Some(child) => Err(unexpected(&child.name, &[])),
        }
    }

    /// The text of the element with that name.
    pub(super) fn text_of(&self, name: &str) -> Result<Option<&str>, ApiError> {
        self.child(name).map(Self::text).transpose()
    }

    /// `true` or `false`, from the element with that name.
    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text_of(name)?.map(str::trim) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => {
                Err(invalid_xml(&format!("cvc-datatype-valid.1.2.1: '{other}' is not a valid value for 'boolean'.")))
            }
        }
    }

    /// A number, from the element with that name.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text_of(name)?.map(str::trim) else { return Ok(None) };
        let wrong = || invalid_xml(&format!("cvc-datatype-valid.1.2.1: '{text}' is not a valid value for 'integer'."));
        text.parse().map(Some).map_err(|_| wrong())
    }

    fn incomplete(&self, expected: &str) -> ApiError {
        let list = expectation(&[expected]);
        let name = &self.name;
        invalid_xml(&format!("cvc-complex-type.2.4.b: The content of element '{name}' is not complete.{list}"))
    }
}

fn push(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

fn unexpected(name: &str, expected: &[&str]) -> ApiError {
    let list = expectation(expected);
    invalid_xml(&format!("cvc-complex-type.2.4.a: Invalid content was found starting with element '{name}'.{list}"))
}

fn expectation(names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<_> = names.iter().map(|name| format!("\"{NAMESPACE}\":{name}")).collect();
    format!(" One of '{{{}}}' is expected.", names.join(", "))
}

fn invalid_xml(message: &str) -> ApiError {
    invalid_input(&format!("Invalid XML ; {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inner: &str) -> Result<Node, ApiError> {
        Node::parse(&format!("<?xml version=\"1.0\"?><A xmlns=\"{NAMESPACE}\">{inner}</A>"), "A")
    }

    #[test]
    fn texts_are_read_with_their_references() {
        let node = read("<B>&quot;a &amp; b&quot;&#33;<![CDATA[<x>]]></B><C/>").unwrap();
        let node = node.only(&["B", "C"]).unwrap();
        assert_eq!(node.text_of("B").unwrap(), Some("\"a & b\"!<x>"));
        assert_eq!(node.text_of("C").unwrap(), Some(""));
        assert_eq!(node.text_of("D").unwrap(), None);
    }

    #[test]
    fn what_is_unknown_twice_there_or_missing_is_named() {
        let node = read("<B/><X/>").unwrap();
        let message = node.only(&["B", "C"]).unwrap_err().message;
        assert!(message.contains("starting with element 'X'") && message.contains(":C}'"), "{message}");
        assert!(read("<B/><B/>").unwrap().only(&["B", "C"]).is_err());
        assert!(node.items("B").is_err());
        assert_eq!(read("<B/><B/>").unwrap().items("B").unwrap().len(), 2);
        let message = read("").unwrap().items("B").unwrap_err().message;
        assert!(message.contains("The content of element 'A' is not complete"), "{message}");
    }

    #[test]
    fn a_body_that_is_broken_or_of_something_else_is_refused() {
        let xmlns = format!("xmlns=\"{NAMESPACE}\"");
        for body in ["", "text", "<A>", "<A></B>", "<A/><A/>", "<A>&unknown;</A>", "<A/>", "<!DOCTYPE A><A/>"] {
            assert_eq!(Node::parse(body, "A").unwrap_err().code, "InvalidInput", "{body}");
        }
        assert_eq!(Node::parse(&format!("<B {xmlns}/>"), "A").unwrap_err().code, "MalformedInput");
        assert!(Node::parse(&format!("<A {xmlns}/>"), "A").is_ok());
        let deep = format!("<A {xmlns}>{}", "<B>".repeat(100));
        assert!(Node::parse(&deep, "A").unwrap_err().message.contains("too deep"));
    }
}
