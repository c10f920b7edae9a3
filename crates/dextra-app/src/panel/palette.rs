//! The command palette: everything that can be asked for, found by name.

use bevy_egui::egui::{self, Align2, Button, Id, Key, Rect, RichText, TextEdit, Ui, vec2};

use super::{Answer, theme};
use crate::{
    action::{Action, Against},
    bindings,
    source::Source,
    view::View,
    workspace::{Tab, Workspace},
};

/// Lines shown at most.
const SHOWN: usize = 14;

/// One thing that can be asked for.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    text: String,
    key: Option<&'static str>,
    action: Action,
}

pub(super) fn show(ctx: &egui::Context, rect: Rect, view: &View, answer: &mut Answer) {
    let id = Id::new("palette");
    let before = ctx.data(|data| data.get_temp::<(String, usize)>(id));
    // The keys that opened it are still there in its first frame.
    let fresh = before.is_none();
    let (mut query, mut chosen) = before.unwrap_or_default();
    let (down, up, enter, leave) = ctx.input_mut(|input| {
        let mut pressed = |key| input.consume_key(egui::Modifiers::NONE, key);
        let keys = (
            pressed(Key::ArrowDown),
            pressed(Key::ArrowUp),
            pressed(Key::Enter),
            pressed(Key::Escape),
        );
        let again = input.consume_key(egui::Modifiers::CTRL, Key::K);
        (keys.0, keys.1, keys.2, keys.3 || (again && !fresh))
    });
    let mut asked = None;
    egui::Window::new("Everything")
        .id(id)
        .title_bar(false)
        .collapsible(false)
        .resizable(false)
        .fixed_size(vec2(460.0, 0.0))
        .pivot(Align2::CENTER_TOP)
        .current_pos(rect.center_top() + vec2(0.0, 28.0))
        .show(ctx, |ui| {
            let edit = TextEdit::singleline(&mut query)
                .hint_text("Find a command, a task, a run")
                .desired_width(f32::INFINITY);
            let edit = ui.add(edit);
            edit.request_focus();
            answer.marks.insert("palette", edit.rect);
            if edit.changed() {
                chosen = 0;
            }
            let found = find(&query, entries(view));
            let last = found.len().saturating_sub(1).min(SHOWN - 1);
            chosen = match (down, up) {
                (true, _) => (chosen + 1).min(last),
                (_, true) => chosen.saturating_sub(1),
                _ => chosen.min(last),
            };
            // Not in a scroll area: a window of no fixed height would give it none.
            let lines = ui.vertical(|ui| {
                for (index, entry) in found.iter().take(SHOWN).enumerate() {
                    if line(ui, entry, index == chosen) || (enter && index == chosen) {
                        asked = Some(entry.action);
                    }
                }
            });
            let seen = lines.response.rect.intersect(ui.clip_rect());
            answer.marks.insert("palette_lines", seen);
            if found.is_empty() {
                ui.label(RichText::new("Nothing is called that").color(theme::QUIET));
            }
        });
    answer.typing = true;
    if leave || asked.is_some() {
        answer.actions.push(Action::TogglePalette);
        answer.actions.extend(asked);
        ctx.data_mut(|data| data.remove::<(String, usize)>(id));
    } else {
        ctx.data_mut(|data| data.insert_temp(id, (query, chosen)));
    }
}

fn line(ui: &mut Ui, entry: &Entry, chosen: bool) -> bool {
    let mut button = Button::selectable(chosen, &entry.text).min_size(vec2(444.0, 20.0));
    if let Some(key) = entry.key {
        // The other font has no arrows.
        button = button.shortcut_text(RichText::new(key).monospace());
    }
    ui.add(button).clicked()
}

