#![allow(clippy::unwrap_used, clippy::expect_used)]

mod browser;

use std::sync::LazyLock;

use bevy_egui::egui::{Event, Modifiers, PointerButton, Pos2, RawInput, Rect, pos2};
use dextra_data::dataset::Glance;
use dextra_tasks::Measure;
use dextra_train::{EvalResult, MetricRow, Status};

use super::*;
use crate::{
    action::Recollection,
    analysis::Analysis,
    demos::DatasetEntry,
    history::History,
    memory::{Memory, tests::memory},
    outcome::LastEpisode,
    session::Stage,
    source::Source,
    tape::tests::tape,
    view::{EpisodeView, RecordView, RolloutView, SettingRow, SourceRow, TimelineView},
    workspace::{Arrangement, Workspace},
};

fn layout(workspace: Workspace) -> Layout {
    Layout::new(workspace, Arrangement::of(workspace))
}

const WINDOW: Rect = Rect {
    min: Pos2::ZERO,
    max: pos2(1280.0, 720.0),
};

fn history() -> History {
    let mut history = History::default();
    for step in 0..2_000 {
        let x = f64::from(step) / 2_000.0;
        history.push(&MetricRow {
            step: 200 * step as u64,
            updates: 50 * step as u64,
            wall_secs: x,
            values: vec![
                ("success_rate", x),
                ("critic_loss", 1.0 - x),
                ("eta_mean", 0.1),
            ],
        });
    }
    history
}

fn view<'a>(stage: Stage, status: &'a Status, history: &'a History) -> View<'a> {
    static ANALYSIS: LazyLock<Analysis> = LazyLock::new(Analysis::default);
    static MEMORY: LazyLock<Memory> = LazyLock::new(memory);
    let row = |source, name: &str, available| SourceRow {
        source,
        name: name.into(),
        hint: "",
        available,
    };
    View {
        task: "door",
        horizon: 200,
        stage,
        status,
        history,
        pausing: false,
        run_folder: "runs/door-seed0".into(),
        sources: vec![
            row(Source::Expert, "Expert", true),
            row(Source::Policy, "Newest policy", false),
            row(Source::Actor(0), "1", true),
            row(Source::Actor(1), "2", true),
        ],
        watched: Source::Expert,
        watched_name: "Expert".into(),
        achieved_speed: 1.0,
        silence_secs: 0.0,
        behind_secs: 0.3,
        rollout: Some(RolloutView {
            speed: 1.0,
            paused: false,
            seed: u64::MAX,
        }),
        episode: Some(EpisodeView {
            seed: 12_345_678_901_234_567_890,
            step: 57,
            success_now: false,
            success: true,
            total_reward: -5.7,
            reward: -0.1,
            terms: vec![("sparse", -0.1), ("reach", 0.3)],
            actor: "expert",
            by_hand: 34,
            policy_version: 3,
            measures: vec![Measure {
                name: "door open",
                value: 0.42,
                bound: 1.35,
                at_least: true,
                unit: "rad",
            }],
            solved_steps: (3, 26),
            failed: Some("door open 0.42 rad, needs at least 1.35 rad".into()),
        }),
        last: Some(LastEpisode {
            success: false,
            why: "door open 0.00 rad, needs at least 1.35 rad".into(),
            number: 199,
        }),
        fps: 60.0,
        adapter: "llvmpipe",
        shadows: false,
        settings: vec![SettingRow {
            key: "learn.learning_rate".into(),
            label: "Critics' learning rate".into(),
            hint: "",
            value: 2e-3,
            initial: 1e-3,
            most: 1.0,
            pending: true,
            mark: Some("learning_rate"),
            revert_mark: Some("revert_learning_rate"),
        }],
        can_undo: true,
        timeline: None,
        tasks: &["door", "pen"],
        runs: &[],
        datasets: &[],
        dataset: None,
        memory: &MEMORY,
        rival: Some(("the expert", true)),
        analysis: &ANALYSIS,
        loading: false,
        video: Some("video 34 %".into()),
        record: RecordView::default(),
        held: None,
        browser: None,
        notices: vec!["Saved dextra-001.png".into()],
        leaving: false,
    }
}

