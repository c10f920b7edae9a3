//! The episode browser: the list on the left, the chosen episode's steps below the scene.

use std::{ops::Range, path::PathBuf};

use bevy_egui::egui::{
    Align2, Button, Color32, DragValue, FontId, Id, Key, Painter, Rect, RichText, ScrollArea,
    Sense, Shape, Slider, Stroke, StrokeKind, TextEdit, Ui, pos2, vec2,
};
use dextra_data::dataset::EpisodeInfo;

use super::{Answer, overlay, scrubbed, theme};
use crate::{
    browser::{Browse, BrowserView, Played, recorded_here},
    memory::source_name,
    view::{View, grouped},
};

/// Height of a row of the list, and size of its picture.
const ROW: f32 = 60.0;
const PICTURE: [f32; 2] = [72.0, 54.0];
/// Names of the first rows for scripted tests.
const MARKS: [&str; 4] = ["episode0", "episode1", "episode2", "episode3"];

/// The list of episodes.
pub(super) fn list(ui: &mut Ui, browser: &BrowserView, answer: &mut Answer) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Episodes").heading().strong());
        let close = ui
            .button("Close")
            .on_hover_text("Edits can be taken back until then");
        answer.on_browse("close_browser", &close, Browse::Close);
        opened_before(ui, browser.recent, answer);
    });
    folder(ui, browser, answer);
    if let Some(problem) = browser.problem {
        ui.colored_label(theme::BAD, problem);
    }
    let Some(listing) = browser.listing else {
        if browser.problem.is_none() {
            ui.spinner();
        }
        return;
    };
    let successes = listing.episodes.iter().filter(|e| e.success).count();
    let text = format!(
        "{}: {} episodes, {} successes",
        listing.task,
        grouped(listing.episodes.len() as u64),
        grouped(successes as u64)
    );
    ui.label(RichText::new(text).small().color(theme::QUIET));
    ui.spacing_mut().item_spacing.y = 3.0;
    let mut area = ScrollArea::vertical().auto_shrink(false);
    if browser.reveals {
        let row = browser.chosen as f32 * (ROW + ui.spacing().item_spacing.y);
        area = area.vertical_scroll_offset((row - ui.available_height() / 2.0).max(0.0));
    }
    area.show_rows(ui, ROW, listing.episodes.len(), |ui, rows| {
        for index in rows.clone() {
            row(ui, browser, index, &listing.episodes[index], answer);
        }
        answer.browses.push(Browse::See(rows));
    });
}

/// The dataset's folder, to be typed over.
fn folder(ui: &mut Ui, browser: &BrowserView, answer: &mut Answer) {
    let id = Id::new("browsed folder");
    let typed = ui.data(|data| data.get_temp::<String>(id));
    let mut text = typed.unwrap_or_else(|| browser.root.display().to_string());
    let edit = TextEdit::singleline(&mut text)
        .desired_width(f32::INFINITY)
        .hint_text("A dataset's folder");
    let edit = ui.add(edit);
    let edit = edit.on_hover_text("A dataset's folder: type it, or drop one on the window");
    answer.marks.insert("browsed_folder", edit.rect);
    answer.typing |= edit.has_focus();
    if edit.changed() {
        ui.data_mut(|data| data.insert_temp(id, text.clone()));
    }
    if edit.lost_focus() {
        ui.data_mut(|data| data.remove::<String>(id));
        if ui.input(|input| input.key_pressed(Key::Enter)) && !text.trim().is_empty() {
            answer.browses.push(Browse::Open(text.trim().into()));
        }
    }
}

/// A menu of datasets: those opened before, and those recorded here.
pub(super) fn opened_before(ui: &mut Ui, recent: &[PathBuf], answer: &mut Answer) {
    let menu = ui.menu_button("Open ⏷", |ui| {
        let mut ask = |ui: &mut Ui, path: &PathBuf| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            let button = Button::new(name.to_string_lossy()).frame(false);
            let button = ui.add(button).on_hover_text(path.display().to_string());
            if button.clicked() {
                answer.browses.push(Browse::Open(path.clone()));
                ui.close();
            }
        };
        let title = |ui: &mut Ui, text: &str| {
            ui.label(RichText::new(text).small().color(theme::QUIET));
        };
        title(ui, "Opened before");
        recent.iter().for_each(|path| ask(ui, path));
        title(ui, "Recorded here");
        recorded_here().iter().for_each(|path| ask(ui, path));
    });
    answer.marks.insert("open_dataset", menu.response.rect);
}

