//! The ARN of an SNS topic, which is the topic's whole address: its Region and its account stand in it.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{AccountId, InvalidId};

/// The longest name that SNS gives a topic, `.fifo` included.
const LONGEST_NAME: usize = 256;
/// What the name of an ordered topic ends in, and no other.
const FIFO: &str = ".fifo";

/// An SNS topic: `arn:<partition>:sns:<region>:<account>:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicArn(Box<str>);

impl TopicArn {
    /// Reads the ARN.
    ///
    /// # Errors
    ///
    /// What was there instead.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let parts: Vec<_> = text.split(':').collect();
        let valid = match parts.as_slice() {
            ["arn", partition, "sns", region, account, name] => {
                is_partition(partition) && is_word(region) && AccountId::parse(account).is_ok() && is_name(name)
            }
            _ => false,
        };
        if valid {
            Ok(Self(text.into()))
        } else {
            let wanted = "a topic's ARN (`arn:aws:sns:<region>:<account>:<name>`)";
            Err(InvalidId { wanted, given: text.to_owned() })
        }
    }

    /// The ARN as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The topic's Region, which is where it is published to.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account that the topic belongs to.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// Whether the topic keeps its messages in order, so that each must name its group.
    pub fn is_fifo(&self) -> bool {
        self.0.ends_with(FIFO)
    }

    fn part(&self, n: usize) -> &str {
        self.0.split(':').nth(n).unwrap_or_default()
    }
}

/// `aws`, `aws-cn`, `aws-us-gov`, and whatever comes to join them.
fn is_partition(text: &str) -> bool {
    text == "aws" || text.strip_prefix("aws-").is_some_and(is_word)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'-'))
}

fn is_name(text: &str) -> bool {
    let name = text.strip_suffix(FIFO).unwrap_or(text);
    !name.is_empty()
        && text.len() <= LONGEST_NAME
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl fmt::Display for TopicArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for TopicArn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_says_where_it_is() {
        for (text, region, fifo) in [
            ("arn:aws:sns:us-west-2:999988887777:notices", "us-west-2", false),
            ("arn:aws-cn:sns:cn-north-1:999988887777:Notices_1.fifo", "cn-north-1", true),
            ("arn:aws-us-gov:sns:us-gov-east-1:999988887777:a-b", "us-gov-east-1", false),
        ] {
            let topic = TopicArn::parse(text).unwrap();
            assert_eq!((topic.as_str(), topic.region(), topic.account()), (text, region, "999988887777"));
            assert_eq!(topic.is_fifo(), fifo);
        }
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        let long = format!("arn:aws:sns:us-west-2:999988887777:{}", "a".repeat(257));
        for text in [
            "",
            "notices",
            "arn:aws:sqs:us-west-2:999988887777:notices",
            "arn:aws:sns::999988887777:notices",
            "arn:aws:sns:us-west-2::notices",
            "arn:aws:sns:us-west-2:999988887777:",
            "arn:aws:sns:us-west-2:999988887777:.fifo",
            "arn:aws:sns:us-west-2:999988887777:a.b",
            "arn:aws:sns:us-west-2:999988887777:a b",
            "arn:aws:sns:us-west-2:999988887777:notices:0a1b2c3d",
            "arn:aws:sns:us-west-2/x:999988887777:notices",
            "arn:awsome:sns:us-west-2:999988887777:notices",
            "arn:aws:sns:us-west-2:999988887777:notices\n",
            long.as_str(),
        ] {
            assert!(TopicArn::parse(text).is_err(), "{text}");
        }
    }
}
