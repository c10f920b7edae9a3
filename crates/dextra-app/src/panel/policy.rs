//! The improved policy at the shown state: the prior's samples, their values and weights, the temperature
//! and the KL they follow from, and the value against the return that followed.

use bevy_egui::egui::{self, Color32, Grid, RichText, ScrollArea, Sense, Ui, vec2};
use dextra_learn::Inspection;

use super::theme;
use crate::view::{TimelineView, View};

pub(super) fn show(ui: &mut Ui, view: &View) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let Some(timeline) = &view.timeline else {
            ui.label(RichText::new("Nothing has played yet").color(theme::QUIET));
            return;
        };
        let Some(judge) = &timeline.judge else {
            let text = "No critics: train, or watch a policy that Dextra learned";
            ui.label(RichText::new(text).color(theme::QUIET));
            return;
        };
        let quiet = |text: String| RichText::new(text).small().color(theme::QUIET);
        ui.label(quiet(format!("As the networks of {judge} see it")));
        match timeline.frame().and_then(|kept| kept.inspection.as_ref()) {
            Some(seen) => {
                numbers(ui, timeline, seen);
                ui.add_space(6.0);
                ui.label(quiet(format!(
                    "{} actions of the prior, best first: value, and weight in the improved policy",
                    seen.q.len()
                )));
                samples(ui, timeline, seen);
            }
            None => {
                ui.label(quiet("This state is not judged yet".into()));
            }
        }
    });
}

fn numbers(ui: &mut Ui, timeline: &TimelineView, seen: &Inspection) {
    let unit = timeline.unit();
    Grid::new("values")
        .num_columns(2)
        .spacing(vec2(12.0, 2.0))
        .show(ui, |ui| {
            let mut row = |name: &str, value: String, hint: &str| {
                ui.label(RichText::new(name).color(theme::QUIET))
                    .on_hover_text(hint);
                ui.label(value).on_hover_text(hint);
                ui.end_row();
            };
            let of = |value: f64| format!("{:.2}", unit * value);
            row("V", of(seen.value), "Value of the improved policy here");
            row(
                "Q of what was done",
                of(seen.action_value.into()),
                "The smallest of the critics'",
            );
            if timeline.unit.is_some() {
                let advantage = f64::from(seen.action_value) - seen.value;
                row(
                    "Return that followed",
                    format!("{:.2}", timeline.followed),
                    "Discounted rewards from here to the end of the recorded episode; a cut episode \
                     would have gone on",
                );
                row(
                    "Advantage",
                    format!("{:+.2}", unit * advantage),
                    "Q - V: not negative passes the filter",
                );
            }
            row(
                "Temperature η",
                format!("{:.3}", unit * seen.eta),
                "Solved so that the KL meets its bound",
            );
            row(
                "KL",
                format!("{:.3} nats", seen.kl),
                "Of the weights to uniform ones",
            );
            row(
                "Prior's deviation",
                format!("{:.3}", seen.std),
                "Mean over the actions, which lie in -1 to 1",
            );
        });
    if timeline.unit.is_none() {
        let text = "Values in units of the scaled reward: the file does not say the scale";
        ui.label(RichText::new(text).small().color(theme::FAINT));
    }
}

fn samples(ui: &mut Ui, timeline: &TimelineView, seen: &Inspection) {
    let mut order: Vec<usize> = (0..seen.q.len()).collect();
    order.sort_by(|&a, &b| seen.q[b].total_cmp(&seen.q[a]));
    let (high, low) = match (order.first(), order.last()) {
        (Some(&first), Some(&last)) => (seen.q[first], seen.q[last]),
        _ => return,
    };
    let heaviest = seen.weights.iter().copied().fold(1e-9, f64::max);
    for sample in order {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let color = value_color((seen.q[sample] - low) / (high - low).max(1e-9));
            let value = timeline.unit() * f64::from(seen.q[sample]);
            ui.add_sized(
                vec2(52.0, 13.0),
                egui::Label::new(RichText::new(format!("{value:.2}")).small().color(color)),
            );
            let width = (ui.available_width() - 40.0).max(20.0);
            let (rect, _) = ui.allocate_exact_size(vec2(width, 10.0), Sense::hover());
            ui.painter().rect_filled(rect, 2.0, theme::WELL);
            let mut bar = rect;
            bar.set_width(width * (seen.weights[sample] / heaviest) as f32);
            ui.painter().rect_filled(bar, 2.0, color);
            ui.label(RichText::new(format!("{:.0}%", 100.0 * seen.weights[sample])).small());
        });
    }
}

/// From blue, the worst of the samples, to orange, the best.
pub(crate) fn value_color(share: f32) -> Color32 {
    let (low, high) = (
        Color32::from_rgb(86, 140, 240),
        Color32::from_rgb(245, 150, 60),
    );
    low.lerp_to_gamma(high, share.clamp(0.0, 1.0))
}
