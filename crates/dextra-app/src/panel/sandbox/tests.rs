#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{path::Path, sync::Arc};

use bevy_egui::egui::{self, Event, Modifiers, PointerButton, Pos2, RawInput, Rect, pos2};
use dextra_sim::{Model, Parameter, PhysicsOptions, Sim};

use super::*;
use crate::workspace::{Arrangement, Workspace};
use crate::{
    sandbox::{Origin, Selection, Shot, view::DialogView},
    scene::{Overlay, Overlays},
};

const WINDOW: Rect = Rect {
    min: Pos2::ZERO,
    max: pos2(1280.0, 720.0),
};

fn shot(xml: &str) -> Shot {
    let model = Model::from_xml(xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
    let model = Arc::new(model);
    let sim = Sim::new(Arc::clone(&model));
    Shot {
        body_poses: (0..model.bodies.len()).map(|b| sim.body_pose(b)).collect(),
        qpos: sim.qpos().to_vec(),
        qvel: sim.qvel().to_vec(),
        ctrl: vec![0.0; model.nu],
        time_secs: 1.5,
        contacts: Vec::new(),
        touches_n: Vec::new(),
        push: None,
        paused: true,
        speed: 0.25,
        achieved: 0.0,
        states: 2_000,
        at: 1_500,
        trouble: None,
        times: None,
        model,
    }
}

/// A chain of many links with a name each: more than fits.
fn long_scene() -> Shot {
    let links = 40;
    let mut xml = String::from("<mujoco><option iterations='3'/><worldbody>");
    for i in 0..links {
        xml += &format!(
            "<body name='a link with a long name {i}'><joint name='joint {i}'/>\
             <geom name='geom {i}' size='0.1' pos='0 0 0.1'/>"
        );
    }
    xml += &"</body>".repeat(links);
    xml += "</worldbody><actuator>";
    for i in 0..links {
        xml += &format!("<position name='servo {i}' joint='joint {i}' ctrlrange='-1 1'/>");
    }
    shot(&(xml + "</actuator></mujoco>"))
}

fn view<'a>(shot: &'a Shot, overlays: &'a Overlays) -> SandboxView<'a> {
    SandboxView {
        name: "t.xml".into(),
        file: Some("/a/long/way/to/the/file/that/has/the/scene/t.xml".into()),
        problem: None,
        model: Some(&shot.model),
        shot: Some(shot),
        selected: None,
        edited: Vec::new(),
        edits: 0,
        redoable: false,
        measured: true,
        overlays,
        notices: vec!["Saved t.xml".into()],
        fps: 60.0,
    }
}

#[test]
fn a_negative_gear_is_shown_as_it_is_and_edits_nothing() {
    let shot = shot(
        "<mujoco><worldbody><body><joint name='j'/><geom size='0.1'/></body></worldbody>\
         <actuator><motor joint='j' gear='-2'/></actuator></mujoco>",
    );
    let overlays = Overlays::default();
    let mut view = view(&shot, &overlays);
    view.selected = Some(Selection::Actuator(0));
    let (answer, _) = draw_with(&egui::Context::default(), &view, vec![]);
    assert!(answer.marks.contains_key("gear") && answer.commands.is_empty());
}

/// Draws a frame with these events; returns its answer.
fn pass(ctx: &egui::Context, view: &SandboxView, events: Vec<Event>) -> (Answer, Rect) {
    ctx.begin_pass(RawInput {
        screen_rect: Some(WINDOW),
        events,
        ..RawInput::default()
    });
    let layout = Layout::new(Workspace::Watch, Arrangement::of(Workspace::Watch));
    let drawn = draw(ctx, view, layout);
    let _ = ctx.end_pass();
    drawn
}

/// Draws some frames with these events in the last; returns its answer.
fn draw_with(ctx: &egui::Context, view: &SandboxView, events: Vec<Event>) -> (Answer, Rect) {
    theme::apply(ctx);
    pass(ctx, view, Vec::new());
    pass(ctx, view, Vec::new());
    pass(ctx, view, events)
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
fn a_long_scene_stays_within_the_panels_whatever_is_selected() {
    let (shot, overlays) = (long_scene(), Overlays::default());
    for selected in [
        None,
        Some(Selection::Body(40)),
        Some(Selection::Joint(39)),
        Some(Selection::Geom(0)),
        Some(Selection::Actuator(3)),
        // Of a scene that has since become smaller.
        Some(Selection::Joint(999)),
    ] {
        let mut view = view(&shot, &overlays);
        view.selected = selected;
        let (answer, rest) = draw_with(&egui::Context::default(), &view, vec![]);
        assert_eq!(
            (rest.width(), rest.height()),
            (732.0, 692.0),
            "{selected:?}"
        );
        assert!(answer.actions.is_empty() && answer.commands.is_empty());
    }
}

#[test]
fn buttons_ask_for_what_they_say() {
    let (shot, overlays) = (long_scene(), Overlays::default());
    for (name, action) in [
        ("pause", Action::TogglePause),
        ("back", Action::StepBack),
        ("step", Action::Step),
        ("restart", Action::Restart),
        ("open", Action::OpenScene),
        ("Contacts", Action::ToggleOverlay(Overlay::ContactPoints)),
    ] {
        let (ctx, view) = (egui::Context::default(), view(&shot, &overlays));
        let (answer, _) = draw_with(&ctx, &view, vec![]);
        let pos = answer.marks[name].center();
        let (answer, _) = draw_with(&ctx, &view, click(pos));
        assert_eq!(answer.actions, [action], "{name}");
    }
}

#[test]
fn a_pointer_that_lets_go_of_the_history_does_not_scrub_what_plays_again() {
    let (mut shot, overlays) = (long_scene(), Overlays::default());
    let ctx = egui::Context::default();
    let (answer, _) = draw_with(&ctx, &view(&shot, &overlays), vec![]);
    let events = click(answer.marks["history"].center());
    let (answer, _) = draw_with(&ctx, &view(&shot, &overlays), events[..2].to_vec());
    let &[Command::Scrub(at)] = &answer.commands[..] else {
        panic!("{:?}", answer.commands);
    };
    (shot.at, shot.states, shot.paused) = (at + 1, at + 2, false);
    let (answer, _) = pass(&ctx, &view(&shot, &overlays), events[2..].to_vec());
    assert_eq!(answer.commands, []);
}

#[test]
fn edits_can_be_undone_and_saved_only_where_there_are_some() {
    let (shot, overlays) = (long_scene(), Overlays::default());
    let pressed = |edits: usize, name: &str| {
        let (ctx, mut view) = (egui::Context::default(), view(&shot, &overlays));
        (view.edits, view.edited) = (edits, vec![Parameter::JointDamping(0); edits]);
        let (answer, _) = draw_with(&ctx, &view, vec![]);
        let pos = answer.marks[name].center();
        draw_with(&ctx, &view, click(pos)).0.commands
    };
    assert!(pressed(0, "undo").is_empty() && pressed(0, "save").is_empty());
    assert_eq!(pressed(1, "undo"), [Command::Undo]);
    assert_eq!(pressed(1, "save"), [Command::Save]);
    assert!(pressed(1, "redo").is_empty());
}

#[test]
fn a_broken_file_and_a_state_that_is_lost_are_told_with_a_way_on() {
    let (mut shot, overlays) = (long_scene(), Overlays::default());
    let ctx = egui::Context::default();
    let mut broken = view(&shot, &overlays);
    broken.problem = Some("t.xml:7: <geom>: size needs 1 positive number, found -1");
    let (answer, rest) = draw_with(&ctx, &broken, vec![]);
    assert!(rest.contains_rect(answer.marks["banner"]));
    // Before any scene could be loaded, too.
    (broken.model, broken.shot) = (None, None);
    let (answer, _) = draw_with(&ctx, &broken, vec![]);
    assert!(answer.marks.contains_key("banner"));
    shot.trouble = Some("a number stopped being finite".into());
    let lost = view(&shot, &overlays);
    let ctx = egui::Context::default();
    let (answer, _) = draw_with(&ctx, &lost, vec![]);
    let pos = answer.marks["last_good"].center();
    let (answer, _) = draw_with(&ctx, &lost, click(pos));
    assert_eq!(answer.commands, [Command::LastGood]);
}

#[test]
fn the_dialog_opens_tasks_and_what_was_opened_before() {
    let recent = ["/tmp/before.xml".into()];
    let dialog = DialogView {
        text: "",
        recent: &recent,
        watched: ("pen", 7),
    };
    let ctx = egui::Context::default();
    theme::apply(&ctx);
    let pass = |events| {
        ctx.begin_pass(RawInput {
            screen_rect: Some(WINDOW),
            events,
            ..RawInput::default()
        });
        let mut answer = Answer::default();
        open::show(&ctx, &dialog, &mut answer);
        let _ = ctx.end_pass();
        answer
    };
    (0..3).for_each(|_| drop(pass(vec![])));
    let marks = pass(vec![]).marks;
    let opened = |name: &str| pass(click(marks[name].center())).commands;
    let before = Origin::File("/tmp/before.xml".into());
    assert_eq!(opened("recent0"), [Command::Open(before)]);
    let pen = Origin::Task {
        name: "pen".into(),
        seed: 7,
    };
    assert_eq!(opened("pen"), [Command::Open(pen)]);
}
