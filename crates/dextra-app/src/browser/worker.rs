//! The thread that owns the dataset being browsed: it reads, edits and simulates, so that the window never
//! waits for a disk or a simulation.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};
use dextra_data::{
    Source,
    dataset::{Dataset, EditHistory, EpisodeInfo},
};
use dextra_sim::{Model, Pose};
use dextra_tasks::Env;
use dextra_train::{
    SUCCESS_HOLD_STEPS, TrainError, busy_range, dataset_env, physics_difference, replay_actions,
    trimmed, visit_states,
};

use super::portrait::{Portrait, Portraitist, Sitting};

/// What the thread can be asked.
pub(super) enum Request {
    /// Lay out where every body was in the steps of an episode.
    Show(usize),
    /// Cut an episode down to these steps, if what is left repeats.
    Trim(usize, Range<usize>),
    /// Remove an episode.
    Delete(usize),
    /// Take the last edit back.
    Undo,
    /// Simulate an episode once more.
    Repeat(usize),
    /// Draw the end of these episodes, where that was not done yet.
    Draw(Range<usize>),
}

/// The episodes of a dataset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub task: String,
    pub episodes: Vec<EpisodeInfo>,
    /// What tells an episode's picture from others', for each of them.
    pub portraits: Vec<u64>,
    /// Edits that can be taken back.
    pub undo: usize,
}

/// An episode laid out to be looked at. Of `n` steps there are `n + 1` moments.
#[derive(Clone, Debug)]
pub(crate) struct Played {
    /// Its number.
    pub episode: usize,
    /// The scene, which may be the episode's own.
    pub model: Arc<Model>,
    /// World pose of every body at every moment.
    pub poses: Vec<Vec<Pose>>,
    /// Whether the task is solved after each step.
    pub solved: Vec<bool>,
    /// The reward of each step.
    pub rewards: Vec<f32>,
    /// Who acted in each step.
    pub sources: Vec<Source>,
    /// Steps before which its recorder went back in time.
    pub splices: Vec<usize>,
    /// Seconds of a step.
    pub dt_secs: f64,
    /// The steps between its idle head and tail.
    pub busy: Range<usize>,
}

impl Played {
    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.solved.len()
    }
}

/// What the thread says.
pub(super) enum Told {
    /// The episodes, now or after an edit, and which to look at.
    Listed(Listing, usize),
    /// An episode that was asked for.
    Played(Played),
    /// One that cannot be shown, and why.
    Hidden(usize, String),
    /// A picture of an episode's end.
    Drawn(u64, Portrait),
    /// Something to be shown for a moment.
    Said(String),
    /// An edit or a repetition has ended, as the text says.
    Done(String),
    /// The dataset cannot be opened.
    Failed(String),
}

/// The thread. Dropped, it is waited for: it leaves no part of an edit.
pub(super) struct Worker {
    requests: Option<Sender<Request>>,
    told: Receiver<Told>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread, which opens the dataset and lists it.
    pub fn start(root: PathBuf) -> Self {
        let (requests, inbox) = unbounded();
        let (outbox, told) = unbounded();
        let thread = thread::spawn(move || match Keeper::open(&root, outbox.clone()) {
            Ok(keeper) => keeper.run(&inbox),
            Err(error) => say(&outbox, Told::Failed(error.to_string())),
        });
        Self {
            requests: Some(requests),
            told,
            thread: Some(thread),
        }
    }

    /// Asks something of the thread.
    pub fn ask(&self, request: Request) {
        // It may have failed, which it says.
        let _ = self
            .requests
            .as_ref()
            .map(|requests| requests.send(request));
    }

