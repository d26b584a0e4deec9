//! Answers: XML.

use quick_xml::escape::escape;

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    name: &'static str,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Text(String),
    Elements(Vec<Element>),
}

/// An element with a text in it.
pub fn text(name: &'static str, value: impl ToString) -> Element {
    Element { name, content: Content::Text(value.to_string()) }
}

/// An element with others in it.
pub fn element(name: &'static str, elements: Vec<Element>) -> Element {
    Element { name, content: Content::Elements(elements) }
}

/// A list: each entry an `item` of its own.
pub fn list(name: &'static str, items: impl IntoIterator<Item = Vec<Element>>) -> Element {
    element(name, items.into_iter().map(|item| element("item", item)).collect())
}

/// A list of plain values.
pub fn values<T: ToString>(name: &'static str, values: impl IntoIterator<Item = T>) -> Element {
    element(name, values.into_iter().map(|value| text("item", value)).collect())
}

impl Element {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// Appends the element to a document.
    pub fn write(&self, out: &mut String) {
        let Self { name, content } = self;
        out.push_str(&format!("<{name}>"));
        match content {
            Content::Text(text) => out.push_str(&escape(text.as_str())),
            Content::Elements(elements) => elements.iter().for_each(|element| element.write(out)),
        }
        out.push_str(&format!("</{name}>"));
    }
}
