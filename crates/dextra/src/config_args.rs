//! The options that make a run's configuration.

use std::path::PathBuf;

use dextra_data::dataset::Dataset;
use dextra_train::TrainConfig;

use crate::{
    dataset::say_repairs,
    error::{CliError, check_task},
};

/// Precedence: defaults, `--preset`, `--config`, then the single options and `--set`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ConfigArgs {
    /// Seed of every random draw [default: 0].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Environment steps; 50k and 1M are understood [default: 100k].
    #[arg(long, value_name = "N")]
    pub steps: Option<String>,
    /// The reward the learner sees: dense, sparse or binary [default: sparse].
    #[arg(long, value_name = "KIND")]
    pub reward: Option<String>,
    /// The learner's numbers: default, paper or bc (behaviour cloning).
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// A TOML file with configuration fields; a run's config.toml is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Learn from the successes of this dataset, and ask no expert.
    #[arg(long, value_name = "DIR")]
    pub demos: Option<PathBuf>,
    /// Sets any configuration field by its dotted key, such as learn.kl=0.5; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("it must have the form key=value")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

impl ConfigArgs {
    /// The configuration they make.
    pub fn resolve(&self, task: Option<&str>) -> Result<TrainConfig, CliError> {
        let preset = self.preset.as_deref().map(TrainConfig::preset);
        let mut config = preset.transpose()?.unwrap_or_default();
        if let Some(path) = &self.config {
            let text = std::fs::read_to_string(path).map_err(|error| {
                CliError::Usage(format!("cannot read {}: {error}", path.display()))
            })?;
            config.merge_toml(&text, &path.display().to_string())?;
        }
        if let Some(task) = task {
            check_task(task)?;
            config.task = task.to_owned();
        }
        if let Some(demos) = &self.demos {
            let dataset = Dataset::open(demos)?;
            say_repairs(&dataset);
            let successes = dataset.episodes().filter(|e| e.success).count();
            if successes == 0 {
                return Err(CliError::Failed(format!(
                    "{} has no successful episodes to learn from",
                    demos.display()
                )));
            }
            config.learn_from(&demos.display().to_string(), successes.min(10_000));
        }
        self.apply(&mut config)?;
        check_task(&config.task)?;
        config.validate()?;
        Ok(config)
    }

    /// Lays the single options over a configuration.
    pub fn apply(&self, config: &mut TrainConfig) -> Result<(), dextra_train::ConfigError> {
        if let Some(seed) = self.seed {
            config.seed = seed;
        }
        if let Some(steps) = &self.steps {
            config.set("steps", steps)?;
        }
        if let Some(reward) = &self.reward {
            config.set("reward", reward)?;
        }
        for (key, value) in &self.set {
            config.set(key, value)?;
        }
        Ok(())
    }
}