/// Everything that can be asked for now.
fn entries(view: &View) -> Vec<Entry> {
    let entry = |text: String, action| Entry {
        key: bindings::key_of(action),
        text,
        action,
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (action, help) in bindings::commands() {
        if action != Action::TogglePalette {
            entries.push(entry(help.to_owned(), action));
        }
    }
    entries.push(entry("Stop the training".into(), Action::StopTraining));
    entries.push(entry("Reset the layout".into(), Action::ResetLayout));
    for workspace in Workspace::ALL {
        let text = format!("Workspace {}", workspace.name());
        entries.push(entry(text, Action::Arrange(workspace)));
    }
    for tab in Tab::ALL {
        entries.push(entry(format!("Show {}", tab.name()), Action::Show(tab)));
    }
    for row in view.sources.iter().filter(|row| row.available) {
        let text = match row.source {
            Source::Actor(_) => format!("Watch training environment {}", row.name),
            _ => format!("Watch {}", row.name.to_lowercase()),
        };
        entries.push(entry(text, Action::Watch(row.source)));
    }
    entries.push(entry(
        "Watch the policy that comes with Dextra".into(),
        Action::WatchShipped,
    ));
    for (text, against) in [
        ("Compare with nobody", Against::Nobody),
        ("Compare with the expert", Against::Expert),
        ("Compare with the newest policy", Against::Newest),
        (
            "Compare with the policy that comes with Dextra",
            Against::Shipped,
        ),
    ] {
        entries.push(entry(text.into(), Action::Compare(against)));
    }
    for (index, task) in view.tasks.iter().enumerate() {
        entries.push(entry(format!("Task {task}"), Action::OpenTask(index)));
    }
    for (index, run) in view.runs.iter().enumerate() {
        if run.has_checkpoint {
            let name = format!("{} ({})", run.name, run.task);
            entries.push(entry(
                format!("Watch the policy of {name}"),
                Action::WatchRun(index),
            ));
            entries.push(entry(
                format!("Continue the run {name}"),
                Action::ContinueRun(index),
            ));
        }
    }
    let mut seen: Vec<Action> = Vec::new();
    entries.retain(|entry| {
        let new = !seen.contains(&entry.action);
        seen.push(entry.action);
        new
    });
    entries
}

/// The entries that have the letters of the query in order, the best first.
fn find(query: &str, entries: Vec<Entry>) -> Vec<Entry> {
    let mut scored: Vec<(i32, Entry)> = entries
        .into_iter()
        .filter_map(|entry| Some((score(query, &entry.text)?, entry)))
        .collect();
    scored.sort_by_key(|(score, _)| -score);
    scored.into_iter().map(|(_, entry)| entry).collect()
}

/// How well a text answers a query: letters in order, better in a row and at the beginnings of words;
/// `None` where a letter is missing.
fn score(query: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut score) = (0, 0);
    for letter in query.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let starts = |i: usize| i == 0 || !text[i - 1].is_alphanumeric();
        let rest = |i: &usize| text[*i] == letter;
        let next = (at..text.len()).find(rest)?;
        // A later beginning of a word is worth a jump, one further on in a row is not left for it.
        let word = (next..text.len()).filter(rest).find(|&i| starts(i));
        let place = match word {
            Some(word) if next != at || at == 0 => word,
            _ => next,
        };
        score += match place {
            place if starts(place) => 4,
            place if place == at => 3,
            _ => 0,
        };
        score -= (place - at).min(3) as i32;
        at = place + 1;
    }
    Some(score)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn best(query: &str, texts: &[&str]) -> Vec<String> {
        let entries = texts.iter().map(|text| Entry {
            text: (*text).into(),
            key: None,
            action: Action::Live,
        });
        let found = find(query, entries.collect());
        found.into_iter().map(|entry| entry.text).collect()
    }

    #[test]
    fn letters_in_order_find_and_beginnings_of_words_come_first() {
        let texts = [
            "Checkpoint now",
            "Workspace Train",
            "Train, pause, continue",
        ];
        assert_eq!(best("train", &texts)[0], "Train, pause, continue");
        assert_eq!(best("wt", &texts), ["Workspace Train"]);
        assert_eq!(best("chk", &texts), ["Checkpoint now"]);
        assert_eq!(best("ckpt", &texts), ["Checkpoint now"]);
        assert!(best("xyz", &texts).is_empty());
        assert_eq!(best("", &texts).len(), 3);
    }
}
