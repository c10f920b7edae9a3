//! What a task is, and which there are.

use std::fmt::Debug;

use dextra_sim::{Sim, SimError};
use rand_chacha::ChaCha8Rng;

use crate::{
    Measure, RewardTerm, TaskError, TaskModel, config::Source, door, hammer, pen, relocate,
    scenes_dir,
};

/// The part of an environment that differs between tasks. Stateless: all that changes is in the
/// simulation.
pub(crate) trait Task: Debug + Send + Sync {
    /// Number of observed values.
    fn obs_dim(&self) -> usize;
    /// Puts the simulation into a random initial state.
    fn reset(&self, sim: &mut Sim, rng: &mut ChaCha8Rng) -> Result<(), SimError>;
    /// Writes the observation; `obs` comes empty.
    fn observe(&self, sim: &Sim, obs: &mut Vec<f32>);
    /// The dense reward of the state that a step led to.
    fn dense_terms(&self, sim: &Sim) -> Vec<RewardTerm>;
    /// Whether the task is solved at this moment.
    fn success(&self, sim: &Sim) -> bool;
    /// The conditions of success: it is solved where all of them hold.
    fn measures(&self, sim: &Sim) -> Vec<Measure>;
    /// What this episode asks for, as numbers that are near each other for like goals; empty where all
    /// episodes ask the same.
    fn goal(&self, _sim: &Sim) -> Vec<f64> {
        Vec::new()
    }
    /// An observation as it would be, had the episode asked for what `achieved`, another observation of
    /// it, shows, and whether that moment would be a success. `None` where all episodes ask the same, and
    /// of a goal that the task never sets.
    fn hindsight(&self, _obs: &[f32], _achieved: &[f32]) -> Option<(Vec<f32>, bool)> {
        None
    }
    /// Whether an observation shows the task solved; `None` where observations do not tell.
    fn observed_success(&self, _obs: &[f32]) -> Option<bool> {
        None
    }
    /// Whether the episode ends by itself at this moment: nothing after it counts.
    fn terminated(&self, _sim: &Sim) -> bool {
        false
    }
}

type Loader = fn(&Source) -> Result<TaskModel, TaskError>;

const LOADERS: &[(&str, Loader)] = &[
    ("door", door::load),
    ("hammer", hammer::load),
    ("pen", pen::load),
    ("relocate", relocate::load),
];

/// The names that [`crate::Env::make`] knows.
pub fn task_names() -> &'static [&'static str] {
    const NAMES: &[&str] = &["door", "hammer", "pen", "relocate"];
    NAMES
}

/// What the hand is to do in a task, as the end of a sentence.
pub fn task_purpose(name: &str) -> &'static str {
    match name {
        "door" => "open the door",
        "hammer" => "drive the nail into the board",
        "pen" => "turn the pen as the green one shows",
        "relocate" => "carry the ball to the green sphere",
        _ => "do its task",
    }
}

/// Loads a task from its file in [`scenes_dir`].
pub(crate) fn load(name: &str) -> Result<TaskModel, TaskError> {
    match LOADERS.iter().find(|(known, _)| *known == name) {
        Some((_, loader)) => loader(&Source::read(&scenes_dir()?.join(format!("{name}.toml")))?),
        None => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> TaskError {
    let nearest = task_names()
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| (*known).to_owned());
    TaskError::UnknownTask {
        name: name.to_owned(),
        nearest,
        known: task_names().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_loader() {
        let loaders: Vec<_> = LOADERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(loaders, task_names());
    }

    #[test]
    fn every_task_has_a_purpose_of_its_own() {
        let purposes: std::collections::BTreeSet<_> =
            task_names().iter().map(|name| task_purpose(name)).collect();
        assert_eq!(purposes.len(), task_names().len());
        assert!(!purposes.contains(task_purpose("")));
    }

    #[test]
    fn an_unknown_task_is_told_the_nearest() {
        let message = unknown("dor").to_string();
        assert!(message.contains("did you mean `door`?"), "{message}");
    }
}
