//! The small rules of RFC 3261 §25.1 that every header leans on.

use std::borrow::Cow;

/// The characters of `token`.
pub(in crate::sip) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Whether all of `text` is a token.
pub(in crate::sip) fn is_token_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token)
}

/// Without the spaces around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The values of a line: split at commas outside quotes and angle brackets, without spaces around.
/// If `is_list` is false the line is one value. Empty values (`a,,b`) are passed over.
pub(in crate::sip) fn split_list(line: &str, is_list: bool) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        loop {
            let text = rest?;
            let end = if is_list { find_outside(text, b',') } else { None };
            rest = end.map(|at| &text[at + 1..]);
            let value = trim(&text[..end.unwrap_or(text.len())]);
            if !value.is_empty() || !is_list {
                return Some(value);
            }
        }
    })
}

/// Where `wanted` first stands outside quotes and angle brackets.
pub(super) fn find_outside(text: &str, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut is_bracketed = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' if !is_bracketed => at += quoted_length(&text[at..])?.saturating_sub(1),
            b'<' => is_bracketed = true,
            b'>' => is_bracketed = false,
            byte if *byte == wanted && !is_bracketed => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The length of the quoted string that `text` begins with, quotes included; None if it never ends.
pub(super) fn quoted_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The words inside a quoted string, escapes undone; text without quotes is left as it is.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    Cow::Owned(plain)
}

/// A quoted string holding `text`; control characters become spaces.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_separate_nothing() {
        let split = |line| split_list(line, true).collect::<Vec<_>>();

        assert_eq!(
            split(r#""a, \" b" <sip:a,b@h>, c ,, d"#),
            [r#""a, \" b" <sip:a,b@h>"#, "c", "d"]
        );
        assert_eq!(split(r#""never ends, a"#), [r#""never ends, a"#]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        for text in ["", "3977, 2 min", r#"l'"écoute" \ ici"#, "é"] {
            assert_eq!(unquote(&quote(text)), text);
        }
        assert_eq!(quote("a\r\nb"), "\"a  b\"");
    }
}
