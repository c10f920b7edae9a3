//! Why an episode succeeds or fails, in words.

use dextra_tasks::Measure;
use dextra_train::{Frame, Readings};

use crate::tape::Tape;

/// The episode before the shown one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LastEpisode {
    /// Whether it counted as a success.
    pub success: bool,
    /// Why it did, or did not.
    pub why: String,
    /// The number of its last frame on the tape.
    pub number: u64,
}

impl LastEpisode {
    /// The one before the frame of that number, if its end is on the tape.
    pub fn before(tape: &Tape, shown: u64, horizon: usize) -> Option<Self> {
        let number = tape.episode(shown).start.checked_sub(1)?;
        let frame = &tape.get(number)?.frame;
        is_over(frame, horizon).then(|| Self {
            success: frame.episode_success,
            why: why(&frame.readings),
            number,
        })
    }
}

/// Whether an episode ends with this frame. A training environment cuts those that have succeeded.
fn is_over(frame: &Frame, horizon: usize) -> bool {
    frame.step >= horizon || frame.episode_success
}

/// What success asks for and does not have; or how long it has been held.
pub(crate) fn why(readings: &Readings) -> String {
    let (solved, needed) = readings.solved_steps;
    let missing = readings.measures.iter().find(|measure| !measure.is_met());
    match missing {
        Some(measure) if solved < needed => {
            let needs = needs(measure);
            format!("{} {}, needs {needs}", measure.name, value(measure))
        }
        _ => format!("held for {solved} of {needed} steps"),
    }
}

/// A measure's value with its unit.
pub(crate) fn value(measure: &Measure) -> String {
    with_unit(measure.value, measure.unit)
}

/// What a measure has to be.
pub(crate) fn needs(measure: &Measure) -> String {
    let word = if measure.at_least {
        "at least"
    } else {
        "less than"
    };
    format!("{word} {}", with_unit(measure.bound, measure.unit))
}

/// What a measure has to be, as a sign.
pub(crate) fn bound(measure: &Measure) -> String {
    let sign = if measure.at_least { "≥" } else { "<" };
    format!("{sign} {}", with_unit(measure.bound, measure.unit))
}

/// A name as the first word of a line.
pub(crate) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "rad" => format!("{value:.2} rad"),
        "°" => format!("{value:.0}°"),
        _ => format!("{value:.1} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dextra_tasks::{Env, EnvOptions};

    use super::*;
    use crate::tape::tests::tape;

    #[test]
    fn a_shut_door_is_told_what_it_lacks() {
        let mut env = Env::make("door", &EnvOptions::default()).unwrap();
        env.reset(3);
        let readings = Readings::of(&env);
        assert_eq!(
            why(&readings),
            "door open 0.00 rad, needs at least 1.35 rad"
        );
        let held = Readings {
            measures: Vec::new(),
            solved_steps: (12, 26),
            ..readings
        };
        assert_eq!(why(&held), "held for 12 of 26 steps");
    }

    #[test]
    fn the_episode_before_is_told_of_only_when_it_was_seen_to_its_end() {
        let tape = tape();
        assert_eq!(LastEpisode::before(&tape, 7, 5).unwrap().number, 4);
        assert_eq!(LastEpisode::before(&tape, 7, 6), None);
        assert_eq!(LastEpisode::before(&tape, 2, 5), None);
    }
}
