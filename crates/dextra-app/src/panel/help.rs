//! The list of keys, made from the tables that bind them: the viewer's, and those that drive a hand.

use bevy_egui::egui::{self, Align2, Grid, Rect, RichText, ScrollArea, Ui, vec2};
use dextra_teleop::bindings as driving;

use super::{Answer, theme};
use crate::{
    action::Action,
    bindings::{GROUPS, MOUSE},
};

/// `driven` says whether a person is at the hand, whose keys are then what is asked for.
pub(super) fn show(ctx: &egui::Context, rect: Rect, driven: bool, answer: &mut Answer) {
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
            let height = rect.height() - 110.0;
            let (mark, shown, other) = match driven {
                true => (
                    "driving_keys",
                    hand(ui, height),
                    "The window's keys: F1 in another workspace",
                ),
                false => (
                    "window_keys",
                    window(ui, height),
                    "The keys that drive a hand: F1 in Record (Ctrl+4)",
                ),
            };
            answer.marks.insert(mark, shown);
            ui.label(RichText::new(other).small().color(theme::QUIET));
        });
    if !open {
        answer.actions.push(Action::ToggleHelp);
    }
}

fn window(ui: &mut Ui, height: f32) -> Rect {
    in_columns(ui, height, |left, right| {
        for (i, group) in GROUPS.iter().enumerate() {
            let column = if i < GROUPS.len().div_ceil(2) {
                &mut *left
            } else {
                &mut *right
            };
            let lines = group.bindings.iter();
            let lines = lines.map(|binding| (binding.key.to_owned(), binding.help));
            section(column, group.title, lines);
        }
        let mouse = MOUSE.iter().map(|&(what, help)| (what.to_owned(), help));
        section(left, "Mouse in the scene", mouse);
    })
}

/// The keys that drive, where F8 or B has given the hand to the person.
fn hand(ui: &mut Ui, height: f32) -> Rect {
    in_columns(ui, height, |left, right| {
        for (i, group) in driving::GROUPS.iter().enumerate() {
            let column = if i < 2 { &mut *left } else { &mut *right };
            let lines = group.bindings.iter();
            let lines = lines.map(|binding| (driving::words(binding), binding.help));
            section(column, group.title, lines);
        }
    })
}

/// Two columns that scroll where the window is too low for them.
fn in_columns(ui: &mut Ui, height: f32, fill: impl FnOnce(&mut Ui, &mut Ui)) -> Rect {
    let area = ScrollArea::vertical()
        .max_height(height)
        .min_scrolled_height(height);
    let shown = area.show(ui, |ui| ui.columns_const(|[left, right]| fill(left, right)));
    shown.inner_rect
}

fn section(ui: &mut Ui, title: &str, lines: impl Iterator<Item = (String, &'static str)>) {
    ui.label(RichText::new(title).small().strong().color(theme::QUIET));
    Grid::new(title)
        .num_columns(2)
        .min_col_width(84.0)
        .spacing(vec2(12.0, 1.0))
        .show(ui, |ui| {
            for (key, help) in lines {
                ui.label(RichText::new(key).monospace().color(theme::CURVES[0]));
                ui.label(help);
                ui.end_row();
            }
        });
    ui.add_space(4.0);
}
