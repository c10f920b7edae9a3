//! Playing, stepping, speed, history; where the time of a step goes.

use std::time::Duration;

use bevy_egui::egui::{Button, Checkbox, Grid, Slider, Ui, vec2};

use super::{super::scrubbed, Answer, theme};
use crate::{
    action::Action,
    sandbox::{Command, SPEEDS, Shot, view::SandboxView},
};

pub(super) fn show(ui: &mut Ui, shot: &Shot, answer: &mut Answer) {
    ui.horizontal(|ui| {
        let buttons = [
            (
                "pause",
                if shot.paused { "▶" } else { "⏸" },
                Action::TogglePause,
                "Pause or continue (Space)",
            ),
            ("back", "Back", Action::StepBack, "One step back (←)"),
            ("step", "Step", Action::Step, "One timestep (→)"),
            (
                "restart",
                "⟲",
                Action::Restart,
                "Where the scene was opened (Backspace)",
            ),
        ];
        for (name, text, action, tip) in buttons {
            let button = ui.add(Button::new(text).min_size(vec2(30.0, 22.0)));
            answer.on_click(name, &button.on_hover_text(tip), action);
        }
    });
    ui.horizontal(|ui| {
        let nearest = |speed: f64| SPEEDS.iter().position(|&s| s >= speed * 0.99);
        let mut index = nearest(shot.speed).unwrap_or(SPEEDS.len() - 1);
        ui.spacing_mut().slider_width = 110.0;
        let slider = Slider::new(&mut index, 0..=SPEEDS.len() - 1).show_value(false);
        let slider = ui
            .add(slider)
            .on_hover_text("Multiple of real time (- and =)");
        answer.marks.insert("speed", slider.rect);
        if slider.changed() {
            answer.actions.push(Action::Speed(SPEEDS[index]));
        }
        ui.label(speed(shot.speed));
        let reached = if shot.paused {
            "(paused)".to_owned()
        } else {
            format!("({:.0}%)", 100.0 * shot.achieved / shot.speed)
        };
        ui.colored_label(theme::QUIET, reached)
            .on_hover_text("How much of it is reached");
    });
    let newest = shot.states.saturating_sub(1);
    let mut at = shot.at;
    ui.spacing_mut().slider_width = 150.0;
    ui.horizontal(|ui| {
        let slider = ui.add(Slider::new(&mut at, 0..=newest.max(1)).show_value(false));
        let slider = slider.on_hover_text("The states behind; playing on from one branches there");
        answer.marks.insert("history", slider.rect);
        if scrubbed(&slider) {
            answer.commands.push(Command::Scrub(at));
        }
        let behind = newest - shot.at.min(newest);
        ui.colored_label(theme::QUIET, format!("−{behind} of {newest}"));
    });
    if !shot.model.keyframes.is_empty() {
        ui.horizontal_wrapped(|ui| {
            ui.colored_label(theme::QUIET, "Keyframes");
            for (index, key) in shot.model.keyframes.iter().enumerate() {
                let button = ui.small_button(&key.name);
                answer.on_command("keyframe", &button, Command::Reset(Some(index)));
            }
        });
    }
}

/// `1/32×` to `4×`.
fn speed(speed: f64) -> String {
    if speed < 1.0 {
        format!("1/{:.0}×", 1.0 / speed)
    } else {
        format!("{speed:.0}×")
    }
}

/// Where the time of a step goes, while it is measured.
pub(super) fn profile(ui: &mut Ui, view: &SandboxView, shot: &Shot, answer: &mut Answer) {
    let mut measured = view.measured;
    let switch = ui.add(Checkbox::new(&mut measured, "Measure"));
    answer.on_command("measure", &switch, Command::Measure(measured));
    let Some(times) = shot.times.filter(|_| view.measured) else {
        return;
    };
    let per_step = |total: Duration| 1e6 * total.as_secs_f64() / f64::from(times.steps.max(1));
    let all = per_step(times.drive + times.engine + times.read).max(1e-9);
    Grid::new("profile")
        .num_columns(3)
        .spacing(vec2(10.0, 2.0))
        .show(ui, |ui| {
            for (name, time) in [
                ("Actuators, limits, friction", per_step(times.drive)),
                ("Contacts and solver", per_step(times.engine)),
                ("Reading the state", per_step(times.read)),
            ] {
                ui.colored_label(theme::QUIET, name);
                ui.label(format!("{time:.1} µs"));
                ui.colored_label(theme::QUIET, format!("{:.0}%", 100.0 * time / all));
                ui.end_row();
            }
        });
    let budget = 1e6 * shot.model.timestep_secs;
    ui.colored_label(
        theme::QUIET,
        format!("{all:.1} of {budget:.0} µs of real time"),
    );
}
