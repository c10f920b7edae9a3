//! Everything a run can be told: defaults, TOML files and dotted keys.

use std::{collections::BTreeMap, fmt::Display, sync::Arc};

use dextra_learn::{ActMode, LearnConfig, LearnError};
use dextra_tasks::{Env, EnvOptions, RewardKind, TaskModel};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::{
    demonstrations::EXPERT,
    edit::REWARD_WEIGHTS,
    keys::{check_key, field, flatten, merge, parse_value},
};

/// The table in a run's `config.toml` that says what wrote it; not configuration.
pub(crate) const PROVENANCE: &str = "provenance";

/// How a policy picks an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActChoice {
    /// Resample among the prior's samples by the critic (the paper's improved policy).
    Resample,
    /// A sample of the prior.
    Prior,
    /// The prior's mean.
    Mean,
}

impl From<ActChoice> for ActMode {
    fn from(choice: ActChoice) -> Self {
        match choice {
            ActChoice::Resample => ActMode::Resample,
            ActChoice::Prior => ActMode::Prior,
            ActChoice::Mean => ActMode::Mean,
        }
    }
}

/// The configuration of a run. Unknown keys are errors.
///
/// Precedence: defaults, preset, file, then single keys ([`TrainConfig::set`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// The task to learn.
    pub task: String,
    /// Which reward the learner sees.
    pub reward: RewardKind,
    /// Control steps of an episode; 0 for the task's own number.
    pub horizon: usize,
    /// Whether masses, friction, the object's size and the actuators' gains vary from episode to
    /// episode, within the ranges of the task's file.
    pub randomise: bool,
    /// Control steps for which each action is held. A step of the environment, wherever steps are
    /// counted here, is then that many control steps; horizon and success go by control steps.
    pub action_repeat: usize,
    /// Seed of every random draw of the run.
    pub seed: u64,
    /// Environment steps to train for, over all actors.
    pub steps: u64,
    /// Environments that collect side by side.
    pub actors: usize,
    /// Environment steps of each actor in a lock-step round.
    pub round_steps: u64,
    /// Learner updates per environment step.
    pub utd_ratio: f64,
    /// Environment steps before the first update.
    pub warmup_steps: u64,
    /// Complete episodes that the replay memory keeps, counted in steps.
    pub replay_capacity: usize,
    /// Whether a training episode ends as soon as it counts as a success. It is cut, not terminated:
    /// the value of what would have followed counts. Nothing is to be learnt from a hand that has done
    /// its task, and half of all steps would be such.
    pub end_on_success: bool,
    /// Whether an episode is kept a second time with the goal that it did reach, where the task has
    /// goals and the reward tells only success (hindsight, Andrychowicz et al. 2017).
    pub hindsight: bool,
    /// How the actors' policy picks actions.
    pub act_mode: ActChoice,
    /// Probability that the expert acts: at a step of an intertwined episode, or for a whole
    /// episode otherwise (the paper's lambda_psi).
    pub lambda_psi: f64,
    /// Probability that an episode intertwines expert and policy (the paper's lambda_intertwine).
    pub lambda_intertwine: f64,
    /// Control steps for which the actors' draws last: whether the expert acts, and the policy's noise.
    /// With as many for `learn.n_step` the critic sees what a held action leads to.
    pub exploration_hold_steps: usize,
    /// Probability that a training episode is cut after `beginning_steps`, so that many more are begun:
    /// where a policy must tell many goals apart at once.
    pub beginning_share: f64,
    /// Control steps of such an episode.
    pub beginning_steps: usize,
    /// Successful episodes to learn from besides those of the replay memory; they never leave, and cost
    /// no environment steps of the run.
    pub demonstrations: usize,
    /// Whose they are: `expert` for the task's own, or the path of a policy, which is asked for nothing
    /// else; or the folder of a dataset, whose first successes they are.
    pub demonstrator: String,
    /// Share of every batch that is drawn from the demonstrations, where there are any: half, as in
    /// RLPD (Ball et al. 2023). Drawn with all else they would soon be few.
    pub demonstration_share: f64,
    /// Environment steps between evaluations.
    pub eval_every_steps: u64,
    /// Episodes of an evaluation during training.
    pub eval_episodes: usize,
    /// Episodes of the last evaluation, on seeds used for nothing else.
    pub final_eval_episodes: usize,
    /// How the evaluated policy picks actions.
    pub eval_mode: ActChoice,
    /// Success rate at which training ends before `steps`; `"never"` trains to the end.
    #[serde(with = "rate_or_never")]
    pub stop_at_success: Option<f64>,
    /// Seconds between checkpoints.
    pub checkpoint_every_secs: f64,
    /// Factors of the dense reward's terms by name; 1 where there is none. Evaluations count the task's
    /// own reward, whatever these are.
    pub reward_weights: BTreeMap<String, f64>,
    /// The learner.
    pub learn: LearnConfig,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            task: "door".into(),
            reward: RewardKind::Sparse,
            horizon: 0,
            randomise: false,
            action_repeat: 1,
            seed: 0,
            steps: 100_000,
            actors: 4,
            round_steps: 50,
            utd_ratio: 0.25,
            warmup_steps: 4_000,
            replay_capacity: 1_000_000,
            end_on_success: true,
            hindsight: false,
            act_mode: ActChoice::Resample,
            lambda_psi: 0.75,
            lambda_intertwine: 0.5,
            exploration_hold_steps: 1,
            beginning_share: 0.0,
            beginning_steps: 8,
            demonstrations: 0,
            demonstrator: EXPERT.into(),
            demonstration_share: 0.5,
            eval_every_steps: 5_000,
            eval_episodes: 50,
            final_eval_episodes: 100,
            eval_mode: ActChoice::Mean,
            stop_at_success: Some(0.95),
            checkpoint_every_secs: 120.0,
            reward_weights: BTreeMap::new(),
            learn: LearnConfig::default(),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A key that no field has.
    #[error("unknown configuration key `{key}`; did you mean `{nearest}`?")]
    UnknownKey {
        /// The key as given.
        key: String,
        /// The known key most like it.
        nearest: String,
    },
    /// A preset that does not exist.
    #[error("unknown preset `{0}`; the presets are `default`, `paper` and `bc`")]
    UnknownPreset(String),
    /// A value of the wrong kind or out of range.
    #[error("`{key}` cannot be {value}: {reason}")]
    BadValue {
        /// The key.
        key: String,
        /// The value as given.
        value: String,
        /// What it must be.
        reason: String,
    },
    /// A field that stays as it is while a run goes on.
    #[error("`{key}` cannot be edited in this run; what can: {editable}")]
    NotEditable {
        /// The key as given.
        key: String,
        /// The keys that can.
        editable: String,
    },
    /// A file that is not a configuration.
    #[error("{origin} is not a configuration: {reason}")]
    BadFile {
        /// The file.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl TrainConfig {
    /// The default run with the learner's preset of that name; with `paper`, episodes of their full length;
    /// with `bc`, many updates on demonstrations alone.
    ///
    /// # Errors
    /// When there is no such preset.
    pub fn preset(name: &str) -> Result<Self, ConfigError> {
        let learn =
            LearnConfig::preset(name).ok_or_else(|| ConfigError::UnknownPreset(name.to_owned()))?;
        let config = Self {
            learn,
            end_on_success: name != "paper",
            ..Self::default()
        };
        Ok(match name {
            "bc" => Self {
                demonstrations: 25,
                demonstration_share: 1.0,
                lambda_psi: 0.0,
                lambda_intertwine: 0.0,
                warmup_steps: 1_000,
                steps: 5_000,
                utd_ratio: 4.0,
                eval_every_steps: 1_000,
                ..config
            },
            _ => config,
        })
    }

    /// Learns from demonstrations only (RLfD of Jeong et al. 2020, table 6, without expert episodes):
    /// nobody is asked for more.
    pub fn learn_from(&mut self, demonstrator: &str, demonstrations: usize) {
        self.demonstrator = demonstrator.to_owned();
        self.demonstrations = demonstrations;
        self.lambda_psi = 0.0;
        self.lambda_intertwine = 0.0;
        self.warmup_steps = 1_000;
        self.learn.expert_term = false;
    }

    /// The environments of this run.
    pub fn env(&self) -> EnvOptions {
        EnvOptions {
            reward: self.reward,
            horizon: (self.horizon > 0).then_some(self.horizon),
            randomise: self.randomise,
            action_repeat: (self.action_repeat > 1).then_some(self.action_repeat),
        }
    }

    /// An environment of this run.
    pub(crate) fn make_env(&self, model: &Arc<TaskModel>) -> Env {
        let mut env = Env::with_model(Arc::clone(model), &self.env());
        self.weigh(&mut env);
        env
    }

    /// Makes an environment count the reward's terms as this run does.
    pub(crate) fn weigh(&self, env: &mut Env) {
        if !self.reward_weights.is_empty() {
            env.weigh_dense_terms(|term| self.reward_weight(term));
        }
    }

    /// Every dotted key that [`TrainConfig::set`] accepts, in order; beside these, `reward_weights.` and
    /// the name of a term of the task's dense reward.
    pub fn keys() -> Vec<String> {
        let mut keys = Vec::new();
        if let Ok(table) = Table::try_from(Self::default()) {
            flatten("", &table, &mut keys);
        }
        keys
    }

    /// Sets one field by its dotted key, such as `learn.kl`, from TOML text or a bare word.
    /// Whole numbers may end in `k` or `M`. Ranges are left to [`TrainConfig::validate`], so that
    /// several keys can be set one by one.
    ///
    /// # Errors
    /// When no field has that key (the error names the nearest) or the value is of another kind; the
    /// configuration is then unchanged.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), ConfigError> {
        let key = key.trim();
        check_key(key)?;
        let bad = |reason: String| ConfigError::BadValue {
            key: key.to_owned(),
            value: format!("`{}`", value.trim()),
            reason,
        };
        let mut table = Table::try_from(&*self).map_err(|error| bad(error.to_string()))?;
        if let Some(weight) = key.strip_prefix(REWARD_WEIGHTS) {
            let weights = table.entry("reward_weights").or_insert(Table::new().into());
            if let Some(weights) = weights.as_table_mut() {
                weights.entry(weight).or_insert(1.0.into());
            }
        }
        let slot = field(&mut table, key).ok_or_else(|| bad("it is a group of keys".into()))?;
        *slot = parse_value(value, slot);
        let changed: Self = table
            .try_into()
            .map_err(|error: toml::de::Error| bad(error.message().trim().to_owned()))?;
        *self = changed;
        Ok(())
    }

    /// Lays a TOML file over this configuration; `origin` names it in errors.
    ///
    /// # Errors
    /// On text that is not TOML, unknown keys and values of another kind; the configuration is then
    /// unchanged.
    pub fn merge_toml(&mut self, text: &str, origin: &str) -> Result<(), ConfigError> {
        let bad = |reason: String| ConfigError::BadFile {
            origin: origin.to_owned(),
            reason,
        };
        let mut file: Table =
            toml::from_str(text).map_err(|error| bad(error.to_string().trim().to_owned()))?;
        file.remove(PROVENANCE);
        let mut keys = Vec::new();
        flatten("", &file, &mut keys);
        for key in &keys {
            check_key(key)?;
        }
        let mut table = Table::try_from(&*self).map_err(|error| bad(error.to_string()))?;
        merge(&mut table, file);
        let merged: Self = table
            .try_into()
            .map_err(|error: toml::de::Error| bad(error.message().trim().to_owned()))?;
        *self = merged;
        Ok(())
    }

    /// The configuration as TOML, every field written out.
    ///
    /// # Errors
    /// When a value has no TOML form.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::BadFile {
            origin: "this configuration".into(),
            reason: error.to_string(),
        })
    }

    /// Checks every range.
    ///
    /// # Errors
    /// Names the first field out of range and what it must be.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let check = |key: &str, value: &dyn Display, fits: bool, reason: &str| match fits {
            true => Ok(()),
            false => Err(ConfigError::BadValue {
                key: key.into(),
                value: value.to_string(),
                reason: reason.into(),
            }),
        };
        let count = |key: &str, value: u64| check(key, &value, value > 0, "it must be at least 1");
        let share = |key: &str, value: f64| {
            let fits = (0.0..=1.0).contains(&value);
            check(key, &value, fits, "it must lie in 0 to 1")
        };
        count("steps", self.steps)?;
        count("round_steps", self.round_steps)?;
        count("exploration_hold_steps", self.exploration_hold_steps as u64)?;
        count("beginning_steps", self.beginning_steps as u64)?;
        count("action_repeat", self.action_repeat as u64)?;
        let asks_expert =
            self.lambda_psi > 0.0 || self.learn.expert_term || self.demonstrations > 0;
        check(
            "action_repeat",
            &self.action_repeat,
            self.action_repeat == 1 || !asks_expert,
            "experts and demonstrations act at every control step; above 1 it needs `lambda_psi` 0, \
             `demonstrations` 0 and `learn.expert_term` false",
        )?;
        count("replay_capacity", self.replay_capacity as u64)?;
        count("eval_every_steps", self.eval_every_steps)?;
        count("eval_episodes", self.eval_episodes as u64)?;
        count("final_eval_episodes", self.final_eval_episodes as u64)?;
        share("lambda_psi", self.lambda_psi)?;
        share("beginning_share", self.beginning_share)?;
        share("demonstration_share", self.demonstration_share)?;
        check(
            "hindsight",
            &self.hindsight,
            !self.hindsight || self.reward != RewardKind::Dense,
            "the dense reward tells more than success; it needs `reward` sparse or binary",
        )?;
        share("lambda_intertwine", self.lambda_intertwine)?;
        share("stop_at_success", self.stop_at_success.unwrap_or(1.0))?;
        let demonstrations = self.demonstrations;
        check(
            "demonstrations",
            &demonstrations,
            demonstrations <= 10_000,
            "it must be at most 10000",
        )?;
        for (term, &weight) in &self.reward_weights {
            let key = format!("{REWARD_WEIGHTS}{term}");
            check(&key, &weight, weight.is_finite(), "it must be finite")?;
        }
        let (actors, utd, secs) = (self.actors, self.utd_ratio, self.checkpoint_every_secs);
        check(
            "actors",
            &actors,
            (1..=1024).contains(&actors),
            "it must lie in 1 to 1024",
        )?;
        check(
            "utd_ratio",
            &utd,
            (0.0..=1000.0).contains(&utd),
            "it must lie in 0 to 1000",
        )?;
        check(
            "checkpoint_every_secs",
            &secs,
            secs > 0.0,
            "it must be positive",
        )?;
        self.learn.validate().map_err(|error| match error {
            LearnError::Config {
                field,
                value,
                range,
            } => ConfigError::BadValue {
                key: format!("learn.{field}"),
                value: value.to_string(),
                reason: format!("it must be {range}"),
            },
            other => ConfigError::BadFile {
                origin: "the table `learn`".into(),
                reason: other.to_string(),
            },
        })
    }
}

/// A rate, or the word `never`, so that every field has a TOML form.
mod rate_or_never {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Rate(f64),
        Word(String),
    }

    pub fn serialize<S: Serializer>(rate: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        match rate {
            Some(rate) => rate.serialize(to),
            None => "never".serialize(to),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        match Form::deserialize(from) {
            Ok(Form::Rate(rate)) => Ok(Some(rate)),
            Ok(Form::Word(word)) if word == "never" => Ok(None),
            _ => Err(D::Error::custom("it is a rate from 0 to 1, or \"never\"")),
        }
    }
}

#[cfg(test)]
mod tests;