fn row(ui: &mut Ui, browser: &BrowserView, index: usize, about: &EpisodeInfo, answer: &mut Answer) {
    let size = vec2(ui.available_width(), ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    match MARKS.get(index) {
        Some(mark) => answer.on_browse(mark, &response, Browse::Choose(index)),
        None if response.clicked() => answer.browses.push(Browse::Choose(index)),
        None => {}
    }
    let painter = ui.painter_at(rect);
    let fill = match (browser.chosen == index, response.hovered()) {
        (true, _) => theme::ACCENT.gamma_multiply(0.45),
        (false, true) => Color32::from_rgb(45, 51, 60),
        (false, false) => theme::WELL,
    };
    painter.rect_filled(rect, 4.0, fill);
    let left_top = pos2(rect.min.x + 3.0, rect.center().y - PICTURE[1] / 2.0);
    let picture = Rect::from_min_size(left_top, PICTURE.into());
    let portrait = browser
        .listing
        .and_then(|listing| browser.portraits.get(listing.portraits.get(index)?));
    match portrait {
        Some(texture) => {
            let all = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(texture.id(), picture, all, Color32::WHITE);
        }
        None => {
            painter.rect_filled(picture, 2.0, theme::PANEL);
        }
    }
    let (outcome, color) = match about.success {
        true => ("✔ success", theme::GOOD),
        false => ("no success", theme::QUIET),
    };
    let sources: Vec<_> = about.sources.iter().map(|&s| source_name(s)).collect();
    let mut more = Vec::new();
    if about.trimmed != [0, 0] {
        more.push(format!(
            "trimmed {} + {}",
            about.trimmed[0], about.trimmed[1]
        ));
    }
    if !about.splices.is_empty() {
        more.push(format!("spliced {}×", about.splices.len()));
    }
    if !about.assisted.is_empty() {
        more.push("assisted".into());
    }
    let first = format!("{index}");
    let second = format!("{} steps, {}", about.steps, sources.join(" and "));
    let third = match more.is_empty() {
        true => format!(
            "return {:.1}, seed {}",
            about.episode_return,
            short(about.seed)
        ),
        false => more.join(", "),
    };
    let x = picture.max.x + 8.0;
    let write = |pos, anchor, text: &str, size, color| {
        painter.text(pos, anchor, text, FontId::proportional(size), color);
    };
    let y = |line: f32| rect.min.y + 6.0 + 17.0 * line;
    write(pos2(x, y(0.0)), Align2::LEFT_TOP, &first, 13.5, theme::TEXT);
    let right = pos2(rect.max.x - 8.0, y(0.0));
    write(right, Align2::RIGHT_TOP, outcome, 12.0, color);
    write(
        pos2(x, y(1.0)),
        Align2::LEFT_TOP,
        &second,
        12.0,
        theme::TEXT,
    );
    write(
        pos2(x, y(2.0)),
        Align2::LEFT_TOP,
        &third,
        11.0,
        theme::QUIET,
    );
}

/// A seed as far as a row has room for it.
fn short(seed: u64) -> String {
    let digits = seed.to_string();
    match digits.len() {
        0..=8 => digits,
        n => format!("…{}", &digits[n - 6..]),
    }
}

/// The chosen episode over its steps.
pub(super) fn steps(ui: &mut Ui, browser: &BrowserView, answer: &mut Answer) {
    let Some(played) = browser.played else {
        let text = browser.hidden.unwrap_or("No episode is shown");
        ui.label(RichText::new(text).color(theme::QUIET));
        ui.horizontal(|ui| edits(ui, browser, false, answer));
        return;
    };
    controls(ui, browser, played, answer);
    strip(ui, browser, played, answer);
    cut(ui, browser, played, answer);
    ui.horizontal(|ui| {
        edits(ui, browser, true, answer);
        match (browser.busy, browser.outcome) {
            (true, _) => {
                ui.spinner();
            }
            (false, Some(outcome)) => {
                ui.label(RichText::new(outcome).small().color(theme::QUIET));
            }
            (false, None) => {}
        }
    });
}

fn controls(ui: &mut Ui, browser: &BrowserView, played: &Played, answer: &mut Answer) {
    ui.horizontal(|ui| {
        let mut button = |ui: &mut Ui, name, text: &str, browse, hint: &str| {
            let button = ui.add(Button::new(text).min_size(vec2(26.0, 20.0)));
            answer.on_browse(name, &button.on_hover_text(hint), browse);
        };
        let (at, chosen) = (browser.at, browser.chosen);
        let before = Browse::Choose(chosen.saturating_sub(1));
        button(ui, "browse_before", "⏮", before, "Episode before (PageUp)");
        let back = Browse::Seek(at.saturating_sub(1));
        button(ui, "browse_back", "◀", back, "One step back (←)");
        let text = if browser.plays { "⏸" } else { "▶" };
        button(
            ui,
            "browse_play",
            text,
            Browse::Toggle,
            "Play, rest (Space)",
        );
        let after = Browse::Choose(chosen + 1);
        button(ui, "browse_after", "⏭", after, "Episode after (PageDown)");
        let secs = at as f64 * played.dt_secs;
        let text = format!(
            "step {at:>4} of {}   {secs:.2} s   {}×",
            played.steps(),
            browser.speed
        );
        let mut moment = at;
        ui.spacing_mut().slider_width = (ui.available_width() - 220.0).max(60.0);
        let slider = ui.add(Slider::new(&mut moment, 0..=played.steps()).show_value(false));
        answer.marks.insert("browse_scrub", slider.rect);
        if scrubbed(&slider) {
            answer.browses.push(Browse::Seek(moment));
        }
        ui.label(RichText::new(text).monospace().small());
    });
}

/// Rewards over the steps: green where the task is solved, dark what a trim would cut off.
fn strip(ui: &mut Ui, browser: &BrowserView, played: &Played, answer: &mut Answer) {
    let size = vec2(ui.available_width(), 40.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    answer.marks.insert("browse_strip", rect);
    let steps = played.steps().max(1) as f32;
    let x_of = |moment: usize| rect.left() + rect.width() * moment as f32 / steps;
    let pressed = response.dragged() || response.clicked();
    if let Some(pos) = response.interact_pointer_pos().filter(|_| pressed) {
        let share = ((pos.x - rect.left()) / rect.width()).clamp(0.0, 1.0);
        answer
            .browses
            .push(Browse::Seek((share * steps).round() as usize));
        ui.request_repaint();
    }
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 3.0, theme::WELL);
    let band = |range: Range<usize>, color: Color32| {
        let span = x_of(range.start)..=x_of(range.end);
        painter.rect_filled(Rect::from_x_y_ranges(span, rect.y_range()), 0.0, color);
    };
    for solved in runs(&played.solved) {
        band(solved, theme::GOOD.gamma_multiply(0.2));
    }
    curve(&painter, rect, &played.rewards);
    let human = |source| source == &dextra_data::Source::Human;
    let driven: Vec<bool> = played.sources.iter().map(human).collect();
    if driven.iter().any(|&human| !human) {
        for run in runs(&driven) {
            let span = x_of(run.start)..=x_of(run.end);
            let foot = rect.bottom() - 3.0..=rect.bottom();
            painter.rect_filled(Rect::from_x_y_ranges(span, foot), 0.0, theme::CURVES[2]);
        }
    }
    for &splice in &played.splices {
        let stroke = Stroke::new(1.0, theme::CURVES[2]);
        painter.vline(x_of(splice), rect.y_range(), stroke);
    }
    let dark = Color32::from_black_alpha(150);
    band(0..browser.marked.start, dark);
    band(browser.marked.end..played.steps(), dark);
    let kept = x_of(browser.marked.start)..=x_of(browser.marked.end);
    let kept = Rect::from_x_y_ranges(kept, rect.y_range());
    let stroke = Stroke::new(1.0, theme::ACCENT);
    painter.rect_stroke(kept, 2.0, stroke, StrokeKind::Inside);
    let stroke = Stroke::new(1.5, theme::CAUTION);
    painter.vline(x_of(browser.at), rect.y_range(), stroke);
}

fn curve(painter: &Painter, rect: Rect, rewards: &[f32]) {
    let (low, high) = rewards
        .iter()
        .fold((f32::MAX, f32::MIN), |(low, high), &r| {
            (low.min(r), high.max(r))
        });
    let span = (high - low).max(1e-6);
    let last = rewards.len().max(1) as f32;
    let point = |(index, reward): (usize, &f32)| {
        let x = rect.left() + rect.width() * (index as f32 + 0.5) / last;
        pos2(
            x,
            rect.bottom() - 4.0 - (rect.height() - 8.0) * (reward - low) / span,
        )
    };
    let points = rewards.iter().enumerate().map(point).collect();
    painter.add(Shape::line(points, Stroke::new(1.2, theme::CURVES[0])));
}

/// The stretches in which a flag is set.
fn runs(flags: &[bool]) -> Vec<Range<usize>> {
    let mut from = 0;
    let mut found = Vec::new();
    for run in flags.chunk_by(|a, b| a == b) {
        if run.first() == Some(&true) {
            found.push(from..from + run.len());
        }
        from += run.len();
    }
    found
}

/// Which steps a trim would keep.
fn cut(ui: &mut Ui, browser: &BrowserView, played: &Played, answer: &mut Answer) {
    ui.horizontal(|ui| {
        let steps = played.steps();
        let Range { mut start, mut end } = browser.marked.clone();
        ui.label(RichText::new("Keep steps").small().color(theme::QUIET));
        let from = ui.add(DragValue::new(&mut start).range(0..=steps.saturating_sub(1)));
        ui.label(RichText::new("to").small().color(theme::QUIET));
        let to = ui.add(DragValue::new(&mut end).range(1..=steps));
        answer.typing |= from.has_focus() || to.has_focus();
        if from.changed() || to.changed() {
            answer.browses.push(Browse::Mark(start..end));
        }
        let mut button = |ui: &mut Ui, name, text: &str, range, hint: &str| {
            let button = ui.add(Button::new(RichText::new(text).small()));
            answer.on_browse(name, &button.on_hover_text(hint), Browse::Mark(range));
        };
        let (at, marked) = (browser.at, browser.marked.clone());
        let from = at.min(steps.saturating_sub(1))..marked.end;
        button(
            ui,
            "browse_from",
            "From here",
            from,
            "The first step to keep",
        );
        let to = marked.start..at.max(1);
        button(ui, "browse_to", "To here", to, "The last step to keep");
        let busy = played.busy.clone();
        let hint = "Keep what is between the idle head and the idle tail";
        button(ui, "browse_busy", "Without idle ends", busy, hint);
        button(ui, "browse_all", "All", 0..steps, "Keep everything");
    });
}

fn edits(ui: &mut Ui, browser: &BrowserView, shown: bool, answer: &mut Answer) {
    let any = browser
        .listing
        .is_some_and(|list| !list.episodes.is_empty());
    let undo = browser.listing.map_or(0, |listing| listing.undo);
    let all = browser.played.map(|played| 0..played.steps());
    let cuts = all.is_some_and(|all| all != *browser.marked);
    let idle = !browser.busy;
    let mut button = |ui: &mut Ui, enabled: bool, name, text: &str, browse, hint: &str| {
        let button = ui.add_enabled(enabled && idle, Button::new(text));
        answer.on_browse(name, &button.on_hover_text(hint), browse);
    };
    let hint =
        "Cut it down to the marked steps, simulate them again and see whether they still succeed";
    button(ui, cuts, "browse_trim", "Trim", Browse::Trim, hint);
    button(
        ui,
        any,
        "browse_delete",
        "Delete",
        Browse::Delete,
        "Remove the episode (Delete)",
    );
    let text = match undo {
        0 => "Undo".to_owned(),
        n => format!("Undo ({n})"),
    };
    let hint = "Bring back what was there before the last edit (Ctrl+Z)";
    button(ui, undo > 0, "browse_undo", &text, Browse::Undo, hint);
    let hint = "Simulate its actions once more and compare every state";
    button(
        ui,
        shown,
        "browse_repeat",
        "Simulate again",
        Browse::Repeat,
        hint,
    );
}

/// Which episode the scene shows.
pub(super) fn over_the_scene(root: &Ui, rect: Rect, view: &View, browser: &BrowserView) {
    let episodes = browser.listing.map_or(&[][..], |listing| &listing.episodes);
    if let Some(about) = episodes.get(browser.chosen) {
        let corner = rect.min + vec2(14.0, 10.0);
        let name = format!(
            "Episode {} of {}",
            browser.chosen,
            grouped(episodes.len() as u64)
        );
        let name = overlay::write(root, corner, Align2::LEFT_TOP, name, 17.0, Color32::WHITE);
        let sources: Vec<_> = about.sources.iter().map(|&s| source_name(s)).collect();
        let text = format!("recorded, {}", sources.join(" and "));
        let below = pos2(corner.x, name.max.y + 2.0);
        overlay::write(
            root,
            below,
            Align2::LEFT_TOP,
            text,
            13.0,
            Color32::from_gray(190),
        );
        if about.success {
            let right = pos2(rect.max.x - 14.0, rect.min.y + 10.0);
            let text = "✔ success".into();
            overlay::write(root, right, Align2::RIGHT_TOP, text, 17.0, theme::GOOD);
        }
    }
    if browser.hidden.is_some() || browser.problem.is_some() {
        let top = pos2(rect.center().x, rect.min.y + 10.0);
        let text = "NOT SHOWN".into();
        overlay::write(root, top, Align2::CENTER_TOP, text, 15.0, theme::CAUTION);
    }
    overlay::notices(root, rect, view);
}
