//! The replay memory: a histogram, the transitions of a bar, and a click that shows one where it happened.

use bevy_egui::egui::{Button, ComboBox, RichText, ScrollArea, Sense, Ui, vec2};

use super::{Answer, theme};
use crate::{
    action::{Action, Recollection},
    memory::{Memory, Quality, source_name},
    view::View,
};

/// Transitions listed at most.
const LISTED: usize = 60;

pub(super) fn show(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let memory = view.memory;
    ui.horizontal(|ui| {
        let look = ui.add_enabled(view.is_training(), Button::new("Look into the memory"));
        let look = look
            .on_hover_text("Reads some episodes, evenly over all it holds")
            .on_disabled_hover_text("Nothing is training");
        answer.on_click("look", &look, Action::Recall(Recollection::Look));
        if memory.is_busy() {
            ui.spinner();
        }
    });
    if memory.rows().is_empty() {
        return;
    }
    ui.horizontal(|ui| {
        ui.label(RichText::new(format!("{} transitions by", memory.rows().len())).small());
        let mut quality = memory.quality;
        ComboBox::from_id_salt("quality")
            .width(92.0)
            .selected_text(quality.name())
            .show_ui(ui, |ui| {
                for choice in Quality::ALL {
                    ui.selectable_value(&mut quality, choice, choice.name());
                }
            });
        if quality != memory.quality {
            answer
                .actions
                .push(Action::Recall(Recollection::By(quality)));
        }
    });
    bars(ui, memory, answer);
    if let Some(bar) = memory.chosen {
        ui.add_space(4.0);
        list(ui, memory, bar, answer);
    }
}

fn bars(ui: &mut Ui, memory: &Memory, answer: &mut Answer) {
    let bars = memory.bars();
    let largest = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    for (index, bar) in bars.iter().enumerate() {
        let size = vec2(ui.available_width(), 16.0);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let mut full = rect;
        full.min.x += 104.0;
        full.max.x -= 30.0;
        let mut part = full;
        part.set_width(full.width() * bar.count as f32 / largest as f32);
        let color = match memory.chosen == Some(index) {
            true => theme::CAUTION,
            false => theme::ACCENT,
        };
        let painter = ui.painter();
        painter.rect_filled(full, 2.0, theme::WELL);
        painter.rect_filled(part, 2.0, color);
        let font = bevy_egui::egui::FontId::proportional(11.0);
        let (left, right) = (
            bevy_egui::egui::Align2::LEFT_CENTER,
            bevy_egui::egui::Align2::RIGHT_CENTER,
        );
        painter.text(
            rect.left_center(),
            left,
            &bar.label,
            font.clone(),
            theme::QUIET,
        );
        let count = bar.count.to_string();
        painter.text(rect.right_center(), right, count, font, theme::TEXT);
        if bar.count == largest {
            answer.marks.insert("largest_bar", rect);
        }
        if response.clicked() {
            let choice = Recollection::Bar(index);
            answer.actions.push(Action::Recall(choice));
        }
    }
}

fn list(ui: &mut Ui, memory: &Memory, bar: usize, answer: &mut Answer) {
    let text = "Click one to see it where it happened; Space runs on from there";
    ui.label(RichText::new(text).small().color(theme::QUIET));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for (place, index) in memory.of_bar(bar).into_iter().take(LISTED).enumerate() {
            let row = memory.rows()[index];
            let error = row.td_error.map_or("–".to_owned(), |e| format!("{e:+.1}"));
            let text = format!(
                "{:<6.6} step {:>3} r{:>6.1} δ{error:>7}",
                source_name(row.source),
                row.step + 1,
                row.reward
            );
            let button = Button::new(RichText::new(text).monospace().size(11.0)).frame(false);
            let response = ui.add(button);
            if place == 0 {
                answer.marks.insert("first_transition", response.rect);
            }
            if response.clicked() {
                answer
                    .actions
                    .push(Action::Recall(Recollection::Row(index)));
            }
        }
    });
}
