//! One recorded episode, and its form as a table.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{
    header::Header,
    table::{Column, Table, Values},
};
use crate::{Episode, Source, Transition};

/// The key under which a data file describes its episode.
const ABOUT: &str = "dextra.episode";
const FINAL_OBS: &str = "dextra.final_observation";
const FINAL_QPOS: &str = "dextra.final_qpos";
const FINAL_QVEL: &str = "dextra.final_qvel";
const FINAL_TIME: &str = "dextra.final_time";

/// How an episode's first state is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// By a reset with the episode's seed.
    Reset,
    /// From the snapshot that is kept with it.
    Snapshot,
    /// Not at all: it was recorded elsewhere.
    Elsewhere,
}

/// What is known of an episode without reading it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpisodeInfo {
    /// Seed of the reset.
    pub seed: u64,
    /// Number of steps.
    pub steps: usize,
    /// Whether it counts as a success.
    pub success: bool,
    /// Sum of the rewards.
    pub episode_return: f32,
    /// Who acted, in the order of their first action.
    pub sources: Vec<Source>,
    /// How its first state is made again.
    pub start: Start,
    /// Steps before which the recorder went back in time and began anew.
    pub splices: Vec<usize>,
    /// Steps in which the driver was helped: from the first to one past the last of each stretch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assisted: Vec<[usize; 2]>,
    /// Steps cut off at the head and at the tail.
    pub trimmed: [usize; 2],
}

/// Positions (m, rad) and velocities of the simulator's joints, and its clock: before every step, and
/// after the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct States {
    /// `nq` numbers for every step and the end.
    pub qpos: Vec<f64>,
    /// `nv` numbers for every step and the end.
    pub qvel: Vec<f64>,
    /// Simulated seconds, one for every step and the end.
    pub time_secs: Vec<f64>,
}

/// A recorded episode.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Observations, actions and rewards.
    pub episode: Episode,
    /// Whether the task was solved after each step.
    pub step_success: Vec<bool>,
    /// The simulator's states; `None` where none are known.
    pub states: Option<States>,
    /// How the first state is made again.
    pub start: Start,
    /// The environment at the first step, for [`Start::Snapshot`].
    pub snapshot: Option<Vec<u8>>,
    /// Steps before which the recorder went back in time and began anew.
    pub splices: Vec<usize>,
    /// Steps in which the driver was helped: from the first to one past the last of each stretch.
    pub assisted: Vec<[usize; 2]>,
    /// Steps cut off at the head and at the tail.
    pub trimmed: [usize; 2],
}

impl Recording {
    /// What is known of it without reading it.
    pub fn info(&self) -> EpisodeInfo {
        let mut sources = Vec::new();
        for transition in &self.episode.transitions {
            if !sources.contains(&transition.source) {
                sources.push(transition.source);
            }
        }
        EpisodeInfo {
            seed: self.episode.seed,
            steps: self.episode.len(),
            success: self.episode.success,
            episode_return: rewards(&self.episode).map(f64::from).sum::<f64>() as f32,
            sources,
            start: self.start,
            splices: self.splices.clone(),
            assisted: self.assisted.clone(),
            trimmed: self.trimmed,
        }
    }

    /// The longest run of successive steps after which the task was solved.
    pub fn longest_success(&self) -> usize {
        let runs = self.step_success.split(|solved| !solved);
        runs.map(<[bool]>::len).max().unwrap_or(0)
    }

