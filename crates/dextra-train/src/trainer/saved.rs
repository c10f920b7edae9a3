//! A run as a checkpoint, and back.

use std::sync::Arc;

use dextra_learn::Policy;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Progress, Trainer};
use crate::{
    actor::{Actor, ActorState},
    checkpoint::Checkpoint,
    error::TrainError,
};

/// Everything of the loop but the learner and the replay memory.
#[derive(Serialize, Deserialize)]
struct LoopState {
    progress: Progress,
    actors: Vec<ActorState>,
    replay_rng: ChaCha8Rng,
}

impl Trainer {
    /// A run where the checkpoint left it. The checkpoint's configuration may have been edited, as
    /// long as what it describes still fits what it holds.
    ///
    /// # Errors
    /// When the checkpoint is of another scene or physics version, or does not fit together.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self, TrainError> {
        let mut trainer = Self::empty(checkpoint.config.clone())?;
        if let Some(difference) = checkpoint.provenance.difference(&trainer.provenance()) {
            let reason = format!("was written with {difference}; a run cannot mix the two");
            return Err(trainer.unfit(reason));
        }
        trainer.learner.load(&checkpoint.learner)?;
        trainer.memory = bincode::deserialize(&checkpoint.replay)
            .map_err(|_| trainer.unfit(of_another_version("a replay memory")))?;
        trainer.memory.demonstration_share = trainer.config.demonstration_share;
        let state: LoopState = bincode::deserialize(&checkpoint.loop_state)
            .map_err(|_| trainer.unfit(of_another_version("a state")))?;
        if state.actors.len() != trainer.actors.len() {
            let (held, wanted) = (state.actors.len(), trainer.actors.len());
            return Err(trainer.unfit(format!("holds {held} actors, not {wanted}")));
        }
        for (actor, state) in trainer.actors.iter_mut().zip(state.actors) {
            actor.set_state(state)?;
        }
        trainer.replay_rng = state.replay_rng;
        trainer.progress = state.progress;
        if trainer.progress.best_eval.is_some() {
            trainer.best = Some(Arc::new(Policy::load(&checkpoint.policy)?));
        }
        trainer.policy = trainer.learner.policy();
        Ok(trainer)
    }

    /// Everything that continues this run exactly.
    ///
    /// # Errors
    /// When a part has no serial form.
    pub fn checkpoint(&self) -> Result<Checkpoint, TrainError> {
        let state = LoopState {
            progress: self.progress.clone(),
            actors: self.actors.iter().map(Actor::state).collect(),
            replay_rng: self.replay_rng.clone(),
        };
        let unfit = |error: bincode::Error| self.unfit(format!("cannot be made: {error}"));
        Ok(Checkpoint {
            config: self.config.clone(),
            provenance: self.provenance(),
            steps: self.progress.steps,
            updates: self.learner.updates(),
            obs_dim: self.policy.obs_dim(),
            action_dim: self.policy.action_dim(),
            policy: self.best_policy().policy.save()?,
            policy_steps: self.best_steps(),
            learner: self.learner.save()?,
            replay: bincode::serialize(&self.memory).map_err(unfit)?,
            loop_state: bincode::serialize(&state).map_err(unfit)?,
        })
    }
}

/// Why something whole cannot be read: the files are as they were written, their digests say so.
fn of_another_version(what: &str) -> String {
    format!(
        "holds {what} that this version of Dextra cannot continue with: evaluate its policy with \
         `dextra eval`, or go on with the version that wrote it"
    )
}
