//! Zones that are signed, soundly and not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::dnssec::crypto::Ed25519SigningKey;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC, RRSIG};
use hickory_proto::dnssec::{Algorithm, DigestType, DnssecSigner, SigningKey};
use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, RData, Record, RecordSet, RecordType};
use privatelink_core::dns::{Answer, Seen, Signatures};
use privatelink_dns::Dns;
use time::OffsetDateTime;

use crate::server::{Handler, serve};
use crate::world::{Like, RECORD, VALUE, com, example, with_value, world};
use crate::zone::{Zone, authority, wire};
use crate::{name, soon};

const HOUR: Duration = Duration::from_secs(3600);

/// A key of `example.com`'s, with which everything is signed.
fn key() -> DnssecSigner {
    let key = Ed25519SigningKey::from_pkcs8(&Ed25519SigningKey::generate_pkcs8().unwrap()).unwrap();
    DnssecSigner::new(DNSKEY::from_key(&key.to_public_key().unwrap()), Box::new(key), wire("example.com"), HOUR)
}

fn ds_of(key: &DnssecSigner, algorithm: Algorithm) -> RData {
    let digest = key.dnskey().to_digest(&wire("example.com"), DigestType::SHA256).unwrap();
    let tag = key.calculate_key_tag().unwrap();
    RData::DNSSEC(DNSSECRData::DS(DS::new(tag, algorithm, DigestType::SHA256, digest.as_ref().to_vec())))
}

fn com_with(ds: RData) -> Zone {
    let mut com = com();
    com.records.push(Record::from_rdata(wire("example.com"), 60, ds));
    com
}

fn with_keys(mut zone: Zone, keys: &[&DnssecSigner]) -> Zone {
    let key = |key: &&DnssecSigner| RData::DNSSEC(DNSSECRData::DNSKEY(key.to_dnskey()));
    zone.records.extend(keys.iter().map(key).map(|key| Record::from_rdata(wire("example.com"), 60, key)));
    zone
}

/// A server that signs what it says, with signatures of `age`; `then` is what becomes of it on the way.
fn signing(
    zone: Zone,
    key: Arc<DnssecSigner>,
    age: time::Duration,
    then: impl Fn(&mut Message) + Send + Sync + 'static,
) -> Handler {
    Arc::new(move |query, _| {
        let mut answer = authority(std::slice::from_ref(&zone), query);
        if query.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok) {
            if answer.answers.is_empty() {
                let nsec = NSEC::new_cover_self(zone.apex.clone(), [RecordType::SOA]);
                let nsec = RData::DNSSEC(DNSSECRData::NSEC(nsec));
                answer.add_authority(Record::from_rdata(zone.apex.clone(), 60, nsec));
            }
            sign(&mut answer.answers, &zone, &key, age);
            sign(&mut answer.authorities, &zone, &key, age);
        }
        then(&mut answer);
        Some(answer)
    })
}

fn sign(records: &mut Vec<Record>, zone: &Zone, key: &DnssecSigner, age: time::Duration) {
    let sets: BTreeSet<_> = records.iter().map(|r| (r.name.clone(), r.record_type())).collect();
    for (owner, kind) in sets {
        // What a wildcard gave is signed under the wildcard's name.
        let own = zone.records.iter().any(|r| r.name == owner);
        let signed_as = if own { owner.clone() } else { owner.clone().into_wildcard() };
        let mut set = RecordSet::with_ttl(signed_as, kind, 60);
        for record in records.iter().filter(|r| r.name == owner && r.record_type() == kind) {
            set.add_rdata(record.data.clone());
        }
        let signature = RRSIG::from_rrset(&set, DNSClass::IN, OffsetDateTime::now_utc() - age, key).unwrap();
        records.push(Record::from_rdata(owner, 60, RData::DNSSEC(DNSSECRData::RRSIG(signature))));
    }
}

const NEW: time::Duration = time::Duration::minutes(5);

async fn seen_at(com: Zone, server: Handler) -> Seen {
    world(com, &[("192.0.2.11", Like::Does(server))]).await.seen().await
}

/// A zone with its own key, and what stands at the parent.
async fn signatures(
    zone: Zone,
    keys: &[&DnssecSigner],
    signer: &Arc<DnssecSigner>,
    named: &DnssecSigner,
    age: time::Duration,
    then: impl Fn(&mut Message) + Send + Sync + 'static,
) -> Signatures {
    let server = signing(with_keys(zone, keys), signer.clone(), age, then);
    seen_at(com_with(ds_of(named, Algorithm::ED25519)), server).await.signatures
}

