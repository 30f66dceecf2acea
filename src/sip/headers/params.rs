use std::borrow::Cow;

use super::text::{find_outside, is_token_text, quoted_length, trim, unquote};

/// The most parameters one value may have (dependencies of memory and time on strangers end here).
pub const PARAMETERS_MAX: usize = 64;

/// The parameters of a header value: `;name=value;name;name="quoted"`. Names have no case.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// Reads everything after a value: nothing, or parameters each with its semicolon. None if one
    /// has no name, a value that ends nowhere, or there are more than [`PARAMETERS_MAX`].
    pub fn read(text: &'a str) -> Option<Self> {
        let text = trim(text);
        if text.is_empty() {
            return Some(Self(""));
        }
        let body = text.strip_prefix(';')?;
        let mut count = 0;
        for (name, value) in Self(body).pairs() {
            count += 1;
            if count > PARAMETERS_MAX || !is_token_text(name) || !value.is_none_or(is_value) {
                return None;
            }
        }
        Some(Self(body))
    }

    /// The parameters in order; a quoted value keeps its quotes.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let is_empty = self.0.is_empty();
        self.pairs().filter(move |_| !is_empty)
    }

    /// The value of a parameter as written; `Some("")` if it stands without a value.
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// The value of a parameter, without its quotes.
    pub fn unquoted(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(unquote)
    }

    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// As written, without the first semicolon.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    fn pairs(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut rest = Some(self.0);
        std::iter::from_fn(move || {
            let text = rest?;
            let end = find_outside(text, b';');
            rest = end.map(|at| &text[at + 1..]);
            let pair = &text[..end.unwrap_or(text.len())];
            Some(match pair.split_once('=') {
                Some((name, value)) => (trim(name), Some(trim(value))),
                None => (trim(pair), None),
            })
        })
    }
}

/// `token / host / quoted-string`, and the characters phones write into bare values.
fn is_value(text: &str) -> bool {
    if text.starts_with('"') {
        return quoted_length(text) == Some(text.len());
    }
    !text.is_empty()
        && !text
            .bytes()
            .any(|byte| matches!(byte, b'"' | b',' | b';' | b' ' | b'\t') || byte < b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_case_do_not_matter() {
        let params = Params::read(" ; Tag = r ;lr; x=\"a;b\"").unwrap();

        assert_eq!(params.get("tag"), Some("r"));
        assert_eq!(params.get("LR"), Some(""));
        assert_eq!(params.unquoted("x").unwrap(), "a;b");
        assert_eq!(params.get("none"), None);
        assert_eq!(params.iter().count(), 3);
    }

    #[test]
    fn empty_and_broken_parameters_are_refused() {
        for text in [";", ";;a", ";a;", ";a=", ";=b", ";a=\"b", ";a=b c", "a=b", ";,", ";a b"] {
            assert_eq!(Params::read(text), None, "{text}");
        }
        assert!(Params::read(&";a".repeat(PARAMETERS_MAX)).is_some());
        assert!(Params::read(&";a".repeat(PARAMETERS_MAX + 1)).is_none());
    }
}
