//! `dextra dataset`: what is in a dataset, and changes to it.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use dextra_data::{
    dataset::{self, Dataset, EpisodeInfo, Origin},
    foreign,
};
use dextra_train::{busy_range, import, trim};
use serde_json::json;

use crate::error::{CliError, check_task};

/// Options of `dextra dataset`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say what a dataset holds.
    Info {
        /// Folder of the dataset.
        dataset: PathBuf,
        /// List every episode.
        #[arg(long)]
        episodes: bool,
        /// Print one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read everything; say what is damaged or odd.
    Check {
        /// Folder of the dataset.
        dataset: PathBuf,
    },
    /// Print smallest, mean, deviation and largest of every feature.
    Stats {
        /// Folder of the dataset.
        dataset: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove episodes; those after them move up.
    Delete {
        /// Folder of the dataset.
        dataset: PathBuf,
        /// The episodes, counted from 0.
        #[arg(required = true)]
        episodes: Vec<usize>,
    },
    /// Cut an episode's head and tail, simulate it once more and verify it.
    Trim {
        /// Folder of the dataset.
        dataset: PathBuf,
        /// The episode, counted from 0.
        episode: usize,
        /// First step to keep [default: where the action first moves].
        #[arg(long, value_name = "STEP")]
        from: Option<usize>,
        /// Step after the last to keep [default: where the action last moves, or success was held].
        #[arg(long, value_name = "STEP")]
        to: Option<usize>,
    },
    /// Make two datasets of one, which stays.
    Split {
        /// Folder of the dataset.
        dataset: PathBuf,
        /// First episode of the second part.
        #[arg(long, value_name = "K")]
        at: usize,
        /// Folders of the two parts.
        #[arg(long, num_args = 2, value_names = ["FIRST", "SECOND"], required = true)]
        out: Vec<PathBuf>,
    },
    /// Make a dataset of another program's demonstrations: a DAPG .pickle, a .csv as `export` writes it, a
    /// Minari dataset's folder, or (with the feature hdf5) an .hdf5 file of D4RL or robomimic.
    Import {
        /// The file or folder.
        from: PathBuf,
        /// The task that they are of.
        #[arg(long)]
        task: String,
        /// Folder of the new dataset.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write a dataset for another program.
    Export {
        /// Folder of the dataset.
        dataset: PathBuf,
        /// What to write.
        #[arg(long, value_enum)]
        format: Format,
        /// The file (csv, d4rl, robomimic) or folder (minari) to write.
        #[arg(long, value_name = "PATH")]
        out: PathBuf,
    },
    /// Make one dataset of several, which stay.
    Merge {
        /// Folders of the datasets.
        #[arg(required = true)]
        datasets: Vec<PathBuf>,
        /// Folder of the new one.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// What other programs read.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// One table of text.
    Csv,
    /// A Minari dataset in parquet storage.
    Minari,
    /// A Minari dataset in HDF5 storage (feature hdf5).
    MinariHdf5,
    /// One HDF5 file of flat arrays, as D4RL's (feature hdf5).
    D4rl,
    /// One HDF5 file with a group per episode, as robomimic's (feature hdf5).
    Robomimic,
}

/// Does it, and prints.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    match args.action {
        Action::Info {
            dataset,
            episodes,
            json,
        } => info(&open(&dataset)?, episodes, json),
        Action::Check { dataset } => return check(&open(&dataset)?),
        Action::Stats { dataset, json } => stats(&open(&dataset)?, json)?,
        Action::Delete { dataset, episodes } => {
            dataset::delete(&dataset, &episodes)?;
            info(&open(&dataset)?, false, false);
        }
        Action::Trim {
            dataset,
            episode,
            from,
            to,
        } => trim_episode(&dataset, episode, from, to)?,
        Action::Split { dataset, at, out } => {
            let [first, second] = out.as_slice() else {
                return Err(CliError::Usage("--out needs two folders".into()));
            };
            dataset::split(&dataset, at, first, second)?;
            for part in [first, second] {
                info(&open(part)?, false, false);
            }
        }
        Action::Import { from, task, out } => {
            check_task(&task)?;
            info(&import(&from, &task, &out)?, false, false);
        }
        Action::Export {
            dataset,
            format,
            out,
        } => {
            let dataset = open(&dataset)?;
            match format {
                Format::Csv => foreign::write_csv(&dataset, &out)?,
                Format::Minari => foreign::write_minari(&dataset, &out)?,
                #[cfg(feature = "hdf5")]
                Format::MinariHdf5 => foreign::write_minari_hdf5(&dataset, &out)?,
                #[cfg(feature = "hdf5")]
                Format::D4rl => foreign::write_d4rl(&dataset, &out)?,
                #[cfg(feature = "hdf5")]
                Format::Robomimic => foreign::write_robomimic(&dataset, &out)?,
                #[cfg(not(feature = "hdf5"))]
                _ => {
                    let out = out.display();
                    return Err(CliError::Failed(format!("{out} {}", foreign::NO_HDF5)));
                }
            }
            println!("{}: {} episodes written", out.display(), dataset.len());
        }
        Action::Merge { datasets, out } => {
            let parts: Vec<_> = datasets.iter().map(PathBuf::as_path).collect();
            dataset::merge(&parts, &out)?;
            info(&open(&out)?, false, false);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn open(root: &Path) -> Result<Dataset, CliError> {
    let dataset = Dataset::open(root)?;
    say_repairs(&dataset);
    Ok(dataset)
}

/// Says what was mended when a dataset was opened.
pub fn say_repairs(dataset: &Dataset) {
    for repair in dataset.repairs() {
        eprintln!("note: {}: {repair}", dataset.root().display());
    }
}

fn info(dataset: &Dataset, list: bool, as_json: bool) {
    let header = dataset.header();
    let successes = dataset.episodes().filter(|e| e.success).count();
    if as_json {
        let episodes: Vec<&EpisodeInfo> = dataset.episodes().collect();
        let info = json!({
            "dataset": header,
            "total_episodes": dataset.len(),
            "total_steps": dataset.steps(),
            "successes": successes,
            "bytes": dataset.bytes(),
            "episodes": list.then_some(episodes),
        });
        println!("{info}");
        return;
    }
    let origin = match &header.origin {
        Origin::Simulated { rapier, scene } => {
            let scene: String = scene.chars().take(12).collect();
            format!("simulated with Rapier {rapier}, scene {scene}")
        }
        Origin::Imported { from } => format!("imported from {from}"),
    };
    println!(
        "{}: {}, {} episodes ({successes} successes), {} steps at {} Hz, {:.1} MB",
        dataset.root().display(),
        header.task,
        dataset.len(),
        dataset.steps(),
        header.fps,
        dataset.bytes() as f64 / 1e6
    );
    println!("{origin}; options {}", header.options);
    if list {
        for (index, episode) in dataset.episodes().enumerate() {
            println!("{index:5}  {}", describe(episode));
        }
    }
}

fn describe(episode: &EpisodeInfo) -> String {
    let mut text = format!(
        "{:4} steps  return {:8.1}  {}  {:?}  seed {}",
        episode.steps,
        episode.episode_return,
        if episode.success {
            "success   "
        } else {
            "no success"
        },
        episode.sources,
        episode.seed
    );
    if episode.trimmed != [0, 0] {
        let [head, tail] = episode.trimmed;
        text += &format!("  trimmed {head} and {tail}");
    }
    if !episode.splices.is_empty() {
        text += &format!("  spliced at {:?}", episode.splices);
    }
    let assisted: usize = episode
        .assisted
        .iter()
        .map(|[first, end]| end - first)
        .sum();
    if assisted > 0 {
        text += &format!("  {assisted} steps assisted");
    }
    text
}

fn check(dataset: &Dataset) -> Result<ExitCode, CliError> {
    let findings = dataset.check();
    for finding in &findings {
        let kind = if finding.fatal { "error" } else { "note" };
        match finding.episode {
            Some(episode) => println!("{kind}: episode {episode}: {}", finding.message),
            None => println!("{kind}: {}", finding.message),
        }
    }
    let fatal = findings.iter().filter(|finding| finding.fatal).count();
    if fatal > 0 {
        let root = dataset.root().display();
        return Err(CliError::Failed(format!("{root}: {fatal} errors found")));
    }
    println!(
        "{}: {} episodes read, no errors",
        dataset.root().display(),
        dataset.len()
    );
    Ok(ExitCode::SUCCESS)
}

fn stats(dataset: &Dataset, as_json: bool) -> Result<(), CliError> {
    let stats = dataset.stats()?;
    if as_json {
        println!("{}", json!(stats));
        return Ok(());
    }
    println!(
        "{:28} {:>12} {:>12} {:>12} {:>12}",
        "", "min", "mean", "std", "max"
    );
    for (name, feature) in &stats {
        for k in 0..feature.mean.len() {
            let label = if feature.mean.len() == 1 {
                name.clone()
            } else {
                format!("{name}[{k}]")
            };
            println!(
                "{label:28} {:12.4} {:12.4} {:12.4} {:12.4}",
                feature.min[k], feature.mean[k], feature.std[k], feature.max[k]
            );
        }
    }
    Ok(())
}

fn trim_episode(
    root: &Path,
    index: usize,
    from: Option<usize>,
    to: Option<usize>,
) -> Result<(), CliError> {
    let recording = open(root)?.read(index)?;
    let busy = busy_range(&recording);
    let range = from.unwrap_or(busy.start)..to.unwrap_or(busy.end);
    let steps = recording.episode.len();
    if range == (0..steps) {
        println!("episode {index}: nothing to cut from its {steps} steps");
        return Ok(());
    }
    let trimmed = trim(root, index, range)?;
    println!(
        "episode {index}: {} steps cut from its head, {} from its tail; repeated to the bit; {}",
        trimmed.kept.start,
        steps - trimmed.kept.end,
        if trimmed.success {
            "success"
        } else {
            "no success"
        }
    );
    Ok(())
}
