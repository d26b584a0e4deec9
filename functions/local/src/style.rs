//! Colours. `anstream` takes them out where nobody looks.

use anstyle::{AnsiColor, Style};

/// What went through.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What was turned away, or is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What waits.
pub(crate) const WAITS: Style = AnsiColor::Yellow.on_default();
/// What is only there to be found.
pub(crate) const DIM: Style = Style::new().dimmed();
/// What is to be read first.
pub(crate) const BOLD: Style = Style::new().bold();

/// A text in a style.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
