//! The status bar: what runs and how fast.

use bevy_egui::egui::{Align, Layout, RichText, Sense, Ui, vec2};

use super::{Answer, theme};
use crate::{
    action::Action,
    session::Stage,
    view::{View, grouped},
};

pub(super) fn show(ui: &mut Ui, view: &View, answer: &mut Answer) {
    ui.horizontal_centered(|ui| {
        let (word, color) = match &view.stage {
            Stage::Idle => ("not training", theme::QUIET),
            Stage::Starting => ("starting", theme::CAUTION),
            Stage::Running => ("training", theme::GOOD),
            Stage::Paused => ("training paused", theme::CAUTION),
            Stage::Evaluating => ("evaluating", theme::GOOD),
            Stage::Stopping => ("writing the checkpoint", theme::CAUTION),
            Stage::Finished => ("training ended", theme::GOOD),
            Stage::Failed(_) => ("training failed", theme::BAD),
        };
        let (dot, _) = ui.allocate_exact_size(vec2(8.0, 8.0), Sense::hover());
        ui.painter().circle_filled(dot.center(), 4.0, color);
        ui.colored_label(color, word);
        let mut quantity = |number: String, unit: &str| {
            ui.separator();
            ui.label(number);
            ui.colored_label(theme::QUIET, unit);
        };
        quantity(format!("{:.0}", view.fps), "frames/s");
        if view.stage != Stage::Idle {
            let status = view.status;
            if matches!(
                view.stage,
                Stage::Running | Stage::Evaluating | Stage::Paused
            ) {
                let rate = |per_sec: f64| grouped(per_sec.round() as u64);
                quantity(rate(status.env_steps_per_sec), "env steps/s");
                quantity(rate(status.updates_per_sec), "updates/s");
            }
            quantity(grouped(status.steps), "steps");
            quantity(grouped(status.updates), "updates");
        }
        if let Some(video) = &view.video {
            ui.separator();
            ui.colored_label(theme::CAUTION, video);
            let stop = ui.small_button("Give up");
            answer.on_click("give_up_video", &stop, Action::RecordVideo);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let keys = ui.small_button("Keys  F1");
            answer.on_click("help", &keys, Action::ToggleHelp);
            let open = ui.small_button("Open a scene  Ctrl+O");
            let open = open.on_hover_text("Any MJCF file, or this task's scene, in the sandbox");
            answer.on_click("open", &open, Action::OpenScene);
            let shadows = if view.shadows {
                ", with shadows (S)"
            } else {
                ", without shadows (S)"
            };
            let text = if view.run_folder.is_empty() {
                view.adapter
            } else {
                &view.run_folder
            };
            ui.label(RichText::new(text).small().color(theme::QUIET))
                .on_hover_text(format!("Drawn by {}{shadows}", view.adapter));
        });
    });
}
