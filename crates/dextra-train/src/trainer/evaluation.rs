//! Evaluations of a run: those during it, on seeds that are never used again, and the last one.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use super::Trainer;
use crate::{
    error::TrainError,
    evaluate::{ActingPolicy, EvalResult, evaluate_policy},
    seeds::EvalSeeds,
    statistics::Reached,
};

impl Trainer {
    /// Whether the next thing to do is an evaluation.
    pub fn evaluation_due(&self) -> bool {
        !self.progress.solved && self.progress.steps >= self.progress.next_eval_steps
    }

    /// Evaluates the policy alone. When it reaches `stop_at_success`, as many episodes again as the
    /// last evaluation has must confirm it before the run counts as solved: luck in one of many
    /// evaluations ends nothing. `None` when `cancel` was set; nothing has changed then.
    ///
    /// # Errors
    /// When the task's files cannot be read.
    pub fn evaluate(&mut self, cancel: &AtomicBool) -> Result<Option<EvalResult>, TrainError> {
        let began = Instant::now();
        let config = &self.config;
        let seeds = |done: u64| EvalSeeds::Monitor(done).first();
        let done = self.progress.monitored_episodes;
        let policy = self.policy();
        let episodes = config.eval_episodes;
        let Some(mut result) = self.run(&policy, episodes, seeds(done), cancel)? else {
            return Ok(None);
        };
        let reaches = |result: &EvalResult| {
            config
                .stop_at_success
                .is_some_and(|rate| result.success_rate >= rate)
        };
        if reaches(&result) {
            let first = seeds(done + result.episodes as u64);
            let episodes = config.final_eval_episodes;
            let Some(more) = self.run(&policy, episodes, first, cancel)? else {
                return Ok(None);
            };
            result = result.joined(&more);
        }
        let solved = reaches(&result);
        let progress = &mut self.progress;
        progress.solved = solved;
        progress.monitored_episodes += result.episodes as u64;
        progress.elapsed_secs += began.elapsed().as_secs_f64();
        while progress.next_eval_steps <= progress.steps {
            progress.next_eval_steps += self.config.eval_every_steps;
        }
        let reached = Reached {
            steps: progress.steps,
            secs: progress.elapsed_secs,
        };
        progress.milestones.note(result.success_rate, reached);
        progress.last_eval = Some(result);
        // The interval's lower end: a high rate over few episodes is no better than it is certain.
        if progress
            .best_eval
            .is_none_or(|best| result.ci_low >= best.ci_low)
        {
            progress.best_eval = Some(result);
            self.best = Some(Arc::clone(&self.policy));
        }
        Ok(Some(result))
    }

    /// The evaluation that ends a run: the policy that did best so far, on seeds that decided nothing
    /// before. `None` when `cancel` was set.
    ///
    /// # Errors
    /// When the task's files cannot be read.
    pub fn evaluate_final(&self, cancel: &AtomicBool) -> Result<Option<EvalResult>, TrainError> {
        let episodes = self.config.final_eval_episodes;
        let first_seed = EvalSeeds::Final.first();
        let result = self.run(&self.best_policy(), episodes, first_seed, cancel)?;
        let steps = self.best_steps();
        Ok(result.map(|result| EvalResult { steps, ..result }))
    }

    fn run(
        &self,
        policy: &ActingPolicy,
        episodes: usize,
        first_seed: u64,
        cancel: &AtomicBool,
    ) -> Result<Option<EvalResult>, TrainError> {
        let (model, options) = (&self.model, self.config.env());
        let result = evaluate_policy(policy, model, &options, episodes, first_seed, cancel)?;
        let steps = self.progress.steps;
        Ok(result.map(|result| EvalResult { steps, ..result }))
    }
}
