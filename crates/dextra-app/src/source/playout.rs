//! Plays frames evenly, however unevenly they arrive.

use std::collections::VecDeque;

use dextra_train::Frame;

/// Frames kept at most; a watcher that falls further behind skips ahead.
const CAPACITY: usize = 1024;

/// A pause longer than this is an interruption (an evaluation, a pause), not the rhythm of the source.
const LONGEST_PAUSE_SECS: f64 = 4.0;
/// Latency per pause between bursts: above 1, so that one burst still plays when the next one comes.
const LATENCY_PER_PAUSE: f64 = 1.5;
/// Time in which a longer latency than needed is given up.
const FORGET_SECS: f64 = 10.0;

/// A queue of frames and a position in it.
///
/// The queue drains at `length / latency` frames per second: in balance with the arrivals, each frame is
/// shown `latency` seconds after it came, and a burst is spread over about that time. The latency follows
/// the pauses between bursts, which are as long as a training's rounds. No clock of the
/// source is needed, so one rule serves a rollout in real time and an actor at full speed.
pub(crate) struct Playout {
    queue: VecDeque<Frame>,
    /// Position between the first two frames, in [0, 1).
    position: f64,
    /// Latency where frames come evenly.
    least_latency_secs: f64,
    latency_secs: f64,
    /// Pauses up to this are the source's rhythm.
    longest_pause_secs: f64,
    /// Seconds since the last frame came.
    silence_secs: f64,
    frames_per_sec: f64,
}

/// What is on screen: a mixture of two consecutive frames.
pub(crate) struct Blend<'a> {
    /// The frame before.
    pub older: &'a Frame,
    /// The frame after; the same when nothing follows.
    pub newer: &'a Frame,
    /// Share of the newer, in [0, 1].
    pub share: f32,
}

impl Playout {
    /// An empty queue for a source that delivers as steadily as it acts.
    pub fn steady(latency_secs: f64) -> Self {
        Self {
            longest_pause_secs: 0.0,
            ..Self::bursty(latency_secs)
        }
    }

    /// An empty queue for a source that delivers in bursts.
    pub fn bursty(least_latency_secs: f64) -> Self {
        Self {
            longest_pause_secs: LONGEST_PAUSE_SECS,
            queue: VecDeque::new(),
            position: 0.0,
            least_latency_secs,
            latency_secs: least_latency_secs,
            silence_secs: 0.0,
            frames_per_sec: 0.0,
        }
    }

    /// Appends the source's next frame.
    pub fn push(&mut self, frame: Frame) {
        if self.silence_secs < self.longest_pause_secs {
            self.latency_secs = self.latency_secs.max(LATENCY_PER_PAUSE * self.silence_secs);
        }
        self.silence_secs = 0.0;
        if self.queue.len() == CAPACITY {
            self.queue.pop_front();
        }
        self.queue.push_back(frame);
    }

    /// Forgets the frames that are still to come: the next one is shown at once.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.position = 0.0;
    }

    /// Shows the newest frame at once.
    pub fn catch_up(&mut self) {
        self.queue.drain(..self.queue.len().saturating_sub(1));
        self.position = 0.0;
    }

    /// Moves on by so many seconds of real time.
    pub fn advance(&mut self, dt_secs: f64) {
        self.silence_secs += dt_secs;
        let excess = self.latency_secs - self.least_latency_secs;
        self.latency_secs = self.least_latency_secs + excess * (-dt_secs / FORGET_SECS).exp();
        let ahead = self.queue.len().saturating_sub(1) as f64 - self.position;
        let passed = (ahead.max(0.0) * dt_secs / self.latency_secs).min(ahead.max(0.0));
        self.position += passed;
        while self.position >= 1.0 && self.queue.len() > 1 {
            self.queue.pop_front();
            self.position -= 1.0;
        }
        if dt_secs > 0.0 {
            // A mean over about a second, so that the number can be read.
            let weight = (dt_secs / 1.0).min(1.0);
            self.frames_per_sec += weight * (passed / dt_secs - self.frames_per_sec);
        }
    }

    /// Seconds by which the screen is behind the source.
    pub fn latency_secs(&self) -> f64 {
        self.latency_secs
    }

    /// Seconds since the source last delivered.
    pub fn silence_secs(&self) -> f64 {
        self.silence_secs
    }

    /// What is on screen; `None` before the first frame.
    pub fn blend(&self) -> Option<Blend<'_>> {
        let older = self.queue.front()?;
        let newer = self
            .queue
            .get(1)
            .filter(|next| follows(next, older))
            .unwrap_or(older);
        Some(Blend {
            older,
            newer,
            share: self.position.min(1.0) as f32,
        })
    }

    /// Frames per second played recently.
    pub fn frames_per_sec(&self) -> f64 {
        self.frames_per_sec
    }
}

