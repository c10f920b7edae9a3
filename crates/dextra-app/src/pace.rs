//! How often the window draws, so that it takes from the training no more than it is given.

use std::{
    thread,
    time::{Duration, Instant},
};

use bevy::prelude::*;

use crate::session::{Stage, Training};

/// Most frames per second without a wish: with a GPU; in software; in software beside a training, which
/// needs the same cores.
const GPU_FPS: f64 = 60.0;
const SOFTWARE_FPS: f64 = 30.0;
const SOFTWARE_TRAINING_FPS: f64 = 10.0;

/// The frame limit and the measured rate.
#[derive(Resource)]
pub(crate) struct Pace {
    wish: Option<f64>,
    software: bool,
    next: Instant,
    last: Instant,
    fps: f64,
    began: Instant,
    /// Work of the frames since they were asked for last, seconds.
    works: Vec<f32>,
    /// When they were.
    asked: Instant,
}

/// Frames whose work is kept for whoever asks.
const MEASURED: usize = 10_000;

impl Pace {
    /// `wish` limits always; without one the limit depends on who draws and on what runs beside.
    pub fn new(wish: Option<f64>, software: bool) -> Self {
        let now = Instant::now();
        Self {
            wish: wish.filter(|fps| *fps > 0.0),
            software,
            next: now,
            last: now,
            fps: 0.0,
            began: now,
            works: Vec::new(),
            asked: now,
        }
    }

    /// Most frames per second to draw now.
    pub fn limit(&self, training: bool) -> f64 {
        self.wish.unwrap_or(match (self.software, training) {
            (false, _) => GPU_FPS,
            (true, false) => SOFTWARE_FPS,
            (true, true) => SOFTWARE_TRAINING_FPS,
        })
    }

    /// Whether the processor draws.
    pub fn is_software(&self) -> bool {
        self.software
    }

    /// Frames per second drawn recently.
    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// What the frames since the last call took apart from drawing, and how many there were each second: a
    /// line for scripted measurements.
    pub fn take_times(&mut self) -> String {
        let mut works = std::mem::take(&mut self.works);
        let secs = self.asked.elapsed().as_secs_f64();
        self.asked = Instant::now();
        works.sort_by(f32::total_cmp);
        let at = |share: f64| {
            let place = (share * works.len() as f64) as usize;
            1e3 * works.get(place).copied().unwrap_or_default()
        };
        format!(
            "TIMES frames={} fps={:.1} work_median_ms={:.2} work_p95_ms={:.2}\n",
            works.len(),
            works.len() as f64 / secs,
            at(0.5),
            at(0.95)
        )
    }

    /// When the next frame may begin, given the one that ends now; the schedule does not run up debts.
    fn schedule(&mut self, now: Instant, limit: f64) -> Duration {
        let period = Duration::from_secs_f64(1.0 / limit);
        self.next = (self.next + period).max(now);
        let interval = now.duration_since(self.last).as_secs_f64();
        self.last = now;
        if interval > 0.0 {
            let weight = interval.min(1.0);
            self.fps += weight * (1.0 / interval - self.fps);
        }
        self.next.duration_since(now)
    }
}

pub(crate) struct PacePlugin;

impl Plugin for PacePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(First, begin).add_systems(Last, wait);
    }
}

fn begin(mut pace: ResMut<Pace>) {
    pace.began = Instant::now();
}

/// Sleeps until the next frame is due. Drawing of this frame goes on meanwhile, on its own thread.
fn wait(mut pace: ResMut<Pace>, training: Res<Training>) {
    let busy = matches!(
        training.stage(),
        Stage::Starting | Stage::Running | Stage::Evaluating
    );
    let limit = pace.limit(busy);
    let work = pace.began.elapsed().as_secs_f32();
    if pace.works.len() < MEASURED {
        pace.works.push(work);
    }
    thread::sleep(pace.schedule(Instant::now(), limit));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_wish_limits_always_and_software_yields_to_training() {
        assert_eq!(Pace::new(Some(5.0), true).limit(true), 5.0);
        assert_eq!(Pace::new(Some(0.0), false).limit(true), GPU_FPS);
        let software = Pace::new(None, true);
        assert!(software.limit(true) < software.limit(false));
    }

    #[test]
    fn frames_are_spaced_by_the_period_and_a_late_one_is_not_made_up_for() {
        let mut pace = Pace::new(Some(10.0), false);
        let start = pace.next;
        let first = pace.schedule(start + Duration::from_millis(30), 10.0);
        assert_eq!(first, Duration::from_millis(70));
        let late = pace.schedule(start + Duration::from_millis(350), 10.0);
        assert_eq!(late, Duration::ZERO);
        let next = pace.schedule(start + Duration::from_millis(360), 10.0);
        assert_eq!(next, Duration::from_millis(90));
    }
}
