//! What the browser shows, for scripted tests: a line `BROWSE key=value ...` whenever it changes.

use bevy::prelude::*;

use super::Browser;
use crate::e2e::Line;

pub(crate) fn plugin(app: &mut App) {
    app.add_systems(Last, tell_state);
}

fn tell_state(browser: Res<Browser>, mut told: Local<Line>) {
    told.tell(|| line(&browser));
}

fn line(browser: &Browser) -> String {
    let Some(view) = browser.view() else {
        return "BROWSE open=false\n".into();
    };
    let episodes = view.listing.map_or(0, |listing| listing.episodes.len());
    let undo = view.listing.map_or(0, |listing| listing.undo);
    let chosen = view.listing.and_then(|list| list.episodes.get(view.chosen));
    // Until the chosen one is there the one before it is shown.
    let played = view.played.filter(|played| played.episode == view.chosen);
    format!(
        "BROWSE open=true episodes={episodes} chosen={} success={} shown={} steps={} step={} plays={} \
         from={} to={} busy={} undo={undo} pictures={} failed={} root={}\n",
        view.chosen,
        chosen.is_some_and(|episode| episode.success),
        played.is_some(),
        played.map_or(0, |played| played.steps()),
        view.at,
        view.plays,
        view.marked.start,
        view.marked.end,
        view.busy,
        view.portraits.len(),
        view.problem.is_some(),
        view.root.display(),
    )
}
