//! Notices to the operators about a service's private DNS name. Which of them are due is another rule's to find.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::document::{Document, RecordPart, Step};
use super::mail::{Page, what};
use super::message::Message;
use super::shown::{cut, filled, short, shown, subject};
use super::{Kind, text};
use crate::diagnosis::Diagnosis;
use crate::ids::{DnsName, TopicArn};
use crate::observed::Service;
use crate::report::Thing;

/// The longest instruction, in bytes.
const LONGEST: usize = 2048;
/// The most instructions.
const MOST: usize = 10;

/// What happened to a private DNS name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DomainNews {
    /// A person must publish the record.
    RecordRequired,
    /// The proof failed.
    Failed,
    /// It was proved, and is no longer.
    Lost,
    /// It is proved.
    Verified,
}

impl DomainNews {
    /// The notice's type.
    pub fn kind(self) -> Kind {
        match self {
            Self::RecordRequired => Kind::DomainRecordRequired,
            Self::Failed => Kind::DomainVerificationFailed,
            Self::Lost => Kind::DomainVerificationLost,
            Self::Verified => Kind::DomainVerified,
        }
    }
}

/// The TXT record that is to be published, as a person types it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its whole name.
    pub name: DnsName,
    /// Its time to live, in seconds.
    pub ttl: u32,
    /// Its value, without quotes.
    pub value: String,
}

/// A notice to the operators about a private DNS name. It has neither an endpoint nor a consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainNotice {
    /// The service that has the name.
    pub service: Service,
    /// What happened.
    pub news: DomainNews,
    /// Why the name is not proved, where that was found out.
    pub diagnosis: Option<Diagnosis>,
    /// What to do, one instruction each.
    pub todo: Vec<String>,
    /// The record, where one is to be published.
    pub record: Option<Record>,
    /// How often the same was told of this name before, so that a loss that comes again is not taken for a copy.
    pub before: u32,
}

impl DomainNotice {
    /// Its type.
    pub fn kind(&self) -> Kind {
        self.news.kind()
    }

    /// What every copy of it bears.
    pub fn id(&self) -> String {
        let word = match self.news {
            DomainNews::RecordRequired => "record-required",
            DomainNews::Failed => "verification-failed",
            DomainNews::Lost => "verification-lost",
            DomainNews::Verified => "verified",
        };
        let name = self.service.private_dns.as_ref().map(|dns| cut(&dns.name, LONGEST / 8)).unwrap_or_default();
        match self.before {
            0 => format!("{}/{word}/{name}", self.service.id),
            before => format!("{}/{word}/{name}/{before}", self.service.id),
        }
    }

    /// What programs read of it.
    pub fn document(&self, now: OffsetDateTime) -> Document<'_> {
        Document {
            next_steps: self.steps(),
            diagnosis: self.diagnosis.map(Diagnosis::word),
            record: self.record.as_ref().map(|Record { name, ttl, value }| RecordPart {
                name: name.as_str(),
                kind: "TXT",
                ttl: *ttl,
                value: cut(value, LONGEST),
            }),
            ..Document::about(&self.service, self.kind(), self.id(), now)
        }
    }

    /// What SNS takes of it.
    pub fn message(&self, now: OffsetDateTime) -> Message {
        Message::new(self.subject(), self.document(now), &self.mail())
    }

    /// What the return value says of it.
    pub fn thing(&self, topic: Option<&TopicArn>) -> Thing {
        let mut more = BTreeMap::from([("type", self.kind().to_string()), ("id", self.id())]);
        more.extend(topic.map(|topic| ("topicArn", topic.to_string())));
        Thing { service: self.service.id.clone(), endpoint: None, more }
    }

    fn why(&self) -> String {
        self.diagnosis.map_or_else(|| text::NO_DIAGNOSIS.to_owned(), |diagnosis| diagnosis.to_string())
    }

    fn subject(&self) -> String {
        let name = short(&what(&self.service), 60);
        subject(&match self.news {
            DomainNews::RecordRequired => text::subjects::record_required(&name),
            DomainNews::Failed => text::subjects::domain_failed(&name, &self.why()),
            DomainNews::Lost => text::subjects::domain_lost(&name),
            DomainNews::Verified => text::subjects::domain_verified(&name),
        })
    }

    fn steps(&self) -> Vec<Step> {
        let told = self.todo.iter().take(MOST).map(|todo| Step { what: cut(todo, LONGEST).to_owned(), command: None });
        let record = self.record.as_ref().map(|record| Step {
            what: text::SEE_RECORD.to_owned(),
            command: filled(text::SEE_RECORD_COMMAND, &[("record", &[record.name.as_str()])]),
        });
        told.chain(record).collect()
    }

    fn mail(&self) -> String {
        let Self { service, news, record, .. } = self;
        let name = what(service);
        let mut page = Page::default();
        page.say(&match news {
            DomainNews::RecordRequired => text::record_required(&name),
            DomainNews::Failed => text::domain_failed(&name, &self.why()),
            DomainNews::Lost => text::domain_lost(&name, &self.why()),
            DomainNews::Verified => text::domain_verified(&name),
        });
        if let Some(Record { name, ttl, value }) = record {
            page.head(text::RECORD);
            page.fact("name", name.as_str());
            page.fact("type", "TXT");
            page.fact("TTL", &ttl.to_string());
            page.fact("value", &format!("\"{}\"", shown(value)));
        }
        let steps = self.steps();
        if !steps.is_empty() {
            page.steps(&steps);
        }
        page.head(text::FACTS);
        page.fact(text::SERVICE, &format!("{}, {}, {}", service.id, shown(&service.name), shown(&service.region)));
        page.fact(text::NOTICE, &shown(&self.id()));
        page.finish()
    }
}
