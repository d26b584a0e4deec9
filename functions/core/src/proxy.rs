//! Which consumer's endpoint a connection came through, as a target behind the load balancer is told it.
//!
//! With Proxy Protocol v2 enabled on the target group, each connection begins with a header, and for what came through
//! PrivateLink that has a field of AWS's own: type `0xEA`, in it subtype `1` and the endpoint's id.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#proxy-protocol>
//!
//! ```text
//! read(&bytes)  ->  who: Client { source, .. }, endpoint: vpce-0aa11bb22cc33dd44, length: the header's
//! ```

use std::fmt;
use std::net::SocketAddr;

use proxy_header::{Error, ParseConfig, ProxiedAddress, ProxyHeader, Tlv};

use crate::ids::{EndpointId, InvalidId};

/// What every header of version 2 begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Where version and command stand, and the command of a connection that the proxy made for itself.
const COMMAND: usize = SIGNATURE.len();
const LOCAL: u8 = 0x20;
/// `PP2_TYPE_AWS`.
const AWS: u8 = 0xEA;
/// `PP2_SUBTYPE_AWS_VPCE_ID`.
const ENDPOINT_ID: u8 = 1;

/// What a header says of the connection that begins with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Who is at the other end.
    pub who: Who,
    /// The consumer's endpoint; nothing, where the connection came by another way than PrivateLink.
    pub endpoint: Option<EndpointId>,
    /// How many bytes the header has. What comes after them is the connection's own.
    pub length: usize,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The proxy itself, which looks whether the target is healthy.
    Proxy,
    /// A client.
    Client {
        /// Its address and port, as the proxy sees them.
        source: SocketAddr,
        /// Where it connected to.
        destination: SocketAddr,
    },
    /// A client that is known by no IP address.
    Unknown,
}

/// Why bytes are no header that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderError {
    /// They may be the beginning of one: more are needed.
    Incomplete,
    /// They are none of Proxy Protocol v2.
    NotAHeader,
    /// They are one that breaks the protocol's rules.
    Malformed,
    /// AWS's field holds something else than an endpoint's id.
    NotAnEndpoint(InvalidId),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete => f.write_str("the header is cut: more bytes are needed"),
            Self::NotAHeader => f.write_str("no header of Proxy Protocol v2"),
            Self::Malformed => f.write_str("a header of Proxy Protocol v2 that breaks the protocol's rules"),
            Self::NotAnEndpoint(error) => write!(f, "in AWS's field of the header: {error}"),
        }
    }
}

impl std::error::Error for HeaderError {}

/// Reads the header that a connection begins with. There may be more bytes after it.
///
/// The header is not signed: it is worth as much as the way that it came. A target that others than the load balancer
/// can reach has to turn them away before it believes one.
///
/// # Errors
///
/// The bytes are no whole header.
pub fn read(bytes: &[u8]) -> Result<Header, HeaderError> {
    let compared = bytes.len().min(SIGNATURE.len());
    if bytes.get(..compared) != SIGNATURE.get(..compared) {
        return Err(HeaderError::NotAHeader);
    }
    if bytes.len() < SIGNATURE.len() {
        return Err(HeaderError::Incomplete);
    }
    let config = ParseConfig { include_tlvs: true, allow_v1: false, allow_v2: true };
    let (header, length) = ProxyHeader::parse(bytes, config).map_err(|error| {
        // The parser also says so of a whole header that has no room for its addresses.
        let cut = error == Error::BufferTooShort && !is_whole(bytes);
        if cut { HeaderError::Incomplete } else { HeaderError::Malformed }
    })?;
    let who = match header.proxied_address() {
        // What else such a header says is to be passed over.
        _ if bytes.get(COMMAND) == Some(&LOCAL) => return Ok(Header { who: Who::Proxy, endpoint: None, length }),
        Some(ProxiedAddress { protocol: _, source, destination }) => {
            Who::Client { source: *source, destination: *destination }
        }
        None => Who::Unknown,
    };
    Ok(Header { who, endpoint: endpoint(&header)?, length })
}

/// Whether there are as many bytes as the header says that it has.
fn is_whole(bytes: &[u8]) -> bool {
    match bytes.get(COMMAND + 2..COMMAND + 4) {
        Some(&[high, low]) => bytes.len() >= COMMAND + 4 + usize::from(u16::from_be_bytes([high, low])),
        Some(_) | None => false,
    }
}

