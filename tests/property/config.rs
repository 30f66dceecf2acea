//! The shipped files with anything done to them: read, or refused in both languages.

use std::path::Path;

use chrono::{DateTime, Utc};
use hotline::config::{self, Language};
use proptest::prelude::*;

const FILES: [&str; 6] = [
    "calendars.toml",
    "hotline.toml",
    "lines.toml",
    "listeners.toml",
    "queues.toml",
    "trunks.toml",
];

/// What a hand may slip in.
const SLIPS: [&str; 24] = [
    "\"",
    "[",
    "]",
    "[[",
    "=",
    "\n",
    "-1",
    "0",
    "99999999999999999999",
    "\"\"",
    "\"9h_19h\"",
    "\"19h-9h\"",
    "\"24h-0h\"",
    "\"Europe/Pariss\"",
    "\"as-sunday\"",
    "2026-12-24",
    "2027-03-28T02:30:00",
    "{}",
    "true",
    "é",
    "\u{feff}",
    "\u{0}",
    "rule = \"Mo-Su 22:00-26:00; PH off\"\n",
    "[[calendars.3977.exceptions]]\ndate = \"9999-12-31\"\nreason = \"\"\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_file_with_slips_is_read_or_refused_in_words(
        file in prop::sample::select(FILES.to_vec()),
        slips in prop::collection::vec((0.0..1.0, 0..20_usize, 0..SLIPS.len()), 1..4),
    ) {
        let mut text = shipped(file);
        for (place, cut, slip) in slips {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a place in a short text"
            )]
            let mut at = (text.len() as f64 * place) as usize;
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = (at + cut).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(at..end, SLIPS[slip]);
        }
        let report = config::judge(file, text.as_bytes(), now());
        prop_assert_eq!(
            report.told(Language::French).is_empty(),
            report.told(Language::English).is_empty()
        );
    }

    #[test]
    fn any_bytes_are_no_plan(
        file in prop::sample::select(FILES.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 1..400),
    ) {
        config::judge(file, &bytes, now());
    }
}

#[test]
fn each_shipped_file_is_right_by_itself() {
    for file in FILES {
        let report = config::judge(file, shipped(file).as_bytes(), now());
        assert!(report.problems().is_empty(), "{}", report.told(Language::English));
    }
}

fn shipped(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-21T12:30:00Z".parse().unwrap()
}
