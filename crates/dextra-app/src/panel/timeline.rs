//! The timeline: the shown episode over its steps, with one cursor over reward, values and actions.

use bevy_egui::egui::{
    self, Button, Color32, FontId, Mesh, Rect, RichText, Sense, Shape, Slider, Stroke, Ui, pos2,
    vec2,
};

use super::{Answer, scrubbed, theme};
use crate::{
    action::Action,
    bindings,
    tape::Kept,
    view::{TimelineView, View},
};

/// Room for the names on the left of each strip.
const GUTTER: f32 = 92.0;

pub(super) fn show(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let Some(timeline) = &view.timeline else {
        ui.label(RichText::new("Nothing has played yet").color(theme::QUIET));
        return;
    };
    controls(ui, timeline, answer);
    let frames: Vec<&Kept> = timeline.frames.clone();
    let gaps = 2.0 * ui.spacing().item_spacing.y;
    let height = ((ui.available_height() - gaps - 1.0) / 3.0).max(18.0);
    let terms = term_curves(&frames);
    let values = value_curves(&frames, timeline.unit());
    let name = match (
        &timeline.judge,
        frames.iter().any(|f| f.inspection.is_some()),
    ) {
        (None, _) => "Value: no critics".to_owned(),
        (Some(_), false) => "Value: asked for".to_owned(),
        (Some(_), true) if timeline.unit.is_none() => "Value, scaled".to_owned(),
        (Some(_), true) => "Value".to_owned(),
    };
    strip(ui, "Reward", &terms, timeline, height, answer);
    strip(ui, &name, &values, timeline, height, answer);
    actions(ui, &frames, timeline, height, answer);
}

fn controls(ui: &mut Ui, timeline: &TimelineView, answer: &mut Answer) {
    ui.horizontal(|ui| {
        let mut button = |ui: &mut Ui, name, text: &str, action, hint: &str| {
            let button = ui.add(Button::new(text).min_size(vec2(26.0, 20.0)));
            let key = bindings::key_of(action).map_or(String::new(), |key| format!(" ({key})"));
            let button = button.on_hover_text(format!("{hint}{key}"));
            answer.on_click(name, &button, action);
        };
        button(
            ui,
            "episode_before",
            "⏮",
            Action::TurnTo(false),
            "Episode before",
        );
        button(ui, "step_back", "◀", Action::StepBack, "One step back");
        button(ui, "step_on", "▶", Action::Step, "One step");
        button(
            ui,
            "episode_after",
            "⏭",
            Action::TurnTo(true),
            "Episode after",
        );
        button(
            ui,
            "video",
            "⏺",
            Action::RecordVideo,
            "Save the episode as a video",
        );
        let live = Button::selectable(timeline.live, "Live").min_size(vec2(40.0, 20.0));
        let live = ui.add(live).on_hover_text("What plays now (End)");
        answer.on_click("live", &live, Action::Live);

        let last = timeline.frames.len().saturating_sub(1) as u64;
        let mut at = timeline.shown - timeline.start;
        let step = timeline.frame().map_or(0, |kept| kept.frame.step);
        let text = format!("step {step}");
        ui.spacing_mut().slider_width = (ui.available_width() - 76.0).max(60.0);
        let slider = ui.add(Slider::new(&mut at, 0..=last).show_value(false));
        answer.marks.insert("scrub", slider.rect);
        if scrubbed(&slider) {
            answer.actions.push(Action::Pin(timeline.start + at));
        }
        ui.label(RichText::new(text).monospace().small());
    });
}

/// A quantity over the frames of an episode; gaps where it is not known.
struct Curve {
    name: String,
    color: Color32,
    values: Vec<Option<f32>>,
}

