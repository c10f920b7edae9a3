//! An open browser: what is shown of the dataset, where the cursor is, what was asked for.

use std::{collections::HashMap, ops::Range, path::PathBuf};

use bevy_egui::egui::TextureHandle;

use super::{
    Before, Browse,
    worker::{Listing, Played, Request, Told, Worker},
};
use crate::notice::Notices;

/// An open browser.
pub(super) struct Open {
    pub root: PathBuf,
    pub worker: Worker,
    pub listing: Option<Listing>,
    /// Why there is no list.
    pub problem: Option<String>,
    pub chosen: usize,
    /// Whether the list is to be turned to the chosen episode.
    pub reveals: bool,
    pub seen: Range<usize>,
    pub played: Option<Played>,
    /// Why the chosen episode is not shown.
    pub hidden: Option<String>,
    /// Where the cursor is, steps.
    pub at: f64,
    pub plays: bool,
    pub speed: f64,
    pub marked: Range<usize>,
    /// Edits and repetitions under way.
    pub under_way: usize,
    /// How the last of them went.
    pub outcome: Option<String>,
    pub portraits: HashMap<u64, TextureHandle>,
    pub before: Before,
}

impl Open {
    /// Nothing yet; the thread reads the dataset.
    pub fn new(root: PathBuf, before: Before) -> Self {
        Self {
            worker: Worker::start(root.clone()),
            root,
            listing: None,
            problem: None,
            chosen: 0,
            reveals: false,
            seen: 0..0,
            played: None,
            hidden: None,
            at: 0.0,
            plays: false,
            speed: 1.0,
            marked: 0..0,
            under_way: 0,
            outcome: None,
            portraits: HashMap::new(),
            before,
        }
    }

    /// Whether the scene is an episode's. Where none can be shown, it is what it was before.
    pub fn has_scene(&self) -> bool {
        self.hidden.is_none() && self.problem.is_none()
    }

    /// Whether what is shown is the chosen episode, and no longer the one before it.
    fn is_shown(&self) -> bool {
        let shown = self.played.as_ref();
        shown.is_some_and(|played| played.episode == self.chosen)
    }

    /// Number of episodes.
    pub fn len(&self) -> usize {
        self.listing.as_ref().map_or(0, |list| list.episodes.len())
    }

    /// Steps of the shown episode.
    fn steps(&self) -> usize {
        self.played.as_ref().map_or(0, Played::steps)
    }

    /// The moment nearest to the cursor.
    pub fn moment(&self) -> usize {
        (self.at.round() as usize).min(self.steps())
    }

    /// Looks at an episode.
    pub fn choose(&mut self, episode: usize) {
        if episode < self.len() {
            self.chosen = episode;
            self.worker.ask(Request::Show(episode));
        }
    }

    /// Looks at a moment, at rest.
    pub fn seek(&mut self, moment: usize) {
        self.plays = false;
        self.at = moment.min(self.steps()) as f64;
    }

    /// Plays, from the begin once the end was reached; or rests.
    pub fn toggle(&mut self) {
        if !self.plays && self.moment() == self.steps() {
            self.at = 0.0;
        }
        self.plays = !self.plays && self.played.is_some();
    }

    /// Plays at that multiple of real time; `None` changes nothing.
    pub fn change_speed(&mut self, speed: Option<&f64>) {
        self.speed = speed.copied().unwrap_or(self.speed);
    }

    /// Marks what a trim would keep; at least one step stays marked.
    pub fn mark(&mut self, range: Range<usize>) {
        let steps = self.steps();
        let start = range.start.min(steps.saturating_sub(1));
        self.marked = start..range.end.clamp(start + 1, steps.max(start + 1));
    }

    /// Has pictures of these episodes drawn.
    pub fn see(&mut self, range: Range<usize>) {
        if self.seen != range {
            self.seen = range.clone();
            self.worker.ask(Request::Draw(range));
        }
    }

    /// Asks for an edit or a repetition of the chosen episode, one at a time.
    pub fn edit(&mut self, browse: Browse, notices: &mut Notices) {
        if self.under_way > 0 {
            notices.say("One edit at a time: the last one is under way");
            return;
        }
        let request = match browse {
            Browse::Undo => Request::Undo,
            _ if self.len() == 0 => return,
            // The marks are those of the episode before.
            Browse::Trim if !self.is_shown() => return,
            Browse::Delete => Request::Delete(self.chosen),
            Browse::Trim => Request::Trim(self.chosen, self.marked.clone()),
            Browse::Repeat => Request::Repeat(self.chosen),
            _ => return,
        };
        self.under_way += 1;
        self.worker.ask(request);
    }

    /// Takes over what the thread said; answers what a person should be told.
    pub fn hear(&mut self, told: Told) -> Option<String> {
        match told {
            Told::Listed(listing, chosen) => {
                self.chosen = chosen.min(listing.episodes.len().saturating_sub(1));
                self.played = None;
                self.hidden = None;
                self.listing = Some(listing);
                self.seen = 0..0;
                self.reveals = true;
                self.choose(self.chosen);
            }
            Told::Played(played) if played.episode == self.chosen => {
                self.hidden = None;
                self.at = 0.0;
                self.marked = 0..played.steps();
                self.played = Some(played);
            }
            Told::Hidden(episode, why) if episode == self.chosen => {
                self.played = None;
                self.hidden = Some(why);
            }
            // Another one was chosen meanwhile.
            Told::Played(_) | Told::Hidden(..) | Told::Drawn(..) => {}
            Told::Said(text) => return Some(text),
            Told::Done(text) => {
                self.under_way = self.under_way.saturating_sub(1);
                self.outcome = Some(text.clone());
                return Some(text);
            }
            Told::Failed(problem) => {
                self.problem = Some(problem);
                self.listing = None;
            }
        }
        None
    }

    /// Moves the cursor on while it plays.
    pub fn play(&mut self, secs: f64) {
        let Some(played) = self.played.as_ref().filter(|_| self.plays) else {
            return;
        };
        let end = played.steps() as f64;
        self.at = (self.at + secs * self.speed / played.dt_secs).min(end);
        self.plays = self.at < end;
    }
}