    /// The steps of a range alone. An episode that loses its head needs the snapshot of where it now
    /// begins; without one it can no longer be begun again.
    ///
    /// # Errors
    /// When the range is empty or ends after the episode.
    pub fn cut(&self, range: Range<usize>, snapshot: Option<Vec<u8>>) -> Result<Self, String> {
        let steps = self.episode.len();
        if range.is_empty() || range.end > steps {
            return Err(format!(
                "steps {} to {} are not in an episode of {steps}",
                range.start, range.end
            ));
        }
        let episode = &self.episode;
        let part = |values: &[f64], width: usize| {
            values[range.start * width..(range.end + 1) * width].to_vec()
        };
        let states = self.states.as_ref().map(|states| {
            let [nq, nv] = [&states.qpos, &states.qvel].map(|v| v.len() / (steps + 1));
            States {
                qpos: part(&states.qpos, nq),
                qvel: part(&states.qvel, nv),
                time_secs: part(&states.time_secs, 1),
            }
        });
        let inside = |&&step: &&usize| range.start < step && step < range.end;
        Ok(Self {
            episode: Episode {
                transitions: episode.transitions[range.clone()].to_vec(),
                final_obs: episode.obs(range.end).to_vec(),
                ..*episode
            },
            step_success: self.step_success[range.clone()].to_vec(),
            states,
            start: match (range.start, &snapshot) {
                (0, _) => self.start,
                (_, Some(_)) => Start::Snapshot,
                (_, None) => Start::Elsewhere,
            },
            snapshot: if range.start == 0 {
                self.snapshot.clone()
            } else {
                snapshot
            },
            splices: self
                .splices
                .iter()
                .filter(inside)
                .map(|step| step - range.start)
                .collect(),
            assisted: self
                .assisted
                .iter()
                .map(|span| span.map(|step| step.clamp(range.start, range.end) - range.start))
                .filter(|[first, end]| first < end)
                .collect(),
            trimmed: [
                self.trimmed[0] + range.start,
                self.trimmed[1] + steps - range.end,
            ],
        })
    }

    /// Why a dataset with that header cannot hold it.
    pub(crate) fn check(&self, header: &Header) -> Result<(), String> {
        let steps = self.episode.len();
        let length = |what: &str, found: usize, expected: usize| match found == expected {
            true => Ok(()),
            false => Err(format!("{what} has {found} values instead of {expected}")),
        };
        let finite = |what: &str, step: usize, fine: bool| match fine {
            true => Ok(()),
            false => Err(format!("{what} of step {step} is not finite")),
        };
        if steps == 0 {
            return Err("it has no steps".into());
        }
        for (step, transition) in self.episode.transitions.iter().enumerate() {
            length("the observation", transition.obs.len(), header.obs_dim)?;
            length("the action", transition.action.len(), header.action_dim())?;
            finite(
                "the observation",
                step,
                transition.obs.iter().all(|x| x.is_finite()),
            )?;
            finite("the reward", step, transition.reward.is_finite())?;
            if transition.action.iter().any(|a| !(-1.0..=1.0).contains(a)) {
                return Err(format!("the action of step {step} is outside [-1, 1]"));
            }
            if transition.terminated && step + 1 < steps {
                return Err(format!("it goes on after it ended at step {step}"));
            }
        }
        length(
            "the last observation",
            self.episode.final_obs.len(),
            header.obs_dim,
        )?;
        finite(
            "the observation",
            steps,
            self.episode.final_obs.iter().all(|x| x.is_finite()),
        )?;
        length("the success", self.step_success.len(), steps)?;
        if self.splices.iter().any(|&step| step >= steps) {
            return Err("a splice is marked after its end".into());
        }
        let wrong = |&[first, end]: &[usize; 2]| first >= end || end > steps;
        if self.assisted.iter().any(wrong) {
            return Err("help is marked outside its steps".into());
        }
        if self.snapshot.is_some() != (self.start == Start::Snapshot) {
            return Err("it begins at a snapshot and has none, or the reverse".into());
        }
        let [nq, nv] = header.state_dims;
        let none = States::default();
        let states = self.states.as_ref().unwrap_or(&none);
        let rows = if nq == 0 { 0 } else { steps + 1 };
        for (what, values, width) in [
            ("qpos", &states.qpos, nq),
            ("qvel", &states.qvel, nv),
            ("the time", &states.time_secs, 1),
        ] {
            length(what, values.len(), rows * width)?;
            let bad = values.iter().position(|x| !x.is_finite());
            finite(what, bad.unwrap_or(0) / width.max(1), bad.is_none())?;
        }
        Ok(())
    }

