//! What people dial.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number that can be dialled, in one normal form: `+33612345678` for the world's numbers,
/// `3977` or `*10` for short ones.
///
/// This is for numbers the plan names. A caller's number is a
/// [`CallerNumber`](crate::base::CallerNumber), which can't be printed.
#[derive(Clone, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// The text is not a number anyone can dial.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a telephone number: write digits, with `+33` or `0` in front of long ones")]
pub struct NotANumber;

impl PhoneNumber {
    /// The normal form: `+33612345678`, `3977`, `*10`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a number that is local to a context, as `phone-context` says it (RFC 3966 §5.1.5): a
    /// country's code, or a domain, which tells nothing. Global and short numbers mind no context.
    pub fn within(text: &str, context: Option<&str>) -> Result<Self, NotANumber> {
        let number: Self = text.parse()?;
        let Some(code) = context.and_then(|context| context.strip_prefix('+')) else {
            return Ok(number);
        };
        let local = number.0.as_str();
        let is_national = local.len() >= NATIONAL_MIN && local.bytes().all(|c| c.is_ascii_digit());
        if !is_national || local.starts_with('0') {
            return Ok(number);
        }
        format!("+{code}{local}").parse()
    }
}

/// Shorter ones are short numbers, which are dialled as they are.
const NATIONAL_MIN: usize = 7;

impl FromStr for PhoneNumber {
    type Err = NotANumber;

    /// Reads a number as the French network and its operators write it: `06 12 34 56 78`,
    /// `0033…`, `+33…`, `+333133` (a short number in long dress), `3133`, `*10`, with visual
    /// separators (RFC 3966 §5.1.1) and anything after a `;` left out.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let text = text.split(';').next().unwrap_or_default().trim();
        let mut digits = String::with_capacity(text.len());
        for (at, c) in text.chars().enumerate() {
            match c {
                '0'..='9' | '*' | '#' => digits.push(c),
                '+' if at == 0 => digits.push(c),
                ' ' | '-' | '.' | '(' | ')' | '\u{a0}' => {}
                _ => return Err(NotANumber),
            }
        }
        let long = |national: &str| format!("+33{national}");
        let normal = if let Some(rest) = digits.strip_prefix("+33") {
            // `+333133` is how some operators dress a short number; no French number has 4 digits.
            if rest.len() == 4 { rest.to_owned() } else { long(rest.trim_start_matches('0')) }
        } else if digits.starts_with('+') {
            digits
        } else if let Some(rest) = digits.strip_prefix("00") {
            format!("+{rest}").parse::<Self>()?.0
        } else if digits.len() == 10 && digits.starts_with('0') {
            overseas(&digits[1..]).unwrap_or_else(|| long(&digits[1..]))
        } else if digits.len() == 11 && digits.starts_with("33") {
            format!("+{digits}")
        } else {
            digits
        };
        let body = normal.trim_start_matches('+');
        if body.is_empty() || body.len() > 20 || (normal.starts_with('+') && body.len() < 5) {
            return Err(NotANumber);
        }
        Ok(Self(normal))
    }
}

/// Overseas numbers are dialled inside France like any other, but have a country code of their own.
fn overseas(national: &str) -> Option<String> {
    let code = match &national[..3] {
        "262" | "263" | "269" | "639" | "692" | "693" => "262",
        "590" | "690" | "691" => "590",
        "594" | "694" => "594",
        "596" | "696" | "697" => "596",
        "508" => return Some(format!("+{national}")),
        _ => return None,
    };
    Some(format!("+{code}{national}"))
}

impl TryFrom<String> for PhoneNumber {
    type Error = NotANumber;

    fn try_from(text: String) -> Result<Self, NotANumber> {
        text.parse()
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_one_form() {
        for text in [
            "0612345678",
            "06 12 34 56 78",
            "+33612345678",
            "0033612345678",
            "33612345678",
            "+33 (0)6-12-34-56-78",
        ] {
            assert_eq!(
                text.parse::<PhoneNumber>().map(String::from),
                Ok("+33612345678".into()),
                "{text}"
            );
        }
        for text in ["3977", "+333977", "39.77", "3977;phone-context=+33"] {
            assert_eq!(text.parse::<PhoneNumber>().map(String::from), Ok("3977".into()), "{text}");
        }
        assert_eq!("*10".parse::<PhoneNumber>().map(String::from), Ok("*10".into()));
    }

    #[test]
    fn an_overseas_number_dialled_inside_france_keeps_its_own_country_code() {
        let number = "06 92 12 34 56".parse::<PhoneNumber>().map(String::from);

        assert_eq!(number, Ok("+262692123456".into()));
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", "lea", "+", "12a4", "+12", "123456789012345678901"] {
            assert_eq!(text.parse::<PhoneNumber>(), Err(NotANumber), "{text}");
        }
    }
}
