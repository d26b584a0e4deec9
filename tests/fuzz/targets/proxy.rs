//! The header of Proxy Protocol v2 that a connection begins with, as `privatelink whois` reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privatelink_core::proxy::{Header, HeaderError, Who, read};
use privatelink_fuzz::{is_endpoint, refusal};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The signature, the command, the family and the length of the rest.
const FIXED: usize = 16;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // Nobody guesses a signature: with one before them, the same bytes come further.
    check(&[SIGNATURE, bytes].concat());
});

fn check(bytes: &[u8]) {
    let header = match read(bytes) {
        Ok(header) => header,
        Err(error) => {
            refusal(&error);
            let begins = bytes.iter().zip(SIGNATURE).all(|(byte, wanted)| byte == wanted);
            assert_eq!(error == HeaderError::NotAHeader, !begins, "{error}");
            let short = begins && bytes.len() < claimed(bytes);
            assert!(short || error != HeaderError::Incomplete, "more bytes are asked for where there are enough");
            // What is refused while it is still short could not have become a header.
            if short && error != HeaderError::Incomplete {
                let mut longer = bytes.to_vec();
                longer.resize(claimed(bytes), 0);
                assert!(read(&longer).is_err(), "{error}");
            }
            return;
        }
    };
    let Header { who, endpoint, length } = &header;
    assert_eq!(*length, claimed(bytes));
    let (own, _) = bytes.split_at(*length);
    // What comes after the header is the connection's own, and a header that is cut is none.
    assert_eq!(read(own).as_ref(), Ok(&header));
    for cut in [0, 1, SIGNATURE.len(), FIXED - 1, FIXED, length / 2, length - 1] {
        if cut < *length {
            assert_eq!(read(&own[..cut]), Err(HeaderError::Incomplete), "{cut}");
        }
    }
    assert_eq!(*who == Who::Proxy, own[12] == 0x20);
    match endpoint {
        Some(id) => {
            assert!(is_endpoint(id.as_str()));
            assert_eq!(field(own), Some(id.as_str().as_bytes()));
        }
        None => assert!(*who == Who::Proxy || field(own).is_none(), "an endpoint was passed over"),
    }
}

/// How long the header says that it is.
fn claimed(bytes: &[u8]) -> usize {
    match bytes.get(14..FIXED) {
        Some(&[high, low]) => FIXED + usize::from(u16::from_be_bytes([high, low])),
        _ => FIXED,
    }
}

/// What AWS's field of the header holds, by a walk through the fields.
fn field(header: &[u8]) -> Option<&[u8]> {
    let addresses = match header[13] >> 4 {
        0 => 0,
        1 => 12,
        2 => 36,
        _ => 216,
    };
    let mut rest = header.get(FIXED + addresses..)?;
    while let [kind, high, low, more @ ..] = rest {
        let (value, behind) = more.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
        if let (0xEA, [1, id @ ..]) = (*kind, value) {
            return Some(id);
        }
        rest = behind;
    }
    None
}