    /// As the table of a data file: episode number `index`, whose first step is number `first_row` of
    /// the dataset.
    pub(crate) fn to_table(
        &self,
        header: &Header,
        index: usize,
        first_row: usize,
    ) -> Result<Table, String> {
        let steps = self.episode.len();
        let all = || self.episode.transitions.iter();
        let last = |row: usize| row + 1 == steps;
        let count = |from: usize| (0..steps).map(|i| (from + i) as i64).collect();
        let mut table = Table {
            rows: steps,
            ..Table::default()
        };
        let obs = all().flat_map(|t| t.obs.iter().copied()).collect();
        table.push_list("observation.state", header.obs_dim, Values::F32(obs));
        let action = all().flat_map(|t| t.action.iter().copied()).collect();
        table.push_list("action", header.action_dim(), Values::F32(action));
        table.push("next.reward", Values::F32(rewards(&self.episode).collect()));
        table.push("next.done", Values::Bool((0..steps).map(last).collect()));
        let truncated = all().enumerate().map(|(i, t)| last(i) && !t.terminated);
        table.push("next.truncated", Values::Bool(truncated.collect()));
        table.push("next.success", Values::Bool(self.step_success.clone()));
        let source = all().map(|t| t.source as i64).collect();
        table.push("source", Values::I64(source));
        if let Some(states) = &self.states {
            let [nq, nv] = header.state_dims;
            let rows = |values: &[f64], width: usize| Values::F64(values[..steps * width].to_vec());
            table.push_list("sim.qpos", nq, rows(&states.qpos, nq));
            table.push_list("sim.qvel", nv, rows(&states.qvel, nv));
            table.push("sim.time", rows(&states.time_secs, 1));
            let last = |values: &[f64], width: usize| text(&values[steps * width..]);
            table.texts = vec![
                (FINAL_QPOS.into(), last(&states.qpos, nq)),
                (FINAL_QVEL.into(), last(&states.qvel, nv)),
                (FINAL_TIME.into(), last(&states.time_secs, 1)),
            ];
        }
        let seconds = |i: usize| (i as f64 / f64::from(header.fps)) as f32;
        table.push("timestamp", Values::F32((0..steps).map(seconds).collect()));
        table.push("frame_index", Values::I64(count(0)));
        table.push("episode_index", Values::I64(vec![index as i64; steps]));
        table.push("index", Values::I64(count(first_row)));
        table.push("task_index", Values::I64(vec![0; steps]));
        let about = serde_json::to_string(&self.info()).map_err(|error| error.to_string())?;
        table.texts.push((ABOUT.into(), about));
        table
            .texts
            .push((FINAL_OBS.into(), text(&self.episode.final_obs)));
        Ok(table)
    }

    /// From the table of a data file, all but the snapshot; with the number of its first row.
    pub(crate) fn from_table(
        mut table: Table,
        header: &Header,
        index: usize,
    ) -> Result<(Self, usize), String> {
        let about = table
            .text(ABOUT)
            .ok_or("does not describe its episode: it is not Dextra's")?;
        let info: EpisodeInfo = serde_json::from_str(about)
            .map_err(|error| format!("describes its episode wrongly: {error}"))?;
        let final_obs = numbers::<f32>(&table, FINAL_OBS)?;
        let steps = table.rows;
        let (nq, nv) = (header.state_dims[0], header.state_dims[1]);
        let obs = floats(&mut table, "observation.state", header.obs_dim)?;
        let action = floats(&mut table, "action", header.action_dim())?;
        let reward = single_floats(&mut table, "next.reward")?;
        let truncated = flags(&mut table, "next.truncated")?;
        let step_success = flags(&mut table, "next.success")?;
        let source = whole(&mut table, "source")?;
        let first_row = whole(&mut table, "index")?.first().copied().unwrap_or(0);
        let numbered = whole(&mut table, "episode_index")?;
        if info.steps != steps || numbered.iter().any(|&found| found != index as i64) {
            return Err("is not of the episode that its name says".into());
        }
        let states = if nq == 0 {
            None
        } else {
            let mut states = States {
                qpos: doubles(&mut table, "sim.qpos", Some(nq))?,
                qvel: doubles(&mut table, "sim.qvel", Some(nv))?,
                time_secs: doubles(&mut table, "sim.time", None)?,
            };
            states.qpos.extend(numbers::<f64>(&table, FINAL_QPOS)?);
            states.qvel.extend(numbers::<f64>(&table, FINAL_QVEL)?);
            states.time_secs.extend(numbers::<f64>(&table, FINAL_TIME)?);
            Some(states)
        };
        let mut transitions = Vec::with_capacity(steps);
        for row in 0..steps {
            let part = |values: &[f32], width: usize| values[row * width..][..width].to_vec();
            transitions.push(Transition {
                obs: part(&obs, header.obs_dim),
                action: part(&action, header.action_dim()),
                expert_action: None,
                reward: reward[row],
                terminated: row + 1 == steps && !truncated[row],
                source: source_of(source[row])?,
            });
        }
        let first_row = usize::try_from(first_row).map_err(|_| "counts its rows wrongly")?;
        let recording = Self {
            episode: Episode {
                transitions,
                final_obs,
                seed: info.seed,
                success: info.success,
            },
            step_success,
            states,
            start: info.start,
            snapshot: None,
            splices: info.splices,
            assisted: info.assisted,
            trimmed: info.trimmed,
        };
        Ok((recording, first_row))
    }
}

