//! Recording by hand: the left panel, and the badge over the scene.

use bevy_egui::egui::{
    Align2, Button, Color32, Grid, Rect, RichText, ScrollArea, TextEdit, Ui, vec2,
};
use dextra_tasks::task_purpose;
use dextra_teleop::{End, Phase, bindings};

use super::{
    Answer, browser,
    overlay::{badge, write},
    theme,
};
use crate::{
    action::Action,
    record::Shot,
    view::{View, grouped},
};

/// Successful steps that end a take.
const HOLD_STEPS: usize = dextra_train::SUCCESS_HOLD_STEPS;

pub(super) fn show(ui: &mut Ui, view: &View, answer: &mut Answer) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let record = &view.record;
        ui.label(RichText::new("Record").heading().strong());
        let purpose = task_purpose(view.task);
        let text = format!("Drive the hand to {purpose}. A success is kept by itself.");
        ui.label(RichText::new(text).small().color(theme::QUIET));
        let (text, fill) = match (record.open, record.drives) {
            (_, true) => ("Esc gives control back", theme::BAD),
            (true, false) => ("⏺  Go on driving", theme::ACCENT),
            (false, false) => ("⏺  Drive the hand", theme::ACCENT),
        };
        let text = RichText::new(text)
            .size(17.0)
            .strong()
            .color(Color32::WHITE);
        let size = vec2(ui.available_width(), 44.0);
        let button = ui.add_enabled_ui(!record.drives, |ui| {
            ui.add_sized(size, Button::new(text).fill(fill))
        });
        answer.on_click("drive", &button.inner, Action::Drive);
        folder(ui, view, answer);
        ui.horizontal(|ui| {
            let browse = ui.add_enabled(!record.open, Button::new("Browse its episodes"));
            let hint = "Play, trim, delete what was recorded (Ctrl+E)";
            let browse = browse
                .on_hover_text(hint)
                .on_disabled_hover_text("Close the recording first");
            answer.on_click("browse", &browse, Action::Browse);
            if !record.open {
                browser::opened_before(ui, record.recent, answer);
            }
        });
        if let Some(shot) = record.shot {
            numbers(ui, shot);
        }
        if record.open {
            let close = ui.button("Close").on_hover_text("A take not kept is lost");
            answer.on_click("close_recording", &close, Action::CloseRecording);
        }
        let train =
            Button::new("▶  Train from these takes").min_size(vec2(ui.available_width(), 28.0));
        let train = ui.add_enabled(!record.drives, train);
        let train =
            train.on_hover_text("A training that learns from the successes of this dataset");
        answer.on_click("train_from_takes", &train, Action::TrainFromTakes);
        gamepads(ui, view);
        keys(ui);
    });
}

/// The dataset's folder, to be changed while nothing is recorded.
fn folder(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let mut text = view.record.folder.clone();
    let edit = TextEdit::singleline(&mut text).desired_width(f32::INFINITY);
    let edit = ui.add_enabled(!view.record.open, edit);
    let edit = edit.on_hover_text(
        "The dataset's folder. Every kept take is on the disk before the next begins",
    );
    answer.marks.insert("folder", edit.rect);
    answer.typing |= edit.has_focus();
    if edit.changed() {
        answer.folder = Some(text);
    }
}

fn numbers(ui: &mut Ui, shot: &Shot) {
    let row = |ui: &mut Ui, name: &str, value: String| {
        ui.colored_label(theme::QUIET, name);
        ui.label(value);
        ui.end_row();
    };
    Grid::new("record")
        .num_columns(2)
        .spacing(vec2(10.0, 2.0))
        .show(ui, |ui| {
            let [kept, discarded] = shot.counts;
            row(ui, "Takes", format!("{kept} kept, {discarded} discarded"));
            row(
                ui,
                "Dataset",
                format!("{} episodes", grouped(shot.episodes as u64)),
            );
            row(ui, "Episode", format!("seed {}", shot.seed));
            let secs = shot.steps as f64 * shot.dt_secs;
            row(ui, "Take", format!("{secs:.2} s, {} steps", shot.steps));
            if shot.splices > 0 {
                row(ui, "Spliced", format!("{} times", shot.splices));
            }
            row(ui, "Speed", format!("1/{:.0}", 1.0 / shot.speed));
            let drives = match shot.finger {
                None => "the whole hand",
                Some(finger) => [
                    "thumb",
                    "index finger",
                    "middle finger",
                    "ring finger",
                    "little finger",
                ]
                .get(finger)
                .copied()
                .unwrap_or("a finger"),
            };
            row(ui, "Drives", drives.into());
            let mut helps = Vec::new();
            if shot.magnet {
                helps.push("magnet");
            }
            if shot.mirror {
                helps.push("mirror");
            }
            if !helps.is_empty() {
                row(ui, "Assist", helps.join(", "));
            }
        });
}

