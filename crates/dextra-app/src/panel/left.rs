//! The left panel: the training and its one big button, what is watched, the episode, the reward.

use bevy_egui::egui::{
    self, Align, Button, Color32, DragValue, Label, Layout, ProgressBar, RichText, ScrollArea,
    Slider, Ui, vec2,
};

use dextra_tasks::task_purpose;

use super::{Answer, theme};
use crate::{
    action::Action,
    bindings,
    demos::DatasetEntry,
    outcome,
    session::Stage,
    source::{SPEEDS, Source},
    view::{EpisodeView, RolloutView, View, duration, grouped, rough_duration},
};

pub(super) fn show(ui: &mut Ui, view: &View, answer: &mut Answer) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        title(ui, view);
        train_button(ui, view, answer);
        teacher(ui, view, answer);
        progress(ui, view, answer);
        section(ui, "Watch");
        sources(ui, view, answer);
        take_over(ui, view, answer);
        if let Some(rollout) = &view.rollout {
            section(ui, "Rollout");
            playback(ui, rollout, view, answer);
        }
        if let Some(episode) = &view.episode {
            section(ui, "Episode");
            status(ui, episode, view, answer);
            section(ui, "Reward");
            reward(ui, episode);
        }
    });
}

fn section(ui: &mut Ui, name: &str) {
    ui.add_space(5.0);
    ui.label(RichText::new(name).small().strong().color(theme::QUIET));
}

fn title(ui: &mut Ui, view: &View) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Dextra").heading().strong());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(view.task).color(theme::QUIET));
        });
    });
}

fn train_button(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let (text, fill, enabled) = match &view.stage {
        Stage::Idle => ("▶  Train", theme::ACCENT, true),
        Stage::Starting => ("Starting…", theme::ACCENT, false),
        Stage::Running => ("⏸  Pause training", Color32::from_rgb(52, 60, 72), true),
        Stage::Evaluating if view.pausing => (
            "Pausing after the evaluation",
            Color32::from_rgb(52, 60, 72),
            true,
        ),
        Stage::Evaluating => (
            "⏸  Pause after the evaluation",
            Color32::from_rgb(52, 60, 72),
            true,
        ),
        Stage::Paused => ("▶  Continue training", theme::ACCENT, true),
        Stage::Stopping => ("Writing the checkpoint…", theme::ACCENT, false),
        Stage::Finished | Stage::Failed(_) => ("▶  Train again", theme::ACCENT, true),
    };
    let button = Button::new(
        RichText::new(text)
            .size(17.0)
            .strong()
            .color(Color32::WHITE),
    )
    .fill(fill);
    let size = vec2(ui.available_width(), 44.0);
    let response = ui
        .add_enabled_ui(enabled, |ui| ui.add_sized(size, button))
        .inner;
    let response = response.on_hover_text(tip("The learner, on its own threads", Action::Train));
    answer.on_click("train", &response, Action::Train);
}

/// What the next training learns from: the expert, or a dataset.
fn teacher(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let known = view.datasets.iter();
    let chosen = known
        .clone()
        .find(|entry| Some(entry.path.display().to_string().as_str()) == view.dataset);
    let name = match (view.dataset, chosen) {
        (None, _) => "the expert",
        (Some(_), Some(entry)) => entry.name.as_str(),
        (Some(path), None) => path,
    };
    if !matches!(view.stage, Stage::Idle | Stage::Finished | Stage::Failed(_)) {
        if view.dataset.is_some() {
            ui.colored_label(theme::QUIET, format!("from {name}"));
        }
        return;
    }
    let menu = ui.menu_button(format!("Learn from: {name} ⏷"), |ui| {
        answer.actions.push(Action::LookForRuns);
        let mut choice = |ui: &mut Ui, selected: bool, text: &str, action| {
            let response = ui.add(Button::selectable(selected, text));
            answer.on_click("teacher_choice", &response, action);
            if response.clicked() {
                ui.close();
            }
        };
        choice(
            ui,
            view.dataset.is_none(),
            "The expert",
            Action::LearnFrom(None),
        );
        ui.separator();
        let of_task = |(_, entry): &(usize, &DatasetEntry)| entry.holds.task == view.task;
        let mut listed = 0;
        for (index, entry) in known.enumerate().filter(of_task) {
            let text = format!(
                "{}  ({} successes)",
                entry.name,
                grouped(entry.holds.successes as u64)
            );
            let selected = chosen.is_some_and(|chosen| chosen.path == entry.path);
            choice(ui, selected, &text, Action::LearnFrom(Some(index)));
            listed += 1;
        }
        if listed == 0 {
            let text = "No dataset of this task yet: record one (Ctrl+4)";
            ui.label(RichText::new(text).color(theme::QUIET));
        }
    });
    let tip = "Recorded episodes instead of the expert, which then is asked nothing";
    let response = menu.response.on_hover_text(tip);
    answer.marks.insert("teacher", response.rect);
}