fn term_curves(frames: &[&Kept]) -> Vec<Curve> {
    let names: Vec<&'static str> = frames
        .iter()
        .map(|kept| &kept.frame.terms)
        .max_by_key(|terms| terms.len())
        .map(|terms| terms.iter().map(|(name, _)| *name).collect())
        .unwrap_or_default();
    let curve = |(index, name): (usize, &'static str)| Curve {
        name: name.replace('_', " "),
        color: theme::CURVES[index % theme::CURVES.len()],
        values: frames
            .iter()
            .map(|kept| {
                let terms = &kept.frame.terms;
                terms.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
            })
            .collect(),
    };
    names.into_iter().enumerate().map(curve).collect()
}

/// Q of what was done, V and the temperature, in units of the reward where the scale is known.
fn value_curves(frames: &[&Kept], unit: f64) -> Vec<Curve> {
    type Read = fn(&dextra_learn::Inspection) -> f64;
    let kinds: [(&str, Read); 3] = [
        ("Q", |seen| f64::from(seen.action_value)),
        ("V", |seen| seen.value),
        ("η", |seen| seen.eta),
    ];
    let curve = |(index, (name, read)): (usize, &(&str, Read))| Curve {
        name: (*name).to_owned(),
        color: theme::CURVES[index],
        values: frames
            .iter()
            .map(|kept| Some((unit * read(kept.inspection.as_ref()?)) as f32))
            .collect(),
    };
    kinds.iter().enumerate().map(curve).collect()
}

/// The frame under the pointer is the one to show, while the button is down.
fn scrub(ui: &Ui, response: &egui::Response, plot: Rect, timeline: &TimelineView) -> Option<u64> {
    let pressed = response.dragged() || response.clicked();
    let pos = response.interact_pointer_pos().filter(|_| pressed)?;
    let last = timeline.frames.len().checked_sub(1)? as f32;
    let share = ((pos.x - plot.left()) / plot.width()).clamp(0.0, 1.0);
    ui.request_repaint();
    Some(timeline.start + (share * last).round() as u64)
}

