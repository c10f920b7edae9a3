//! What a person can ask for, whether by key or by button.

use bevy::prelude::*;

use crate::source::Source;

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
    /// Begin the rollout's episode again.
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
    /// Draw with shadows, or fast without.
    ToggleShadows,
    /// Show or hide the left panel.
    ToggleLeft,
    /// Show or hide the charts.
    ToggleRight,
    /// Show or hide the list of keys.
    ToggleHelp,
    /// Fill the screen, or not.
    ToggleFullscreen,
    /// Save what is seen as an image.
    Screenshot,
    /// Close the window.
    Quit,
}

/// The requests not yet carried out.
#[derive(Resource, Default)]
pub(crate) struct Actions(pub Vec<Action>);