fn tip(text: &str, action: Action) -> String {
    match bindings::key_of(action) {
        Some(key) => format!("{text} ({key})"),
        None => text.to_owned(),
    }
}

fn progress(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let status = view.status;
    match &view.stage {
        Stage::Idle => {
            let purpose = task_purpose(view.task);
            let text = format!(
                "The hand learns to {purpose} from a reward that says only whether it did."
            );
            ui.label(RichText::new(text).small().color(theme::QUIET));
            return;
        }
        Stage::Failed(message) => {
            ui.colored_label(theme::BAD, message);
            return;
        }
        _ => {}
    }
    let share = status.steps as f32 / status.total_steps.max(1) as f32;
    let text = format!(
        "{} of {} steps",
        grouped(status.steps),
        grouped(status.total_steps)
    );
    ui.add(
        ProgressBar::new(share)
            .desired_height(17.0)
            .fill(theme::ACCENT)
            .text(RichText::new(text).small()),
    );
    egui::Grid::new("progress")
        .num_columns(2)
        .spacing(vec2(10.0, 2.0))
        .show(ui, |ui| {
            if let Some(eval) = &status.last_eval {
                let interval =
                    format!("{:.0} to {:.0}%", 100.0 * eval.ci_low, 100.0 * eval.ci_high);
                row(ui, "Evaluated", |ui| {
                    let color = if eval.success_rate >= 0.9 {
                        theme::GOOD
                    } else {
                        theme::TEXT
                    };
                    ui.colored_label(color, format!("{:.0}%", 100.0 * eval.success_rate))
                        .on_hover_text(format!(
                            "{} of {} episodes at {} steps; 95% interval {interval}",
                            eval.successes,
                            eval.episodes,
                            grouped(eval.steps),
                        ));
                    ui.label(RichText::new(interval).small().color(theme::QUIET));
                });
            }
            let percent =
                |rate: Option<f64>| rate.map_or("–".into(), |r| format!("{:.0}%", 100.0 * r));
            row(ui, "Training", |ui| {
                ui.label(format!("policy {}", percent(status.success_rate)));
                ui.colored_label(
                    theme::QUIET,
                    format!("expert {}", percent(status.expert_success_rate)),
                );
            });
            row(ui, "Time", |ui| {
                ui.label(duration(status.elapsed_secs));
                if let (Some(left), Stage::Running) = (status.eta_secs, &view.stage) {
                    ui.colored_label(theme::QUIET, format!("{} left", rough_duration(left)));
                }
            });
        });
    if view.is_training() {
        ui.horizontal(|ui| {
            let rests = view.stage == Stage::Paused;
            let step = ui.add_enabled(rests, Button::new("Round"));
            let step = step.on_hover_text(tip(
                "One lock-step round, while paused",
                Action::StepLearner,
            ));
            answer.on_click("round", &step, Action::StepLearner);
            let save = ui.button("Checkpoint");
            let save = save.on_hover_text(tip("Written between rounds", Action::Checkpoint));
            answer.on_click("checkpoint", &save, Action::Checkpoint);
            let stop = ui
                .button("Stop")
                .on_hover_text("Write a checkpoint and end the training");
            answer.on_click("stop", &stop, Action::StopTraining);
        });
    }
}

