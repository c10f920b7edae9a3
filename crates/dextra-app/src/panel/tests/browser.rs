//! The panels of the episode browser.

use std::{collections::HashMap, path::Path, sync::Arc};

use dextra_data::dataset::{EpisodeInfo, Start};

use super::*;
use crate::browser::{BrowserView, Listing, Played};

/// A dataset of many episodes, of which the second is shown.
fn browsed(episodes: usize) -> (Listing, Played) {
    let about = EpisodeInfo {
        seed: u64::MAX,
        steps: 40,
        success: true,
        episode_return: 30.0,
        sources: vec![dextra_data::Source::Human],
        start: Start::Reset,
        splices: vec![3],
        assisted: Vec::new(),
        trimmed: [1, 2],
    };
    let listing = Listing {
        task: "door".into(),
        episodes: vec![about; episodes],
        portraits: (0..episodes as u64).collect(),
        undo: 2,
    };
    let model = dextra_tasks::TaskModel::load("door").unwrap();
    let played = Played {
        episode: 1,
        model: Arc::clone(model.model()),
        poses: vec![Vec::new(); 41],
        solved: (0..40).map(|step| step > 25).collect(),
        rewards: (0..40).map(|step| step as f32).collect(),
        sources: vec![dextra_data::Source::Human; 40],
        splices: vec![3],
        dt_secs: 0.01,
        busy: 4..36,
    };
    (listing, played)
}

#[test]
fn episodes_are_chosen_scrubbed_marked_and_edited() {
    let (status, history) = (Status::default(), History::default());
    let (listing, played) = browsed(25);
    let (portraits, marked) = (HashMap::new(), 5..30);
    let mut view = view(Stage::Idle, &status, &history);
    view.browser = Some(BrowserView {
        root: Path::new("datasets/door"),
        listing: Some(&listing),
        problem: None,
        chosen: 1,
        reveals: false,
        played: Some(&played),
        hidden: None,
        at: 10,
        plays: false,
        speed: 1.0,
        marked: &marked,
        busy: false,
        outcome: Some("done"),
        portraits: &portraits,
        recent: &[],
    });
    let layout = layout(Workspace::Record);
    for (mark, expected) in [
        ("episode2", Browse::Choose(2)),
        ("browse_play", Browse::Toggle),
        ("browse_back", Browse::Seek(9)),
        ("browse_before", Browse::Choose(0)),
        ("browse_strip", Browse::Seek(20)),
        ("browse_from", Browse::Mark(10..30)),
        ("browse_to", Browse::Mark(5..10)),
        ("browse_busy", Browse::Mark(4..36)),
        ("browse_trim", Browse::Trim),
        ("browse_delete", Browse::Delete),
        ("browse_undo", Browse::Undo),
        ("browse_repeat", Browse::Repeat),
        ("close_browser", Browse::Close),
    ] {
        let ctx = egui::Context::default();
        let (answer, rest) = draw_with(&ctx, &view, layout, vec![]);
        assert!(rest.height() > 400.0, "{rest}");
        for (name, rect) in &answer.marks {
            assert!(WINDOW.intersects(*rect), "{name} at {rect}");
        }
        let pos = answer.marks[mark].center();
        let (answer, _) = draw_with(&ctx, &view, layout, click(pos));
        assert!(
            answer.browses.contains(&expected),
            "{mark}: {:?}",
            answer.browses
        );
    }
    // While an edit is under way there is no other.
    let busy = view.browser.as_mut().unwrap();
    busy.busy = true;
    let ctx = egui::Context::default();
    let (answer, _) = draw_with(&ctx, &view, layout, vec![]);
    let pos = answer.marks["browse_delete"].center();
    let (answer, _) = draw_with(&ctx, &view, layout, click(pos));
    assert!(!answer.browses.contains(&Browse::Delete));
}

#[test]
fn of_many_episodes_only_those_in_sight_are_drawn() {
    let (status, history) = (Status::default(), History::default());
    let (listing, _) = browsed(10_000);
    let (portraits, marked) = (HashMap::new(), 0..0);
    let mut view = view(Stage::Idle, &status, &history);
    let browser = |chosen, reveals| {
        Some(BrowserView {
            root: Path::new("datasets/door"),
            listing: Some(&listing),
            problem: None,
            chosen,
            reveals,
            played: None,
            hidden: Some("it holds no states of a simulator"),
            at: 0,
            plays: false,
            speed: 1.0,
            marked: &marked,
            busy: false,
            outcome: None,
            portraits: &portraits,
            recent: &[],
        })
    };
    let seen = |view: &View| {
        let ctx = egui::Context::default();
        let (answer, _) = draw_with(&ctx, view, layout(Workspace::Record), vec![]);
        let seen = answer.browses.iter().find_map(|browse| match browse {
            Browse::See(rows) => Some(rows.clone()),
            _ => None,
        });
        seen.expect("the list says what is in sight")
    };
    view.browser = browser(0, false);
    let first = seen(&view);
    assert!(
        first.start == 0 && (5..20).contains(&first.len()),
        "{first:?}"
    );
    view.browser = browser(9_000, true);
    let rows = seen(&view);
    assert!(rows.contains(&9_000) && rows.len() < 20, "{rows:?}");
}
