//! An answer from the wire to a question for TXT records, of which any byte can be anybody's.
//!
//! The first byte says what follows: a whole message; one whose question is put before it, so that it is an answer to
//! what was asked; or records from which a sound message is made, of which is known what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privatelink_core::dns::{Answer, Delegation};
use privatelink_core::ids::DnsName;
use privatelink_dns::Recorded;

/// `_6e86v84tqgqubxbwii1m.example.com`, and where it stands in every message that is made here.
const RECORD: &[u8] = b"\x15_6e86v84tqgqubxbwii1m\x07example\x03com\0";
const POINTER: &[u8] = b"\xc0\x0c";
const SHOUTED: &[u8] = b"\x15_6E86V84TQGQUBXBWII1M\x07EXAMPLE\xc0\x2a";
const OTHER: &[u8] = b"\x05other\xc0\x22";
/// The id, a response, authoritative.
const ID: &[u8] = b"\x12\x34";
const FLAGS: [u8; 2] = [0x84, 0x00];
const TXT: &[u8] = b"\0\x10\0\x01";
const A: &[u8] = b"\0\x01\0\x01";
const TTL: &[u8] = b"\0\0\x01\x2c";

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 3 {
        0 => drop(read(rest)),
        1 => {
            if let Some(([high, low, answers, authorities, additionals], rest)) = rest.split_first_chunk() {
                // A response, and of its flags what they like.
                let flags = [*high | 0x80, *low];
                drop(read(&message(flags, [*answers, *authorities, *additionals], rest)));
            }
        }
        _ => {
            let (count, records, values) = records(rest);
            let read = read(&message(FLAGS, [count, 0, 0], &records)).expect("it is a sound message");
            let expected = if values.is_empty() { Answer::NoRecord } else { Answer::Values(values) };
            assert_eq!(read.answer, Some(expected));
        }
    }
});

fn read(message: &[u8]) -> Option<Recorded> {
    let name = |name| DnsName::parse(name).unwrap();
    let (record, zone) = (name("_6e86v84tqgqubxbwii1m.example.com"), name("com"));
    let read = match Recorded::read(message, &record, &zone, 1_769_860_800) {
        Ok(read) => read?,
        Err(trouble) => {
            // The cause is the library's own, and may end with a name.
            let text = trouble.to_string();
            assert!(text.starts_with("the answer can not be read: ") && text.len() < 1024, "{text}");
            return None;
        }
    };
    match &read.answer {
        Some(Answer::Values(values)) => {
            assert!(!values.is_empty(), "values without a value");
            // Nothing of a TXT record can be told in fewer bytes than it has.
            assert!(values.iter().map(|value| value.len() + 1).sum::<usize>() < message.len());
        }
        Some(Answer::Trouble(trouble)) => assert!(!trouble.to_string().is_empty()),
        Some(Answer::NoRecord | Answer::NoName) | None => {}
    }
    match &read.delegation {
        Some(Delegation::To { zone: below, servers }) => {
            assert!(!servers.is_empty(), "a zone that nobody serves");
            assert!(servers.is_sorted(), "{servers:?}");
            assert!(below.as_str().len() <= 253);
        }
        Some(other) => panic!("{other:?} is no delegation"),
        None => {}
    }
    assert!(read.addresses.len() * 14 <= message.len(), "more addresses than there is room for");
    Some(read)
}

fn message(flags: [u8; 2], [answers, authorities, additionals]: [u8; 3], rest: &[u8]) -> Vec<u8> {
    let counts = [0, 1, 0, answers, 0, authorities, 0, additionals];
    [ID, &flags, &counts, RECORD, TXT, rest].concat()
}

/// Records, how many there are, and the values that they give the name.
fn records(mut data: &[u8]) -> (u8, Vec<u8>, Vec<Vec<u8>>) {
    let (mut count, mut records, mut values) = (0, Vec::new(), Vec::new());
    while let Some((kind, rest)) = data.split_first()
        && count < 50
    {
        data = rest;
        count += 1;
        let owner = [POINTER, SHOUTED, OTHER, POINTER][usize::from(kind % 4)];
        if kind % 4 == 3 {
            records.extend([owner, A, TTL, b"\0\x04\x0a\0\0\x01"].concat());
            continue;
        }
        let (mut strings, mut value) = (Vec::new(), Vec::new());
        for _ in 0..=(kind / 4 % 4) {
            let (length, rest) = data.split_first().map_or((0, data), |(length, rest)| (*length, rest));
            let (string, rest) = rest.split_at(rest.len().min(usize::from(length)));
            strings.push(u8::try_from(string.len()).unwrap());
            strings.extend(string);
            value.extend(string);
            data = rest;
        }
        let length = u16::try_from(strings.len()).unwrap().to_be_bytes();
        records.extend([owner, TXT, TTL, &length, &strings].concat());
        if kind % 4 != 2 {
            values.push(value);
        }
    }
    (count, records, values)
}