/// Why it is broken.
fn why(signatures: Signatures) -> String {
    match signatures {
        Signatures::Broken(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_zone_with_the_key_that_is_named_above_it_is_sound() {
    let key = Arc::new(key());
    let elsewhere = format!("{RECORD} CNAME _proof.example.com\n_proof.example.com TXT {VALUE}");
    for zone in [
        with_value(VALUE),
        with_value(&"z".repeat(1500)),
        example("*.example.com TXT anything"),
        example(&elsewhere),
        // No record, and the proof of it.
        example(""),
        example(&format!("{RECORD} A 192.0.2.99")),
    ] {
        assert_eq!(signatures(zone, &[&key], &key, &key, NEW, |_| {}).await, Signatures::Sound);
    }
}

#[tokio::test]
async fn a_zone_whose_key_is_not_the_one_above_is_broken() {
    let (old, new) = (key(), Arc::new(key()));
    let why_ = why(signatures(with_value(VALUE), &[&new], &new, &old, NEW, |_| {}).await);
    let tags = (old.calculate_key_tag().unwrap(), new.calculate_key_tag().unwrap());
    assert_eq!(why_, format!("the DS record names key {}, and the zone has {}", tags.0, tags.1));

    let none = why(signatures(with_value(VALUE), &[], &new, &old, NEW, |_| {}).await);
    assert_eq!(none, "the zone above has a DS record, and the zone has no keys");

    // The named key is there, and another one signs the keys.
    let both = why(signatures(with_value(VALUE), &[&old, &new], &new, &old, NEW, |_| {}).await);
    assert!(both.ends_with("which does not count"), "{both}");
}

#[tokio::test]
async fn signatures_of_another_time_are_broken() {
    let key = Arc::new(key());
    for (age, fault) in [(time::Duration::hours(2), "has expired"), (time::Duration::hours(-1), "is of the future")] {
        let broken = why(signatures(with_value(VALUE), &[&key], &key, &key, age, |_| {}).await);
        assert_eq!(broken, format!("the signature over the DNSKEY records {fault}"));
    }
}

#[tokio::test]
async fn a_record_that_is_not_signed_as_it_stands_is_broken() {
    let key = Arc::new(key());
    let without = |kind: RecordType| {
        move |answer: &mut Message| {
            let covers = |r: &Record| match &r.data {
                RData::DNSSEC(DNSSECRData::RRSIG(signature)) => signature.input().type_covered == kind,
                _ => r.record_type() == kind && kind == RecordType::NSEC,
            };
            answer.answers.retain(|r| !covers(r));
            answer.authorities.retain(|r| !covers(r));
        }
    };
    let bare = signatures(with_value(VALUE), &[&key], &key, &key, NEW, without(RecordType::TXT)).await;
    assert_eq!(why(bare), "there is no signature over the TXT records");
    let unproved = signatures(example(""), &[&key], &key, &key, NEW, without(RecordType::NSEC)).await;
    assert_eq!(why(unproved), "the answer that there is no record comes without its proof");
    let half = signatures(example(""), &[&key], &key, &key, NEW, without(RecordType::SOA)).await;
    assert_eq!(why(half), "there is no signature over the SOA records");

    let other = with_value("vpce:another");
    let forged = move |answer: &mut Message| {
        let txt = other.records.iter().find(|r| r.record_type() == RecordType::TXT).unwrap();
        answer
            .answers
            .iter_mut()
            .filter(|r| r.record_type() == RecordType::TXT)
            .for_each(|r| r.data = txt.data.clone());
    };
    let forged = signatures(with_value(VALUE), &[&key], &key, &key, NEW, forged).await;
    assert_eq!(why(forged), "the signature over the TXT records does not fit them");
}

#[tokio::test]
async fn an_algorithm_that_is_not_known_here_says_nothing() {
    let key = Arc::new(key());
    let server = signing(with_keys(with_value(VALUE), &[&key]), key.clone(), NEW, |_| {});
    let seen = seen_at(com_with(ds_of(&key, Algorithm::Unknown(200))), server).await;
    assert_eq!(seen.signatures, Signatures::Unknown);
    assert_eq!(seen.answers[0].answer, Answer::Values(vec![VALUE.into()]));
}

#[tokio::test]
async fn a_given_server_is_asked_for_signatures_too() {
    let (key, other) = (Arc::new(key()), key());
    for (named, sound) in [(&*key, true), (&other, false)] {
        let zone = with_keys(with_value(VALUE), &[&key]);
        let com = com_with(ds_of(named, Algorithm::ED25519));
        let below = signing(zone, key.clone(), NEW, |_| {});
        let handler: Handler = Arc::new(move |query, tcp| {
            let above = query.queries[0].query_type() == RecordType::DS;
            if above { Some(authority(std::slice::from_ref(&com), query)) } else { below(query, tcp) }
        });
        let seen = Dns::servers(vec![serve(handler).await]).seen(&name(RECORD), VALUE, soon()).await;
        assert_eq!(seen.signatures == Signatures::Sound, sound, "{:?}", seen.signatures);
        assert_eq!(matches!(seen.signatures, Signatures::Broken(_)), !sound);
    }
}
