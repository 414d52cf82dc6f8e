//! How the parameters of PKCS #11 functions are written (KMIP Profiles 2.1 §5.18.1).
//!
//! A CK_BYTE is one byte and a CK_ULONG eight, big-endian. The count or length of something that is carried has four bytes
//! and stands before it; every other CK_ULONG, the fields of structures among them, has eight. Where a function answers as
//! much as the caller has room for, a byte in the request says whether the values are wanted or only their length, and
//! behind it stands how much room there is.

use kmip_codec::spec::ResultReason;

use super::attributes::{Shape, shape_of};
use crate::failure::{Failure, Outcome};

/// The most attributes of a template, those within its attributes included.
const MOST_ATTRIBUTES: usize = 256;
/// How deep templates may stand in templates.
const DEPTH: usize = 3;

/// Parameters of a request, from the left.
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// How much room a caller has for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// It asks for the length alone.
    LengthOnly,
    /// So many bytes, or elements of a list.
    Of(usize),
}

/// A mechanism with its parameter as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mechanism<'a> {
    /// CK_MECHANISM_TYPE.
    pub id: u64,
    /// The parameter, if there is one.
    pub parameter: Option<&'a [u8]>,
}

/// An attribute of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// CK_ATTRIBUTE_TYPE.
    pub kind: u64,
    /// What stands for it.
    pub given: Given<'a>,
}

/// What a template has for an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given<'a> {
    /// Neither a value nor how long it may be.
    Nothing,
    /// How long the value may be: in bytes, or elements of a list. Of what has a fixed length nothing more is said.
    Length(Option<usize>),
    /// A value.
    Value(Value<'a>),
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// CK_BBOOL.
    Bool(bool),
    /// CK_ULONG.
    Ulong(u64),
    /// CK_DATE: year, month, day as digits.
    Date([u8; 8]),
    /// A byte string, text, or big integer.
    Bytes(&'a [u8]),
    /// CKA_ALLOWED_MECHANISMS.
    Mechanisms(Vec<u64>),
    /// A template.
    Template(Vec<Entry<'a>>),
}

fn broken(what: impl Into<String>) -> Failure {
    Failure::new(ResultReason::Pkcs11CodecError, format!("the PKCS#11 Input Parameters: {}", what.into()))
}

impl<'a> Reader<'a> {
    /// Begins.
    pub const fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// PKCS#11 Codec Error for what cannot be read, and for what is left over.
    pub fn whole<T>(mut self, read: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        let value = read(&mut self)?;
        match self.rest.len() {
            0 => Ok(value),
            left => Err(broken(format!("{left} bytes behind the last"))),
        }
    }

    /// So many bytes.
    pub fn take(&mut self, count: usize) -> Outcome<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| broken("they end too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Outcome<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| broken("they end too early"))
    }

    /// CK_BYTE.
    pub fn byte(&mut self) -> Outcome<u8> {
        self.array().map(|[byte]| byte)
    }

    /// CK_BBOOL, or an indicator.
    pub fn flag(&mut self) -> Outcome<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(broken(format!("{other} where 0 or 1 must stand"))),
        }
    }

    /// CK_ULONG.
    pub fn ulong(&mut self) -> Outcome<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A count, or a length in bytes.
    pub fn count(&mut self) -> Outcome<usize> {
        self.array().map(|count| u32::from_be_bytes(count) as usize)
    }

    /// A byte string behind its length.
    pub fn bytes(&mut self) -> Outcome<&'a [u8]> {
        let count = self.count()?;
        self.take(count)
    }

    /// How much room there is, which always stands last. The text leaves open whether a length stands behind an indicator
    /// that none is wanted; both are read.
    pub fn room(&mut self) -> Outcome<Room> {
        if self.flag()? {
            return self.count().map(Room::Of);
        }
        if !self.rest.is_empty() {
            self.count()?;
        }
        Ok(Room::LengthOnly)
    }

    /// How much room there is, where something stands behind it: then a length does, too, whatever the indicator says.
    pub fn room_between(&mut self) -> Outcome<Room> {
        let is_wanted = self.flag()?;
        let count = self.count()?;
        Ok(if is_wanted { Room::Of(count) } else { Room::LengthOnly })
    }

    /// CK_MECHANISM.
    pub fn mechanism(&mut self) -> Outcome<Mechanism<'a>> {
        let id = self.ulong()?;
        let parameter = if self.flag()? { Some(self.bytes()?) } else { None };
        Ok(Mechanism { id, parameter })
    }

    /// A template.
    pub fn template(&mut self) -> Outcome<Vec<Entry<'a>>> {
        self.nested(&mut 0, 1)
    }

    fn nested(&mut self, seen: &mut usize, depth: usize) -> Outcome<Vec<Entry<'a>>> {
        let count = self.count()?;
        *seen = seen.saturating_add(count);
        if *seen > MOST_ATTRIBUTES || depth > DEPTH {
            return Err(broken("a template with too much in it"));
        }
        (0..count).map(|_| self.entry(seen, depth)).collect()
    }

    fn entry(&mut self, seen: &mut usize, depth: usize) -> Outcome<Entry<'a>> {
        let kind = self.ulong()?;
        let shape = shape_of(kind);
        let given = match (self.flag()?, self.flag()?) {
            (true, false) => return Err(broken("an attribute with a value and no length")),
            (false, false) => Given::Nothing,
            (false, true) if shape.is_fixed() => Given::Length(None),
            (false, true) => Given::Length(Some(self.count()?)),
            (true, true) => Given::Value(match shape {
                Shape::Bool => Value::Bool(self.flag()?),
                Shape::Ulong => Value::Ulong(self.ulong()?),
                Shape::Date => Value::Date(self.array()?),
                Shape::Bytes => Value::Bytes(self.bytes()?),
                Shape::Mechanisms => {
                    let count = self.count()?;
                    if count > self.rest.len() / 8 {
                        return Err(broken("they end too early"));
                    }
                    Value::Mechanisms((0..count).map(|_| self.ulong()).collect::<Outcome<_>>()?)
                }
                Shape::Template => Value::Template(self.nested(seen, depth.saturating_add(1))?),
            }),
        };
        Ok(Entry { kind, given })
    }
}