/// Draws some frames with these events in the last; returns its answer.
fn draw_with(
    ctx: &egui::Context,
    view: &View,
    layout: Layout,
    events: Vec<Event>,
) -> (Answer, Rect) {
    theme::apply(ctx);
    let mut dock = Dock::first(layout.workspace);
    for _ in 0..2 {
        ctx.begin_pass(RawInput {
            screen_rect: Some(WINDOW),
            ..RawInput::default()
        });
        let _ = draw(ctx, view, layout, &mut dock);
        let _ = ctx.end_pass();
    }
    ctx.begin_pass(RawInput {
        screen_rect: Some(WINDOW),
        events,
        ..RawInput::default()
    });
    let drawn = draw(ctx, view, layout, &mut dock);
    let _ = ctx.end_pass();
    drawn
}

fn click(pos: Pos2) -> Vec<Event> {
    let button = |pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::default(),
    };
    vec![Event::PointerMoved(pos), button(true), button(false)]
}

#[test]
fn every_stage_draws_within_the_window_and_leaves_room_for_the_scene() {
    let eval = EvalResult {
        episodes: 100,
        successes: 98,
        success_rate: 0.98,
        ci_low: 0.93,
        ci_high: 0.994,
        mean_return: 812.5,
        mean_length: 200.0,
        failures: 0,
        steps: 1_995_000,
    };
    let status = Status {
        steps: 1_999_800,
        total_steps: 2_000_000,
        updates: 1_500_000,
        success_rate: Some(1.0),
        expert_success_rate: Some(1.0),
        env_steps_per_sec: 2_345.0,
        updates_per_sec: 1_234.0,
        elapsed_secs: 35_999.0,
        eta_secs: Some(35_999.0),
        last_eval: Some(eval),
        ..Status::default()
    };
    let history = history();
    let stages = [
        Stage::Idle,
        Stage::Starting,
        Stage::Running,
        Stage::Paused,
        Stage::Evaluating,
        Stage::Stopping,
        Stage::Finished,
        Stage::Failed("the disk is full".into()),
    ];
    for stage in stages {
        let view = view(stage, &status, &history);
        let (answer, rest) = draw_with(
            &egui::Context::default(),
            &view,
            layout(Workspace::Watch),
            vec![],
        );
        assert!(answer.actions.is_empty());
        assert_eq!((rest.width(), rest.height()), (730.0, 471.0), "{rest}");
        for (name, rect) in &answer.marks {
            assert!(WINDOW.contains_rect(*rect), "{name} at {rect}");
        }
        assert!(answer.marks["train"].height() >= 40.0);
    }
}

#[test]
fn buttons_ask_for_what_they_say() {
    let (status, history) = (Status::default(), History::default());
    for (name, action) in [
        ("train", Action::Train),
        ("expert", Action::Watch(Source::Expert)),
        ("actor1", Action::Watch(Source::Actor(0))),
        ("pause", Action::TogglePause),
        ("restart", Action::Restart),
        ("take_over", Action::TakeOver),
        ("help", Action::ToggleHelp),
        ("workspace_train", Action::Arrange(Workspace::Train)),
        ("commands", Action::TogglePalette),
        ("tab_learner", Action::Show(Tab::Learner)),
    ] {
        let ctx = egui::Context::default();
        let view = view(Stage::Idle, &status, &history);
        let (answer, _) = draw_with(&ctx, &view, layout(Workspace::Watch), vec![]);
        let pos = answer.marks[name].center();
        let (answer, _) = draw_with(&ctx, &view, layout(Workspace::Watch), click(pos));
        assert_eq!(answer.actions, [action], "{name}");
    }
}

#[test]
fn the_recording_leads_to_a_training() {
    let (status, history) = (Status::default(), History::default());
    let ctx = egui::Context::default();
    let view = view(Stage::Idle, &status, &history);
    let (answer, _) = draw_with(&ctx, &view, layout(Workspace::Record), vec![]);
    let pos = answer.marks["train_from_takes"].center();
    let (answer, _) = draw_with(&ctx, &view, layout(Workspace::Record), click(pos));
    assert_eq!(answer.actions, [Action::TrainFromTakes]);
}