/// Reserves a strip; returns the part for its plot, after the names.
fn reserve(
    ui: &mut Ui,
    height: f32,
    timeline: &TimelineView,
    answer: &mut Answer,
    mark: &'static str,
) -> (Rect, Rect) {
    let size = vec2(ui.available_width(), height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let mut plot = rect;
    plot.min.x += GUTTER;
    answer.marks.insert(mark, plot);
    if let Some(number) = scrub(ui, &response, plot, timeline) {
        answer.actions.push(Action::Pin(number));
    }
    ui.painter().rect_filled(plot, 3.0, theme::WELL);
    (rect, plot)
}

fn cursor(ui: &Ui, plot: Rect, timeline: &TimelineView) {
    let x = x_of(plot, timeline, (timeline.shown - timeline.start) as usize);
    let color = if timeline.live {
        theme::QUIET
    } else {
        theme::CAUTION
    };
    ui.painter()
        .vline(x, plot.y_range(), Stroke::new(1.2, color));
}

fn x_of(plot: Rect, timeline: &TimelineView, index: usize) -> f32 {
    let last = timeline.frames.len().saturating_sub(1).max(1);
    plot.left() + plot.width() * index as f32 / last as f32
}

fn strip(
    ui: &mut Ui,
    title: &str,
    curves: &[Curve],
    timeline: &TimelineView,
    height: f32,
    answer: &mut Answer,
) {
    let mark = if title == "Reward" {
        "reward_strip"
    } else {
        "value_strip"
    };
    let (rect, plot) = reserve(ui, height, timeline, answer, mark);
    let known = || curves.iter().flat_map(|curve| &curve.values).flatten();
    let low = known().fold(f32::INFINITY, |low, &v| low.min(v));
    let high = known().fold(f32::NEG_INFINITY, |high, &v| high.max(v));
    let painter = ui.painter_at(rect);
    let font = FontId::proportional(10.5);
    painter.text(
        rect.min,
        egui::Align2::LEFT_TOP,
        title,
        font.clone(),
        theme::QUIET,
    );
    success_band(&painter, plot, timeline);
    let at = (timeline.shown - timeline.start) as usize;
    let mut y = rect.top() + 12.0;
    for curve in curves {
        // Of what plays, the newest step is not judged yet.
        let known = curve.values.iter().take(at + 1).rev().take(12);
        let value = known.flatten().next().copied();
        if let Some(value) = value.filter(|_| y + 11.0 <= rect.bottom() + 1.0) {
            let text = format!("{} {value:.2}", curve.name);
            let pos = pos2(rect.left(), y);
            painter.text(pos, egui::Align2::LEFT_TOP, text, font.clone(), curve.color);
            y += 11.0;
        }
        if low.is_finite() {
            let span = (high - low).max(1e-6);
            let place = |(index, value): (usize, &Option<f32>)| {
                let y = plot.bottom() - 2.0 - (plot.height() - 4.0) * ((*value)? - low) / span;
                Some(pos2(x_of(plot, timeline, index), y))
            };
            let points: Vec<_> = curve.values.iter().enumerate().filter_map(place).collect();
            painter.add(Shape::line(points, Stroke::new(1.3, curve.color)));
        }
    }
    cursor(ui, plot, timeline);
}

/// Where the task is solved.
fn success_band(painter: &egui::Painter, plot: Rect, timeline: &TimelineView) {
    let width = plot.width() / timeline.frames.len().max(1) as f32;
    let solved = timeline.frames.iter().enumerate();
    for (index, _) in solved.filter(|(_, kept)| kept.frame.success) {
        let x = x_of(plot, timeline, index);
        let band = Rect::from_x_y_ranges(x - width..=x, plot.y_range());
        painter.rect_filled(band.intersect(plot), 0.0, theme::GOOD.gamma_multiply(0.13));
    }
}

/// The actions as colours: a row for each actuator, blue for -1, orange for 1.
fn actions(
    ui: &mut Ui,
    frames: &[&Kept],
    timeline: &TimelineView,
    height: f32,
    answer: &mut Answer,
) {
    let (rect, plot) = reserve(ui, height, timeline, answer, "action_strip");
    let painter = ui.painter_at(rect);
    let font = FontId::proportional(10.5);
    let rows = frames.iter().map(|kept| kept.frame.action.len()).max();
    let rows = rows.unwrap_or(0);
    painter.text(
        rect.min,
        egui::Align2::LEFT_TOP,
        format!("Actions, {rows}"),
        font,
        theme::QUIET,
    );
    painter.add(Shape::mesh(picture(frames, rows, plot)));
    cursor(ui, plot, timeline);
}

/// A rectangle for each run of steps at which an actuator's action has (nearly) one colour.
fn picture(frames: &[&Kept], rows: usize, plot: Rect) -> Mesh {
    const SHADES: f32 = 12.0;
    let mut mesh = Mesh::default();
    let size = plot.size() / vec2(frames.len() as f32, rows as f32);
    for row in 0..rows {
        let shade = |kept: &&Kept| {
            let action = kept.frame.action.get(row).copied();
            action.map(|action| (SHADES * action).round() as i32)
        };
        let mut from = 0;
        for run in frames.chunk_by(|a, b| shade(a) == shade(b)) {
            let to = from + run.len();
            if let Some(shade) = run.first().and_then(shade).filter(|shade| *shade != 0) {
                let min = plot.min + size * vec2(from as f32, row as f32);
                let max = plot.min + size * vec2(to as f32, row as f32 + 1.0);
                let color = action_color(shade as f32 / SHADES);
                mesh.add_colored_rect(Rect::from_min_max(min, max), color);
            }
            from = to;
        }
    }
    mesh
}

fn action_color(action: f32) -> Color32 {
    let end = if action < 0.0 {
        Color32::from_rgb(86, 140, 240)
    } else {
        Color32::from_rgb(245, 150, 60)
    };
    theme::WELL.lerp_to_gamma(end, action.abs().min(1.0))
}
