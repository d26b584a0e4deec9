//! What goes wrong, and how often: the columns of the matrix.

use privatelink_region::faults::{FaultKind, When};

use super::way::{LATER_PAGE, Operation};

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The service says that there were too many calls, in its own words.
    Throttled,
    /// `InternalError` with HTTP 500, before the call takes effect.
    InternalError,
    /// `ServiceUnavailable` with HTTP 503, after it.
    Unavailable,
    /// The connection breaks before the call takes effect.
    ResetBefore,
    /// The connection breaks after it.
    ResetAfter,
    /// No answer comes, and the call takes no effect.
    SilenceBefore,
    /// No answer comes, and it took effect.
    SilenceAfter,
    /// The caller may not do that, in the service's own words.
    Denied,
    /// HTTP 200 with a body that is no XML, and the call took no effect.
    GarbageBefore,
    /// The same, and it took effect.
    GarbageAfter,
    /// A later page is refused: its token is not valid.
    PageRefused,
    /// A later page is empty, and no other comes after it.
    PageEmpty,
}

/// How often it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Often {
    /// One call.
    Once,
    /// That call and every one after it, until somebody mends it.
    ForEver,
}

/// What the caller sees of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// An answer that the Region makes.
    Answer(FaultKind),
    /// A connection that ends.
    Reset,
    /// Nothing.
    Silence,
    /// An empty page.
    Empty,
}

impl Often {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Once, Self::ForEver];

    /// The word in the machine's form of the matrix.
    pub fn word(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::ForEver => "for-ever",
        }
    }
}

impl Fault {
    /// The columns: the heading of each, and the faults whose cells stand in it together.
    pub const COLUMNS: [(&'static str, &'static [Self]); 10] = [
        ("throttled", &[Self::Throttled]),
        ("5xx", &[Self::InternalError, Self::Unavailable]),
        ("reset before", &[Self::ResetBefore]),
        ("reset after", &[Self::ResetAfter]),
        ("silence, not done", &[Self::SilenceBefore]),
        ("silence, done", &[Self::SilenceAfter]),
        ("denied", &[Self::Denied]),
        ("garbage", &[Self::GarbageBefore, Self::GarbageAfter]),
        ("page refused", &[Self::PageRefused]),
        ("page empty", &[Self::PageEmpty]),
    ];

    /// Whether it is played with that operation's calls: what becomes of a page is played with later pages, and all
    /// else with the first.
    pub fn concerns(self, of: &Operation) -> bool {
        match self {
            Self::PageRefused | Self::PageEmpty => of.part == LATER_PAGE,
            Self::Throttled
            | Self::InternalError
            | Self::Unavailable
            | Self::ResetBefore
            | Self::ResetAfter
            | Self::SilenceBefore
            | Self::SilenceAfter
            | Self::Denied
            | Self::GarbageBefore
            | Self::GarbageAfter => of.part != LATER_PAGE,
        }
    }

    /// The same where a call changes nothing, so that there is no effect to come before or after.
    #[must_use]
    pub fn of(self, of: &Operation) -> Self {
        match self {
            _ if of.changes_something() => self,
            Self::ResetAfter => Self::ResetBefore,
            Self::SilenceAfter => Self::SilenceBefore,
            Self::GarbageAfter => Self::GarbageBefore,
            Self::Throttled
            | Self::InternalError
            | Self::Unavailable
            | Self::ResetBefore
            | Self::SilenceBefore
            | Self::Denied
            | Self::GarbageBefore
            | Self::PageRefused
            | Self::PageEmpty => self,
        }
    }

    /// Whether the call may have taken effect though its answer does not say so.
    pub fn hides_effect(self) -> bool {
        self.how().1 == When::After
    }

    /// The word in the machine's form of the matrix.
    pub fn word(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::InternalError => "internal-error",
            Self::Unavailable => "unavailable",
            Self::ResetBefore => "reset-before",
            Self::ResetAfter => "reset-after",
            Self::SilenceBefore => "silence-before",
            Self::SilenceAfter => "silence-after",
            Self::Denied => "denied",
            Self::GarbageBefore => "garbage-before",
            Self::GarbageAfter => "garbage-after",
            Self::PageRefused => "page-refused",
            Self::PageEmpty => "page-empty",
        }
    }

    /// What the caller sees, and whether the call takes effect.
    pub fn how(self) -> (How, When) {
        let answer = How::Answer;
        match self {
            Self::Throttled => (answer(FaultKind::Throttled), When::Before),
            Self::InternalError => (answer(FaultKind::InternalError), When::Before),
            Self::Unavailable => (answer(FaultKind::Unavailable), When::After),
            Self::ResetBefore => (How::Reset, When::Before),
            Self::ResetAfter => (How::Reset, When::After),
            Self::SilenceBefore => (How::Silence, When::Before),
            Self::SilenceAfter => (How::Silence, When::After),
            Self::Denied => (answer(FaultKind::Unauthorized), When::Before),
            Self::GarbageBefore => (answer(FaultKind::Garbage), When::Before),
            Self::GarbageAfter => (answer(FaultKind::Garbage), When::After),
            Self::PageRefused => (answer(FaultKind::Refused("InvalidNextToken".to_owned())), When::Before),
            Self::PageEmpty => (How::Empty, When::Before),
        }
    }
}
