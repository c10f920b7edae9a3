//! An open sandbox: the scene as the files say and as it was edited, and how it is edited, saved and loaded
//! again.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use dextra_sim::{Model, Parameter};

use super::{
    Command, Selection,
    edits::Edits,
    keeper::{Keeper, Loaded, Origin},
    worker::{Request, Shot, Worker},
};
use crate::notice::Notices;

/// What was shown before a sandbox was opened.
pub(super) struct Before {
    pub model: Arc<Model>,
    pub paused: bool,
}

/// An open sandbox.
pub(super) struct Open {
    pub origin: Origin,
    pub keeper: Keeper,
    pub worker: Worker,
    /// The MJCF file, once it is loaded.
    pub file: Option<PathBuf>,
    /// As the files say.
    pub base: Option<Arc<Model>>,
    pub edits: Edits,
    pub shot: Option<Shot>,
    pub problem: Option<String>,
    /// How often a scene was taken over.
    pub loads: usize,
    pub selected: Option<Selection>,
    /// The point of the selected body that was pointed at, in its frame.
    pub grip: [f64; 3],
    pub measured: bool,
    pub before: Before,
}

impl Open {
    /// Carries out what a panel asks.
    pub fn command(&mut self, command: Command, notices: &mut Notices) -> Result<(), String> {
        let ask = |request| self.worker.ask(request);
        match command {
            Command::Scrub(state) => ask(Request::Scrub(state)),
            Command::Reset(keyframe) => ask(Request::Reset(keyframe)),
            Command::LastGood => ask(Request::LastGood),
            Command::Control(actuator, value) => ask(Request::Control(actuator, value)),
            Command::ZeroControls => ask(Request::ZeroControls),
            Command::Joint(joint, value) => ask(Request::Joint(joint, value)),
            Command::Select(selected) => {
                self.selected = selected;
                self.grip = [0.0; 3];
            }
            Command::Measure(on) => {
                self.measured = on;
                ask(Request::Measure(on));
            }
            Command::Edit(parameter, value) => self.edit(parameter, value)?,
            Command::FinishEdit => self.edits.finish(),
            Command::Undo if self.edits.undo() => self.remake()?,
            Command::Undo => notices.say("Nothing to undo"),
            Command::Redo if self.edits.redo() => self.remake()?,
            Command::Redo => notices.say("Nothing to redo"),
            Command::Save => notices.say(self.save()?),
            Command::Close | Command::Open(_) | Command::Path(_) | Command::Dialog(_) => {}
        }
        Ok(())
    }

    fn edit(&mut self, parameter: Parameter, value: f64) -> Result<(), String> {
        let shown = self.shot.as_ref().map(|shot| &shot.model);
        let model = shown.or(self.base.as_ref()).ok_or("no scene is loaded")?;
        let before = model
            .value(parameter)
            .ok_or("the scene has no such number")?;
        model.with(parameter, value).map_err(|e| e.to_string())?;
        self.edits.set(parameter, before, value);
        self.remake()
    }

    /// Makes the running scene what files and edits say.
    fn remake(&mut self) -> Result<(), String> {
        let Some(base) = &self.base else {
            return Ok(());
        };
        let model = self.edits.apply(base)?;
        self.worker.ask(Request::Replace(Arc::new(model)));
        Ok(())
    }

    /// Writes the edited numbers into the files; returns what to say about it.
    fn save(&mut self) -> Result<String, String> {
        let (Some(base), Some(file)) = (&self.base, &self.file) else {
            return Err("no scene is loaded".into());
        };
        let parameters = self.edits.parameters();
        if parameters.is_empty() {
            return Ok("Nothing was edited".into());
        }
        let edited = self.edits.apply(base)?;
        let texts = edited.saved(base, file, &parameters);
        let texts = texts.map_err(|error| error.to_string())?;
        let mut names = Vec::new();
        for (path, text) in texts {
            replace_file(&path, &text)?;
            names.push(path.display().to_string());
        }
        self.edits = Edits::default();
        // The places of the elements have moved.
        self.base = Some(Arc::new(edited));
        self.keeper.reload();
        Ok(format!("Saved {}", names.join(" and ")))
    }

    /// Takes over what the files say now.
    pub fn take(
        &mut self,
        loaded: Result<Loaded, String>,
        notices: &mut Notices,
    ) -> Option<Arc<Model>> {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(problem) => {
                self.problem = Some(problem);
                return None;
            }
        };
        self.problem = None;
        self.file = Some(loaded.file);
        let old = self.base.replace(Arc::clone(&loaded.model));
        match old {
            None => self
                .worker
                .ask(Request::Open(Arc::clone(&loaded.model), loaded.start)),
            Some(old) => {
                let unchanged =
                    old.hash() == loaded.model.hash() && old.geoms == loaded.model.geoms;
                if unchanged && self.edits.len() == 0 {
                    return None;
                }
                let dropped = self.edits.rebase(&old, &loaded.model);
                if dropped > 0 {
                    notices.say(format!(
                        "{dropped} edits were dropped: their elements are gone"
                    ));
                }
                if old.bodies.len() != loaded.model.bodies.len() {
                    self.selected = None;
                }
                match self.remake() {
                    Ok(()) => notices.say("The files changed; the scene was loaded again"),
                    Err(problem) => notices.say(problem),
                }
            }
        }
        self.loads += 1;
        Some(loaded.model)
    }
}

/// Writes a file so that it is never half written; one that is linked to stays where it is.
fn replace_file(path: &Path, text: &str) -> Result<(), String> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.dextra"));
    let write = || {
        let mut file = fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    write().map_err(|error| {
        // Perhaps it was never made.
        let _ = fs::remove_file(&beside);
        format!("{} cannot be written: {error}", path.display())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_a_link_to_it_stays_a_link() {
        let folder = std::env::temp_dir().join(format!("dextra-replace-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, link) = (folder.join("a.xml"), folder.join("link.xml"));
        fs::write(&file, "old").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&file, &link).unwrap();
        #[cfg(not(unix))]
        let link = file.clone();
        replace_file(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        #[cfg(unix)]
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let gone = replace_file(&folder.join("no/such.xml"), "new").unwrap_err();
        assert!(gone.contains("such.xml"), "{gone}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
