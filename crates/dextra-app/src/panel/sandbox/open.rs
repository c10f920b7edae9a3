//! The dialog that opens a scene: a path, what is in its folder, scenes opened before, the tasks.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bevy_egui::egui::{self, Align2, Key, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::{Answer, section, theme};
use crate::sandbox::{Command, Origin, view::DialogView};

/// Entries of a folder that are listed at most.
const LISTED: usize = 60;

pub(in crate::panel) fn show(ctx: &egui::Context, view: &DialogView, answer: &mut Answer) {
    let mut open = true;
    egui::Window::new("Open a scene")
        .open(&mut open)
        .collapsible(false)
        .resizable(false)
        .fixed_size(vec2(560.0, 420.0))
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ctx, |ui| content(ui, view, answer));
    if !open {
        answer.commands.push(Command::Dialog(false));
    }
}

fn content(ui: &mut Ui, view: &DialogView, answer: &mut Answer) {
    let mut text = view.text.to_owned();
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut text)
            .desired_width(470.0)
            .hint_text("An MJCF file: type, choose below, or drop a file on the window");
        let field = ui.add(field);
        answer.marks.insert("path", field.rect);
        if !field.has_focus() && !field.lost_focus() {
            field.request_focus();
        }
        answer.typing = true;
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let button = ui.button("Open");
        answer.marks.insert("open_path", button.rect);
        if (entered || button.clicked()) && !text.is_empty() {
            let origin = Origin::File(PathBuf::from(&text));
            answer.commands.push(Command::Open(origin));
        } else if field.changed() {
            answer.commands.push(Command::Path(text.clone()));
        }
        if ui.input(|input| input.key_pressed(Key::Escape)) {
            answer.commands.push(Command::Dialog(false));
        }
    });
    ui.columns_const(|[left, right]| {
        section(left, "Folder");
        folder(left, &text, answer);
        section(right, "Opened before");
        if view.recent.is_empty() {
            right.colored_label(theme::FAINT, "none yet");
        }
        for (index, path) in view.recent.iter().enumerate() {
            let name = path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy();
            let button = right.button(RichText::new(name).small());
            let button = button.on_hover_text(path.display().to_string());
            let mark = if index == 0 { "recent0" } else { "recent" };
            answer.on_command(mark, &button, Command::Open(Origin::File(path.clone())));
        }
        section(right, "Scenes of the tasks");
        for task in dextra_tasks::task_names() {
            let name = (*task).to_owned();
            // Of the watched task, the episode that is watched.
            let (watched, seed) = view.watched;
            let seed = if watched == *task { seed } else { 0 };
            let button = right.button(RichText::new(format!("{task}, seed {seed}")).small());
            let button = button.on_hover_text("As this episode begins");
            answer.on_command(task, &button, Command::Open(Origin::Task { name, seed }));
        }
    });
}

/// Folders and MJCF files that the typed path can go on with.
fn folder(ui: &mut Ui, text: &str, answer: &mut Answer) {
    let (folder, begins) = split(text);
    ui.label(
        RichText::new(folder.display().to_string())
            .small()
            .color(theme::QUIET),
    );
    ScrollArea::vertical()
        .id_salt("folder")
        .auto_shrink(false)
        .show(ui, |ui| {
            if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty())
                && ui.button(RichText::new("⬆ ..").small()).clicked()
            {
                let text = format!("{}/", parent.display());
                answer.commands.push(Command::Path(text));
            }
            for (name, is_folder) in entries(&folder, &begins) {
                let path = folder.join(&name);
                let label = if is_folder { format!("{name}/") } else { name };
                if !ui.button(RichText::new(&label).small()).clicked() {
                    continue;
                }
                answer.commands.push(match is_folder {
                    true => Command::Path(format!("{}/", path.display())),
                    false => Command::Open(Origin::File(path)),
                });
            }
        });
}

/// The folder of a typed path, and what its last part begins with.
fn split(text: &str) -> (PathBuf, String) {
    let here = || std::env::current_dir().unwrap_or_default();
    match text.rsplit_once('/') {
        Some(("", rest)) => (PathBuf::from("/"), rest.to_owned()),
        Some((folder, rest)) => (here().join(folder), rest.to_owned()),
        None => (here(), text.to_owned()),
    }
}

fn entries(folder: &Path, begins: &str) -> Vec<(String, bool)> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<_> = found
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.path().is_dir();
            let fits = is_folder || name.ends_with(".xml") || name.ends_with(".mjcf");
            let shown = fits && name.starts_with(begins) && !name.starts_with('.');
            shown.then_some((name, is_folder))
        })
        .collect();
    entries.sort_by(|a, b| (!a.1, &a.0).cmp(&(!b.1, &b.0)));
    entries.truncate(LISTED);
    entries
}
