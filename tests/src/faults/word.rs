//! What came of a fault, in a few words: read off the function's answer and off the Region.

use std::fmt;

use privatelink_core::report::Failure;
use serde_json::Value;

use super::play::{Ended, Play};

/// What came of a look in which something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Everything is as if nothing had gone wrong.
    Done,
    /// The same, and somebody was told twice.
    Copies,
    /// The look ended well, and its report says that something was refused.
    Refused,
    /// The invocation failed with `Retry`.
    Retry,
    /// The same, and somebody was told several times.
    RetryCopies,
    /// Something was decided and bears no tag, and the invocation failed with `Retry`.
    RetryUntagged,
    /// The same, and the report says that something was refused.
    RefusedUntagged,
    /// The invocation failed with `ReadFailed`.
    Unread,
    /// The look ended well, and something is not done of which the report says nothing or that it waits.
    Later,
}

impl Word {
    /// All of them, in the order of the legend.
    pub const ALL: [Self; 7] =
        [Self::Done, Self::Copies, Self::Later, Self::Refused, Self::Retry, Self::RetryCopies, Self::Unread];

    /// Read off the answer and the Region; `open` and `told` are what there is without a fault.
    pub(super) fn of(ended: &Ended, play: &Play<'_>, open: &[String]) -> Self {
        let copied = play.set.told().values().any(|copies| *copies > 1);
        match ended {
            Err(Failure::ReadFailed(_)) => Self::Unread,
            Err(_) if play.set.untagged() > 0 => Self::RetryUntagged,
            Err(_) if copied => Self::RetryCopies,
            Err(_) => Self::Retry,
            Ok(_) if play.set.untagged() > 0 => Self::RefusedUntagged,
            Ok(answer) if results(answer).contains(&"refused") => Self::Refused,
            Ok(_) if play.set.open() != open => Self::Later,
            Ok(_) if copied => Self::Copies,
            Ok(_) => Self::Done,
        }
    }

    /// Whether a decision stays without its tags.
    pub(super) fn lacks_tags(self) -> bool {
        matches!(self, Self::RetryUntagged | Self::RefusedUntagged)
    }

    /// What the legend says of it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "tried again, or done without: in the end nothing is missing, and nobody was told twice",
            Self::Copies => {
                "the same, and a notice came more than once, under one id: SNS had taken it, and its answer was lost"
            }
            Self::Later => {
                "the invocation ended well without something that it could not see, or waits for; the next sweep does it"
            }
            Self::Refused => {
                "the report says `refused` with AWS's code, and everything else was done; the next sweep tries again"
            }
            Self::Retry => {
                "the invocation failed with `Retry` and AWS's code, after everything else was done; the next sweep \
                 does it"
            }
            Self::RetryCopies => "the same, and with each try a copy of the notice arrived, under one id",
            Self::RetryUntagged => {
                "`Retry`, and a connection that was decided stays without its tags: no answer said whose deed it was, or \
                 the tags could not be written in time, and are with the next event, if it comes to the same process; the \
                 log has the decision"
            }
            Self::RefusedUntagged => "the same, where the report says `refused`",
            Self::Unread => {
                "the invocation failed with `ReadFailed`; nothing was decided or told, and nothing written but claims"
            }
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Copies => "copies",
            Self::Later => "later",
            Self::Refused => "refused",
            Self::Retry => "retry",
            Self::RetryCopies => "retry, copies",
            Self::RetryUntagged => "retry, no tag",
            Self::RefusedUntagged => "refused, no tag",
            Self::Unread => "unread",
        })
    }
}

fn results(answer: &Value) -> Vec<&str> {
    let outcomes = answer["outcomes"].as_array().into_iter().flatten();
    outcomes.filter_map(|outcome| outcome["result"].as_str()).collect()
}
