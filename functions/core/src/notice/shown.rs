//! Values that come from AWS or from a configuration, made fit for a person's eyes and for a shell.
//!
//! Nothing that somebody else chose can begin a new line of a mail, hide in a subject, or become a second command.

/// The longest value that is shown: as long as a DNS name may be.
const LONGEST: usize = 253;

/// A value as it may stand in a mail: one line of letters, digits and plain signs, and not too long.
pub(crate) fn shown(text: &str) -> String {
    let visible = |c: char| if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() { c } else { '?' };
    cut(text, LONGEST).chars().map(visible).collect()
}

/// At most that many bytes of a text, and no half letter.
pub(super) fn cut(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A subject: one line of at most 100 ASCII characters, as SNS demands.
pub(super) fn subject(text: &str) -> String {
    const LONGEST: usize = 100;
    let plain: String = text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect();
    if plain.len() <= LONGEST { plain } else { format!("{}...", cut(&plain, LONGEST - 3).trim_end()) }
}

/// Part of a subject, short enough to leave room for the others.
pub(super) fn short(text: &str, longest: usize) -> String {
    if text.len() <= longest { text.to_owned() } else { format!("{}...", cut(text, longest.saturating_sub(3))) }
}

/// Whether a value can stand in a shell's command as one word that means nothing but itself.
fn is_plain(value: &str) -> bool {
    (1..=LONGEST).contains(&value.len())
        && !value.starts_with('-')
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

/// A command with its `<places>` filled in; none at all where a value is missing or is not plain.
///
/// Several values of one place are words of their own.
pub(crate) fn filled(command: &str, values: &[(&str, &[&str])]) -> Option<String> {
    let mut filled = String::with_capacity(command.len());
    let mut rest = command;
    while let Some((before, after)) = rest.split_once('<') {
        let (place, after) = after.split_once('>')?;
        let (_, words) = values.iter().find(|(name, _)| *name == place)?;
        if words.is_empty() || !words.iter().all(|word| is_plain(word)) {
            return None;
        }
        filled.push_str(before);
        filled.push_str(&words.join(" "));
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_takes_plain_words_and_nothing_else() {
        let run = |value: &str| filled("run <it> now", &[("it", &[value])]);
        assert_eq!(run("vpce-0a.us-west-2").as_deref(), Some("run vpce-0a.us-west-2 now"));
        for hostile in ["", "a b", "a;b", "$(x)", "`x`", "a\nb", "'", "\"", "--endpoint-url", "a|b", "a>b", "ü", "*"] {
            assert_eq!(run(hostile), None, "{hostile}");
        }
        assert_eq!(run(&"a".repeat(254)), None);
        assert_eq!(filled("run <it>", &[("it", &[])]), None);
        assert_eq!(filled("run <them>", &[("them", &["a", "b"])]).as_deref(), Some("run a b"));
        assert_eq!(filled("run <other>", &[("it", &["a"])]), None);
    }

    #[test]
    fn a_subject_is_one_short_line_of_ascii() {
        assert_eq!(subject("Bcc:\r\nx é"), "Bcc:??x ?");
        assert_eq!(subject(&"a".repeat(100)).len(), 100);
        assert_eq!(subject(&"a".repeat(101)).len(), 100);
        assert!(subject(&"é".repeat(101)).ends_with("?..."));
    }

    #[test]
    fn what_is_shown_stays_on_its_line() {
        assert_eq!(shown("a\nb\r\u{2028}\u{202e}\u{0}c é"), "a?b????c é");
        assert_eq!(shown(&"é".repeat(300)).len(), 252);
    }
}
