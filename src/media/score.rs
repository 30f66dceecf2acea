//! How a call sounds, as a number people know: a mean opinion score, estimated (ITU-T G.107,
//! simplified as in G.107 Annex B's use for planning: delay and loss, all else at its default).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A mean opinion score in hundredths: 100 is unbearable, 450 as good as a telephone gets.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Score(pub u16);

impl Score {
    /// From the share of packets lost, how unevenly they come, and the way there and back.
    pub fn estimated(lost: f64, jitter: Duration, round_trip: Duration) -> Self {
        // A phone's buffer holds twice the jitter, and a packet 20 ms.
        let delay = round_trip.as_secs_f64() * 500.0 + jitter.as_secs_f64() * 2_000.0 + 20.0;
        let late = if delay > 177.3 { 0.11 * (delay - 177.3) } else { 0.0 };
        let percent = (lost * 100.0).clamp(0.0, 100.0);
        // G.113 Appendix I: G.711 with concealment.
        let impairment = 95.0 * percent / (percent + 25.1);
        let rating = (93.2 - 0.024 * delay - late - impairment).clamp(0.0, 100.0);
        let score = 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 0.000_007;
        Self((score.clamp(1.0, 4.5) * 100.0).round() as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_line_scores_as_a_telephone_and_worse_ones_less() {
        let ms = Duration::from_millis;
        let good = Score::estimated(0.0, ms(1), ms(20));
        assert!((435..=450).contains(&good.0), "{good:?}");
        let far = Score::estimated(0.0, ms(5), ms(600));
        let lossy = Score::estimated(0.05, ms(5), ms(20));
        let broken = Score::estimated(0.6, ms(80), ms(900));
        assert!((300..420).contains(&far.0), "{far:?}");
        assert!((330..420).contains(&lossy.0), "{lossy:?}");
        assert!(broken < Score(200), "{broken:?}");
    }
}
