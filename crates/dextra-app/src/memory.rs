//! A look into the replay memory: some of its transitions, by who acted, by reward and by how wrong the
//! critic is about them; each can be seen again where it happened.

use std::{sync::Arc, thread};

use bevy::prelude::*;
use crossbeam_channel::{Receiver, unbounded};
use dextra_data::{Episode, Source};
use dextra_train::{Command, generator};

use crate::{
    session::Training,
    source::{Judge, Watch},
};

/// Transitions judged of each episode.
const OF_EACH: usize = 10;
/// Bars of a histogram.
pub(crate) const BINS: usize = 12;

/// What the transitions are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Quality {
    /// Who acted.
    #[default]
    Source,
    /// The reward of the step.
    Reward,
    /// Reward and value that followed, less the value expected.
    TdError,
}

impl Quality {
    /// Every quality.
    pub const ALL: [Self; 3] = [Self::Source, Self::Reward, Self::TdError];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "who acted",
            Self::Reward => "reward",
            Self::TdError => "TD error",
        }
    }
}

/// A transition of the memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row {
    /// Its episode, among those read.
    pub episode: usize,
    /// Its step, from 0.
    pub step: usize,
    /// Who acted.
    pub source: Source,
    /// The reward.
    pub reward: f32,
    /// Reward and value that followed, less the value expected, in units of the reward; `None` until
    /// judged.
    pub td_error: Option<f32>,
}

/// A bar: what it is of, how many, and which it lets pass.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    /// What it is called.
    pub label: String,
    /// Transitions in it.
    pub count: usize,
}

/// The transitions read, and what of them is shown.
#[derive(Resource, Default)]
pub(crate) struct Memory {
    episodes: Vec<Arc<Episode>>,
    rows: Vec<Row>,
    /// What the bars are by.
    pub quality: Quality,
    /// The bar whose transitions are listed.
    pub chosen: Option<usize>,
    asked: bool,
    judging: Option<Receiver<(usize, f32)>>,
}

impl Memory {
    /// Asks the training for some episodes of its memory.
    pub fn look(&mut self, training: &mut Training) {
        training.command(Command::ShowMemory);
        self.asked = true;
    }

    /// Whether something is still to come.
    pub fn is_busy(&self) -> bool {
        self.asked || self.judging.is_some()
    }

    /// The transitions read.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The episode of a transition.
    pub fn episode(&self, row: usize) -> Option<(&Row, &Arc<Episode>)> {
        let row = self.rows.get(row)?;
        Some((row, self.episodes.get(row.episode)?))
    }

    /// Takes over episodes of the memory.
    fn take_in(&mut self, episodes: Vec<Episode>) {
        self.episodes = episodes.into_iter().map(Arc::new).collect();
        self.asked = false;
        self.chosen = None;
        let rows = self
            .episodes
            .iter()
            .enumerate()
            .flat_map(|(index, episode)| {
                let every = episode.len().div_ceil(OF_EACH).max(1);
                (0..episode.len()).step_by(every).map(move |step| Row {
                    episode: index,
                    step,
                    source: episode.transitions[step].source,
                    reward: episode.transitions[step].reward,
                    td_error: None,
                })
            });
        self.rows = rows.collect();
    }

    /// Has the transitions judged, on a thread.
    fn judge(&mut self, judge: Judge, discount: f64) {
        let Some(scale) = judge.reward_scale else {
            return;
        };
        let (sender, receiver) = unbounded();
        let (rows, episodes) = (self.rows.clone(), self.episodes.clone());
        thread::spawn(move || {
            let policy = &judge.policy;
            for (index, row) in rows.iter().enumerate() {
                let episode = &episodes[row.episode];
                let done = &episode.transitions[row.step];
                let mut rng = generator(index as u64, "memory", 0);
                let expected = policy.value(&done.obs, &done.action);
                let next = episode.obs(row.step + 1);
                let followed = match done.terminated {
                    true => 0.0,
                    false => discount * policy.inspect(next, &done.action, &mut rng).value,
                };
                let error = f64::from(done.reward) + (followed - f64::from(expected)) / scale;
                if sender.send((index, error as f32)).is_err() {
                    return;
                }
            }
        });
        self.judging = Some(receiver);
    }

    /// The bars of the chosen quality.
    pub fn bars(&self) -> Vec<Bar> {
        let mut bars: Vec<Bar> = match self.quality {
            Quality::Source => SOURCES
                .iter()
                .map(|(_, name)| Bar {
                    label: (*name).to_owned(),
                    count: 0,
                })
                .collect(),
            quality => {
                let (low, high) = self.range(quality);
                let edge = |bin: usize| low + (high - low) * bin as f32 / BINS as f32;
                let label = |bin| format!("{:.1} to {:.1}", edge(bin), edge(bin + 1));
                let bar = |bin| Bar {
                    label: label(bin),
                    count: 0,
                };
                (0..BINS).map(bar).collect()
            }
        };
        for row in &self.rows {
            if let Some(bin) = self.bin(row) {
                bars[bin].count += 1;
            }
        }
        bars
    }

