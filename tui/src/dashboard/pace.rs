//! How often is drawn: at once when someone pressed a key, and still never too often.

use std::time::Duration;

use tokio::time::Instant;

/// Frames that may be drawn in a second, in the long run: more cannot be told apart.
pub const FRAMES_PER_SECOND: u32 = 30;
/// Frames that may be drawn one after the other, so that a key need not wait because a change of the view has
/// just been drawn.
const BURST: u32 = 4;

/// A token bucket: a frame takes a token, [`FRAMES_PER_SECOND`] of them come back in a second, and at most
/// `BURST` are kept.
#[derive(Debug, Clone)]
pub struct Pace {
    /// When the bucket would be full if no frame was drawn any more.
    full_at: Instant,
}

impl Pace {
    /// A full bucket at `now`.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    fn gap() -> Duration {
        Duration::from_secs(1) / FRAMES_PER_SECOND
    }

    /// When the next frame may be drawn; in the past if now.
    #[must_use]
    pub fn next(&self) -> Instant {
        let kept = Self::gap() * (BURST - 1);
        self.full_at.checked_sub(kept).unwrap_or(self.full_at)
    }

    /// A frame was drawn at `now`.
    pub fn drawn(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now) + Self::gap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_drawn_at_once_and_a_flood_is_not() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let (mut now, mut frames) = (start, 0);
        while now < start + Duration::from_secs(10) {
            if pace.next() <= now {
                pace.drawn(now);
                frames += 1;
            }
            now += Duration::from_millis(1);
        }
        assert!((295..=304).contains(&frames), "{frames} frames in 10 s of changes without a pause");
        now += Duration::from_secs(1);
        for frame in 0..BURST {
            assert!(pace.next() <= now, "frame {frame} after a pause has to wait");
            pace.drawn(now);
        }
        assert!(pace.next() > now, "the burst has an end");
    }
}
