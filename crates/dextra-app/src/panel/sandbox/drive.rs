//! Sliders: controls of the actuators, positions of the joints.

use bevy_egui::egui::{Label, RichText, Slider, Ui};
use dextra_sim::JointKind;

use super::{Answer, theme};
use crate::sandbox::{Command, Shot};

/// Reach of a slider whose quantity has no range: radians, metres or units of control.
const UNLIMITED: f64 = 3.2;
const UNLIMITED_M: f64 = 1.0;
const UNLIMITED_CTRL: f64 = 1.0;

pub(super) fn controls(ui: &mut Ui, shot: &Shot, answer: &mut Answer) {
    let zero = ui.small_button("All zero");
    answer.on_command("zero_controls", &zero, Command::ZeroControls);
    for (index, actuator) in shot.model.actuators.iter().enumerate() {
        let [low, high] = actuator
            .ctrl_range
            .unwrap_or([-UNLIMITED_CTRL, UNLIMITED_CTRL]);
        let mut value = shot.ctrl.get(index).copied().unwrap_or(0.0);
        let response = slider(ui, &actuator.name, &mut value, [low, high], true);
        if index == 0 {
            answer.marks.insert("control0", response.rect);
        }
        if response.changed() {
            answer.commands.push(Command::Control(index, value));
        }
    }
}

pub(super) fn joints(ui: &mut Ui, shot: &Shot, answer: &mut Answer) {
    if !shot.paused {
        ui.label(
            RichText::new("They can be set while paused")
                .small()
                .color(theme::FAINT),
        );
    }
    let mut first = true;
    for (index, joint) in shot.model.joints.iter().enumerate() {
        let reach = match joint.kind {
            JointKind::Hinge => UNLIMITED,
            JointKind::Slide => UNLIMITED_M,
            JointKind::Free => continue,
        };
        let mut value = shot.qpos[joint.qpos_adr];
        let range = joint.range.unwrap_or([-reach, reach]);
        let response = slider(ui, &joint.name, &mut value, range, shot.paused);
        if first {
            answer.marks.insert("joint0", response.rect);
            first = false;
        }
        if response.changed() {
            answer.commands.push(Command::Joint(index, value));
        }
    }
}

fn slider(
    ui: &mut Ui,
    name: &str,
    value: &mut f64,
    [low, high]: [f64; 2],
    enabled: bool,
) -> bevy_egui::egui::Response {
    ui.horizontal(|ui| {
        ui.spacing_mut().slider_width = 84.0;
        let label = Label::new(RichText::new(name).small().color(theme::QUIET)).truncate();
        ui.add_sized([84.0, 18.0], label).on_hover_text(name);
        // A value beyond its range (a limit that yields) is shown as it is.
        let slider = Slider::new(value, low..=high)
            .clamping(bevy_egui::egui::SliderClamping::Edits)
            .fixed_decimals(3);
        ui.add_enabled(enabled, slider)
    })
    .inner
}