fn row(ui: &mut Ui, name: &str, value: impl FnOnce(&mut Ui)) {
    ui.label(RichText::new(name).color(theme::QUIET));
    ui.horizontal(value);
    ui.end_row();
}

fn sources(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let (rollouts, actors): (Vec<_>, Vec<_>) = view
        .sources
        .iter()
        .partition(|row| !matches!(row.source, Source::Actor(_)));
    let mut button = |ui: &mut Ui, row: &crate::view::SourceRow, width: f32| {
        let chosen = row.source == view.watched;
        let button = Button::selectable(chosen, &row.name)
            .min_size(vec2(width, 24.0))
            .truncate();
        let response = ui.add_enabled(row.available, button);
        let response = response
            .on_hover_text(row.hint)
            .on_disabled_hover_text(row.hint);
        let name = match row.source {
            Source::Expert => "expert",
            Source::Policy => "policy",
            Source::Actor(0) => "actor1",
            Source::Actor(1) => "actor2",
            Source::Actor(_) => "actor",
        };
        answer.on_click(name, &response, Action::Watch(row.source));
    };
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 7.0) / 2.0;
        for row in rollouts {
            ui.allocate_ui(vec2(width, 24.0), |ui| button(ui, row, width));
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Environment").color(theme::QUIET));
        for row in actors {
            button(ui, row, 24.0);
        }
    });
}

/// The button beside the key that takes over.
fn take_over(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let text = match view.held {
        Some(_) => "Give it back",
        None => "Drive it yourself",
    };
    let button = Button::new(text).min_size(vec2(ui.available_width(), 24.0));
    let tip = "Takes over what you watch, with the keys of Record. Hold the key B for as long as you want \
               to, or click here and give it back with Esc. In a training the learner gets your steps as \
               an expert's";
    let response = ui.add(button).on_hover_text(tip);
    answer.on_click("take_over", &response, Action::TakeOver);
}

fn playback(ui: &mut Ui, rollout: &RolloutView, view: &View, answer: &mut Answer) {
    ui.horizontal(|ui| {
        let text = if rollout.paused { "▶" } else { "⏸" };
        let pause = ui.add(Button::new(text).min_size(vec2(30.0, 22.0)));
        let pause = pause.on_hover_text(tip("Pause or continue", Action::TogglePause));
        answer.on_click("pause", &pause, Action::TogglePause);
        let step = ui
            .button("Step")
            .on_hover_text(tip("One control step", Action::Step));
        answer.on_click("step", &step, Action::Step);
        let restart = ui
            .button("⟲")
            .on_hover_text(tip("Episode again", Action::Restart));
        answer.on_click("restart", &restart, Action::Restart);
        let next = ui
            .button("Next")
            .on_hover_text(tip("Next episode", Action::NextEpisode));
        answer.on_click("next", &next, Action::NextEpisode);
    });
    ui.horizontal(|ui| {
        let mut speed = rollout.speed;
        ui.spacing_mut().slider_width = 128.0;
        let slider = Slider::new(&mut speed, SPEEDS[0]..=SPEEDS[SPEEDS.len() - 1])
            .logarithmic(true)
            .show_value(false);
        let response = ui
            .add(slider)
            .on_hover_text("Multiple of real time (- and =)");
        answer.marks.insert("speed", response.rect);
        if response.changed() {
            answer.actions.push(Action::Speed(speed));
        }
        let achieved = if rollout.paused {
            0.0
        } else {
            view.achieved_speed
        };
        ui.label(format!("{:.2}×", rollout.speed));
        ui.colored_label(theme::QUIET, format!("({achieved:.2}×)"))
            .on_hover_text("Speed reached");
    });
}

