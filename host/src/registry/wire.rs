//! The frame of a registered value: byte 0, the schema id as four big-endian bytes, the Avro binary.
//!
//! Never looks at the Avro itself, and knows no other framing.

use std::fmt;

/// Why bytes are no framed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unframed {
    Empty,
    /// The first byte is not 0.
    Magic(u8),
    /// The schema id is cut off: this many bytes in all.
    Short(usize),
}

impl fmt::Display for Unframed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unframed::Empty => write!(f, "it is empty, where byte 0 and a schema id are due"),
            Unframed::Magic(byte) => {
                write!(f, "it begins with byte 0x{byte:02x}, not 0x00 and a schema id")
            }
            Unframed::Short(length) => write!(f, "it has {length} bytes, too few for byte 0 and a schema id"),
        }
    }
}

impl std::error::Error for Unframed {}

/// Appends the frame's head; the Avro binary follows.
pub fn frame(id: u32, out: &mut Vec<u8>) {
    out.push(0);
    out.extend_from_slice(&id.to_be_bytes());
}

/// The schema id and the Avro binary.
pub fn unframe(value: &[u8]) -> Result<(u32, &[u8]), Unframed> {
    match value {
        [] => Err(Unframed::Empty),
        [0, a, b, c, d, rest @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), rest)),
        [0, ..] => Err(Unframed::Short(value.len())),
        [other, ..] => Err(Unframed::Magic(*other)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_frame_comes_back() {
        let mut out = Vec::new();
        frame(258, &mut out);
        out.push(7);
        assert_eq!(out, [0, 0, 0, 1, 2, 7]);
        assert_eq!(unframe(&out).unwrap(), (258, &[7][..]));
        assert_eq!(unframe(&out[..5]).unwrap(), (258, &[][..]));
    }

    #[test]
    fn what_is_no_frame_is_named() {
        assert_eq!(unframe(&[]), Err(Unframed::Empty));
        assert_eq!(unframe(&[0, 0]), Err(Unframed::Short(2)));
        assert!(unframe(b"{}").unwrap_err().to_string().contains("0x7b"));
    }
}