    /// The transitions of a bar, the most surprising first.
    pub fn of_bar(&self, bar: usize) -> Vec<usize> {
        let inside = |index: &usize| self.bin(&self.rows[*index]) == Some(bar);
        let mut rows: Vec<usize> = (0..self.rows.len()).filter(inside).collect();
        let surprise = |index: &usize| self.rows[*index].td_error.map_or(0.0, f32::abs);
        rows.sort_by(|a, b| surprise(b).total_cmp(&surprise(a)));
        rows
    }

    fn number(quality: Quality, row: &Row) -> Option<f32> {
        match quality {
            Quality::Source => None,
            Quality::Reward => Some(row.reward),
            Quality::TdError => row.td_error,
        }
    }

    fn range(&self, quality: Quality) -> (f32, f32) {
        let numbers = self
            .rows
            .iter()
            .filter_map(|row| Self::number(quality, row));
        let (low, high) = numbers.fold((f32::MAX, f32::MIN), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        if low <= high { (low, high) } else { (0.0, 1.0) }
    }

    fn bin(&self, row: &Row) -> Option<usize> {
        if self.quality == Quality::Source {
            return SOURCES.iter().position(|(source, _)| *source == row.source);
        }
        let (low, high) = self.range(self.quality);
        let share = (Self::number(self.quality, row)? - low) / (high - low).max(1e-9);
        Some(((share * BINS as f32) as usize).min(BINS - 1))
    }
}

/// Who can have acted, and what the panels say.
const SOURCES: [(Source, &str); 4] = [
    (Source::Policy, "policy"),
    (Source::Expert, "expert"),
    (Source::Demonstration, "demonstration"),
    (Source::Human, "human"),
];

/// Who acted, in a word.
pub(crate) fn source_name(source: Source) -> &'static str {
    let found = SOURCES.iter().find(|(of, _)| *of == source);
    found.map_or("", |(_, name)| name)
}

pub(crate) struct MemoryPlugin;

impl Plugin for MemoryPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Memory>().add_systems(PreUpdate, arrive);
    }
}

fn arrive(mut memory: ResMut<Memory>, training: Res<Training>, watch: Res<Watch>) {
    if let Some(episodes) = training.take_memory() {
        memory.take_in(episodes);
        let discount = training.config().learn.discount;
        if let Some(judge) = watch.judge(&training) {
            memory.judge(judge, discount);
        }
    }
    let Some(receiver) = memory.judging.take() else {
        return;
    };
    loop {
        match receiver.try_recv() {
            Ok((index, error)) => {
                if let Some(row) = memory.rows.get_mut(index) {
                    row.td_error = Some(error);
                }
            }
            Err(crossbeam_channel::TryRecvError::Empty) => {
                memory.judging = Some(receiver);
                return;
            }
            Err(crossbeam_channel::TryRecvError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use dextra_data::Transition;
    use dextra_learn::{LearnConfig, Learner};

    /// Two episodes of thirty steps, one of each source, with the step as reward.
    pub(crate) fn memory() -> Memory {
        let episode = |source| Episode {
            transitions: (0..30)
                .map(|step| Transition {
                    obs: vec![step as f32 / 30.0; 3],
                    action: vec![0.5, -0.5],
                    expert_action: None,
                    reward: step as f32,
                    terminated: step == 29,
                    source,
                })
                .collect(),
            final_obs: vec![1.0; 3],
            seed: 7,
            success: true,
        };
        let mut memory = Memory::default();
        memory.take_in(vec![episode(Source::Policy), episode(Source::Expert)]);
        memory
    }

    #[test]
    fn every_transition_is_in_one_bar_and_can_be_found_again() {
        let mut memory = memory();
        assert_eq!(memory.rows().len(), 20);
        let counts = |memory: &Memory| memory.bars().iter().map(|b| b.count).collect::<Vec<_>>();
        assert_eq!(counts(&memory), [10, 10, 0, 0]);
        memory.quality = Quality::Reward;
        assert_eq!(counts(&memory).iter().sum::<usize>(), 20);
        let last = memory.of_bar(BINS - 1);
        assert!(last.iter().all(|&row| memory.rows()[row].reward > 24.0));
        let (row, episode) = memory.episode(last[0]).unwrap();
        assert_eq!(episode.transitions[row.step].reward, row.reward);
    }

    #[test]
    fn the_error_is_what_the_critic_did_not_expect() {
        let mut memory = memory();
        let config = LearnConfig {
            reward_scale: 0.5,
            ..LearnConfig::default()
        };
        let policy = Learner::new(&config, 3, 2, 1).unwrap().policy();
        let judge = Judge {
            policy: Arc::clone(&policy),
            name: String::new(),
            reward_scale: Some(0.5),
        };
        memory.judge(judge, 0.9);
        let judged: Vec<_> = memory.judging.take().unwrap().iter().collect();
        assert_eq!(judged.len(), 20);
        // The last judged step of an episode is not its end, so a value follows.
        let (index, error) = judged[9];
        let (row, episode) = memory.episode(index).unwrap();
        let done = &episode.transitions[row.step];
        let mut rng = generator(9, "memory", 0);
        let next = policy.inspect(episode.obs(row.step + 1), &done.action, &mut rng);
        let target = 0.5 * f64::from(done.reward) + 0.9 * next.value;
        let expected = (target - f64::from(policy.value(&done.obs, &done.action))) / 0.5;
        assert!(
            (f64::from(error) - expected).abs() < 1e-3,
            "{error} {expected}"
        );
    }
}
