//! The right panel: what the learner measures, over environment steps.

use bevy_egui::egui::{Align2, FontId, Rangef, RichText, Sense, Ui, vec2};
use egui_plot::{AxisHints, Line, Plot, PlotPoints};

use super::theme;
use crate::{history::History, view::View};

/// A chart: its heading, its curves (metric and label), bounds to include.
struct Chart {
    title: &'static str,
    hint: &'static str,
    curves: &'static [(&'static str, &'static str)],
    include: &'static [f64],
}

/// The chart that is there only where somebody took over.
const BY_HAND: &str = "Driven by hand";

const CHARTS: &[Chart] = &[
    Chart {
        title: "Success",
        hint: "Evaluations of the policy alone; recent training episodes of policy and expert alone",
        curves: &[
            ("eval_success_rate", "evaluated"),
            ("success_rate", "policy"),
            ("expert_success_rate", "expert"),
        ],
        include: &[0.0, 1.0],
    },
    Chart {
        title: BY_HAND,
        hint: "Share of each round's steps that you made",
        curves: &[("intervention_rate", "share")],
        include: &[0.0],
    },
    Chart {
        title: "Losses",
        hint: "Critic, policy and expert-augmented loss",
        curves: &[
            ("critic_loss", "critic"),
            ("policy_loss", "policy"),
            ("expert_loss", "expert"),
        ],
        include: &[],
    },
    Chart {
        title: "Temperature",
        hint: "Mean of the per-state temperature that holds the improved policy at the KL bound",
        curves: &[("eta_mean", "η")],
        include: &[0.0],
    },
    Chart {
        title: "Value",
        hint: "Mean of Q(s, a) over the batch and of V(s), the improved policy's value",
        curves: &[("q_mean", "Q"), ("v_mean", "V")],
        include: &[],
    },
    Chart {
        title: "KL",
        hint: "Divergence of the improved policy from the prior, mean over states",
        curves: &[("kl_mean", "KL")],
        include: &[0.0],
    },
    Chart {
        title: "Advantage ≥ 0",
        hint: "Share of the batch's actions that are no worse than the improved policy: what the paper's \
               filter lets pass",
        curves: &[("advantage_pass_share", "share")],
        include: &[0.0, 1.0],
    },
];

/// As many charts as there is room for.
pub(super) fn show(ui: &mut Ui, view: &View) {
    let room = (ui.available_height() / 84.0) as usize;
    let wanted = |chart: &&Chart| chart.title != BY_HAND || was_taken_over(view.history);
    let shown: Vec<&Chart> = CHARTS.iter().filter(wanted).take(room.max(1)).collect();
    let each = ui.available_height() / shown.len() as f32;
    let height = (each - 36.0).clamp(48.0, 220.0);
    let last = shown.len() - 1;
    for (i, chart) in shown.into_iter().enumerate() {
        heading(ui, chart, view.history);
        plot(ui, chart, view.history, height, i == last);
    }
}

fn was_taken_over(history: &History) -> bool {
    let rates = history.get("intervention_rate");
    rates.is_some_and(|rates| rates.points().iter().any(|point| point[1] > 0.0))
}

fn heading(ui: &mut Ui, chart: &Chart, history: &History) {
    ui.horizontal(|ui| {
        ui.label(
            RichText::new(chart.title)
                .small()
                .strong()
                .color(theme::QUIET),
        )
        .on_hover_text(chart.hint);
        for ((metric, label), color) in chart.curves.iter().zip(theme::CURVES) {
            if let Some(series) = history.get(metric) {
                let text = format!("{label} {}", value(series.last()));
                ui.label(RichText::new(text).small().color(color));
            }
        }
    });
}

/// Three significant digits, whatever the magnitude.
pub(super) fn value(v: f64) -> String {
    match v.abs() {
        0.0 => "0".into(),
        a if !(1e-2..1e4).contains(&a) => format!("{v:.1e}"),
        a if a < 1.0 => format!("{v:.3}"),
        a if a < 100.0 => format!("{v:.2}"),
        _ => format!("{v:.0}"),
    }
}

/// In place of a chart.
pub(super) fn nothing_yet(ui: &mut Ui, height: f32) {
    let size = vec2(ui.available_width(), height);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().rect_filled(rect, 4.0, theme::WELL);
    let font = FontId::proportional(11.5);
    let text = "no measurement yet";
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        text,
        font,
        theme::FAINT,
    );
}

/// All charts share the axis of steps, so only the last one is labelled.
fn plot(ui: &mut Ui, chart: &Chart, history: &History, height: f32, is_last: bool) {
    let known = chart
        .curves
        .iter()
        .any(|(metric, _)| history.get(metric).is_some());
    if !known {
        nothing_yet(ui, height);
        return;
    }
    let mut plot = Plot::new(chart.title)
        .height(height)
        .show_background(true)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .set_margin_fraction(vec2(0.0, 0.06))
        .show_axes([is_last, true])
        .custom_x_axes(vec![
            AxisHints::new_x()
                .formatter(|mark, _| thousands(mark.value))
                .label_spacing(Rangef::new(30.0, 50.0))
                .tick_label_font(FontId::proportional(10.5)),
        ])
        .custom_y_axes(vec![
            AxisHints::new_y()
                .min_thickness(34.0)
                .tick_label_font(FontId::proportional(10.5)),
        ])
        .label_formatter(|name, point| {
            format!("{name} {}\n{} steps", value(point.y), thousands(point.x))
        });
    for &y in chart.include {
        plot = plot.include_y(y);
    }
    plot.show(ui, |ui| {
        for ((metric, label), color) in chart.curves.iter().zip(theme::CURVES) {
            if let Some(series) = history.get(metric) {
                let points = PlotPoints::from(series.points().to_vec());
                ui.line(Line::new(*label, points).color(color).width(1.6));
            }
        }
    });
}

pub(super) fn thousands(steps: f64) -> String {
    if steps >= 1e6 {
        format!("{:.1}M", steps / 1e6)
    } else if steps >= 1e3 {
        format!("{}k", steps / 1e3)
    } else {
        format!("{steps:.0}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn values_keep_three_digits() {
        for (v, text) in [
            (0.0, "0"),
            (0.4567, "0.457"),
            (12.345, "12.35"),
            (1234.5, "1234"),
            (4e-5, "4.0e-5"),
        ] {
            assert_eq!(value(v), text);
        }
        assert_eq!(thousands(12_500.0), "12.5k");
    }
}
