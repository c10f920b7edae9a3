//! Rewards: which kind, and of which terms they are the sum.

use serde::{Deserialize, Serialize};

/// What an agent is rewarded for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewardKind {
    /// The task's shaped reward (Rajeswaran et al. 2018, the DAPG reward).
    Dense,
    /// +10 at a step with success, -0.1 otherwise (Gymnasium's `AdroitHand*Sparse`).
    #[default]
    Sparse,
    /// 0 at a step with success, -1 otherwise (AWAC's and Cal-QL's `*-binary`).
    Binary,
}

impl RewardKind {
    /// The reward of a step; `None` for [`RewardKind::Dense`], which needs more than success.
    pub fn of_success(self, success: bool) -> Option<f32> {
        self.success_term(success).map(|term| term.value)
    }

    /// The reward of a step as a single term; `None` for [`RewardKind::Dense`], which has the
    /// task's own terms.
    pub(crate) fn success_term(self, success: bool) -> Option<RewardTerm> {
        match self {
            Self::Dense => None,
            Self::Sparse => Some(RewardTerm::new("sparse", if success { 10.0 } else { -0.1 })),
            Self::Binary => Some(RewardTerm::new("binary", if success { 0.0 } else { -1.0 })),
        }
    }
}

/// A named part of a reward.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RewardTerm {
    /// What it is for.
    pub name: &'static str,
    /// Its value, weight included.
    pub value: f32,
}

impl RewardTerm {
    pub(crate) fn new(name: &'static str, value: f64) -> Self {
        Self {
            name,
            value: value as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn success_rewards_are_the_published_ones() {
        let value = |kind: RewardKind, success| kind.of_success(success);
        assert_eq!(value(RewardKind::Sparse, true), Some(10.0));
        assert_eq!(value(RewardKind::Sparse, false), Some(-0.1));
        assert_eq!(value(RewardKind::Binary, true), Some(0.0));
        assert_eq!(value(RewardKind::Binary, false), Some(-1.0));
        assert_eq!(value(RewardKind::Dense, true), None);
    }

    #[test]
    fn kinds_are_written_in_snake_case() {
        assert_eq!(
            serde_json::to_string(&RewardKind::Binary).unwrap(),
            "\"binary\""
        );
    }
}
