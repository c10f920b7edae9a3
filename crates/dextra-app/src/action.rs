//! What a person can ask for, whether by key or by button.

use bevy::prelude::*;

use crate::{
    analysis::Change,
    memory::Quality,
    scene::Overlay,
    source::Source,
    workspace::{Tab, Workspace},
};

/// One request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    /// Start the training, or pause it, or let it continue.
    Train,
    /// Let a paused learner make one round.
    StepLearner,
    /// Stop the training; its checkpoint is written.
    StopTraining,
    /// Write a checkpoint now.
    Checkpoint,
    /// Pause or continue what is watched: the learner, or the rollout.
    TogglePause,
    /// Advance what is watched and paused: one round of the learner, one step of the rollout.
    Step,
    /// Go one back: a frame of the tape, or a state of the sandbox's history.
    StepBack,
    /// Put the time cursor on this frame of the tape.
    Pin(u64),
    /// Put the time cursor on the episode before, or the one after.
    TurnTo(bool),
    /// Let the time cursor follow what plays.
    Live,
    /// Begin the rollout's episode again, or the sandbox where it was opened.
    Restart,
    /// Begin the rollout's next episode.
    NextEpisode,
    /// Play the rollout with this seed.
    Seed(u64),
    /// Play the rollout at this multiple of real time.
    Speed(f64),
    /// Play the rollout at the next higher speed.
    Faster,
    /// Play the rollout at the next lower speed.
    Slower,
    /// Watch this.
    Watch(Source),
    /// Watch the newest policy of the training.
    WatchNewest,
    /// Watch the policy that comes with Dextra.
    WatchShipped,
    /// Watch the policy of this run of the library.
    WatchRun(usize),
    /// Continue this run of the library.
    ContinueRun(usize),
    /// Draw someone else in the same episodes, as a ghost.
    Compare(Against),
    /// Look into the replay memory.
    Recall(Recollection),
    /// Change what is analysed.
    Analyse(Change),
    /// Save the charts being analysed as an image.
    SaveCharts,
    /// Let the next training learn from this dataset of the library, or ask the expert.
    LearnFrom(Option<usize>),
    /// Train from the takes of the recording.
    TrainFromTakes,
    /// Look for runs and datasets.
    LookForRuns,
    /// Open this task, by its place in the list of tasks.
    OpenTask(usize),
    /// Take the last edit back.
    Undo,
    /// Watch the next source of the list.
    NextSource,
    /// Watch the previous source of the list.
    PreviousSource,
    /// Look from the next preset point of view.
    NextCamera,
    /// Look from the previous preset point of view.
    PreviousCamera,
    /// Look from the first point of view, on the whole scene.
    ResetCamera,
    /// Draw this over the scene, or no longer.
    ToggleOverlay(Overlay),
    /// Draw the axes of the next kind of thing.
    CycleFrames,
    /// Draw with shadows, or fast without.
    ToggleShadows,
    /// Show or hide the left panel.
    ToggleLeft,
    /// Show or hide the right panel.
    ToggleRight,
    /// Show or hide the timeline.
    ToggleTimeline,
    /// Show this in the right panel.
    Show(Tab),
    /// Put the panels of the workspace back where they were at first.
    ResetLayout,
    /// Arrange the window for this.
    Arrange(Workspace),
    /// Show or hide the list of everything that can be asked for.
    TogglePalette,
    /// Show or hide the list of keys.
    ToggleHelp,
    /// Fill the screen, or not.
    ToggleFullscreen,
    /// Drive the hand and record it.
    Drive,
    /// End the recording.
    CloseRecording,
    /// Drive what is watched, in the place of whoever does, or give it back.
    TakeOver,
    /// Browse the episodes of the dataset that recordings go to.
    Browse,
    /// Delete the episode that is browsed.
    DeleteEpisode,
    /// Choose a scene to open in the sandbox.
    OpenScene,
    /// Load the sandbox's scene from its files again.
    Reload,
    /// Make the last edit that was taken back again.
    Redo,
    /// Leave the dialog, select nothing.
    Escape,
    /// Save what is seen as an image.
    Screenshot,
    /// Save the shown episode as a video; given up, if one is being made.
    RecordVideo,
    /// Close the window.
    Quit,
}

/// What to do with the replay memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recollection {
    /// Read some of it.
    Look,
    /// Sort what was read by this.
    By(Quality),
    /// List the transitions of this bar.
    Bar(usize),
    /// Show this transition where it happened.
    Row(usize),
}

/// Whom to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// Nobody.
    Nobody,
    /// The task's expert.
    Expert,
    /// The newest policy of the training, as it is now.
    Newest,
    /// The policy that comes with Dextra.
    Shipped,
    /// The policy of this run of the library.
    Run(usize),
}

/// The requests not yet carried out.
#[derive(Resource, Default)]
pub(crate) struct Actions(pub Vec<Action>);
