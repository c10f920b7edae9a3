//! The bodies as they hang on each other, with their joints and geoms; the actuators.

use bevy_egui::egui::{Align, CollapsingHeader, Id, RichText, Ui};
use dextra_sim::{Model, WORLD};

use super::{Answer, theme};
use crate::sandbox::{Command, Selection, view::SandboxView};

pub(super) fn show(ui: &mut Ui, view: &SandboxView, model: &Model, answer: &mut Answer) {
    ui.spacing_mut().item_spacing.y = 1.0;
    ui.spacing_mut().interact_size.y = 17.0;
    let mut children = vec![Vec::new(); model.bodies.len()];
    for (index, body) in model.bodies.iter().enumerate() {
        if let Some(parent) = body.parent {
            children[parent].push(index);
        }
    }
    // What has just been selected is shown; what was then folded away stays so.
    let id = Id::new("shown in the tree");
    let before = ui.data(|data| data.get_temp::<Option<Selection>>(id));
    ui.data_mut(|data| data.insert_temp(id, view.selected));
    let tree = Tree {
        model,
        children,
        selected: view.selected,
        reveal: before.unwrap_or_default() != view.selected,
    };
    tree.body(ui, WORLD, answer);
    if !model.actuators.is_empty() {
        CollapsingHeader::new(RichText::new("actuators").color(theme::QUIET))
            .id_salt("actuators")
            .show(ui, |ui| {
                for (index, actuator) in model.actuators.iter().enumerate() {
                    tree.line(ui, "▷", &actuator.name, Selection::Actuator(index), answer);
                }
            });
    }
}

struct Tree<'a> {
    model: &'a Model,
    children: Vec<Vec<usize>>,
    selected: Option<Selection>,
    /// Whether it was selected since the last frame.
    reveal: bool,
}

impl Tree<'_> {
    fn body(&self, ui: &mut Ui, index: usize, answer: &mut Answer) {
        let body = &self.model.bodies[index];
        let chosen = self.selected == Some(Selection::Body(index));
        let color = if chosen {
            theme::CURVES[0]
        } else {
            theme::TEXT
        };
        let reveal = self.reveal && !chosen && self.holds_selected(index);
        let header = CollapsingHeader::new(RichText::new(&body.name).color(color))
            .id_salt(("body", index))
            .default_open(index == WORLD || self.model.bodies.len() < 12);
        let header = header.open(reveal.then_some(true));
        let shown = header.show(ui, |ui| {
            for &joint in &body.joints {
                let name = &self.model.joints[joint].name;
                self.line(ui, "⟲", name, Selection::Joint(joint), answer);
            }
            for (geom, found) in self.model.geoms.iter().enumerate() {
                let collides = found.contype != 0 || found.conaffinity != 0;
                // What is only drawn is of interest when someone gave it a name.
                if found.body == index && (collides || found.name.is_some()) {
                    let unnamed = format!("geom{geom}");
                    let name = found.name.as_deref().unwrap_or(&unnamed);
                    self.line(ui, "◻", name, Selection::Geom(geom), answer);
                }
            }
            for &child in &self.children[index] {
                self.body(ui, child, answer);
            }
        });
        if index == self.model.bodies.len() - 1 {
            answer.marks.insert("last_body", shown.header_response.rect);
        }
        if self.reveal && chosen {
            shown.header_response.scroll_to_me(Some(Align::Center));
        }
        if shown.header_response.clicked() {
            let selection = Some(Selection::Body(index));
            answer.commands.push(Command::Select(selection));
        }
    }

    /// Whether what is selected hangs on this body.
    fn holds_selected(&self, index: usize) -> bool {
        let mut body = match self.selected {
            Some(Selection::Body(body)) => Some(body),
            Some(Selection::Joint(joint)) => self.model.joints.get(joint).map(|j| j.body),
            Some(Selection::Geom(geom)) => self.model.geoms.get(geom).map(|g| g.body),
            _ => None,
        };
        while let Some(found) = body {
            if found == index {
                return true;
            }
            body = self.model.bodies.get(found).and_then(|b| b.parent);
        }
        false
    }

    fn line(&self, ui: &mut Ui, icon: &str, name: &str, selection: Selection, answer: &mut Answer) {
        let text = RichText::new(format!("{icon} {name}")).small();
        let chosen = self.selected == Some(selection);
        if ui.selectable_label(chosen, text).clicked() {
            answer.commands.push(Command::Select(Some(selection)));
        }
    }
}
