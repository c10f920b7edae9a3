//! Short messages that fade: a screenshot saved, a checkpoint asked for, an error.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bevy::prelude::*;

const SHOWN_FOR: Duration = Duration::from_secs(6);
const AT_MOST: usize = 4;

/// The messages on screen, oldest first.
#[derive(Resource, Default)]
pub(crate) struct Notices(VecDeque<(Instant, String)>);

impl Notices {
    /// Shows a message for some seconds.
    pub fn say(&mut self, text: impl Into<String>) {
        if self.0.len() == AT_MOST {
            self.0.pop_front();
        }
        self.0.push_back((Instant::now(), text.into()));
    }

    /// The messages to show.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(|(_, text)| text.clone()).collect()
    }
}

pub(crate) struct NoticePlugin;

impl Plugin for NoticePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Notices>()
            .add_systems(Update, forget_old);
    }
}

fn forget_old(mut notices: ResMut<Notices>) {
    while notices
        .0
        .front()
        .is_some_and(|(since, _)| since.elapsed() > SHOWN_FOR)
    {
        notices.0.pop_front();
    }
}
