//! Text from bytes, as Java's `new String(bytes, UTF_8)` makes it: what is no UTF-8 becomes U+FFFD, and how many bytes
//! become one is not what Rust's lossy conversion does: a surrogate's three bytes are one U+FFFD, not three.

use std::borrow::Cow;

/// Borrowed where the bytes are UTF-8.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(repair(bytes)),
    }
}

fn repair(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    let mut rest = bytes;
    while let Some((&first, _)) = rest.split_first() {
        let (character, length) = match first {
            0..=0x7f => (Some(first.into()), 1),
            0xc2..=0xdf => two(rest),
            0xe0..=0xef => three(rest),
            0xf0..=0xf7 => four(rest),
            _ => (None, 1),
        };
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = rest.get(length..).unwrap_or_default();
    }
    text
}

/// The character, if there is one, and how many bytes are done with.
type Step = (Option<char>, usize);

fn continues(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

fn bits(byte: u8) -> u32 {
    u32::from(byte & 0x3f)
}

fn two(rest: &[u8]) -> Step {
    match rest {
        [a, b, ..] if continues(*b) => (char::from_u32(u32::from(a & 0x1f) << 6 | bits(*b)), 2),
        _ => (None, 1),
    }
}

fn three(rest: &[u8]) -> Step {
    let bad_second = |a: u8, b: u8| (a == 0xe0 && b & 0xe0 == 0x80) || !continues(b);
    match rest {
        [a, b, ..] if bad_second(*a, *b) => (None, 1),
        // A surrogate is no character, but all three bytes of it are done with.
        [a, b, c, ..] if continues(*c) => (char::from_u32(u32::from(a & 0x0f) << 12 | bits(*b) << 6 | bits(*c)), 3),
        // What is cut off at the end is one replacement.
        _ => (None, 2),
    }
}

fn four(rest: &[u8]) -> Step {
    let bad_second = |a: u8, b: u8| {
        a > 0xf4 || (a == 0xf0 && !(0x90..=0xbf).contains(&b)) || (a == 0xf4 && b & 0xf0 != 0x80) || !continues(b)
    };
    match rest {
        [a, ..] if *a > 0xf4 => (None, 1),
        [a, b, ..] if bad_second(*a, *b) => (None, 1),
        [_, _, c, ..] if !continues(*c) => (None, 2),
        [a, b, c, d, ..] if continues(*d) => {
            (char::from_u32(u32::from(a & 0x07) << 18 | bits(*b) << 12 | bits(*c) << 6 | bits(*d)), 4)
        }
        _ => (None, 3),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn b9_2_malformed_bytes_become_what_java_makes_of_them() {
        for (bytes, expected) in [
            (&b"JOVEM\x00\x01"[..], "JOVEM\u{0}\u{1}"),
            ("é東😀".as_bytes(), "é東😀"),
            (b"a\xff\xfeb", "a\u{fffd}\u{fffd}b"),
            // A surrogate: whole, cut by something else, cut by the end.
            (b"\xed\xa0\x80x", "\u{fffd}x"),
            (b"\xed\xa0x", "\u{fffd}x"),
            (b"\xed\xbf", "\u{fffd}"),
            // Overlong.
            (b"\xc0\x80", "\u{fffd}\u{fffd}"),
            (b"\xe0\x80\x80", "\u{fffd}\u{fffd}\u{fffd}"),
            // Cut off.
            (b"\xc3", "\u{fffd}"),
            (b"\xe2\x82", "\u{fffd}"),
            (b"\xe2\x82a", "\u{fffd}a"),
            (b"\xf0\x9f\x98", "\u{fffd}"),
            (b"\xf0\x9f\x98a", "\u{fffd}a"),
            (b"\xf0\x9fa", "\u{fffd}a"),
            // Beyond Unicode.
            (b"\xf5\x80\x80\x80", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xf4\x90\x80\x80", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(decode(bytes), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn b9_2_recorded_bytes_have_javas_text() {
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
        };
        for line in include_str!("testdata/java-utf8.txt").lines() {
            let (from, to) = line.split_once(' ').unwrap();
            assert_eq!(decode(&bytes(from)).as_bytes(), bytes(to), "{line}");
        }
    }
}
