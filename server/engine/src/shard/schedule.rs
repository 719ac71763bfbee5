//! What the loop behind the index does next: apply, publish, flush, wait, or end. Pure.

use super::Times;
use super::settings::RefreshInterval;
use std::time::Duration;
use tandem_common::env::clock::Instant;

/// A searcher is not published more often than this by itself.
const PUBLISH_PAUSE_MIN: Duration = Duration::from_millis(20);

/// Under an adaptive interval nothing waits longer than this to become searchable.
const PUBLISH_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Publishing may take a tenth of the time.
const PUBLISH_COST_FACTOR: u32 = 10;

/// After this long without a write the index is made durable and its writer let go.
const IDLE_AFTER: Duration = Duration::from_secs(30);

/// What the index loop does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Apply,
    Publish,
    Flush,
    WaitUntil(Instant),
    Retire,
    Stop,
}

/// What the decision rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    pub(super) stopped: bool,
    pub(super) behind: bool,
    pub(super) unpublished: bool,
    /// Publishing must not wait: memory is needed.
    pub(super) pressed: bool,
    pub(super) flush_due: bool,
    /// A forced merge runs, which would end with the writer.
    pub(super) merging: bool,
    pub(super) interval: RefreshInterval,
    pub(super) times: Times,
}

/// Pure.
pub(super) fn next_step(situation: Situation, now: Instant) -> Step {
    let Situation { stopped, behind, unpublished, pressed, flush_due, merging, interval, times } = situation;
    if stopped {
        return Step::Stop;
    }
    let publish_at = match interval {
        _ if !unpublished => None,
        _ if pressed => Some(now),
        RefreshInterval::Never => None,
        RefreshInterval::Every(pause) => Some(times.published + pause),
        RefreshInterval::Adaptive => {
            Some(times.published + (times.publish_cost * PUBLISH_COST_FACTOR).clamp(PUBLISH_PAUSE_MIN, PUBLISH_PAUSE_MAX))
        }
    };
    if publish_at.is_some_and(|at| at <= now) {
        return Step::Publish;
    }
    if flush_due {
        return Step::Flush;
    }
    if behind {
        return Step::Apply;
    }
    let retire_at = if merging { now } else { times.written } + IDLE_AFTER;
    match publish_at {
        Some(at) => Step::WaitUntil(at),
        None if retire_at <= now => Step::Retire,
        None => Step::WaitUntil(retire_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::env::clock;

    fn situation() -> Situation {
        let now = clock::now();
        Situation {
            stopped: false,
            behind: false,
            unpublished: false,
            pressed: false,
            flush_due: false,
            merging: false,
            interval: RefreshInterval::Adaptive,
            times: Times { written: now, published: now, publish_cost: Duration::ZERO, synced: now },
        }
    }

    fn millis(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn a_cheap_publish_follows_after_the_shortest_pause() {
        let news = Situation { unpublished: true, ..situation() };
        let start = news.times.published;
        assert_eq!(next_step(news, start), Step::WaitUntil(start + millis(20)));
        assert_eq!(next_step(news, start + millis(20)), Step::Publish);
    }

    #[test]
    fn a_costly_publish_takes_a_tenth_of_the_time_but_nothing_waits_longer_than_a_second() {
        let mut news = Situation { unpublished: true, ..situation() };
        let start = news.times.published;
        news.times.publish_cost = millis(30);
        assert_eq!(next_step(news, start + millis(299)), Step::WaitUntil(start + millis(300)));
        news.times.publish_cost = millis(500);
        assert_eq!(next_step(news, start + millis(1000)), Step::Publish);
    }

    #[test]
    fn an_interval_of_never_publishes_only_under_pressure() {
        let news = Situation { unpublished: true, interval: RefreshInterval::Never, ..situation() };
        let start = news.times.published;
        assert_eq!(next_step(news, start + millis(10_000)), Step::WaitUntil(start + IDLE_AFTER));
        assert_eq!(next_step(Situation { pressed: true, ..news }, start), Step::Publish);
    }

    #[test]
    fn an_idle_shard_retires_and_a_stopped_one_does_nothing() {
        let idle = situation();
        let late = idle.times.written + IDLE_AFTER;
        assert_eq!(next_step(idle, late), Step::Retire);
        assert_eq!(next_step(Situation { merging: true, ..idle }, late), Step::WaitUntil(late + IDLE_AFTER));
        assert_eq!(next_step(Situation { stopped: true, behind: true, ..idle }, idle.times.written), Step::Stop);
        assert_eq!(next_step(Situation { behind: true, ..idle }, idle.times.written + IDLE_AFTER), Step::Apply);
        assert_eq!(next_step(Situation { behind: true, flush_due: true, ..idle }, idle.times.written), Step::Flush);
    }
}
