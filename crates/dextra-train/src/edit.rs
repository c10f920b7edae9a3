//! What can be changed while a run goes on.
//!
//! An edit is applied between rounds and written to `events.jsonl` with the step it was applied at. A run
//! that is given that log (`log.rs`) applies the same edits at the same steps.

use dextra_tasks::RewardKind;
use serde::Serialize;

use crate::config::{ConfigError, TrainConfig};

/// The fields that can be changed in a running training, beside the reward's weights.
const FIELDS: [&str; 6] = [
    "learn.learning_rate",
    "learn.prior_learning_rate",
    "learn.kl",
    "utd_ratio",
    "lambda_psi",
    "lambda_intertwine",
];
/// Before the name of a term of the dense reward.
pub(crate) const REWARD_WEIGHTS: &str = "reward_weights.";

/// A new value for one field of a running training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edit {
    /// The field's dotted key; one of [`TrainConfig::editable`].
    pub key: String,
    /// Its new value.
    pub value: f64,
}

/// An edit and when to apply it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledEdit {
    /// Environment steps made when it is applied.
    pub step: u64,
    /// Whether the evaluation due at that step, if any, was still to come.
    pub before_evaluation: bool,
    /// What changes.
    pub edit: Edit,
}

/// A field that can be edited, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its dotted key.
    pub key: String,
    /// Its value now.
    pub value: f64,
    /// Its value when the run began.
    pub initial: f64,
}

impl TrainConfig {
    /// Keys of the fields that can be changed while the run goes on; `terms` are those of the task's
    /// dense reward.
    pub fn editable(&self, terms: &[&str]) -> Vec<String> {
        let weights = terms.iter().map(|term| format!("{REWARD_WEIGHTS}{term}"));
        let fields = FIELDS.iter().map(|&key| key.to_owned());
        if self.reward == RewardKind::Dense {
            fields.chain(weights).collect()
        } else {
            fields.collect()
        }
    }

    /// The value of a field that can be edited.
    pub fn number(&self, key: &str) -> Option<f64> {
        Some(match key {
            "learn.learning_rate" => self.learn.learning_rate,
            "learn.prior_learning_rate" => self.learn.prior_learning_rate,
            "learn.kl" => self.learn.kl,
            "utd_ratio" => self.utd_ratio,
            "lambda_psi" => self.lambda_psi,
            "lambda_intertwine" => self.lambda_intertwine,
            _ => self.reward_weight(key.strip_prefix(REWARD_WEIGHTS)?),
        })
    }

    /// The weight of a term of the dense reward, 1 unless set.
    pub(crate) fn reward_weight(&self, term: &str) -> f64 {
        self.reward_weights.get(term).copied().unwrap_or(1.0)
    }

    /// This configuration with an edit applied; `terms` are those of the task's dense reward.
    ///
    /// # Errors
    /// When the field cannot be edited or the value is out of its range.
    pub fn edited(&self, edit: &Edit, terms: &[&str]) -> Result<Self, ConfigError> {
        let editable = self.editable(terms);
        if !editable.contains(&edit.key) {
            return Err(ConfigError::NotEditable {
                key: edit.key.clone(),
                editable: editable.join(", "),
            });
        }
        let mut config = self.clone();
        config.set(&edit.key, &format!("{:?}", edit.value))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that the weighed terms are among `terms`, those of the task's dense reward.
    pub(crate) fn check_reward_weights(&self, terms: &[&str]) -> Result<(), ConfigError> {
        let Some((term, weight)) = self.reward_weights.iter().next() else {
            return Ok(());
        };
        let refused = |term: &str, weight: f64, reason: String| ConfigError::BadValue {
            key: format!("{REWARD_WEIGHTS}{term}"),
            value: weight.to_string(),
            reason,
        };
        if self.reward != RewardKind::Dense {
            let reason = "only the dense reward has terms; it needs `reward` dense";
            return Err(refused(term, *weight, reason.into()));
        }
        let unknown = |(term, _): &(&String, &f64)| !terms.contains(&term.as_str());
        self.reward_weights
            .iter()
            .find(unknown)
            .map_or(Ok(()), |(term, weight)| {
                let reason = format!("the reward's terms are {}", terms.join(", "));
                Err(refused(term, *weight, reason))
            })
    }

    /// How the editable fields stand, beside `initial`, the configuration that the run began with.
    pub(crate) fn settings(&self, initial: &Self, terms: &[&str]) -> Vec<Setting> {
        self.editable(terms)
            .into_iter()
            .filter_map(|key| {
                let (value, initial) = (self.number(&key)?, initial.number(&key)?);
                Some(Setting {
                    key,
                    value,
                    initial,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_editable_field_has_a_value_and_takes_another() {
        let config = TrainConfig {
            reward: RewardKind::Dense,
            ..TrainConfig::default()
        };
        for key in config.editable(&["reach"]) {
            let value = config.number(&key).unwrap() / 2.0;
            let edit = Edit {
                key: key.clone(),
                value,
            };
            let edited = config.edited(&edit, &["reach"]).unwrap();
            assert_eq!(edited.number(&key), Some(value), "{key}");
            let back = edited.settings(&config, &["reach"]);
            let changed = back.iter().filter(|s| s.value != s.initial);
            assert_eq!(changed.map(|s| &s.key).collect::<Vec<_>>(), [&key]);
        }
    }

    #[test]
    fn what_cannot_be_edited_is_refused_with_what_can() {
        let config = TrainConfig::default();
        let refused = |key: &str, value| {
            let key = key.to_owned();
            let edit = Edit { key, value };
            config.edited(&edit, &["reach"]).unwrap_err().to_string()
        };
        let message = refused("actors", 2.0);
        assert!(
            message.contains("`actors`") && message.contains("learn.kl"),
            "{message}"
        );
        assert!(refused("reward_weights.reach", 2.0).contains("cannot be edited"));
        assert!(refused("lambda_psi", 1.5).contains("0 to 1"));
        assert!(refused("learn.learning_rate", 0.0).contains("positive"));
        assert!(refused("learn.kl", f64::NAN).contains("`learn.kl` cannot be"));
    }
}
