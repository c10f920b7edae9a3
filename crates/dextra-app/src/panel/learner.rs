//! The numbers of the learner that can be changed, also while it runs.

use bevy_egui::egui::{Button, DragValue, Grid, RichText, Ui, vec2};
use dextra_train::Edit;

use super::{Answer, charts, theme};
use crate::{
    action::Action,
    bindings,
    session::Stage,
    view::{SettingRow, View},
};

pub(super) fn show(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let text = if matches!(view.stage, Stage::Idle | Stage::Finished | Stage::Failed(_)) {
        "For the next training"
    } else {
        "Applied between rounds and written to events.jsonl"
    };
    ui.label(RichText::new(text).small().color(theme::QUIET));
    Grid::new("settings")
        .num_columns(2)
        .spacing(vec2(8.0, 4.0))
        .show(ui, |ui| {
            for row in &view.settings {
                setting(ui, row, answer);
                ui.end_row();
            }
        });
    ui.add_space(4.0);
    let undo = ui.add_enabled(view.can_undo, Button::new("Take the last edit back"));
    let undo = undo.on_hover_text(tip("Sets what was before", Action::Undo));
    answer.on_click("undo", &undo, Action::Undo);
    ui.add_space(6.0);
    charts::show(ui, view);
}

fn tip(text: &str, action: Action) -> String {
    match bindings::key_of(action) {
        Some(key) => format!("{text} ({key})"),
        None => text.to_owned(),
    }
}

/// A field: its name, its value, and once changed what it was with a way back.
fn setting(ui: &mut Ui, row: &SettingRow, answer: &mut Answer) {
    let changed = row.value != row.initial;
    let name = if changed {
        RichText::new(&row.label).strong().color(theme::CAUTION)
    } else {
        RichText::new(&row.label).color(theme::QUIET)
    };
    ui.label(name).on_hover_text(row.hint);
    ui.horizontal(|ui| {
        if let Some(value) = field(ui, row, answer) {
            answer.edits.push(Edit {
                key: row.key.clone(),
                value,
            });
        }
        if changed {
            let back = ui
                .small_button("⟲")
                .on_hover_text(format!("Back to {}, as the run began", row.initial));
            if back.clicked() {
                answer.edits.push(Edit {
                    key: row.key.clone(),
                    value: row.initial,
                });
            }
            if let Some(mark) = row.revert_mark {
                answer.marks.insert(mark, back.rect);
            }
        }
        if row.pending {
            ui.label(RichText::new("…").color(theme::CAUTION))
                .on_hover_text("Applied after the round in progress");
        }
    });
}

/// The value to type or to drag; `Some` once it is settled, so that a drag is one edit.
fn field(ui: &mut Ui, row: &SettingRow, answer: &mut Answer) -> Option<f64> {
    let id = ui.id().with(&row.key);
    let held = ui.data(|data| data.get_temp::<f64>(id));
    let mut value = held.unwrap_or(row.value);
    let field = DragValue::new(&mut value)
        .range(0.0..=row.most)
        .speed(0.01 * row.value.abs().max(1e-6))
        .max_decimals(7)
        .update_while_editing(false);
    let response = ui.add(field).on_hover_text(row.hint);
    if let Some(mark) = row.mark {
        answer.marks.insert(mark, response.rect);
    }
    answer.typing |= response.has_focus();
    if response.dragged() || response.has_focus() {
        ui.data_mut(|data| data.insert_temp(id, value));
    } else {
        ui.data_mut(|data| data.remove::<f64>(id));
    }
    let settled = response.drag_stopped() || response.lost_focus();
    (settled && value != row.value).then_some(value)
}
