//! Which names a listing of Route 53's has answered for.
//!
//! Zones and record sets are listed in the order of their names with the labels reversed, so that one page says of
//! every name between its first and its last whether it exists. AWS does not say whether labels are compared one by one
//! or as one text; a name counts as answered for only where both orders say so.

use std::cmp::Ordering;

/// A name as listings order it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    labels: Vec<String>,
    text: String,
}

impl Key {
    fn of(name: &str) -> Self {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let labels: Vec<String> = name.rsplit('.').map(ToOwned::to_owned).collect();
        let text = labels.iter().flat_map(|label| [label, "."]).collect();
        Self { labels, text }
    }

    /// Whether it comes before another in both orders, or after it in both.
    fn against(&self, other: &Self) -> Option<Ordering> {
        let order = self.labels.cmp(&other.labels);
        (order == self.text.cmp(&other.text)).then_some(order)
    }
}

/// The names for which pages were read.
#[derive(Debug, Default)]
pub(super) struct Answered(Vec<(Key, Option<Key>)>);

impl Answered {
    /// A page began with `from`, and the next one begins with `next`.
    pub(super) fn add(&mut self, from: &str, next: Option<&str>) {
        self.0.push((Key::of(from), next.map(Key::of)));
    }

    /// Whether a page said of that name whether it exists.
    pub(super) fn covers(&self, name: &str) -> bool {
        let name = Key::of(name);
        let covers = |(from, next): &(Key, Option<Key>)| {
            let begun = matches!(name.against(from), Some(Ordering::Equal | Ordering::Greater));
            // What the next page begins with may stand on both.
            begun && next.as_ref().is_none_or(|next| name.against(next) == Some(Ordering::Less))
        };
        self.0.iter().any(covers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_answers_for_the_names_between_its_ends() {
        let mut answered = Answered::default();
        answered.add("example.com", Some("m.example.com."));
        for (name, expected) in [
            ("example.com", true),
            ("EXAMPLE.com.", true),
            ("a.example.com", true),
            ("z.a.example.com", true),
            ("m.example.com", false),
            ("n.example.com", false),
            ("example.net", false),
            ("com", false),
            // Before `.` in one order, after it in the other.
            ("example-a.com", false),
        ] {
            assert_eq!(answered.covers(name), expected, "{name}");
        }
        answered.add("m.example.com", None);
        for name in ["m.example.com", "z.example.com", "example.net", "aaa.zzz"] {
            assert!(answered.covers(name), "{name}");
        }
        assert!(!answered.covers("com"));
    }

    #[test]
    fn a_name_on_which_the_two_orders_differ_is_answered_for_by_no_page() {
        let mut answered = Answered::default();
        answered.add("example.com", Some("example-b.com"));
        // By its labels it stands between them, as one text before both.
        assert!(!answered.covers("example-a.com"));
    }
}