fn status(ui: &mut Ui, episode: &EpisodeView, view: &View, answer: &mut Answer) {
    egui::Grid::new("episode")
        .num_columns(2)
        .spacing(vec2(10.0, 2.0))
        .show(ui, |ui| {
            row(ui, "Seed", |ui| match &view.rollout {
                Some(rollout) => {
                    let mut seed = rollout.seed;
                    let field = DragValue::new(&mut seed)
                        .speed(0.1)
                        .update_while_editing(false);
                    let field = ui
                        .add(field)
                        .on_hover_text("Type or drag to play another episode");
                    answer.typing |= field.has_focus();
                    if field.changed() {
                        answer.actions.push(Action::Seed(seed));
                    }
                }
                None => {
                    ui.label(episode.seed.to_string());
                }
            });
            row(ui, "Step", |ui| {
                ui.label(format!("{} of {}", episode.step, view.horizon));
            });
            row(ui, "Success", |ui| {
                match (episode.success, episode.success_now) {
                    (true, _) => ui.colored_label(theme::GOOD, "✔ yes"),
                    (false, true) => ui.colored_label(theme::CAUTION, "holding…"),
                    (false, false) if episode.failed.is_some() => {
                        ui.colored_label(theme::BAD, "✘ failed")
                    }
                    (false, false) => ui.label("not yet"),
                };
                let (solved, needed) = episode.solved_steps;
                ui.label(
                    RichText::new(format!("{solved} of {needed} steps"))
                        .small()
                        .color(theme::QUIET),
                )
                .on_hover_text("Steps at which the task was solved, of those that make a success");
            });
            if episode.by_hand > 0 {
                row(ui, "By hand", |ui| {
                    let text = format!("{} steps", episode.by_hand);
                    ui.colored_label(theme::CAUTION, text)
                        .on_hover_text("Its success says nothing of who acts otherwise");
                });
            }
            for measure in &episode.measures {
                let name = outcome::capitalised(measure.name);
                row(ui, &name, |ui| {
                    let color = if measure.is_met() {
                        theme::GOOD
                    } else {
                        theme::TEXT
                    };
                    ui.colored_label(color, outcome::value(measure));
                    let needs = format!("needs {}", outcome::bound(measure));
                    ui.add(Label::new(RichText::new(needs).small().color(theme::QUIET)).truncate());
                });
            }
            if let Some(last) = &view.last {
                row(ui, "Before", |ui| {
                    let (text, color) = match last.success {
                        true => ("✔ success", theme::GOOD),
                        false => ("✘ failed: why?", theme::BAD),
                    };
                    let button = ui
                        .small_button(RichText::new(text).color(color))
                        .on_hover_text(format!("{}. A click shows how it ended", last.why));
                    answer.on_click("last_episode", &button, Action::Pin(last.number));
                });
            }
            row(ui, "Return", |ui| {
                ui.label(format!("{:.1}", episode.total_reward));
                ui.colored_label(theme::QUIET, format!("acting: {}", episode.actor));
            });
        });
}

/// A bar for each term, from a common zero; the scale grows with what has been seen.
fn reward(ui: &mut Ui, episode: &EpisodeView) {
    let largest = episode
        .terms
        .iter()
        .map(|(_, value)| value.abs())
        .fold(0.0, f32::max);
    let id = ui.id().with("reward scale");
    let scale = ui
        .data(|data| data.get_temp(id))
        .unwrap_or(0.1_f32)
        .max(largest);
    ui.data_mut(|data| data.insert_temp(id, scale));
    for &(name, value) in &episode.terms {
        ui.horizontal(|ui| {
            ui.add_sized(vec2(76.0, 15.0), |ui: &mut Ui| {
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.label(RichText::new(name.replace('_', " ")).small())
                })
                .inner
            });
            let width = ui.available_width() - 50.0;
            let (rect, _) = ui.allocate_exact_size(vec2(width, 11.0), egui::Sense::hover());
            let zero = rect.center().x;
            let end = zero + value / scale * 0.5 * rect.width();
            let bar = egui::Rect::from_x_y_ranges(zero.min(end)..=zero.max(end), rect.y_range());
            let color = if value < 0.0 { theme::BAD } else { theme::GOOD };
            ui.painter().rect_filled(rect, 2.0, theme::WELL);
            ui.painter().rect_filled(bar, 2.0, color);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(RichText::new(format!("{value:+.2}")).small());
            });
        });
    }
    if episode.terms.is_empty() {
        ui.label(RichText::new("no step yet").small().color(theme::QUIET));
    }
}