/// Parameters of an answer, or of a request that is to be written.
#[derive(Default, Clone)]
pub struct Writer {
    out: zeroize::Zeroizing<Vec<u8>>,
}

impl Writer {
    /// Bytes as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        // No unwiped copy is left behind where they may be of a key.
        let mut longer = zeroize::Zeroizing::new(Vec::with_capacity(self.out.len().saturating_add(bytes.len())));
        longer.extend_from_slice(&self.out);
        longer.extend_from_slice(bytes);
        self.out = longer;
        self
    }

    /// CK_BBOOL, or an indicator.
    #[must_use]
    pub fn flag(self, flag: bool) -> Self {
        self.raw(&[u8::from(flag)])
    }

    /// CK_ULONG.
    #[must_use]
    pub fn ulong(self, value: u64) -> Self {
        self.raw(&value.to_be_bytes())
    }

    /// A count, or a length in bytes.
    #[must_use]
    pub fn count(self, count: usize) -> Self {
        self.raw(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes())
    }

    /// A byte string behind its length.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.count(bytes.len()).raw(bytes)
    }

    /// Text of a fixed length, filled with blanks.
    #[must_use]
    pub fn padded(self, text: &str, length: usize) -> Self {
        let filled: Vec<u8> = text.bytes().chain(std::iter::repeat(b' ')).take(length).collect();
        self.raw(&filled)
    }

    /// What was written so far.
    pub fn written(&self) -> &[u8] {
        &self.out
    }

    /// What was written.
    pub fn finish(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(hex: &str, how: impl for<'a> FnOnce(&mut Reader<'a>) -> Outcome<T>) -> Result<T, ResultReason> {
        let input = hex::decode(hex.replace(' ', "")).unwrap();
        Reader::new(&input).whole(how).map_err(|failure| failure.reason)
    }

    const BROKEN: ResultReason = ResultReason::Pkcs11CodecError;

    #[test]
    fn the_examples_of_the_profile() {
        // C_GetSlotList, C_EncryptInit and C_EncryptUpdate of §5.18.2.
        let slots = read("01 01 00000040", |input| Ok((input.flag()?, input.room()?)));
        assert_eq!(slots, Ok((true, Room::Of(64))));
        let begun = "0000000012345678 0000000000000125 01 0000000C 00000008 0102030405060708 0000000087654321";
        let begun = read(begun, |input| {
            let session = input.ulong()?;
            let mechanism = input.mechanism()?;
            assert_eq!(mechanism.parameter.unwrap(), hex::decode("000000080102030405060708").unwrap());
            Ok((session, mechanism.id, input.ulong()?))
        });
        assert_eq!(begun, Ok((0x1234_5678, 0x125, 0x8765_4321)));
        let part = read("00000003 010203 01 00000100", |input| Ok((input.bytes()?.len(), input.room()?)));
        assert_eq!(part, Ok((3, Room::Of(256))));
    }

    #[test]
    fn a_template_in_all_its_forms() {
        // CKA_SENSITIVE, CKA_LABEL and CKA_ALLOWED_MECHANISMS, CKA_WRAP_TEMPLATE with CKA_CLASS in it.
        let hex = "00000005 0000000000000103 0101 01 0000000000000003 0001 0000002A 0000000000000003 0000 \
                   0000000040000600 0101 00000002 0000000000000121 0000000000000125 \
                   0000000040000211 0101 00000001 0000000000000000 0101 0000000000000004";
        let input = hex::decode(hex.replace(' ', "")).unwrap();
        let template = Reader::new(&input).whole(Reader::template).unwrap();
        let given: Vec<Given<'_>> = template.into_iter().map(|entry| entry.given).collect();
        let class = Entry { kind: 0, given: Given::Value(Value::Ulong(4)) };
        let expected = [
            Given::Value(Value::Bool(true)),
            Given::Length(Some(42)),
            Given::Nothing,
            Given::Value(Value::Mechanisms(vec![0x121, 0x125])),
            Given::Value(Value::Template(vec![class])),
        ];
        assert_eq!(given, expected);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert_eq!(read("01", |input| input.flag()), Ok(true));
        assert_eq!(read("02", |input| input.flag()), Err(BROKEN));
        assert_eq!(read("", |input| input.flag()), Err(BROKEN));
        assert_eq!(read("0100", |input| input.flag()), Err(BROKEN));
        assert_eq!(read("00", |input| input.room()), Ok(Room::LengthOnly));
        assert_eq!(read("00 00000000", |input| input.room()), Ok(Room::LengthOnly));
        assert_eq!(read("00 000000", |input| input.room()), Err(BROKEN));
        let template = |hex: &str| read(hex, |input| input.template().map(|entries| entries.len()));
        // A value without a length; more than there is; lists and templates beyond all measure.
        assert_eq!(template("00000001 0000000000000003 0100 00000000"), Err(BROKEN));
        assert_eq!(template("00000001 0000000000000003 0101 00000001"), Err(BROKEN));
        assert_eq!(template("00000002 0000000000000003 0000"), Err(BROKEN));
        assert_eq!(template("FFFFFFFF"), Err(BROKEN));
        assert_eq!(template("00000001 0000000040000600 0101 FFFFFFFF"), Err(BROKEN));
        let nested = |deep| template(&format!("{} 00000000", "00000001 0000000040000211 0101 ".repeat(deep)));
        assert_eq!((nested(2), nested(3)), (Ok(1), Err(BROKEN)));
    }
}
