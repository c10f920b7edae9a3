//! What is worth knowing about a dataset before learning from it.

use super::{Dataset, lerobot, table};

/// Steps whose action moved less than this since the step before are idle.
const IDLE: f32 = 1e-3;
/// Idle steps at the head or tail that are worth a word.
const LONG_IDLE: usize = 25;
/// Share of action values at the end of their range that is worth a word.
const MUCH_SATURATED: f64 = 0.5;

/// Something that [`Dataset::check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The episode; `None` for the dataset as a whole.
    pub episode: Option<usize>,
    /// Whether the data cannot be used as it is.
    pub fatal: bool,
    /// What it is.
    pub message: String,
}

impl Dataset {
    /// Reads everything and tells what is wrong with it, and what is odd.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut note = |episode, fatal, message: String| {
            findings.push(Finding {
                episode,
                fatal,
                message,
            });
        };
        let counts = (self.len(), self.rows);
        if lerobot::read_info(&self.root) != Some(counts) {
            let message =
                "meta/info.json does not state the numbers of episodes and steps that there are";
            note(None, true, message.into());
        }
        let beyond = lerobot::data_path(&self.root, self.len());
        if beyond.exists() {
            let message = format!("{} is not on the list of episodes", beyond.display());
            note(None, true, message);
        }
        let mut seeds: Vec<_> = self.episodes().map(|episode| episode.seed).collect();
        seeds.sort_unstable();
        let twice = seeds.windows(2).filter(|pair| pair[0] == pair[1]).count();
        if twice > 0 {
            let message = format!("{twice} episodes have the seed of another");
            note(None, false, message);
        }
        let mut first_row = 0;
        for index in 0..self.len() {
            match self.read(index) {
                Err(error) => note(Some(index), true, error.to_string()),
                Ok(recording) => {
                    if let Err(message) = self.check_row(index, first_row) {
                        note(Some(index), true, message);
                    }
                    for message in oddities(&recording) {
                        note(Some(index), false, message);
                    }
                }
            }
            first_row += self.entries[index].episode.steps;
        }
        findings
    }

    /// Whether the file of `meta/episodes` points to the right rows.
    fn check_row(&self, index: usize, first_row: usize) -> Result<(), String> {
        let path = lerobot::episode_path(&self.root, index);
        let wrong = |reason: &str| format!("{} {reason}", path.display());
        let bytes = std::fs::read(&path).map_err(|_| wrong("is missing"))?;
        let mut row = table::decode(bytes).map_err(|reason| wrong(&reason))?;
        let mut number = |name: &str| match row.take(name).map(|column| column.values) {
            Some(table::Values::I64(values)) => values.first().copied(),
            _ => None,
        };
        let steps = self.entries[index].episode.steps;
        let expected = [
            ("episode_index", index),
            ("length", steps),
            ("dataset_from_index", first_row),
            ("dataset_to_index", first_row + steps),
        ];
        let fits = expected
            .iter()
            .all(|(name, value)| number(name) == Some(*value as i64));
        if fits {
            Ok(())
        } else {
            Err(wrong("does not describe its episode"))
        }
    }
}

fn oddities(recording: &super::Recording) -> Vec<String> {
    let actions: Vec<_> = recording
        .episode
        .transitions
        .iter()
        .map(|t| t.action.as_slice())
        .collect();
    let moves = |pair: &[&[f32]]| {
        pair[0]
            .iter()
            .zip(pair[1])
            .any(|(a, b)| (a - b).abs() > IDLE)
    };
    let moving: Vec<bool> = actions.windows(2).map(moves).collect();
    let head = moving.iter().take_while(|&&moves| !moves).count();
    let tail = moving.iter().rev().take_while(|&&moves| !moves).count();
    let values = actions.iter().flat_map(|action| action.iter());
    let saturated = values.clone().filter(|a| a.abs() >= 1.0).count();
    let share = saturated as f64 / values.count().max(1) as f64;
    let mut found = Vec::new();
    if head >= LONG_IDLE {
        found.push(format!(
            "the action stands still for the first {head} steps"
        ));
    }
    if tail >= LONG_IDLE && head < moving.len() {
        found.push(format!("the action stands still for the last {tail} steps"));
    }
    if share > MUCH_SATURATED {
        let percent = 100.0 * share;
        found.push(format!(
            "{percent:.0}% of the action values are at the end of their range"
        ));
    }
    found
}
