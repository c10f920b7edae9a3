//! The sandbox's panels: time and controls on the left, the scene and what is selected on the right.

mod drive;
mod inspector;
pub(super) mod open;
mod time;
mod tree;

use bevy_egui::egui::{
    self, Align2, Button, Color32, FontId, Frame, Margin, Panel, Rect, RichText, ScrollArea, Ui,
    vec2,
};

use super::{Answer, Layout, help, theme};
use crate::{
    action::Action,
    sandbox::{Command, view::SandboxView},
};

/// Draws everything; returns what was asked for and the rectangle left for the scene.
pub(super) fn draw(ctx: &egui::Context, view: &SandboxView, layout: Layout) -> (Answer, Rect) {
    let mut answer = Answer::default();
    let mut root = Ui::new(
        ctx.clone(),
        "sandbox".into(),
        egui::UiBuilder::new()
            .layer_id(egui::LayerId::background())
            .max_rect(ctx.viewport_rect()),
    );
    let frame = |x, y| Frame::new().inner_margin(Margin::symmetric(x, y));
    Panel::bottom("sandbox status")
        .exact_size(28.0)
        .resizable(false)
        .frame(frame(10, 3))
        .show_inside(&mut root, |ui| status(ui, view, &mut answer));
    if layout.left {
        Panel::left("sandbox left")
            .exact_size(264.0)
            .resizable(false)
            .frame(frame(12, 8))
            .show_inside(&mut root, |ui| left(ui, view, &mut answer));
    }
    if layout.right {
        Panel::right("sandbox right")
            .exact_size(284.0)
            .resizable(false)
            .frame(frame(10, 8))
            .show_inside(&mut root, |ui| right(ui, view, &mut answer));
    }
    let rest = root.available_rect_before_wrap();
    over_the_scene(&mut root, rest, view, &mut answer);
    if layout.help {
        help::show(ctx, rest, false, &mut answer);
    }
    answer.marks.insert("view", rest);
    (answer, rest)
}

pub(super) fn section(ui: &mut Ui, name: &str) {
    ui.add_space(5.0);
    ui.label(RichText::new(name).small().strong().color(theme::QUIET));
}

fn left(ui: &mut Ui, view: &SandboxView, answer: &mut Answer) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.label(RichText::new(&view.name).heading().strong());
        ui.horizontal_wrapped(|ui| {
            let open = ui.button("Open…").on_hover_text("A scene (Ctrl+O)");
            answer.on_click("open", &open, Action::OpenScene);
            let reload = ui.button("Reload").on_hover_text("Its files, now (Ctrl+L)");
            answer.on_click("reload", &reload, Action::Reload);
            let close = ui.button("Close").on_hover_text("Back to the task");
            answer.on_command("close", &close, Command::Close);
        });
        let Some(shot) = view.shot else { return };
        section(ui, "Time");
        time::show(ui, shot, answer);
        section(ui, "Draw over the scene");
        overlays(ui, view, answer);
        if shot.model.nu > 0 {
            section(ui, "Controls");
            drive::controls(ui, shot, answer);
        }
        if shot.model.joints.iter().any(|joint| joint.kind.dofs() == 1) {
            section(ui, "Joints");
            drive::joints(ui, shot, answer);
        }
    });
}

fn overlays(ui: &mut Ui, view: &SandboxView, answer: &mut Answer) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        for (overlay, name) in crate::scene::Overlay::ALL {
            let action = Action::ToggleOverlay(overlay);
            let button =
                Button::selectable(view.overlays.has(overlay), RichText::new(name).small());
            let key = crate::bindings::key_of(action).unwrap_or_default();
            let button = ui.add(button).on_hover_text(format!("Key {key}"));
            answer.on_click(name, &button, action);
        }
        let frames = format!("Axes: {:?}", view.overlays.frames).to_lowercase();
        let button = ui
            .button(RichText::new(frames).small())
            .on_hover_text("Key F6");
        answer.on_click("frames", &button, Action::CycleFrames);
    });
}

fn right(ui: &mut Ui, view: &SandboxView, answer: &mut Answer) {
    let Some(shot) = view.shot else { return };
    edits(ui, view, answer);
    section(ui, "Scene");
    let height = 0.42 * ui.available_height();
    ScrollArea::both()
        .id_salt("tree")
        .auto_shrink(false)
        .max_height(height)
        .show(ui, |ui| tree::show(ui, view, &shot.model, answer));
    ui.separator();
    ScrollArea::vertical()
        .id_salt("inspector")
        .auto_shrink(false)
        .show(ui, |ui| {
            inspector::show(ui, view, shot, answer);
            section(ui, "Time of a step");
            time::profile(ui, view, shot, answer);
            warnings(ui, &shot.model.warnings);
        });
}

