//! Nullable values, arrays, maps and fixed.

use crate::codec::{AvroType, Decode, Encode, put_bytes, put_long};
use crate::reader::{DecodeError, Reader};
use crate::schema::{self, Node};

impl<T: AvroType> AvroType for Option<T> {
    const NODE: Node = Node::Nullable(&T::NODE);
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        if input.present()? { T::decode(input).map(Some) } else { Ok(None) }
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(if self.is_some() { 2 } else { 0 });
        if let Some(value) = self {
            value.encode(out);
        }
    }
}

impl<T: AvroType> AvroType for Vec<T> {
    const NODE: Node = Node::Array(&T::NODE);
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        blocks(input, T::decode)
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        one_block(self, out, T::encode);
    }
}

/// A map keeps its order and its repeated keys, as the wire does.
impl<K: MapKey, T: AvroType> AvroType for Vec<(K, T)> {
    const NODE: Node = Node::Map(&T::NODE);
}

impl<'a, K: MapKey + Decode<'a>, T: Decode<'a>> Decode<'a> for Vec<(K, T)> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        blocks(input, |input| Ok((K::decode(input)?, T::decode(input)?)))
    }
}

impl<K: MapKey + Encode, T: Encode> Encode for Vec<(K, T)> {
    fn encode(&self, out: &mut Vec<u8>) {
        one_block(self, out, |(key, value), out| {
            key.encode(out);
            value.encode(out);
        });
    }
}

/// Avro's map keys are strings.
pub trait MapKey {}
impl MapKey for &str {}
impl MapKey for String {}

fn blocks<'a, T>(
    input: &mut Reader<'a>,
    mut item: impl FnMut(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut items = Vec::new();
    loop {
        match input.block()? {
            0 => return Ok(items),
            count => {
                // Grown as items really come: a count alone reserves no memory.
                for _ in 0..count {
                    items.push(item(input)?);
                }
            }
        }
    }
}

fn one_block<T>(items: &[T], out: &mut Vec<u8>, encode: impl Fn(&T, &mut Vec<u8>)) {
    if !items.is_empty() {
        put_long(items.len() as i64, out);
        items.iter().for_each(|item| encode(item, out));
    }
    out.push(0);
}

impl AvroType for Vec<u8> {
    const NODE: Node = Node::Primitive("bytes");
}

impl<'a> Decode<'a> for Vec<u8> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        input.bytes().map(<[u8]>::to_vec)
    }
}

impl Encode for Vec<u8> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(self, out);
    }
}

/// A fixed is named after its size where the field chooses no other name; a schema needs some name.
impl<const N: usize> AvroType for [u8; N] {
    const NODE: Node = Node::Fixed { name: FixedName::<N>::TEXT, size: N as u32 };
}

struct FixedName<const N: usize>;

impl<const N: usize> FixedName<N> {
    const DIGITS: usize = if N == 0 { 1 } else { N.ilog10() as usize + 1 };
    const BYTES: [u8; 32] = {
        let mut bytes = *b"fixed_00000000000000000000000000";
        let (mut i, mut rest) = (6 + Self::DIGITS, N);
        while rest > 0 {
            i -= 1;
            bytes[i] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        bytes
    };
    const TEXT: &str = schema::text(Self::BYTES.split_at(6 + Self::DIGITS).0);
}

impl<'a, const N: usize> Decode<'a> for [u8; N] {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        input.array()
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}
