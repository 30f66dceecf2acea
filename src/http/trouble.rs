//! What needs a person and is no matter of calls: certificates, records, doors, threads, files.
//!
//! The exchange knows nothing of these; its own [alarms](crate::exchange::Alarm) have the same shape. The page has
//! words for every code, in French and English, with what to do (`web/src/words.ts`).

use chrono::{DateTime, Utc};
use serde::Serialize;

/// One such matter.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Trouble {
    pub code: TroubleCode,
    /// The file or door it is about; or the reason, where the code can't say it.
    pub about: Option<String>,
    /// How many.
    pub count: Option<i64>,
    /// When it begins or ends by itself.
    pub until: Option<DateTime<Utc>>,
    /// The same as a sentence.
    pub text: String,
}

/// A word for programs; it means the same in every version.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleCode {
    CertificateEnded,
    CertificateEnds,
    DoorShut,
    FactsDropped,
    FilesBroken,
    MediaBroke,
    MediaLimit,
    PlanBuiltIn,
    PlanLastGood,
    RecordsLost,
    RecordsWait,
    SipDropped,
}

impl TroubleCode {
    pub const ALL: [Self; 12] = [
        Self::CertificateEnded,
        Self::CertificateEnds,
        Self::DoorShut,
        Self::FactsDropped,
        Self::FilesBroken,
        Self::MediaBroke,
        Self::MediaLimit,
        Self::PlanBuiltIn,
        Self::PlanLastGood,
        Self::RecordsLost,
        Self::RecordsWait,
        Self::SipDropped,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::CertificateEnded => "certificate_ended",
            Self::CertificateEnds => "certificate_ends",
            Self::DoorShut => "door_shut",
            Self::FactsDropped => "facts_dropped",
            Self::FilesBroken => "files_broken",
            Self::MediaBroke => "media_broke",
            Self::MediaLimit => "media_limit",
            Self::PlanBuiltIn => "plan_built_in",
            Self::PlanLastGood => "plan_last_good",
            Self::RecordsLost => "records_lost",
            Self::RecordsWait => "records_wait",
            Self::SipDropped => "sip_dropped",
        }
    }
}

impl Trouble {
    pub fn new(code: TroubleCode, text: impl Into<String>) -> Self {
        Self { code, about: None, count: None, until: None, text: text.into() }
    }

    #[must_use]
    pub fn about(self, about: impl Into<String>) -> Self {
        Self { about: Some(about.into()), ..self }
    }

    #[must_use]
    pub fn count(self, count: impl TryInto<i64>) -> Self {
        Self { count: Some(count.try_into().unwrap_or(i64::MAX)), ..self }
    }

    #[must_use]
    pub fn until(self, until: DateTime<Utc>) -> Self {
        Self { until: Some(until), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_has_words_and_something_to_do_in_both_languages_and_in_the_guide() {
        let words = include_str!("../../web/src/words.ts");
        let guide = include_str!("../../docs/guides/operators.md");

        for code in TroubleCode::ALL {
            for key in [format!("alarm_{}:", code.as_str()), format!("alarm_{}_do:", code.as_str())]
            {
                assert_eq!(words.matches(&key).count(), 2, "{key} French and English");
            }
            assert!(guide.contains(&format!("| `{}` |", code.as_str())), "{}", code.as_str());
            let as_json = serde_json::to_string(&code).unwrap();
            assert_eq!(as_json, format!("\"{}\"", code.as_str()));
        }
    }
}