    /// What it said since the last call.
    pub fn told(&self) -> impl Iterator<Item = Told> {
        self.told.try_iter()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn say(outbox: &Sender<Told>, told: Told) {
    // A window that has closed the browser no longer listens.
    let _ = outbox.send(told);
}

struct Keeper {
    dataset: Dataset,
    /// Where its episodes are shown and repeated; why not.
    env: Result<Env, String>,
    history: EditHistory,
    /// The episodes of the edits that can be taken back.
    edited: Vec<usize>,
    outbox: Sender<Told>,
    /// Episodes of which a picture is wanted, the next last.
    wanted: Vec<usize>,
    drawn: HashSet<u64>,
    portraitist: Option<Portraitist>,
}

impl Keeper {
    fn open(root: &Path, outbox: Sender<Told>) -> Result<Self, TrainError> {
        let dataset = Dataset::open(root)?;
        for repair in dataset.repairs() {
            say(&outbox, Told::Said(repair.clone()));
        }
        let env = dataset_env(&dataset).map_err(|error| error.to_string());
        let difference = env
            .as_ref()
            .ok()
            .and_then(|env| physics_difference(dataset.header(), env.task_model()));
        if let Some(difference) = difference {
            say(&outbox, Told::Said(format!("Recorded with {difference}")));
        }
        let keeper = Self {
            history: EditHistory::new(root),
            dataset,
            env,
            edited: Vec::new(),
            outbox,
            wanted: Vec::new(),
            drawn: HashSet::new(),
            portraitist: None,
        };
        keeper.list(0);
        Ok(keeper)
    }

    fn run(mut self, inbox: &Receiver<Request>) {
        loop {
            // Pictures are drawn while nothing else is asked.
            let request = match self.wanted.is_empty() {
                true => inbox.recv().map_err(|_| TryRecvError::Disconnected),
                false => inbox.try_recv(),
            };
            match request {
                Ok(request) => self.answer(request),
                Err(TryRecvError::Empty) => self.draw_next(),
                Err(TryRecvError::Disconnected) => return,
            }
        }
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Show(episode) => {
                let told = match self.lay_out(episode) {
                    Ok(played) => Told::Played(played),
                    Err(error) => Told::Hidden(episode, error),
                };
                say(&self.outbox, told);
            }
            Request::Draw(episodes) => self.wanted = episodes.rev().collect(),
            Request::Trim(episode, range) => {
                let done = self.trim(episode, range);
                self.end_edit(done, episode);
            }
            Request::Delete(episode) => {
                let deleted = self.history.delete(&[episode]);
                let done = deleted
                    .map(|()| format!("Episode {episode} was deleted; Ctrl+Z brings it back"))
                    .map_err(|error| error.to_string());
                if done.is_ok() {
                    self.edited.push(episode);
                }
                self.end_edit(done, episode);
            }
            Request::Undo => {
                let done = match self.history.undo() {
                    Ok(true) => Ok("The edit was taken back".to_owned()),
                    Ok(false) => Err("No edit to take back".to_owned()),
                    Err(error) => Err(error.to_string()),
                };
                let episode = done.as_ref().ok().and_then(|_| self.edited.pop());
                self.end_edit(done, episode.unwrap_or_default());
            }
            Request::Repeat(episode) => {
                let done = self.repeat(episode);
                say(&self.outbox, Told::Done(done.unwrap_or_else(|error| error)));
            }
        }
    }

    /// Lists the dataset once more after an edit, and says how the edit went.
    fn end_edit(&mut self, done: Result<String, String>, episode: usize) {
        if done.is_ok() {
            match Dataset::open(self.dataset.root()) {
                Ok(dataset) => {
                    self.dataset = dataset;
                    self.list(episode);
                }
                Err(error) => say(&self.outbox, Told::Failed(error.to_string())),
            }
        }
        say(&self.outbox, Told::Done(done.unwrap_or_else(|error| error)));
    }

    fn list(&self, chosen: usize) {
        let episodes: Vec<EpisodeInfo> = self.dataset.episodes().cloned().collect();
        let listing = Listing {
            task: self.dataset.header().task.clone(),
            portraits: episodes.iter().map(portrait_of).collect(),
            episodes,
            undo: self.history.len(),
        };
        say(&self.outbox, Told::Listed(listing, chosen));
    }

    fn lay_out(&mut self, episode: usize) -> Result<Played, String> {
        let env = self.env.as_mut().map_err(|reason| reason.clone())?;
        let recording = self.dataset.read(episode).map_err(|e| e.to_string())?;
        let mut poses = Vec::with_capacity(recording.episode.len() + 1);
        visit_states(env, &recording, |_, env, _| poses.push(body_poses(env)))
            .map_err(|error| error.to_string())?;
        let transitions = &recording.episode.transitions;
        Ok(Played {
            episode,
            model: Arc::clone(env.sim().model()),
            poses,
            solved: recording.step_success.clone(),
            rewards: transitions.iter().map(|t| t.reward).collect(),
            sources: transitions.iter().map(|t| t.source).collect(),
            splices: recording.splices.clone(),
            dt_secs: env.control_dt_secs(),
            busy: busy_range(&recording),
        })
    }

    /// The scene and where every body is at the end of an episode.
    fn end(&mut self, episode: usize) -> Result<(Arc<Model>, Vec<Pose>), String> {
        let env = self.env.as_mut().map_err(|reason| reason.clone())?;
        let recording = self.dataset.read(episode).map_err(|e| e.to_string())?;
        let steps = recording.episode.len();
        let last = recording.cut(steps - 1..steps, None)?;
        let mut poses = Vec::new();
        visit_states(env, &last, |_, env, _| poses = body_poses(env))
            .map_err(|error| error.to_string())?;
        Ok((Arc::clone(env.sim().model()), poses))
    }

    fn trim(&mut self, episode: usize, range: Range<usize>) -> Result<String, String> {
        let was_success = self
            .dataset
            .episodes()
            .nth(episode)
            .is_some_and(|e| e.success);
        let short = trimmed(&self.dataset, episode, range).map_err(|error| error.to_string())?;
        let replaced = self.history.replace(episode, &short);
        replaced.map_err(|error| error.to_string())?;
        self.edited.push(episode);
        let outcome = match (was_success, short.episode.success) {
            (_, true) => "still a success",
            (true, false) => "no longer a success; Ctrl+Z takes the trim back",
            (false, false) => "no success",
        };
        let steps = short.episode.len();
        Ok(format!(
            "Episode {episode} has {steps} steps now, simulated again: the same to the bit, {outcome}"
        ))
    }

    fn repeat(&mut self, episode: usize) -> Result<String, String> {
        let env = self.env.as_mut().map_err(|reason| reason.clone())?;
        let recording = self.dataset.read(episode).map_err(|e| e.to_string())?;
        let report = replay_actions(env, &recording).map_err(|error| error.to_string())?;
        let held = recording.longest_success() >= SUCCESS_HOLD_STEPS;
        Ok(match report.divergence {
            None => format!(
                "Episode {episode}, simulated again: the same to the bit in {} steps, {}",
                report.steps,
                if held {
                    "success held"
                } else {
                    "success not held"
                }
            ),
            Some(divergence) => format!(
                "Episode {episode}, simulated again: the {} differs by {:.1e} after step {}; solved in {} \
                 steps instead of {}",
                divergence.what,
                divergence.by,
                divergence.step,
                report.success_steps[1],
                report.success_steps[0]
            ),
        })
    }

    /// Has the end of the next wanted episode drawn.
    fn draw_next(&mut self) {
        let Some(episode) = self.wanted.pop() else {
            return;
        };
        let Some(portrait) = self.dataset.episodes().nth(episode).map(portrait_of) else {
            return;
        };
        if !self.drawn.insert(portrait) {
            return;
        }
        // One that cannot be shown says so when it is looked at.
        let Ok((model, poses)) = self.end(episode) else {
            return;
        };
        let portraitist = self.portraitist.get_or_insert_with(|| {
            let outbox = self.outbox.clone();
            Portraitist::start(move |drawn| {
                let told = match drawn {
                    Ok((portrait, picture)) => Told::Drawn(portrait, picture),
                    Err(error) => Told::Said(format!("Episodes have no pictures: {error}")),
                };
                say(&outbox, told);
            })
        });
        let sitting = Sitting {
            portrait,
            model,
            poses,
        };
        if !portraitist.draw(sitting) {
            self.wanted.clear();
        }
    }
}

fn body_poses(env: &Env) -> Vec<Pose> {
    let sim = env.sim();
    (0..sim.model().bodies.len())
        .map(|body| sim.body_pose(body))
        .collect()
}

/// Episodes of which the same is known have the same end, whatever their number.
fn portrait_of(episode: &EpisodeInfo) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{episode:?}").hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
