//! Bytes as people and protocols write them.

/// Two small letters or digits a byte, as digests are written (RFC 7616 §3.3: LHEX).
pub fn in_hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::in_hexadecimal;

    #[test]
    fn a_small_byte_has_two_digits_too() {
        assert_eq!(in_hexadecimal(&[0, 9, 0xAB, 0xFF]), "0009abff");
    }
}
