//! The numbers of the learner that a person can change, and those asked for but not yet applied.

use dextra_train::{Edit, Setting};

/// How a field is shown.
pub(crate) struct Knob {
    /// The field's key; of the reward's weights, what it begins with.
    pub key: &'static str,
    /// Its name on the panel.
    pub label: &'static str,
    /// What it does.
    pub hint: &'static str,
    /// Its name for scripted tests.
    pub mark: &'static str,
    /// The largest value that dragging reaches.
    pub most: f64,
}

/// Every field that the learner's panel shows, in order.
pub(crate) const KNOBS: [Knob; 7] = [
    Knob {
        key: "learn.learning_rate",
        label: "Critics' learning rate",
        hint: "Adam's step size for the critics",
        mark: "learning_rate",
        most: 1.0,
    },
    Knob {
        key: "learn.prior_learning_rate",
        label: "Prior's learning rate",
        hint: "Adam's step size for the prior",
        mark: "prior_learning_rate",
        most: 1.0,
    },
    Knob {
        key: "learn.kl",
        label: "KL bound",
        hint: "How far the improved policy may be from the prior at every state, nats (ε)",
        mark: "kl",
        most: 10.0,
    },
    Knob {
        key: "utd_ratio",
        label: "Updates per step",
        hint: "Learner updates per environment step",
        mark: "utd_ratio",
        most: 1000.0,
    },
    Knob {
        key: "lambda_psi",
        label: "Expert acts",
        hint: "Probability that the expert acts at a step of an intertwined episode, or for all of \
               another (λψ)",
        mark: "lambda_psi",
        most: 1.0,
    },
    Knob {
        key: "lambda_intertwine",
        label: "Intertwined episodes",
        hint: "Probability that expert and policy take turns within an episode",
        mark: "lambda_intertwine",
        most: 1.0,
    },
    Knob {
        key: "reward_weights.",
        label: "Weight of ",
        hint: "Factor of this term of the dense reward, for steps from now on",
        mark: "reward_weight",
        most: 100.0,
    },
];

/// The knob of a key.
pub(crate) fn knob(key: &str) -> Option<&'static Knob> {
    KNOBS
        .iter()
        .find(|knob| key == knob.key || (knob.key.ends_with('.') && key.starts_with(knob.key)))
}

/// Edits on their way, and how to take them back.
#[derive(Default)]
pub(crate) struct Tuning {
    asked: Vec<Edit>,
    undo: Vec<Edit>,
    refused: Option<String>,
}

impl Tuning {
    /// Notes that an edit was asked for, while the field stands at `before`.
    pub fn ask(&mut self, edit: Edit, before: f64) {
        self.undo.push(Edit {
            key: edit.key.clone(),
            value: before,
        });
        self.asked.retain(|asked| asked.key != edit.key);
        self.asked.push(edit);
    }

    /// What takes the newest edit back.
    pub fn undo(&mut self) -> Option<Edit> {
        self.undo.pop()
    }

    /// Whether there is an edit to take back.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Compares with how the fields stand; returns why an edit was refused, once.
    pub fn settle(&mut self, settings: &[Setting], refused: Option<&str>) -> Option<String> {
        let stands = |edit: &Edit| {
            settings
                .iter()
                .any(|setting| setting.key == edit.key && setting.value == edit.value)
        };
        self.asked.retain(|edit| !stands(edit));
        if self.refused.as_deref() == refused {
            return None;
        }
        self.refused = refused.map(str::to_owned);
        self.asked.clear();
        self.refused.clone()
    }

    /// The value asked for and not yet applied.
    pub fn asked(&self, key: &str) -> Option<f64> {
        let edit = self.asked.iter().find(|edit| edit.key == key)?;
        Some(edit.value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use dextra_tasks::RewardKind;
    use dextra_train::TrainConfig;

    fn edit(value: f64) -> Edit {
        Edit {
            key: "learn.kl".into(),
            value,
        }
    }

    #[test]
    fn every_field_that_can_be_edited_has_a_knob() {
        let config = TrainConfig {
            reward: RewardKind::Dense,
            ..TrainConfig::default()
        };
        for key in config.editable(&["reach"]) {
            assert!(knob(&key).is_some(), "{key}");
        }
    }

    #[test]
    fn an_edit_is_pending_until_it_stands_and_can_be_taken_back() {
        let mut tuning = Tuning::default();
        tuning.ask(edit(0.5), 0.75);
        tuning.ask(edit(0.4), 0.5);
        assert_eq!(tuning.asked("learn.kl"), Some(0.4));
        let at = |value| {
            [Setting {
                key: "learn.kl".into(),
                value,
                initial: 0.75,
            }]
        };
        assert_eq!(tuning.settle(&at(0.5), None), None);
        assert_eq!(tuning.asked("learn.kl"), Some(0.4));
        assert_eq!(tuning.settle(&at(0.4), None), None);
        assert_eq!(tuning.asked("learn.kl"), None);
        assert_eq!(tuning.undo(), Some(edit(0.5)));
        assert_eq!(tuning.undo(), Some(edit(0.75)));
        assert!(!tuning.can_undo());
    }

    #[test]
    fn a_refusal_is_told_once() {
        let mut tuning = Tuning::default();
        tuning.ask(edit(-1.0), 0.75);
        assert_eq!(tuning.settle(&[], Some("no")), Some("no".into()));
        assert_eq!(tuning.settle(&[], Some("no")), None);
        assert_eq!(tuning.asked("learn.kl"), None);
    }
}