fn rewards(episode: &Episode) -> impl Iterator<Item = f32> {
    episode.transitions.iter().map(|t| t.reward)
}

fn source_of(number: i64) -> Result<Source, String> {
    [
        Source::Policy,
        Source::Expert,
        Source::Demonstration,
        Source::Human,
    ]
    .into_iter()
    .find(|&source| source as i64 == number)
    .ok_or_else(|| format!("has steps of an unknown source {number}"))
}

/// Numbers with spaces between, each as short as reads back to the same bits.
fn text<T: ToString>(numbers: &[T]) -> String {
    let texts: Vec<_> = numbers.iter().map(T::to_string).collect();
    texts.join(" ")
}

fn numbers<T: std::str::FromStr>(table: &Table, key: &str) -> Result<Vec<T>, String> {
    let text = table.text(key).ok_or(format!("lacks `{key}`"))?;
    let read = text.split_whitespace().map(|word| word.parse().ok());
    let read: Option<Vec<T>> = read.collect();
    read.ok_or(format!("has a `{key}` that is not numbers"))
}

fn column(table: &mut Table, name: &str, width: Option<usize>) -> Result<Values, String> {
    let Column {
        values,
        width: found,
        ..
    } = table
        .take(name)
        .ok_or_else(|| format!("lacks the column {name}, or it is of another kind"))?;
    if found != width {
        let words = |width: Option<usize>| {
            width.map_or("single values".into(), |width| format!("lists of {width}"))
        };
        return Err(format!(
            "has {} in the column {name} instead of {}",
            words(found),
            words(width)
        ));
    }
    Ok(values)
}

fn other_kind<T>(name: &str) -> Result<T, String> {
    Err(format!("has the column {name} in another kind of number"))
}

fn floats(table: &mut Table, name: &str, width: usize) -> Result<Vec<f32>, String> {
    match column(table, name, Some(width))? {
        Values::F32(values) => Ok(values),
        _ => other_kind(name),
    }
}

fn single_floats(table: &mut Table, name: &str) -> Result<Vec<f32>, String> {
    match column(table, name, None)? {
        Values::F32(values) => Ok(values),
        _ => other_kind(name),
    }
}

fn doubles(table: &mut Table, name: &str, width: Option<usize>) -> Result<Vec<f64>, String> {
    match column(table, name, width)? {
        Values::F64(values) => Ok(values),
        _ => other_kind(name),
    }
}

fn flags(table: &mut Table, name: &str) -> Result<Vec<bool>, String> {
    match column(table, name, None)? {
        Values::Bool(values) => Ok(values),
        _ => other_kind(name),
    }
}

fn whole(table: &mut Table, name: &str) -> Result<Vec<i64>, String> {
    match column(table, name, None)? {
        Values::I64(values) => Ok(values),
        _ => other_kind(name),
    }
}
