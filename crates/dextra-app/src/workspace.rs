//! Workspaces: what the window shows for watching, for training and for analysing, each as it was left.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use bevy::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::panel::Layout;

/// What the window is used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Workspace {
    /// The scene and the time cursor.
    #[default]
    Watch,
    /// The learner's numbers beside the scene.
    Train,
    /// Charts of several runs.
    Analyse,
    /// A person at the hand.
    Record,
}

impl Workspace {
    /// Every workspace, in the order of the bar.
    pub const ALL: [Self; 4] = [Self::Watch, Self::Train, Self::Analyse, Self::Record];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Watch => "Watch",
            Self::Train => "Train",
            Self::Analyse => "Analyse",
            Self::Record => "Record",
        }
    }
}

/// What the right panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tab {
    /// What the learner measures.
    #[default]
    Charts,
    /// The numbers that can be changed.
    Learner,
    /// The improved policy at the shown state.
    Policy,
    /// The replay memory.
    Memory,
}

impl Tab {
    /// Every tab, in order.
    pub const ALL: [Self; 4] = [Self::Charts, Self::Learner, Self::Policy, Self::Memory];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Charts => "Charts",
            Self::Learner => "Learner",
            Self::Policy => "Policy",
            Self::Memory => "Memory",
        }
    }
}

/// Which panels a workspace has open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arrangement {
    /// The left panel.
    pub left: bool,
    /// The right panel.
    pub right: bool,
    /// What the right panel shows.
    pub tab: Tab,
    /// The timeline.
    pub bottom: bool,
}

impl Arrangement {
    /// How a workspace is until someone changes it.
    pub fn of(workspace: Workspace) -> Self {
        let (tab, bottom) = match workspace {
            Workspace::Watch => (Tab::Charts, true),
            Workspace::Train => (Tab::Learner, false),
            Workspace::Analyse | Workspace::Record => (Tab::Policy, false),
        };
        Self {
            left: true,
            right: matches!(workspace, Workspace::Watch | Workspace::Train),
            tab,
            bottom,
        }
    }
}

/// The arrangements of all workspaces, as they are saved.
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arrangements {
    watch: Arrangement,
    train: Arrangement,
    analyse: Arrangement,
    #[serde(default = "of_record")]
    record: Arrangement,
}

/// For files that were saved before there was a workspace to record in.
fn of_record() -> Arrangement {
    Arrangement::of(Workspace::Record)
}

impl Default for Arrangements {
    fn default() -> Self {
        Self {
            watch: Arrangement::of(Workspace::Watch),
            train: Arrangement::of(Workspace::Train),
            analyse: Arrangement::of(Workspace::Analyse),
            record: of_record(),
        }
    }
}

impl Arrangements {
    /// The arrangement of a workspace.
    pub fn of(&mut self, workspace: Workspace) -> &mut Arrangement {
        match workspace {
            Workspace::Watch => &mut self.watch,
            Workspace::Train => &mut self.train,
            Workspace::Analyse => &mut self.analyse,
            Workspace::Record => &mut self.record,
        }
    }

    /// As they were saved; as they are at first, where there is nothing that can be read.
    fn read(path: &Path) -> Self {
        read(path).unwrap_or_default()
    }
}

/// What was saved in a file; `None` where there is nothing that can be read.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let text = fs::read_to_string(path).ok()?;
    toml::from_str(&text).ok()
}

/// Saves something in a file.
pub(crate) fn write<T: Serialize>(value: &T, path: &Path) -> Result<(), String> {
    let text = toml::to_string(value).map_err(|error| error.to_string())?;
    let temporary = path.with_extension("writing");
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&temporary, text))
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|error| error.to_string())
}

/// Where the arrangements are kept.
fn file() -> Option<PathBuf> {
    settings_file("workspaces.toml")
}

/// A file of the person's configuration folder.
pub(crate) fn settings_file(name: &str) -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let home = || Some(Path::new(&set("HOME")?).join(".config"));
    let folder = set("XDG_CONFIG_HOME")
        .or_else(|| set("APPDATA"))
        .map(PathBuf::from)
        .or_else(home)?;
    Some(folder.join("dextra").join(name))
}

pub(crate) struct WorkspacePlugin;

impl Plugin for WorkspacePlugin {
    fn build(&self, app: &mut App) {
        let mut arrangements = file()
            .map(|path| Arrangements::read(&path))
            .unwrap_or_default();
        let layout = Layout::new(Workspace::Watch, *arrangements.of(Workspace::Watch));
        app.insert_resource(arrangements)
            .insert_resource(layout)
            .add_systems(Last, keep.run_if(resource_changed::<Layout>));
    }
}

/// Keeps the open workspace's arrangement, here and on disk. What cannot be saved is only lost at the
/// next start, so nobody is told.
fn keep(layout: Res<Layout>, mut arrangements: ResMut<Arrangements>) {
    let now = layout.arrangement();
    let kept = arrangements.bypass_change_detection().of(layout.workspace);
    if *kept != now {
        *kept = now;
        if let Some(path) = file() {
            let _ = write(&*arrangements, &path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn arrangements_are_kept_and_a_damaged_file_is_no_trouble() {
        let folder = env::temp_dir().join(format!("dextra-workspaces-{}", std::process::id()));
        let path = folder.join("dextra").join("workspaces.toml");
        assert_eq!(Arrangements::read(&path), Arrangements::default());
        let mut changed = Arrangements::default();
        changed.of(Workspace::Train).tab = Tab::Policy;
        changed.of(Workspace::Analyse).left = false;
        write(&changed, &path).unwrap();
        assert_eq!(Arrangements::read(&path), changed);
        fs::write(&path, "watch = 3").unwrap();
        assert_eq!(Arrangements::read(&path), Arrangements::default());
        fs::remove_dir_all(&folder).unwrap();
    }
}
