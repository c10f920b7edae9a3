//! Takes into a dataset: keep, discard, retake, undo.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use dextra_data::dataset::{self, Dataset, Header, Recording};
use dextra_tasks::EnvOptions;
use dextra_train::dataset_header;

use crate::{
    bindings::Command,
    error::TeleopError,
    input::Input,
    rig::Rig,
    session::{End, Phase, Session},
};

/// Something that happened to a take, to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is on the disk.
    Kept {
        /// Its number in the dataset.
        index: usize,
        /// Its steps.
        steps: usize,
        /// Whether it is a success.
        success: bool,
        /// Idle steps cut off at head and tail.
        trimmed: [usize; 2],
    },
    /// It was thrown away.
    Discarded,
    /// It was thrown away, and its episode begins again.
    Retaken,
    /// The last one kept was taken out of the dataset; its episode begins again.
    Undone(usize),
    /// There was nothing to keep, or to undo.
    Nothing(&'static str),
    /// The driver wants to leave.
    Left,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept {
                index,
                steps,
                success,
                trimmed: [head, tail],
            } => {
                let outcome = if *success { "success" } else { "no success" };
                write!(f, "episode {index} kept: {steps} steps, {outcome}")?;
                if [*head, *tail] != [0, 0] {
                    write!(f, "; trimmed {head} idle steps before it and {tail} after")?;
                }
                Ok(())
            }
            Self::Discarded => write!(f, "take discarded"),
            Self::Retaken => write!(f, "take discarded, the same again"),
            Self::Undone(index) => write!(f, "episode {index} is out of the dataset again"),
            Self::Nothing(what) => write!(f, "{what}"),
            Self::Left => write!(f, "control given back"),
        }
    }
}

/// Records sessions of one task into a dataset. The episodes are those of successive seeds.
pub struct Recorder {
    session: Session,
    root: PathBuf,
    header: Header,
    /// `None` only while an undo rewrites the folder.
    dataset: Option<Dataset>,
    repairs: Vec<String>,
    /// A take that the disk would not have.
    pending: Option<Recording>,
    /// Seeds of the episodes kept since it was opened.
    kept: Vec<u64>,
    discarded: usize,
}

impl Recorder {
    /// Opens or makes the dataset in a folder, and begins the episode of the first seed from `seed` on
    /// that the dataset does not have.
    ///
    /// # Errors
    /// When the dataset holds other episodes or cannot be written.
    pub fn open(
        rig: &Arc<Rig>,
        options: &EnvOptions,
        root: &Path,
        seed: u64,
    ) -> Result<Self, TeleopError> {
        let header = dataset_header(&rig.task, &Session::env_options(rig, options))?;
        let dataset = Dataset::append_to(root, header.clone())?;
        let repairs = dataset.repairs().to_vec();
        let mut recorder = Self {
            session: Session::new(rig, options, seed),
            root: root.to_owned(),
            header,
            dataset: Some(dataset),
            repairs,
            pending: None,
            kept: Vec::new(),
            discarded: 0,
        };
        recorder.begin(seed);
        Ok(recorder)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The session, to say where the mouse moves or that the devices went away.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The dataset's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Episodes in the dataset.
    pub fn episodes(&self) -> usize {
        self.dataset.as_ref().map_or(0, Dataset::len)
    }

    /// Takes kept and discarded since it was opened.
    pub fn counts(&self) -> [usize; 2] {
        [self.kept.len(), self.discarded]
    }

    /// What was mended when the dataset was opened, a sentence each.
    pub fn repairs(&self) -> &[String] {
        &self.repairs
    }

    /// Begins the episode of the first seed from `seed` on that the dataset does not have.
    fn begin(&mut self, mut seed: u64) {
        let episodes = self.dataset.iter().flat_map(Dataset::episodes);
        let known: Vec<u64> = episodes.map(|episode| episode.seed).collect();
        while known.contains(&seed) {
            seed = seed.wrapping_add(1);
        }
        self.pending = None;
        self.session.begin(seed);
    }

    /// Takes in an event of a device.
    ///
    /// # Errors
    /// When the take cannot be kept; it is then still there.
    pub fn input(&mut self, input: &Input) -> Result<Option<Notice>, TeleopError> {
        let Some(command) = self.session.input(input) else {
            return Ok(None);
        };
        let seed = self.session.take().seed();
        Ok(Some(match command {
            Command::Keep => self.keep()?,
            Command::Discard => {
                self.discarded += 1;
                self.begin(seed.wrapping_add(1));
                Notice::Discarded
            }
            Command::Retake => {
                self.discarded += 1;
                self.pending = None;
                self.session.begin(seed);
                Notice::Retaken
            }
            Command::Undo => self.undo()?,
            _ => Notice::Left,
        }))
    }

    /// Goes on by one tick; a take that has succeeded is kept.
    ///
    /// # Errors
    /// As [`Recorder::input`].
    pub fn tick(&mut self) -> Result<Option<Notice>, TeleopError> {
        self.session.tick()?;
        match self.session.phase() {
            Phase::Ended(End::Success) if self.pending.is_none() => self.keep().map(Some),
            _ => Ok(None),
        }
    }

    fn keep(&mut self) -> Result<Notice, TeleopError> {
        let recording = match self.pending.take() {
            Some(recording) => Some(recording),
            None => self.session.finish()?,
        };
        let Some(recording) = recording else {
            return Ok(Notice::Nothing("there is no take to keep"));
        };
        let seed = recording.episode.seed;
        let index = match self.append(&recording) {
            Ok(index) => index,
            Err(error) => {
                self.pending = Some(recording);
                return Err(error);
            }
        };
        self.kept.push(seed);
        let notice = Notice::Kept {
            index,
            steps: recording.episode.len(),
            success: recording.episode.success,
            trimmed: recording.trimmed,
        };
        self.begin(seed.wrapping_add(1));
        Ok(notice)
    }

    fn append(&mut self, recording: &Recording) -> Result<usize, TeleopError> {
        let dataset = match &mut self.dataset {
            Some(dataset) => dataset,
            none => none.insert(Dataset::append_to(&self.root, self.header.clone())?),
        };
        Ok(dataset.append(recording)?)
    }

    fn undo(&mut self) -> Result<Notice, TeleopError> {
        let Some(&seed) = self.kept.last() else {
            return Ok(Notice::Nothing("no take was kept that could be taken back"));
        };
        let index = self.episodes().saturating_sub(1);
        // The folder is written anew: nobody may hold it open.
        self.dataset = None;
        let deleted = dataset::delete(&self.root, &[index]);
        self.dataset = Some(Dataset::append_to(&self.root, self.header.clone())?);
        deleted?;
        self.kept.pop();
        self.pending = None;
        self.session.begin(seed);
        Ok(Notice::Undone(index))
    }
}
