//! What a validating resolver would find: the DS records of the zone above, the zone's keys, and the signatures over the
//! record. Only these last links are looked at; whether the zone above is sound is its owner's affair.

use hickory_proto::dnssec::rdata::{DNSKEY, DS, RRSIG};
use hickory_proto::dnssec::{PublicKey, SupportedAlgorithms, Verifier};
use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, Name, Record, RecordData, RecordType, SerialNumber};
use privatelink_core::dns::Signatures;

use crate::answer::refusal;

/// The DS records in an answer.
pub(crate) fn ds_in(message: &Message, zone: &Name) -> Vec<DS> {
    message
        .answers
        .iter()
        .filter(|record| record.name == *zone)
        .filter_map(|record| DS::try_borrow(&record.data).cloned())
        .collect()
}

/// Judges a zone that the zone above has DS records for, by its keys and by the answer about the record, both with their
/// signatures. `now` is in seconds since 1970, in the arithmetic of serial numbers.
pub(crate) fn judge(
    zone: &Name,
    ds: &[DS],
    keys: &Message,
    record: &Name,
    answer: &Message,
    now: SerialNumber,
) -> Signatures {
    if refusal(keys).is_some() || refusal(answer).is_some() {
        return Signatures::Unknown;
    }
    // A zone whose algorithms a validator does not know counts as unsigned to it, and to another validator not.
    if !ds.iter().any(is_known) {
        return Signatures::Unknown;
    }
    match sound(zone, ds, keys, record, answer, now) {
        Ok(()) => Signatures::Sound,
        Err(why) => Signatures::Broken(why),
    }
}

fn is_known(ds: &DS) -> bool {
    ds.digest_type().is_supported() && SupportedAlgorithms::all().has(ds.algorithm())
}

fn sound(
    zone: &Name,
    ds: &[DS],
    keys: &Message,
    record: &Name,
    answer: &Message,
    now: SerialNumber,
) -> Result<(), String> {
    let published = keys_in(keys, zone);
    if published.is_empty() {
        return Err("the zone above has a DS record, and the zone has no keys".to_owned());
    }
    let named: Vec<&DNSKEY> = published
        .iter()
        .copied()
        .filter(|key| ds.iter().any(|ds| is_known(ds) && ds.covers(zone, key).unwrap_or(false)))
        .collect();
    if named.is_empty() {
        return Err(format!(
            "the DS record names key {}, and the zone has {}",
            tags(ds.iter().map(|ds| Some(ds.key_tag()))),
            tags(published.iter().map(|key| key.calculate_key_tag().ok()))
        ));
    }
    signed(&keys.answers, zone, RecordType::DNSKEY, zone, &named, now)?;
    for kind in [RecordType::CNAME, RecordType::TXT] {
        if has(&answer.answers, record, kind) {
            return signed(&answer.answers, record, kind, zone, &published, now);
        }
    }
    // There is no record: that has to be proved as well.
    let proof = |kind| answer.authorities.iter().filter(move |proof| proof.record_type() == kind);
    let proofs: Vec<_> = proof(RecordType::NSEC).chain(proof(RecordType::NSEC3)).collect();
    if proofs.is_empty() {
        return Err("the answer that there is no record comes without its proof".to_owned());
    }
    proofs
        .into_iter()
        .chain(proof(RecordType::SOA))
        .try_for_each(|proof| signed(&answer.authorities, &proof.name, proof.record_type(), zone, &published, now))
}

fn tags(tags: impl Iterator<Item = Option<u16>>) -> String {
    tags.flatten().map(|tag| tag.to_string()).collect::<Vec<_>>().join(", ")
}

fn has(records: &[Record], name: &Name, kind: RecordType) -> bool {
    records.iter().any(|record| record.record_type() == kind && record.name == *name)
}

fn keys_in<'a>(message: &'a Message, zone: &Name) -> Vec<&'a DNSKEY> {
    message
        .answers
        .iter()
        .filter(|record| record.name == *zone)
        .filter_map(|record| DNSKEY::try_borrow(&record.data))
        .filter(|key| key.zone_key() && !key.revoke())
        .collect()
}

/// Whether one of the signatures over these records is sound; if none is, what is wrong with the last of them.
fn signed(
    records: &[Record],
    name: &Name,
    kind: RecordType,
    zone: &Name,
    keys: &[&DNSKEY],
    now: SerialNumber,
) -> Result<(), String> {
    let mut why = format!("there is no signature over the {kind} records");
    for signature in signatures_of(records, name, kind, zone) {
        match check(signature, records, name, keys, now) {
            Ok(()) => return Ok(()),
            Err(fault) => why = format!("the signature over the {kind} records {fault}"),
        }
    }
    Err(why)
}

fn signatures_of<'a>(
    records: &'a [Record],
    name: &'a Name,
    kind: RecordType,
    zone: &'a Name,
) -> impl Iterator<Item = &'a RRSIG> {
    records
        .iter()
        .filter(move |record| record.name == *name)
        .filter_map(|record| RRSIG::try_borrow(&record.data))
        .filter(move |signature| signature.input().type_covered == kind && signature.input().signer_name == *zone)
}

fn check(
    signature: &RRSIG,
    records: &[Record],
    name: &Name,
    keys: &[&DNSKEY],
    now: SerialNumber,
) -> Result<(), String> {
    let input = signature.input();
    if now > input.sig_expiration {
        return Err("has expired".to_owned());
    }
    if now < input.sig_inception {
        return Err("is of the future".to_owned());
    }
    let mut made_by = keys.iter().filter(|key| {
        key.public_key().algorithm() == input.algorithm && key.calculate_key_tag().is_ok_and(|tag| tag == input.key_tag)
    });
    let verifies = |key: &&DNSKEY| key.verify_rrsig(name, DNSClass::IN, signature, records.iter()).is_ok();
    match made_by.clone().next() {
        None => Err(format!("was made with key {}, which does not count", input.key_tag)),
        Some(_) if made_by.any(verifies) => Ok(()),
        Some(_) => Err("does not fit them".to_owned()),
    }
}
