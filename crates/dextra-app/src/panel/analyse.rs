//! The workspace for analysing: runs to choose from, and their metrics as charts.

use std::{ops::RangeInclusive, sync::Arc};

use bevy_egui::egui::{
    self, Align, Button, Color32, ComboBox, Layout as Flow, RichText, ScrollArea, Slider, Ui, vec2,
};
use egui_plot::{FilledArea, Line, Plot, PlotPoints, Points};

use super::{Answer, charts, theme};
use crate::{
    action::Action,
    analysis::{Analysis, Axis, Change, OpenRun},
    curves::{Band, band},
    view::View,
};

/// Spans of a curve drawn at most: more than the eye tells apart in a chart.
const SPANS: usize = 300;

/// The list of runs, in place of the left panel.
pub(super) fn runs(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let analysis = view.analysis;
    ui.horizontal(|ui| {
        ui.label(RichText::new("Runs").heading().strong());
        if analysis.is_reading() {
            ui.spinner();
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            let again = ui.small_button("⟲").on_hover_text("Look for runs");
            answer.on_click("look_for_runs", &again, Action::LookForRuns);
        });
    });
    if view.runs.is_empty() {
        ui.label(
            RichText::new("No runs yet: press Train in another workspace").color(theme::QUIET),
        );
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for (index, run) in view.runs.iter().enumerate() {
            let mut open = analysis.wants(&run.path);
            ui.horizontal(|ui| {
                let place = analysis.runs.iter().position(|open| open.path == run.path);
                let color = place.map_or(theme::TEXT, |place| color(analysis, place));
                let name = RichText::new(&run.name).color(color);
                let check = ui.checkbox(&mut open, name);
                let check = check.on_hover_text(run.path.display().to_string());
                if index == 0 {
                    answer.marks.insert("first_run", check.rect);
                }
                if check.changed() {
                    answer.actions.push(Action::Analyse(Change::Run(index)));
                }
                ui.label(RichText::new(&run.task).small().color(theme::FAINT));
            });
        }
    });
}

/// The charts, in place of the scene.
pub(super) fn show(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let analysis = view.analysis;
    settings(ui, analysis, answer);
    if analysis.runs.is_empty() || analysis.metrics.is_empty() {
        ui.centered_and_justified(|ui| {
            ui.label(
                RichText::new("Choose runs on the left and metrics above").color(theme::QUIET),
            );
        });
        return;
    }
    let columns = if analysis.metrics.len() > 1 { 2 } else { 1 };
    let rows = analysis.metrics.len().div_ceil(columns);
    let space = ui.available_size() - vec2(8.0 * (columns as f32 - 1.0), 0.0);
    let height = (space.y / rows as f32 - 26.0).max(110.0);
    let area = ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for metrics in analysis.metrics.chunks(columns) {
            ui.horizontal(|ui| {
                for metric in metrics {
                    let size = vec2(space.x / columns as f32, height + 18.0);
                    ui.allocate_ui(size, |ui| {
                        ui.vertical(|ui| chart(ui, analysis, metric, height));
                    });
                }
            });
        }
    });
    answer.marks.insert("analysis", area.inner_rect);
}

fn settings(ui: &mut Ui, analysis: &Analysis, answer: &mut Answer) {
    let mut asked = Vec::new();
    let mut ask = |change| asked.push(Action::Analyse(change));
    let mut saves = false;
    ui.horizontal(|ui| {
        let menu = ui.menu_button("Metrics ⏷", |ui| {
            ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
                for metric in dextra_train::columns() {
                    let mut shown = analysis.metrics.contains(&metric);
                    if ui.checkbox(&mut shown, metric).changed() {
                        ask(Change::Metric(metric));
                    }
                }
            });
        });
        menu.response.on_hover_text("What the charts show");
        let mut axis = analysis.axis;
        ComboBox::from_id_salt("axis")
            .width(86.0)
            .selected_text(format!("over {}", axis.name()))
            .show_ui(ui, |ui| {
                for choice in Axis::ALL {
                    ui.selectable_value(&mut axis, choice, choice.name());
                }
            });
        if axis != analysis.axis {
            ask(Change::Axis(axis));
        }
        let mut smoothing = analysis.smoothing;
        ui.label(RichText::new("Smoothing").color(theme::QUIET));
        ui.spacing_mut().slider_width = 90.0;
        let slider = Slider::new(&mut smoothing, 0.0..=0.3).show_value(false);
        if ui.add(slider).changed() {
            ask(Change::Smoothing(smoothing));
        }
        let mut group = analysis.group;
        let check = ui.checkbox(&mut group, "Seeds as a band");
        let check = check.on_hover_text("Mean and range of runs that differ only in their seed");
        if check.changed() {
            ask(Change::Group(group));
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            let csv = ui.add(Button::new("CSV"));
            if csv
                .on_hover_text("Every point of the shown curves")
                .clicked()
            {
                ask(Change::Csv);
            }
            let png = ui.add(Button::new("PNG"));
            if png.on_hover_text("The charts as they are drawn").clicked() {
                saves = true;
            }
        });
    });
    answer.actions.append(&mut asked);
    if saves {
        answer.actions.push(Action::SaveCharts);
    }
}