#[test]
fn what_the_next_training_learns_from_is_chosen_from_a_menu() {
    let entry = |name: &str, task: &str| DatasetEntry {
        path: name.into(),
        name: name.into(),
        holds: Glance {
            task: task.into(),
            episodes: 30,
            successes: 25,
        },
    };
    let datasets = [entry("pens", "pen"), entry("doors", "door")];
    let (status, history) = (Status::default(), History::default());
    let mut view = view(Stage::Idle, &status, &history);
    view.datasets = &datasets;
    let ctx = egui::Context::default();
    let (answer, _) = draw_with(&ctx, &view, layout(Workspace::Train), vec![]);
    let button = answer.marks["teacher"];
    let (_, _) = draw_with(
        &ctx,
        &view,
        layout(Workspace::Train),
        click(button.center()),
    );
    let (answer, _) = draw_with(&ctx, &view, layout(Workspace::Train), vec![]);
    assert_eq!(
        answer.actions,
        [Action::LookForRuns],
        "an open menu looks what there is"
    );
    // Below: the expert, a line, and the only dataset of the task.
    let pos = answer.marks["teacher_choice"].center();
    let (answer, _) = draw_with(&ctx, &view, layout(Workspace::Train), click(pos));
    assert!(
        answer.actions.contains(&Action::LearnFrom(Some(1))),
        "{:?}",
        answer.actions
    );
}

#[test]
fn what_cannot_be_chosen_does_not_answer() {
    let (status, history) = (Status::default(), History::default());
    let ctx = egui::Context::default();
    let view = view(Stage::Idle, &status, &history);
    let (answer, _) = draw_with(&ctx, &view, layout(Workspace::Watch), vec![]);
    let pos = answer.marks["policy"].center();
    let (answer, _) = draw_with(&ctx, &view, layout(Workspace::Watch), click(pos));
    assert!(answer.actions.is_empty());
}

#[test]
fn help_and_hidden_panels_draw() {
    let (status, history) = (Status::default(), History::default());
    let mut view = view(Stage::Running, &status, &history);
    let layout = Layout {
        left: false,
        right: false,
        help: true,
        palette: true,
        ..layout(Workspace::Train)
    };
    let (_, rest) = draw_with(&egui::Context::default(), &view, layout, vec![]);
    assert_eq!(rest.width(), WINDOW.width());
    view.leaving = true;
    let _ = draw_with(&egui::Context::default(), &view, layout, vec![]);
}

#[test]
fn the_keys_that_drive_a_hand_are_in_the_help_and_fit_the_window() {
    let (status, history) = (Status::default(), History::default());
    let view = view(Stage::Idle, &status, &history);
    let ctx = egui::Context::default();
    let layout = Layout {
        help: true,
        ..layout(Workspace::Watch)
    };
    let (answer, _) = draw_with(&ctx, &view, layout, vec![]);
    let shown = answer.marks["window_keys"];
    assert!(
        WINDOW.contains_rect(shown) && shown.height() > 500.0,
        "{shown}"
    );
    let layout = Layout {
        workspace: Workspace::Record,
        ..layout
    };
    let (answer, _) = draw_with(&egui::Context::default(), &view, layout, vec![]);
    let shown = answer.marks["driving_keys"];
    assert!(
        WINDOW.contains_rect(shown) && shown.height() > 500.0,
        "{shown}"
    );
}

/// Types into a field that was clicked.
fn type_into(ctx: &egui::Context, view: &View, layout: Layout, mark: &str, text: &str) -> Answer {
    let (answer, _) = draw_with(ctx, view, layout, vec![]);
    let pos = answer.marks[mark].center();
    let _ = draw_with(ctx, view, layout, click(pos));
    let key = |key| Event::Key {
        key,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::default(),
    };
    let (answer, _) = draw_with(ctx, view, layout, vec![Event::Text(text.into())]);
    assert!(
        answer.typing && answer.edits.is_empty(),
        "nothing is settled yet"
    );
    let (answer, _) = draw_with(ctx, view, layout, vec![key(egui::Key::Enter)]);
    answer
}

