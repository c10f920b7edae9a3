//! The bar on top: workspaces, and menus for task, policy and run.

use bevy_egui::egui::{Align, Button, Layout as Flow, RichText, Ui, vec2};

use super::{Answer, Layout, theme};
use crate::{
    action::{Action, Against},
    bindings,
    library::RunEntry,
    view::View,
    workspace::Workspace,
};

/// Its height, logical pixels.
pub(super) const HEIGHT: f32 = 30.0;

pub(super) fn show(ui: &mut Ui, view: &View, layout: &Layout, answer: &mut Answer) {
    ui.horizontal_centered(|ui| {
        for workspace in Workspace::ALL {
            let name = RichText::new(workspace.name()).strong();
            let chosen = layout.workspace == workspace;
            let button = Button::selectable(chosen, name).min_size(vec2(66.0, 22.0));
            let action = Action::Arrange(workspace);
            let mark = match workspace {
                Workspace::Watch => "workspace_watch",
                Workspace::Train => "workspace_train",
                Workspace::Analyse => "workspace_analyse",
                Workspace::Record => "workspace_record",
            };
            let hint = bindings::key_of(action).unwrap_or_default();
            let response = ui.add(button).on_hover_text(hint);
            answer.on_click(mark, &response, action);
        }
        ui.separator();
        task_menu(ui, view, answer);
        policy_menu(ui, view, answer);
        compare_menu(ui, view, answer);
        run_menu(ui, view, answer);
        if view.loading {
            ui.spinner();
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            let palette = ui.button("Commands  Ctrl+K");
            let palette = palette.on_hover_text("Everything, by name");
            answer.on_click("commands", &palette, Action::TogglePalette);
            let timeline = Button::selectable(layout.bottom, "Timeline");
            let timeline = ui.add(timeline).on_hover_text("Scrub the episode (L)");
            answer.on_click("timeline", &timeline, Action::ToggleTimeline);
        });
    });
}

fn choice(ui: &mut Ui, chosen: bool, text: &str, action: Action, answer: &mut Answer) {
    if ui.add(Button::selectable(chosen, text)).clicked() {
        answer.actions.push(action);
        ui.close();
    }
}

fn task_menu(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let menu = ui.menu_button(format!("Task: {} ⏷", view.task), |ui| {
        for (index, task) in view.tasks.iter().enumerate() {
            choice(
                ui,
                *task == view.task,
                task,
                Action::OpenTask(index),
                answer,
            );
        }
    });
    answer.marks.insert("task_menu", menu.response.rect);
}

fn policy_menu(ui: &mut Ui, view: &View, answer: &mut Answer) {
    use crate::source::Source;
    let menu = ui.menu_button("Policy ⏷", |ui| {
        let expert = Action::Watch(Source::Expert);
        choice(
            ui,
            view.watched == Source::Expert,
            "The expert",
            expert,
            answer,
        );
        choice(
            ui,
            false,
            "The newest of this training",
            Action::WatchNewest,
            answer,
        );
        choice(
            ui,
            false,
            "The one that comes with Dextra",
            Action::WatchShipped,
            answer,
        );
        answer.actions.push(Action::LookForRuns);
        ui.separator();
        let of_runs = view.runs.iter().enumerate();
        for (index, run) in of_runs.filter(|(_, run)| run.has_checkpoint) {
            let text = format!("{}  ({})", run.name, run.task);
            choice(ui, false, &text, Action::WatchRun(index), answer);
        }
    });
    answer.marks.insert("policy_menu", menu.response.rect);
}

fn compare_menu(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let menu = ui.menu_button("Compare ⏷", |ui| {
        let text = "Drawn as a ghost, from the same seed";
        ui.label(RichText::new(text).small().color(theme::QUIET));
        let mut ask = |ui: &mut Ui, text: &str, against| {
            choice(ui, false, text, Action::Compare(against), answer);
        };
        ask(ui, "Nobody", Against::Nobody);
        ask(ui, "The expert", Against::Expert);
        ask(ui, "The newest of this training", Against::Newest);
        ask(ui, "The one that comes with Dextra", Against::Shipped);
        let of_task = |run: &RunEntry| run.has_checkpoint && run.task == view.task;
        for (index, run) in view.runs.iter().enumerate() {
            if of_task(run) {
                ask(ui, &run.name, Against::Run(index));
            }
        }
        answer.actions.push(Action::LookForRuns);
    });
    answer.marks.insert("compare_menu", menu.response.rect);
}

fn run_menu(ui: &mut Ui, view: &View, answer: &mut Answer) {
    let menu = ui.menu_button("Run ⏷", |ui| {
        answer.actions.push(Action::LookForRuns);
        if view.runs.is_empty() {
            ui.label(RichText::new("No runs yet").color(theme::QUIET));
        } else {
            let text = "Continue from the newest checkpoint";
            ui.label(RichText::new(text).small().color(theme::QUIET));
        }
        for (index, run) in view.runs.iter().enumerate() {
            let text = format!("{}  ({})", run.name, run.task);
            let button = Button::new(text).frame(false);
            if ui.add_enabled(run.has_checkpoint, button).clicked() {
                answer.actions.push(Action::ContinueRun(index));
                ui.close();
            }
        }
    });
    answer.marks.insert("run_menu", menu.response.rect);
}
