//! A scripted person: looks where the palm should go, and presses keys.
//!
//! It sees what a person sees in the window, the wrist target and the scene, takes its plan from the
//! task's expert, and has nothing but the device events of the bindings' table.

use std::sync::Arc;

use dextra_tasks::{Expert, difference};

use crate::{
    error::TeleopError,
    input::{Button, Input},
    rig::Rig,
    session::{Phase, Session},
};

/// How far a synergy may be off before a key is pressed, deviations.
const AMOUNT_TOLERANCE: f64 = 0.12;

/// The keys of the wrist: plus and minus along each axis, then about each.
const WRIST_KEYS: [[&str; 2]; 6] = [
    ["D", "A"],
    ["W", "S"],
    ["E", "Q"],
    ["Z", "X"],
    ["T", "G"],
    ["C", "V"],
];
const GIVE_UP_KEY: &str = "Delete";
const CLOSE_KEYS: [&str; 2] = ["K", "J"];
const PRESET_KEYS: [&str; 7] = ["1", "2", "3", "4", "5", "6", "7"];

/// How a posture of an expert is made with the hand's controls: task, posture, preset, and deviations of
/// the fingers' closure on top of it.
const POSTURES: &[(&str, &str, &str, f64)] = &[
    ("door", "open", "rest", 0.0),
    ("door", "hook", "hook", 0.0),
    ("door", "flat", "rest", 0.0),
    ("hammer", "open", "hammer", -2.4),
    ("hammer", "curl", "hammer", -0.9),
    ("hammer", "fist", "hammer", 0.0),
    ("relocate", "open", "power", -2.2),
    ("relocate", "cage", "power", -1.4),
    ("relocate", "grip", "power", 0.0),
];

/// A scripted person at the controls.
pub struct Operator {
    rig: Arc<Rig>,
    expert: Expert,
    /// Control steps for each of the expert's: keys are slower than servos.
    patience: usize,
    steps: usize,
    preset: Option<usize>,
    pressed: Vec<&'static str>,
}

impl Operator {
    /// An operator of a task. It takes `patience` control steps for each of the expert's, at least one.
    ///
    /// # Errors
    /// When it knows no plan for the task.
    pub fn new(rig: &Arc<Rig>, patience: usize) -> Result<Self, TeleopError> {
        let task = rig.task.name();
        if !POSTURES.iter().any(|(known, ..)| *known == task) {
            return Err(TeleopError::NoPlan { task: task.into() });
        }
        Ok(Self {
            rig: Arc::clone(rig),
            expert: Expert::new(&rig.task)?,
            patience: patience.max(1),
            steps: 0,
            preset: None,
            pressed: Vec::new(),
        })
    }

    /// What it does before the next tick. An episode that lasts longer than the task's own it gives up: it
    /// presses the key that throws a take away.
    pub fn act(&mut self, session: &Session) -> Vec<Input> {
        let mut wanted = Vec::new();
        if session.take().len() >= self.rig.task.horizon() {
            wanted.push(GIVE_UP_KEY);
        } else if *session.phase() == Phase::Driving {
            if session.take().is_empty() {
                // By how much it misses its waypoints differs from episode to episode.
                self.expert.reset(session.take().seed());
                self.steps = 0;
                self.preset = None;
            }
            if self.steps.is_multiple_of(self.patience) {
                self.expert.act(session.env());
            }
            self.steps += 1;
            self.reach(session, &mut wanted);
        }
        let of = |name| Button::named(name);
        let released = self.pressed.iter().filter(|name| !wanted.contains(name));
        let mut inputs: Vec<Input> = released.filter_map(|n| of(n)).map(Input::Release).collect();
        let pressed = wanted.iter().filter(|name| !self.pressed.contains(name));
        inputs.extend(pressed.filter_map(|n| of(n)).map(Input::Press));
        self.pressed = wanted;
        inputs
    }

    /// The keys that bring palm and fingers nearer to where they should be.
    fn reach(&mut self, session: &Session, keys: &mut Vec<&'static str>) {
        let Some(waypoint) = self.expert.waypoint(session.env()) else {
            return;
        };
        let rates = &self.rig.config.rates;
        let dt_secs = session.tick_secs();
        let [by_m, by_rad] = difference(&waypoint.palm, &session.driver().target());
        // Nearer than half a step a key only makes it worse.
        let half_m = rates.translation_m_per_s * dt_secs / 2.0;
        let half_rad = rates.rotation_rad_per_s * dt_secs / 2.0;
        for k in 0..3 {
            choose(keys, WRIST_KEYS[k], by_m[k], half_m);
            choose(keys, WRIST_KEYS[3 + k], by_rad[k], half_rad);
        }
        let name = self.rig.task.name();
        let posture = POSTURES
            .iter()
            .find(|(task, posture, ..)| *task == name && *posture == waypoint.posture);
        let Some((_, _, preset, closure)) = posture else {
            return;
        };
        let preset = self.rig.preset_names().position(|known| known == *preset);
        if preset != self.preset {
            keys.extend(preset.and_then(|preset| PRESET_KEYS.get(preset)));
            self.preset = preset;
        } else {
            let off = closure - session.driver().amounts()[0];
            choose(keys, CLOSE_KEYS, off, AMOUNT_TOLERANCE);
        }
    }
}

/// Presses the key that lessens an error, if it is large enough.
fn choose(keys: &mut Vec<&'static str>, [plus, minus]: [&'static str; 2], error: f64, least: f64) {
    if error > least {
        keys.push(plus);
    } else if error < -least {
        keys.push(minus);
    }
}
