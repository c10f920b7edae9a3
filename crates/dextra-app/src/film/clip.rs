//! One episode as poses, and the moments of it that a film shows.

use std::sync::Arc;

use dextra_sim::Model;
use dextra_train::{Readings, Screening};

use super::{FilmOptions, LAST_STAYS_SECS};
use crate::{ghost::Lines, scene::Still};

/// One episode: where every body was at every step.
#[derive(Clone)]
pub struct Clip {
    /// The scene.
    pub model: Arc<Model>,
    /// Seconds between two steps.
    pub step_secs: f64,
    /// Position (m) and quaternion (w, x, y, z) of every body in the model's order, for each step.
    pub body_poses: Vec<Vec<[f32; 7]>>,
    /// Contacts, touch and controls at each step; empty where they are not known.
    pub readings: Vec<Readings>,
    /// Ghosts at each step; empty where there are none.
    pub(crate) ghosts: Vec<Lines>,
}

impl From<Screening> for Clip {
    fn from(seen: Screening) -> Self {
        Self {
            model: seen.model,
            step_secs: seen.control_dt_secs,
            body_poses: seen.body_poses,
            readings: seen.readings,
            ghosts: Vec::new(),
        }
    }
}

impl Clip {
    /// The moments that are drawn: evenly spaced in time, the last step for a while longer.
    pub(super) fn stills(&self, options: &FilmOptions) -> Vec<Still> {
        let Some(last) = self.body_poses.len().checked_sub(1) else {
            return Vec::new();
        };
        let fps = f64::from(options.fps);
        let secs = last as f64 * self.step_secs / options.speed;
        let moving = (secs * fps).ceil() as usize;
        let staying = (LAST_STAYS_SECS * fps).round() as usize;
        let still = |picture: usize| {
            let at = picture as f64 * options.speed / (fps * self.step_secs);
            let step = (at as usize).min(last);
            let next = (step + 1).min(last);
            Still {
                older: self.body_poses[step].clone(),
                newer: self.body_poses[next].clone(),
                readings: self.readings.get(next).cloned().unwrap_or_default(),
                ghosts: self.ghosts.get(next).cloned().unwrap_or_default(),
                share: if step < last { at.fract() as f32 } else { 0.0 },
            }
        };
        (0..=moving + staying).map(still).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn moments_are_evenly_spaced_and_the_last_step_stays() {
        let x = |still: &Still| {
            let (from, to) = (still.older[0][0], still.newer[0][0]);
            from + still.share * (to - from)
        };
        let clip = Clip {
            model: Arc::clone(dextra_tasks::TaskModel::load("door").unwrap().model()),
            step_secs: 0.01,
            body_poses: (0..=100)
                .map(|step| vec![[step as f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]])
                .collect(),
            readings: Vec::new(),
            ghosts: Vec::new(),
        };
        let options = |fps, speed| FilmOptions {
            out: "x.gif".into(),
            size: [8, 8],
            fps,
            speed,
            view: 0,
            shadows: true,
            overlays: Vec::new(),
        };
        // A second in real time at 40 pictures a second: 2.5 steps apart.
        let stills = clip.stills(&options(40, 1.0));
        assert_eq!(stills.len(), 1 + 40 + 24);
        assert_eq!(x(&stills[1]), 2.5);
        assert_eq!(x(&stills[39]), 97.5);
        assert!(stills[40..].iter().all(|still| x(still) == 100.0));
        assert_eq!(x(&clip.stills(&options(40, 0.5))[1]), 1.25);
    }
}