#[test]
fn a_number_of_the_learner_can_be_typed_and_put_back() {
    let (status, history) = (Status::default(), History::default());
    let view = view(Stage::Running, &status, &history);
    let layout = layout(Workspace::Train);
    let ctx = egui::Context::default();
    let answer = type_into(&ctx, &view, layout, "learning_rate", "0.0005");
    let edit = |value| Edit {
        key: "learn.learning_rate".into(),
        value,
    };
    assert_eq!(answer.edits, [edit(5e-4)]);

    let ctx = egui::Context::default();
    let (answer, _) = draw_with(&ctx, &view, layout, vec![]);
    let pos = answer.marks["revert_learning_rate"].center();
    let (answer, _) = draw_with(&ctx, &view, layout, click(pos));
    assert_eq!(answer.edits, [edit(1e-3)]);
}

#[test]
fn a_click_on_the_timeline_puts_the_cursor_there() {
    let (status, history, tape) = (Status::default(), History::default(), tape());
    let mut view = view(Stage::Running, &status, &history);
    view.timeline = Some(TimelineView {
        live: true,
        shown: 9,
        start: 5,
        frames: (5..10).filter_map(|number| tape.get(number)).collect(),
        judge: Some("round 3".into()),
        unit: None,
        followed: 1.0,
    });
    for (mark, share, number) in [
        ("reward_strip", 0.5, 7),
        ("action_strip", 0.0, 5),
        ("value_strip", 1.0, 9),
    ] {
        let ctx = egui::Context::default();
        let layout = layout(Workspace::Watch);
        let (answer, _) = draw_with(&ctx, &view, layout, vec![]);
        let rect = answer.marks[mark];
        let x = rect.left() + 1.0 + share * (rect.width() - 2.0);
        let (answer, _) = draw_with(&ctx, &view, layout, click(pos2(x, rect.center().y)));
        assert_eq!(answer.actions, [Action::Pin(number)], "{mark}");
    }
}

#[test]
fn the_palette_shows_a_page_of_what_there_is() {
    let (status, history) = (Status::default(), History::default());
    let view = view(Stage::Idle, &status, &history);
    let layout = Layout {
        palette: true,
        ..layout(Workspace::Watch)
    };
    let (answer, _) = draw_with(&egui::Context::default(), &view, layout, vec![]);
    let seen = answer.marks["palette_lines"].height();
    assert!(seen > 250.0, "{seen}");
}

#[test]
fn the_palette_finds_by_name_and_enter_asks_for_it() {
    let (status, history) = (Status::default(), History::default());
    let view = view(Stage::Idle, &status, &history);
    let layout = Layout {
        palette: true,
        ..layout(Workspace::Watch)
    };
    let ctx = egui::Context::default();
    let _ = draw_with(&ctx, &view, layout, vec![]);
    let _ = draw_with(&ctx, &view, layout, vec![Event::Text("task pen".into())]);
    let enter = Event::Key {
        key: egui::Key::Enter,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::default(),
    };
    let (answer, _) = draw_with(&ctx, &view, layout, vec![enter]);
    assert_eq!(answer.actions, [Action::TogglePalette, Action::OpenTask(1)]);
}

#[test]
fn a_bar_of_the_memory_can_be_chosen() {
    let (status, history) = (Status::default(), History::default());
    let view = view(Stage::Running, &status, &history);
    let layout = Layout {
        tab: Tab::Memory,
        ..layout(Workspace::Train)
    };
    let ctx = egui::Context::default();
    for (mark, choice) in [
        ("look", Recollection::Look),
        ("largest_bar", Recollection::Bar(1)),
    ] {
        let (answer, _) = draw_with(&ctx, &view, layout, vec![]);
        let pos = answer.marks[mark].center();
        let (answer, _) = draw_with(&ctx, &view, layout, click(pos));
        assert_eq!(answer.actions, [Action::Recall(choice)], "{mark}");
    }
}
