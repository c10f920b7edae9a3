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
        .fixed_size(vec2(700.0, 0.0))
        .pivot(Align2::CENTER_CENTER)
        .current_pos(rect.center())
        .show(ctx, |ui| {
            // Lines of a table, not rows of buttons.
            ui.spacing_mut().interact_size.y = 15.0;
            ui.columns_const(|[left, right]| {
                for (i, group) in GROUPS.iter().enumerate() {
                    let column = if i < GROUPS.len().div_ceil(2) {
                        &mut *left
                    } else {
                        &mut *right
                    };
                    let lines = group
                        .bindings
                        .iter()
                        .map(|binding| (binding.key, binding.help));
                    section(column, group.title, lines);
                }
                section(left, "Mouse in the scene", MOUSE.iter().copied());
            });
        });
    if !open {
        answer.actions.push(Action::ToggleHelp);
    }
}

fn section<'a>(ui: &mut Ui, title: &str, lines: impl Iterator<Item = (&'a str, &'a str)>) {
    ui.label(RichText::new(title).small().strong().color(theme::QUIET));
    Grid::new(title)
        .num_columns(2)
        .min_col_width(84.0)
        .spacing(vec2(12.0, 3.0))
        .show(ui, |ui| {
            for (key, help) in lines {
                ui.label(RichText::new(key).monospace().color(theme::CURVES[0]));
                ui.label(help);
                ui.end_row();
            }
        });
    ui.add_space(4.0);
}
