//! What the sandbox's panels say, as plain data.

use std::{path::PathBuf, sync::Arc};

use dextra_sim::{Model, Parameter};

use super::{Sandbox, Selection, worker::Shot};
use crate::scene::Overlays;

/// Everything on the sandbox's panels.
pub(crate) struct SandboxView<'a> {
    /// The scene's name.
    pub name: String,
    /// Its file, once it is loaded.
    pub file: Option<String>,
    /// Why the files cannot be loaded as they are now.
    pub problem: Option<&'a str>,
    /// The running scene, edits included; `None` before the first is loaded.
    pub model: Option<&'a Arc<Model>>,
    /// The state shown.
    pub shot: Option<&'a Shot>,
    /// What is selected.
    pub selected: Option<Selection>,
    /// The parameters that differ from the files.
    pub edited: Vec<Parameter>,
    /// Edits that can be taken back.
    pub edits: usize,
    /// Whether one that was taken back can be made again.
    pub redoable: bool,
    /// Whether the time of steps is measured.
    pub measured: bool,
    /// What is drawn over the scene.
    pub overlays: &'a Overlays,
    /// Passing messages.
    pub notices: Vec<String>,
    /// Frames per second drawn.
    pub fps: f64,
}

/// The dialog that opens a scene.
pub(crate) struct DialogView<'a> {
    /// Text of the path field.
    pub text: &'a str,
    /// Scenes opened before, the newest first.
    pub recent: &'a [PathBuf],
    /// The task that is watched, and the seed of its episode.
    pub watched: (&'a str, u64),
}

impl Sandbox {
    /// The view model of this frame; `None` when no sandbox is open.
    pub fn view<'a>(
        &'a self,
        overlays: &'a Overlays,
        notices: Vec<String>,
        fps: f64,
    ) -> Option<SandboxView<'a>> {
        let open = self.open.as_ref()?;
        let shot = open.shot.as_ref();
        Some(SandboxView {
            name: open.origin.name(),
            file: open.file.as_ref().map(|file| file.display().to_string()),
            problem: open.problem.as_deref(),
            model: shot.map(|shot| &shot.model),
            shot,
            selected: open.selected,
            edited: open.edits.parameters(),
            edits: open.edits.len(),
            redoable: open.edits.is_redoable(),
            measured: open.measured,
            overlays,
            notices,
            fps,
        })
    }

    /// The dialog, while it is open.
    pub fn dialog<'a>(&'a self, watched: (&'a str, u64)) -> Option<DialogView<'a>> {
        Some(DialogView {
            text: self.dialog.as_deref()?,
            recent: self.recent.paths(),
            watched,
        })
    }
}
