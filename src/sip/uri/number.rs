//! The number a URI names, in the one normal form the house compares (domain.md §2.2).
//!
//! Networks dress the same number in many ways: `tel:+33-1…`, `sip:0033…@host;user=phone`, a national
//! number with its `phone-context`. The context is obeyed (RFC 3966 §5.1.5); what else a network hangs
//! on a number (`npdi` and `rn` of RFC 4694, `tgrp` of RFC 4904, `verstat`, `cpc`, `isub`, `ext`) is
//! read over. What is no number gives none, and is never a reason to refuse a caller.

use crate::base::PhoneNumber;

use super::{Uri, decode};

impl Uri {
    /// The telephone number this URI names, if it names one.
    pub fn number(&self) -> Option<PhoneNumber> {
        let dialled = self.dialled();
        if dialled.is_empty() {
            return None;
        }
        PhoneNumber::within(&dialled, self.context().as_deref()).ok()
    }

    /// The `phone-context`, wherever it stands: with the URI, or inside the user part, where RFC 3261
    /// §19.1.6 puts the parameters of a tel URI.
    fn context(&self) -> Option<String> {
        if let Some(context) = self.param("phone-context") {
            return Some(decode(context).into_owned());
        }
        let Self::Sip(uri) = self else {
            return None;
        };
        let pieces = uri.user_text()?.split(';').skip(1);
        let mut pairs = pieces.filter_map(|piece| piece.split_once('='));
        let (_, context) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("phone-context"))?;
        Some(decode(context).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3966, RFC 4694, RFC 4904.
    #[test]
    fn one_number_in_every_dress_is_the_same_number() {
        for text in [
            "tel:+33199003133",
            "tel:+33-1-99-00-31-33",
            "tel:+33(1)99.00.31.33;npdi;rn=+33610",
            "tel:0199003133;phone-context=+33",
            "tel:199003133;phone-context=+33",
            "sip:+33199003133@192.0.2.1;user=phone",
            "sip:%2B33199003133@192.0.2.1",
            "sip:0033199003133@192.0.2.1;user=phone",
            "sip:33199003133@sbc.example",
            "sip:0199003133@sbc.example",
            "sip:0199003133;phone-context=+33@sbc.example;user=phone",
            "sip:199003133;phone-context=%2B33;npdi@sbc.example;user=phone",
            "sip:+33199003133;tgrp=paris;trunk-context=sbc.example@192.0.2.1;user=phone",
            "sip:+33199003133;verstat=TN-Validation-Passed@192.0.2.1;user=phone;cpc=ordinary",
            "sips:+33199003133:secret@192.0.2.1",
        ] {
            let uri: Uri = text.parse().unwrap_or_else(|_| panic!("{text} is a URI"));

            let number = uri.number().map(String::from);
            assert_eq!(number.as_deref(), Some("+33199003133"), "{text}");
        }
    }

    /// RFC 3966 §5.1.5: a short number is local to its context, and one here.
    #[test]
    fn a_short_number_stays_short_in_every_dress() {
        for text in [
            "tel:3133;phone-context=+33",
            "tel:3133;phone-context=+262",
            "tel:3133;phone-context=sbc.example",
            "sip:3133@192.0.2.1;user=phone",
            "sip:+333133@192.0.2.1",
            "sip:3133;phone-context=+33@sbc.example",
        ] {
            let uri: Uri = text.parse().unwrap_or_else(|_| panic!("{text} is a URI"));

            assert_eq!(uri.number().map(String::from).as_deref(), Some("3133"), "{text}");
        }
    }

    #[test]
    fn a_number_local_to_another_country_is_not_taken_for_a_french_one() {
        let uri: Uri = "tel:21234567;phone-context=+41".parse().unwrap();

        assert_eq!(uri.number().map(String::from).as_deref(), Some("+4121234567"));
    }

    #[test]
    fn what_is_no_number_is_none_and_no_mistake() {
        for text in ["sip:lea@host", "sip:host", "sip:anonymous@anonymous.invalid", "urn:x:y"] {
            let uri: Uri = text.parse().unwrap_or_else(|_| panic!("{text} is a URI"));

            assert_eq!(uri.number(), None, "{text}");
        }
    }
}