fn gamepads(ui: &mut Ui, view: &View) {
    let record = &view.record;
    let (text, color) = match (record.pads, record.pad_trouble) {
        ([], Some(trouble)) => (trouble.to_owned(), theme::CAUTION),
        ([], None) => (
            "No gamepad. One that is plugged in can drive too.".into(),
            theme::QUIET,
        ),
        (names, _) => (format!("Gamepad: {}", names.join(", ")), theme::QUIET),
    };
    ui.label(RichText::new(text).small().color(color));
}

/// The driving controls, from the table that binds them.
fn keys(ui: &mut Ui) {
    for group in bindings::GROUPS {
        ui.add_space(4.0);
        ui.label(
            RichText::new(group.title)
                .small()
                .strong()
                .color(theme::QUIET),
        );
        Grid::new(group.title)
            .num_columns(2)
            .spacing(vec2(8.0, 1.0))
            .show(ui, |ui| {
                ui.spacing_mut().interact_size.y = 14.0;
                for binding in group.bindings {
                    let words = bindings::words(binding);
                    let first = words.split(", ").next().unwrap_or_default();
                    let key = RichText::new(first)
                        .small()
                        .monospace()
                        .color(theme::CURVES[0]);
                    ui.label(key).on_hover_text(&words);
                    ui.label(RichText::new(binding.help).small());
                    ui.end_row();
                }
            });
    }
}

/// Who has the hand, and how far the take is.
pub(super) fn over_the_scene(root: &Ui, rect: Rect, view: &View) {
    let record = &view.record;
    let text = match record.drives {
        true => "⏺  DRIVING  ·  Esc gives control back",
        false => "NOT DRIVING  ·  F8 takes control",
    };
    let fill = match record.drives {
        true => theme::BAD,
        false => Color32::from_rgb(58, 65, 76),
    };
    let plate = badge(root, rect, text.into(), fill);
    let Some(shot) = record.shot else {
        return super::overlay::notices(root, rect, view);
    };
    let (text, color) = phase(shot);
    let below = plate.center_bottom() + vec2(0.0, 8.0);
    write(root, below, Align2::CENTER_TOP, text, 17.0, color);
    if let Phase::Countdown(secs) = shot.phase {
        let count = format!("{:.0}", secs.ceil());
        write(
            root,
            rect.center(),
            Align2::CENTER_CENTER,
            count,
            84.0,
            theme::CAUTION,
        );
    }
    super::overlay::notices(root, rect, view);
}

fn phase(shot: &Shot) -> (String, Color32) {
    let secs = |steps: usize| steps as f64 * shot.dt_secs;
    match &shot.phase {
        Phase::Countdown(_) => ("Get ready".into(), theme::CAUTION),
        Phase::Driving if shot.held_steps > 0 => {
            let text = format!("✔ held {} of {HOLD_STEPS} steps", shot.held_steps);
            (text, theme::GOOD)
        }
        Phase::Driving => (format!("{:.2} s", secs(shot.steps)), theme::TEXT),
        Phase::Paused => ("PAUSED  ·  Space goes on".into(), theme::CAUTION),
        Phase::Rewinding(step) => (format!("◀◀  {:.2} s", secs(*step)), theme::CURVES[2]),
        Phase::Ended(End::Success) => ("✔ success".into(), theme::GOOD),
        Phase::Ended(End::TimeUp) => (
            "Time is up  ·  Left rewinds, R begins again".into(),
            theme::BAD,
        ),
        Phase::Ended(End::Over) => (
            "It is over  ·  Left rewinds, R begins again".into(),
            theme::BAD,
        ),
        Phase::Ended(End::Lost(_)) => (
            "The physics lost it  ·  Left rewinds, R begins again".into(),
            theme::BAD,
        ),
    }
}
