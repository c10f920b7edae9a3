//! Who acts: the intertwining of policy and expert (Jeong et al. 2020, algorithm 3).

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How often the expert acts.
///
/// An episode is intertwined with probability `lambda_intertwine`: then the expert acts at each step
/// with probability `lambda_psi`, drawn anew every step. Otherwise it acts for the whole episode with
/// probability `lambda_psi`, or not at all. (The paper's printed listing swaps the branches; its text
/// and figure captions say this.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exploration {
    /// Probability that the expert acts.
    pub lambda_psi: f64,
    /// Probability that an episode is intertwined.
    pub lambda_intertwine: f64,
    /// Control steps for which a draw lasts: who acts, and the policy's noise. One in the paper, whose
    /// steps are longer. What an action does in ten milliseconds is too little for a critic to learn its
    /// worth; what it does when held for some more is not (Tallec et al. 2019 on small time steps).
    pub hold_steps: usize,
    /// Probability that an episode is cut after `beginning_steps`. Where the goal is told by sight alone a
    /// policy has to tell it in the first few steps, and needs many goals to learn that from; of the rest of
    /// an episode it needs fewer.
    pub beginning_share: f64,
    /// Control steps of an episode that is only begun.
    pub beginning_steps: usize,
}

/// What was drawn and lasts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Held {
    /// Whether the expert acts.
    pub expert_acts: bool,
    /// Where the policy's noise comes from: the same at each of the steps.
    pub noise: ChaCha8Rng,
}

impl Held {
    /// What holds before the first draw.
    pub fn new(noise: ChaCha8Rng) -> Self {
        Self {
            expert_acts: false,
            noise,
        }
    }
}

/// Who acts in an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EpisodePlan {
    /// The policy, at every step.
    Policy,
    /// The expert, at every step.
    Expert,
    /// Drawn at every step.
    Intertwined,
}

impl Exploration {
    /// Draws who acts in the next episode.
    pub fn plan(&self, rng: &mut ChaCha8Rng) -> EpisodePlan {
        if rng.random_bool(self.lambda_intertwine) {
            EpisodePlan::Intertwined
        } else if rng.random_bool(self.lambda_psi) {
            EpisodePlan::Expert
        } else {
            EpisodePlan::Policy
        }
    }

    /// Draws whether the next episode is only begun: the step to cut it after.
    pub fn cut(&self, rng: &mut ChaCha8Rng) -> Option<usize> {
        // Without beginnings the generator draws what it always did.
        let begun = self.beginning_share > 0.0 && rng.random_bool(self.beginning_share);
        begun.then_some(self.beginning_steps)
    }

    /// Whether what was drawn before has lasted long enough at this step of an episode.
    pub fn redraws_at(&self, step_index: usize) -> bool {
        step_index.is_multiple_of(self.hold_steps)
    }

    /// Whether the expert acts at the next step of an episode with that plan.
    pub fn expert_acts(&self, plan: EpisodePlan, rng: &mut ChaCha8Rng) -> bool {
        match plan {
            EpisodePlan::Policy => false,
            EpisodePlan::Expert => true,
            EpisodePlan::Intertwined => rng.random_bool(self.lambda_psi),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::generator;

    /// Shares of (policy, expert, intertwined) episodes, and of expert steps in intertwined ones.
    fn shares(lambda_psi: f64, lambda_intertwine: f64) -> ([f64; 3], f64) {
        const EPISODES: usize = 20_000;
        let exploration = Exploration {
            lambda_psi,
            lambda_intertwine,
            hold_steps: 1,
            beginning_share: 0.0,
            beginning_steps: 1,
        };
        let mut rng = generator(0, "test", 0);
        let mut counts = [0usize; 3];
        let (mut steps, mut expert_steps) = (0usize, 0usize);
        for _ in 0..EPISODES {
            let plan = exploration.plan(&mut rng);
            counts[plan as usize] += 1;
            let expert = (0..10)
                .filter(|_| exploration.expert_acts(plan, &mut rng))
                .count();
            match plan {
                EpisodePlan::Policy => assert_eq!(expert, 0),
                EpisodePlan::Expert => assert_eq!(expert, 10),
                EpisodePlan::Intertwined => {
                    steps += 10;
                    expert_steps += expert;
                }
            }
        }
        let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
        (
            counts.map(|n| share(n, EPISODES)),
            share(expert_steps, steps),
        )
    }

    #[test]
    fn shares_are_the_papers() {
        // Table 6 of the paper, RLfSE: half the episodes intertwined, three quarters expert steps.
        let ([policy, expert, intertwined], steps) = shares(0.75, 0.5);
        assert!((policy - 0.125).abs() < 0.01, "{policy}");
        assert!((expert - 0.375).abs() < 0.01, "{expert}");
        assert!((intertwined - 0.5).abs() < 0.015, "{intertwined}");
        assert!((steps - 0.75).abs() < 0.01, "{steps}");
    }

    #[test]
    fn without_intertwining_every_episode_has_one_source() {
        // Table 6, RLfD: a quarter of the episodes are the expert's.
        let ([policy, expert, intertwined], _) = shares(0.25, 0.0);
        assert_eq!(intertwined, 0.0);
        assert!((policy - 0.75).abs() < 0.015 && (expert - 0.25).abs() < 0.015);
    }

    #[test]
    fn certain_choices_need_no_luck() {
        assert_eq!(shares(0.0, 0.0).0, [1.0, 0.0, 0.0]);
        assert_eq!(shares(1.0, 0.0).0, [0.0, 1.0, 0.0]);
        assert_eq!(shares(1.0, 1.0), ([0.0, 0.0, 1.0], 1.0));
    }
}
