//! What stands over the scene: the source and its age, whether it rests, passing messages.

use bevy_egui::egui::{self, Align2, Color32, FontId, Pos2, Rect, RichText, Ui, pos2, vec2};

use super::theme;
use crate::{
    record::HeldView,
    session::Stage,
    view::{View, duration},
};

/// Silence of a source after which it is said, seconds.
const SILENT_AFTER_SECS: f64 = 1.5;

pub(super) fn show(root: &Ui, rect: Rect, view: &View) {
    let write = |pos, anchor, text, size, color| write(root, pos, anchor, text, size, color);
    let corner = rect.min + vec2(14.0, 10.0);
    let name = write(
        corner,
        Align2::LEFT_TOP,
        view.watched_name.clone(),
        17.0,
        Color32::WHITE,
    );
    let second = pos2(corner.x, name.max.y + 2.0);
    write(
        second,
        Align2::LEFT_TOP,
        detail(view),
        13.0,
        Color32::from_gray(190),
    );
    if let Some((name, success)) = view.rival {
        let third = pos2(corner.x, second.y + 18.0);
        let outcome = if success { "  ✔ success" } else { "" };
        let text = format!("ghost: {name}{outcome}");
        write(third, Align2::LEFT_TOP, text, 13.0, theme::CURVES[2]);
    }
    if view.scrubs() {
        let top = pos2(rect.center().x, rect.min.y + 10.0);
        let text = "RECORDED  ·  Space or End goes on".into();
        write(top, Align2::CENTER_TOP, text, 15.0, theme::CAUTION);
    } else if view.is_paused() {
        let top = pos2(rect.center().x, rect.min.y + 10.0);
        write(
            top,
            Align2::CENTER_TOP,
            "PAUSED".into(),
            17.0,
            theme::CAUTION,
        );
    }
    if let Some(held) = view.held {
        taken_over(root, rect, held);
    }
    let success = view.episode.as_ref().is_some_and(|episode| episode.success);
    if success {
        let right = pos2(rect.max.x - 14.0, rect.min.y + 10.0);
        write(
            right,
            Align2::RIGHT_TOP,
            "✔ success".into(),
            17.0,
            theme::GOOD,
        );
    }
    if let Some(why) = view.episode.as_ref().and_then(|e| e.failed.as_ref()) {
        let right = pos2(rect.max.x - 14.0, rect.min.y + 10.0);
        let first = write(
            right,
            Align2::RIGHT_TOP,
            "✘ failed".into(),
            17.0,
            theme::BAD,
        );
        let below = pos2(right.x, first.max.y + 2.0);
        write(below, Align2::RIGHT_TOP, why.clone(), 13.0, theme::TEXT);
    }
    notices(root, rect, view);
}

/// The badge of a takeover.
fn taken_over(root: &Ui, rect: Rect, held: HeldView) {
    let back = match held.by_key {
        true => "let go to give it back",
        false => "Esc gives it back",
    };
    let text = match held.speed {
        Some(_) => format!("⏺  YOU DRIVE  ·  {back}"),
        None => format!("TAKING OVER with the next step  ·  {back}"),
    };
    // Below the name of what is watched, which may be long.
    let plate = badge(root, rect.with_min_y(rect.min.y + 44.0), text, theme::BAD);
    if let Some(speed) = held.speed {
        let text = format!("1/{:.0} of real time", 1.0 / speed);
        let below = plate.center_bottom() + vec2(0.0, 6.0);
        write(root, below, Align2::CENTER_TOP, text, 13.0, theme::TEXT);
    }
}

/// A plate at the top of the scene that nobody overlooks.
pub(super) fn badge(root: &Ui, rect: Rect, text: String, fill: Color32) -> Rect {
    let middle = pos2(rect.center().x, rect.min.y + 24.0);
    let plate = Rect::from_center_size(middle, vec2(390.0, 28.0));
    root.painter().rect_filled(plate, 6.0, fill);
    write(
        root,
        middle,
        Align2::CENTER_CENTER,
        text,
        15.0,
        Color32::WHITE,
    );
    plate
}

/// Passing messages, at the bottom.
pub(super) fn notices(root: &Ui, rect: Rect, view: &View) {
    for (i, notice) in view.notices.iter().rev().enumerate() {
        let pos = pos2(rect.min.x + 14.0, rect.max.y - 10.0 - 20.0 * i as f32);
        write(
            root,
            pos,
            Align2::LEFT_BOTTOM,
            notice.clone(),
            13.0,
            theme::TEXT,
        );
    }
}

/// Text with a shadow, so that it can be read over any part of the scene.
pub(super) fn write(
    root: &Ui,
    pos: Pos2,
    anchor: Align2,
    text: String,
    size: f32,
    color: Color32,
) -> Rect {
    let (painter, font) = (root.painter(), FontId::proportional(size));
    let shadow = Color32::from_black_alpha(160);
    painter.text(pos + vec2(1.0, 1.0), anchor, &text, font.clone(), shadow);
    painter.text(pos, anchor, text, font, color)
}

/// Policy version, speed, age: what the watched frames are.
fn detail(view: &View) -> String {
    let mut parts = Vec::new();
    if let Some(episode) = view
        .episode
        .as_ref()
        .filter(|_| view.watched != crate::source::Source::Expert)
    {
        if episode.policy_version > 0 {
            parts.push(format!("policy of round {}", episode.policy_version));
        }
        if view.rollout.is_none() {
            parts.push(format!("{} acting", episode.actor));
        }
    }
    let stands = view.achieved_speed < 0.02;
    let rests = view.is_paused() || view.scrubs();
    if view.silence_secs > SILENT_AFTER_SECS && stands && !rests {
        let why = match view.stage {
            Stage::Starting => "starting",
            Stage::Evaluating => "the policy is being evaluated",
            _ => "waiting",
        };
        parts.push(format!(
            "{why}, last frame {} ago",
            duration(view.silence_secs)
        ));
    } else if !rests {
        parts.push(format!("{:.1}× real time", view.achieved_speed));
        if view.rollout.is_none() {
            parts.push(format!("{:.1} s behind", view.behind_secs));
        }
    }
    parts.join("  ·  ")
}

/// What is said while the window waits for the checkpoint.
pub(super) fn leaving(ctx: &egui::Context) {
    egui::Modal::new("leaving".into()).show(ctx, |ui| {
        ui.set_width(320.0);
        ui.vertical_centered(|ui| {
            ui.label(RichText::new("Writing the checkpoint").heading());
            ui.add_space(4.0);
            ui.spinner();
            ui.add_space(4.0);
            ui.label("The window closes when it is on disk.");
        });
    });
}