/// The colour of an open run: runs of one band share theirs.
fn color(analysis: &Analysis, place: usize) -> Color32 {
    const COLORS: usize = 12;
    let first = |run: &Arc<OpenRun>| match analysis.group {
        true => run.experiment == analysis.runs[place].experiment,
        false => run.path == analysis.runs[place].path,
    };
    let place = analysis.runs.iter().position(first).unwrap_or(place);
    if let Some(color) = theme::CURVES.get(place) {
        return *color;
    }
    let hue = (place % COLORS) as f32 / COLORS as f32;
    egui::ecolor::Hsva::new(hue, 0.5, 0.9, 1.0).into()
}

fn chart(ui: &mut Ui, analysis: &Analysis, metric: &'static str, height: f32) {
    ui.label(
        RichText::new(metric.replace('_', " "))
            .small()
            .strong()
            .color(theme::QUIET),
    );
    let known = |run: &Arc<OpenRun>| run.curve(metric, analysis.axis).is_some();
    if !analysis.runs.iter().any(known) {
        charts::nothing_yet(ui, height);
        return;
    }
    let mut plot = Plot::new(("analysis", metric));
    if metric.contains("rate") || metric.contains("share") {
        plot = plot.include_y(0.0).include_y(1.0);
    }
    plot.height(height)
        .link_axis("analysis", [true, false])
        .x_axis_formatter(|mark, _| charts::thousands(mark.value))
        .label_formatter(|name, point| {
            let (x, y) = (charts::thousands(point.x), charts::value(point.y));
            format!("{name}\n{y} at {x}")
        })
        .show(ui, |ui| {
            let drawn = match ui.auto_bounds().x {
                true => whole(analysis),
                false => ui.plot_bounds().range_x(),
            };
            let mut done: Vec<&str> = Vec::new();
            for (place, run) in analysis.runs.iter().enumerate() {
                let color = color(analysis, place);
                if !analysis.group {
                    line(ui, run, analysis, metric, &drawn, color);
                } else if !done.contains(&run.experiment.as_str()) {
                    done.push(&run.experiment);
                    let same = |other: &&OpenRun| other.experiment == run.experiment;
                    let all = analysis.runs.iter().map(Arc::as_ref);
                    let seeds: Vec<&OpenRun> = all.filter(same).collect();
                    match seeds.as_slice() {
                        [run] => line(ui, run, analysis, metric, &drawn, color),
                        seeds => seeds_as_band(ui, seeds, analysis, metric, &drawn, color),
                    }
                }
            }
        });
}

/// Everything that the open runs reach over.
fn whole(analysis: &Analysis) -> RangeInclusive<f64> {
    let metrics = || analysis.metrics.iter();
    let ranges = analysis
        .runs
        .iter()
        .flat_map(|run| metrics().filter_map(|metric| run.curve(metric, analysis.axis)?.range()));
    ranges
        .reduce(|a, b| a.start().min(*b.start())..=a.end().max(*b.end()))
        .unwrap_or(0.0..=1.0)
}

/// A run: every peak faintly, its mean above.
fn line(
    ui: &mut egui_plot::PlotUi,
    run: &OpenRun,
    analysis: &Analysis,
    metric: &str,
    drawn: &RangeInclusive<f64>,
    color: Color32,
) {
    let Some(curve) = run.curve(metric, analysis.axis) else {
        return;
    };
    if curve.len() == 1 {
        point(ui, &run.name, curve.outline(drawn, SPANS), color);
    } else if analysis.smoothing > 0.0 {
        let peaks = PlotPoints::from(curve.outline(drawn, SPANS));
        ui.line(
            Line::new("", peaks)
                .color(color.gamma_multiply(0.28))
                .width(1.0)
                .allow_hover(false),
        );
        let mean = PlotPoints::from(curve.smoothed(drawn, SPANS, analysis.smoothing));
        ui.line(Line::new(&run.name, mean).color(color).width(1.8));
    } else {
        let peaks = PlotPoints::from(curve.outline(drawn, SPANS));
        ui.line(Line::new(&run.name, peaks).color(color).width(1.4));
    }
}

/// What is no line yet.
fn point(ui: &mut egui_plot::PlotUi, name: &str, at: Vec<[f64; 2]>, color: Color32) {
    let marker = Points::new(name, PlotPoints::from(at)).color(color);
    ui.points(marker.radius(3.0));
}

fn seeds_as_band(
    ui: &mut egui_plot::PlotUi,
    seeds: &[&OpenRun],
    analysis: &Analysis,
    metric: &str,
    drawn: &RangeInclusive<f64>,
    color: Color32,
) {
    let curves = seeds
        .iter()
        .filter_map(|run| run.curve(metric, analysis.axis));
    let smoothed = curves.map(|curve| curve.smoothed(drawn, SPANS, analysis.smoothing));
    let Band { mean, low, high } = band(&smoothed.collect::<Vec<_>>(), drawn, SPANS);
    let xs: Vec<f64> = mean.iter().map(|point| point[0]).collect();
    ui.add(FilledArea::new("", &xs, &low, &high).fill_color(color.gamma_multiply(0.18)));
    let name = format!("{} and {} more", seeds[0].name, seeds.len() - 1);
    if mean.len() == 1 {
        point(ui, &name, mean, color);
        return;
    }
    ui.line(
        Line::new(name, PlotPoints::from(mean))
            .color(color)
            .width(1.8),
    );
}