/// Whether a frame is the next step of the same episode.
fn follows(next: &Frame, frame: &Frame) -> bool {
    next.actor == frame.actor && next.episode == frame.episode && next.step == frame.step + 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use dextra_data::Source;

    fn frame(episode: u64, step: usize) -> Frame {
        Frame {
            actor: 0,
            episode,
            step,
            seed: 7,
            reward: 2.0,
            terms: Vec::new(),
            success: false,
            episode_success: false,
            episode_return: 0.0,
            source: Source::Policy,
            by_hand: 0,
            obs: Vec::new(),
            action: Vec::new(),
            body_poses: vec![[step as f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]],
            readings: dextra_train::Readings::default(),
            policy_version: 0,
        }
    }

    /// Arrivals of 100 a second, played at 50 pictures a second.
    fn play(bursts: usize) -> Vec<f64> {
        let mut playout = Playout::bursty(0.3);
        let mut step = 0;
        let mut shown = Vec::new();
        for picture in 0..500 {
            if picture % bursts == 0 {
                for _ in 0..2 * bursts {
                    step += 1;
                    playout.push(frame(1, step));
                }
            }
            playout.advance(0.02);
            let blend = playout.blend().unwrap();
            shown.push(blend.older.step as f64 + f64::from(blend.share));
        }
        shown
    }

    #[test]
    fn bursts_play_evenly_and_keep_up() {
        for bursts in [1, 10] {
            let shown = play(bursts);
            let moves: Vec<f64> = shown.windows(2).map(|w| w[1] - w[0]).skip(200).collect();
            let mean = moves.iter().sum::<f64>() / moves.len() as f64;
            assert!((mean - 2.0).abs() < 0.1, "{mean} steps per picture");
            assert!(moves.iter().all(|&m| (0.8..4.0).contains(&m)));
            // 1000 frames came; balance is 0.3 s behind, 30 frames, plus part of a burst.
            assert!(1000.0 - shown[499] < 55.0);
        }
    }

    #[test]
    fn slow_rounds_play_without_standing_still() {
        // Fifty frames at once every two seconds, as an actor of a slow training delivers.
        let mut playout = Playout::bursty(0.3);
        let (mut step, mut before, mut moves) = (0, 0.0, Vec::new());
        for picture in 0..1_000 {
            if picture % 100 == 0 {
                for _ in 0..50 {
                    step += 1;
                    playout.push(frame(1, step));
                }
            }
            playout.advance(0.02);
            let blend = playout.blend().unwrap();
            let shown = blend.older.step as f64 + f64::from(blend.share);
            moves.push(shown - before);
            before = shown;
        }
        let late = &moves[500..];
        let mean = late.iter().sum::<f64>() / late.len() as f64;
        assert!((mean - 0.5).abs() < 0.05, "{mean} steps per picture");
        assert!(late.iter().all(|&m| (0.2..1.2).contains(&m)));
    }

    #[test]
    fn catching_up_shows_the_newest() {
        let mut playout = Playout::steady(0.5);
        for step in 1..=9 {
            playout.push(frame(1, step));
        }
        playout.catch_up();
        assert_eq!(playout.blend().unwrap().newer.step, 9);
    }

    #[test]
    fn a_new_episode_is_cut_to_not_blended() {
        let mut playout = Playout::bursty(0.1);
        playout.push(frame(1, 9));
        playout.push(frame(2, 1));
        let blend = playout.blend().unwrap();
        assert_eq!((blend.older.step, blend.newer.step), (9, 9));
    }
}
