use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{
    BYTES, END, FALSE, FLOAT, Fault, LIST, MAP, NOTHING, SIGNED, TEXT, TRUE, UNSIGNED, WIDE,
};

pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn peek(&self) -> Result<u8, Fault> {
        self.rest.first().copied().ok_or_else(|| Fault("the bytes end too early".into()))
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Fault> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| Fault("the bytes end too early".into()))?;
        self.rest = rest;
        Ok(taken)
    }

    fn kind(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| Fault("the bytes end too early".into()))
    }

    fn number(&mut self) -> Result<u64, Fault> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.kind()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Fault("a number has too many bytes".into()))
    }

    fn run(&mut self) -> Result<&'b [u8], Fault> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(Fault::custom)?)
    }

    fn text(&mut self) -> Result<&'b str, Fault> {
        std::str::from_utf8(self.run()?).map_err(Fault::custom)
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.kind()? == END { Ok(()) } else { Err(Fault("more entries than expected".into())) }
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.kind()? {
            NOTHING => visitor.visit_unit(),
            FALSE => visitor.visit_bool(false),
            TRUE => visitor.visit_bool(true),
            UNSIGNED => visitor.visit_u64(self.number()?),
            SIGNED => visitor.visit_i64(i64::from_le_bytes(self.array()?)),
            WIDE => visitor.visit_u128(u128::from_le_bytes(self.array()?)),
            FLOAT => visitor.visit_f64(f64::from_le_bytes(self.array()?)),
            TEXT => visitor.visit_borrowed_str(self.text()?),
            BYTES => visitor.visit_borrowed_bytes(self.run()?),
            LIST => {
                let value = visitor.visit_seq(Entries { reader: self })?;
                self.end()?;
                Ok(value)
            }
            MAP => {
                let value = visitor.visit_map(Entries { reader: self })?;
                self.end()?;
                Ok(value)
            }
            kind => Err(Fault(format!("{kind} is no kind of value"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.peek()? == NOTHING {
            self.kind()?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.kind()? {
            TEXT => visitor.visit_enum(self.text()?.into_deserializer()),
            MAP => {
                let value = visitor.visit_enum(Entries { reader: self })?;
                self.end()?;
                Ok(value)
            }
            kind => Err(Fault(format!("{kind} is no kind of variant"))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// What stands between the beginning of a list or map and its end.
struct Entries<'r, 'b> {
    reader: &'r mut Reader<'b>,
}

impl<'de> SeqAccess<'de> for Entries<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        if self.reader.peek()? == END {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        if self.reader.peek()? == END {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> EnumAccess<'de> for Entries<'_, 'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let variant = seed.deserialize(&mut *self.reader)?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Entries<'_, 'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        serde::Deserialize::deserialize(&mut *self.reader)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(&mut *self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        (&mut *self.reader).deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        (&mut *self.reader).deserialize_any(visitor)
    }
}
