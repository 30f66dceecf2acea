//! What is done by the clock, outside the exchange: the service manager's watchdog is fed while the
//! house lives, and old records are forgotten every day.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::base::Moment;
use crate::service::certificates::Countdown;
use crate::service::readiness::Gauges;

/// How often we look.
const GLANCE: Duration = Duration::from_secs(1);

/// Records of calls are forgotten by age, once a day.
const PURGE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Watches for ever.
pub(super) async fn over(gauges: Arc<Gauges>) {
    let watchdog = sd_notify::watchdog_enabled();
    let glance = watchdog.map_or(GLANCE, |patience| GLANCE.min(patience / 3));
    let mut glances = interval(glance.max(Duration::from_millis(10)));
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut purged: Option<Moment> = None;
    let mut turned_away = 0;
    let mut countdown = Countdown::default();
    loop {
        glances.tick().await;
        let now = gauges.clock.now();
        gauges.glance();
        if watchdog.is_some() && gauges.is_alive() {
            super::tell_manager(&[sd_notify::NotifyState::Watchdog]);
        }
        if purged.is_none_or(|purged| now.steady - purged >= PURGE_EVERY) {
            purged = Some(now.steady);
            gauges.store.purge(now.wall);
        }
        let certificates = gauges.reception.current().certificates.clone();
        countdown.glances(&certificates, now.wall);
        let away = gauges.inbox.turned_away().house;
        if away > turned_away {
            tracing::error!(count = away - turned_away, "facts were lost: the loop stands still");
            turned_away = away;
        }
    }
}
