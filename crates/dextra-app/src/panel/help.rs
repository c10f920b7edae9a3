//! The list of keys, made from the table that binds them.

use bevy_egui::egui::{self, Align2, Grid, Rect, RichText, Ui, vec2};

use super::{Answer, theme};
use crate::{
    action::Action,
    bindings::{GROUPS, MOUSE},
};

pub(super) fn show(ctx: &egui::Context, rect: Rect, answer: &mut Answer) {
    let mut open = true;
    egui::Window::new("Keys")
        .open(&mut open)
        .collapsible(false)
        .resizable(false)
        .pivot(Align2::CENTER_CENTER)
        .current_pos(rect.center())
        .show(ctx, |ui| {
            for group in GROUPS {
                let lines = group.bindings.iter().map(|binding| (binding.key, binding.help));
                section(ui, group.title, lines);
            }
            section(ui, "Mouse in the scene", MOUSE.iter().copied());
        });
    if !open {
        answer.actions.push(Action::ToggleHelp);
    }
}

fn section<'a>(ui: &mut Ui, title: &str, lines: impl Iterator<Item = (&'a str, &'a str)>) {
    ui.label(RichText::new(title).small().strong().color(theme::QUIET));
    Grid::new(title).num_columns(2).min_col_width(120.0).spacing(vec2(12.0, 3.0)).show(ui, |ui| {
        for (key, help) in lines {
            ui.label(RichText::new(key).monospace().color(theme::CURVES[0]));
            ui.label(help);
            ui.end_row();
        }
    });
    ui.add_space(4.0);
}