fn edits(ui: &mut Ui, view: &SandboxView, answer: &mut Answer) {
    ui.horizontal(|ui| {
        let undo = ui.add_enabled(view.edits > 0, Button::new("Undo"));
        answer.on_command("undo", &undo.on_hover_text("Ctrl+Z"), Command::Undo);
        let redo = ui.add_enabled(view.redoable, Button::new("Redo"));
        let redo = redo.on_hover_text("Ctrl+Y");
        answer.on_command("redo", &redo, Command::Redo);
        let save = ui.add_enabled(!view.edited.is_empty(), Button::new("Save"));
        let save = save.on_hover_text("Write the edited numbers into the MJCF (Ctrl+S)");
        answer.on_command("save", &save, Command::Save);
        if !view.edited.is_empty() {
            let text = format!("{} edited", view.edited.len());
            ui.colored_label(theme::CAUTION, text);
        }
    });
}

fn warnings(ui: &mut Ui, warnings: &[String]) {
    section(ui, "Not honoured");
    if warnings.is_empty() {
        ui.colored_label(theme::FAINT, "nothing");
    }
    for warning in warnings {
        ui.label(RichText::new(warning).small().color(theme::CAUTION));
    }
}

fn over_the_scene(root: &mut Ui, rect: Rect, view: &SandboxView, answer: &mut Answer) {
    let shot = view.shot;
    let painter = root.painter();
    let write = |pos, anchor, text: String, size, color| {
        let font = FontId::proportional(size);
        let shade = Color32::from_black_alpha(160);
        painter.text(pos + vec2(1.0, 1.0), anchor, &text, font.clone(), shade);
        painter.text(pos, anchor, text, font, color)
    };
    if shot.is_some_and(|shot| shot.paused) {
        let top = rect.center_top() + vec2(0.0, 10.0);
        write(
            top,
            Align2::CENTER_TOP,
            "PAUSED".into(),
            17.0,
            theme::CAUTION,
        );
    }
    if let Some(push) = shot.and_then(|shot| shot.push.as_ref()) {
        let length = |v: [f64; 3]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let text = match length(push.torque_nm) {
            torque if torque > 0.0 => format!("{torque:.3} N m"),
            _ => format!("{:.2} N", length(push.force_n)),
        };
        let top = rect.center_top() + vec2(0.0, 34.0);
        write(top, Align2::CENTER_TOP, text, 14.0, Color32::WHITE);
    }
    for (i, notice) in view.notices.iter().rev().enumerate() {
        let pos = rect.left_bottom() + vec2(14.0, -10.0 - 20.0 * i as f32);
        write(pos, Align2::LEFT_BOTTOM, notice.clone(), 13.0, theme::TEXT);
    }
    if let Some(problem) = view.problem {
        let title = match view.model {
            Some(_) => "The files cannot be loaded as they are now; the last good scene goes on",
            None => "The scene cannot be loaded; it is tried again when its file changes",
        };
        banner(root, rect, title, problem, answer, None);
    } else if let Some(trouble) = shot.and_then(|shot| shot.trouble.as_deref()) {
        let last = Some(("Open the last good state", Command::LastGood));
        banner(root, rect, "The simulation stopped", trouble, answer, last);
    }
}

/// A message over the scene that stays until its cause is gone.
fn banner(
    root: &Ui,
    rect: Rect,
    title: &str,
    text: &str,
    answer: &mut Answer,
    button: Option<(&str, Command)>,
) {
    let area = egui::Area::new("banner".into())
        .fixed_pos(rect.left_top() + vec2(14.0, 40.0))
        .show(root.ctx(), |ui| {
            Frame::popup(ui.style())
                .fill(Color32::from_rgb(58, 32, 32))
                .show(ui, |ui| {
                    ui.set_width(rect.width() - 56.0);
                    ui.label(RichText::new(title).strong().color(theme::BAD));
                    ui.label(RichText::new(text).monospace());
                    if let Some((name, command)) = button {
                        let button = ui.button(name);
                        answer.on_command("last_good", &button, command);
                    }
                });
        });
    answer.marks.insert("banner", area.response.rect);
}

fn status(ui: &mut Ui, view: &SandboxView, answer: &mut Answer) {
    ui.horizontal_centered(|ui| {
        ui.colored_label(theme::ACCENT, "sandbox");
        let mut quantity = |number: String, unit: &str| {
            ui.separator();
            ui.label(number);
            ui.colored_label(theme::QUIET, unit);
        };
        quantity(format!("{:.0}", view.fps), "frames/s");
        if let Some(shot) = view.shot {
            quantity(format!("{:.3}", shot.time_secs), "s");
            quantity(format!("{}", shot.contacts.len()), "contacts");
            quantity(format!("{}", shot.model.nv), "degrees of freedom");
            let step_ms = 1e3 * shot.model.timestep_secs;
            quantity(format!("{step_ms:.3}"), "ms a step");
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let keys = ui.small_button("Keys  F1");
            answer.on_click("help", &keys, Action::ToggleHelp);
            let file = view.file.as_deref().unwrap_or_default();
            let file = RichText::new(file).small().color(theme::QUIET);
            ui.add(egui::Label::new(file).truncate());
        });
    });
}

#[cfg(test)]
mod tests;