/// The id in AWS's field. Another field that can not be read is nobody's business here, unless it hides that one.
fn endpoint(header: &ProxyHeader<'_>) -> Result<Option<EndpointId>, HeaderError> {
    let mut broken = false;
    for field in header.tlvs() {
        match field {
            Ok(Tlv::Custom(AWS, value)) if value.first() == Some(&ENDPOINT_ID) => {
                let id = String::from_utf8_lossy(value.get(1..).unwrap_or_default()).into_owned();
                return EndpointId::parse(&id).map(Some).map_err(HeaderError::NotAnEndpoint);
            }
            Ok(_) => {}
            Err(_) => broken = true,
        }
    }
    if broken { Err(HeaderError::Malformed) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "vpce-0aa11bb22cc33dd44";

    /// A header with that command, family and protocol, those addresses, and these fields.
    fn header(command: u8, family: u8, addresses: &[u8], fields: &[(u8, &[u8])]) -> Vec<u8> {
        let mut rest = addresses.to_vec();
        for (kind, value) in fields {
            rest.push(*kind);
            rest.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            rest.extend(*value);
        }
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([command, family]);
        bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
        bytes.extend(rest);
        bytes
    }

    fn aws(id: &str) -> Vec<u8> {
        [&[ENDPOINT_ID], id.as_bytes()].concat()
    }

    const V4: [u8; 12] = [10, 0, 0, 7, 10, 0, 1, 5, 0xc0, 0, 1, 187];

    #[test]
    fn the_endpoint_is_found_among_other_fields_over_ipv4_and_ipv6() {
        let fields: [(u8, &[u8]); 4] = [(0x03, &[0; 4]), (0x04, &[0; 9]), (AWS, &aws(ID)), (0x05, b"id")];
        let v6 = [&[0x20; 32][..], &[0xc0, 0, 1, 187]].concat();
        for (family, addresses, source) in
            [(0x11, &V4[..], "10.0.0.7:49152"), (0x21, &v6, "[2020:2020:2020:2020:2020:2020:2020:2020]:49152")]
        {
            let mut bytes = header(0x21, family, addresses, &fields);
            let length = bytes.len();
            bytes.extend(b"GET / HTTP/1.1\r\n");
            let read = read(&bytes).unwrap();
            assert_eq!((read.endpoint.unwrap().as_str(), read.length), (ID, length));
            assert!(
                matches!(read.who, Who::Client { source: s, .. } if s == source.parse().unwrap()),
                "{:?}",
                read.who
            );
        }
    }

    #[test]
    fn a_connection_of_another_way_has_no_endpoint() {
        assert_eq!(read(&header(0x21, 0x11, &V4, &[])).unwrap().endpoint, None);
        // Another subtype is another thing of AWS's.
        assert_eq!(read(&header(0x21, 0x11, &V4, &[(AWS, b"\x02vpce-0a"), (AWS, b"")])).unwrap().endpoint, None);
        let unknown = read(&header(0x21, 0x00, &[], &[(AWS, &aws(ID))])).unwrap();
        assert_eq!((unknown.who, unknown.endpoint.unwrap().as_str()), (Who::Unknown, ID));
    }

    #[test]
    fn a_health_check_is_the_proxys_own() {
        for bytes in [header(LOCAL, 0x00, &[], &[]), header(LOCAL, 0x11, &V4, &[(AWS, &aws(ID))])] {
            assert_eq!(read(&bytes).unwrap(), Header { who: Who::Proxy, endpoint: None, length: bytes.len() });
        }
    }

    #[test]
    fn what_is_no_header_is_told_from_one_that_is_cut_or_broken() {
        for bytes in
            [&b"PROXY TCP4 10.0.0.7 10.0.1.5 49152 443\r\n"[..], b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\n\0\r\nQUIX\n"]
        {
            assert_eq!(read(bytes), Err(HeaderError::NotAHeader));
        }
        let whole = header(0x21, 0x11, &V4, &[(AWS, &aws(ID))]);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), Err(HeaderError::Incomplete), "{length}");
        }
        // Addresses that are not there, another version, and a field that is longer than the header.
        assert_eq!(read(&header(0x21, 0x11, &V4[..11], &[])), Err(HeaderError::Malformed));
        assert_eq!(read(&header(0x11, 0x11, &V4, &[])), Err(HeaderError::Malformed));
        assert_eq!(read(&header(0x21, 0x11, &[&V4[..], &[AWS, 0, 9, 1]].concat(), &[])), Err(HeaderError::Malformed));
        // What stands before AWS's field and can not be read does not hide it.
        let odd = header(0x21, 0x11, &V4, &[(0x02, b"\xff"), (AWS, &aws(ID))]);
        assert_eq!(read(&odd).unwrap().endpoint.unwrap().as_str(), ID);
        for id in ["", "vpce-svc-0a", "vpce-0a\n", "vpce-"] {
            let error = read(&header(0x21, 0x11, &V4, &[(AWS, &aws(id))])).unwrap_err();
            assert!(matches!(error, HeaderError::NotAnEndpoint(_)), "{id:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(command: u8, family: u8, rest in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&rest);
            let bytes = header(command, family, &rest, &[]);
            if let Ok(header) = read(&bytes) {
                prop_assert_eq!(header.length, bytes.len());
            }
            let claims_more = [&bytes[..SIGNATURE.len() + 2], &[0xff, 0xff], &rest].concat();
            let _ = read(&claims_more);
        }
    }
}
