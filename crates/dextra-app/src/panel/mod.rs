//! The panels around the scene. Each is a function of the [`View`] that draws itself and adds what was
//! asked for to an [`Answer`].

mod charts;
mod help;
mod left;
mod overlay;
mod status;
mod theme;

use std::collections::BTreeMap;

use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPlugin, EguiPrimaryContextPass, egui};

use crate::{
    action::{Action, Actions},
    camera::View3d,
    view::{Sources, View},
};

/// Which panels are open.
#[derive(Resource, Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Training, sources, episode.
    pub left: bool,
    /// Charts.
    pub right: bool,
    /// The list of keys.
    pub help: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            left: true,
            right: true,
            help: false,
        }
    }
}

/// Where the widgets are, for scripted tests; logical pixels.
#[derive(Resource, Default)]
pub(crate) struct Marks(pub BTreeMap<&'static str, egui::Rect>);

/// What the panels answer.
#[derive(Default)]
struct Answer {
    actions: Vec<Action>,
    marks: BTreeMap<&'static str, egui::Rect>,
    /// Whether a text field has the keyboard.
    typing: bool,
}

impl Answer {
    /// Notes where a widget is, and asks for the action when it was clicked.
    fn on_click(&mut self, name: &'static str, response: &egui::Response, action: Action) {
        self.marks.insert(name, response.rect);
        if response.clicked() {
            self.actions.push(action);
        }
    }
}

pub(crate) struct PanelPlugin;

impl Plugin for PanelPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(EguiPlugin::default())
            .init_resource::<Layout>()
            .init_resource::<Marks>()
            .add_systems(EguiPrimaryContextPass, panels);
    }
}

fn panels(
    mut contexts: EguiContexts,
    sources: Sources,
    layout: Res<Layout>,
    mut actions: ResMut<Actions>,
    mut marks: ResMut<Marks>,
    mut view3d: ResMut<View3d>,
    mut themed: Local<bool>,
) -> Result {
    let ctx = contexts.ctx_mut()?;
    if !*themed {
        theme::apply(ctx);
        *themed = true;
    }
    let (answer, rest) = draw(ctx, &sources.view(), *layout);
    if !answer.typing {
        // Tab is ours: without this it would walk through the buttons, and Space would press them.
        ctx.memory_mut(|memory| {
            if let Some(focused) = memory.focused() {
                memory.surrender_focus(focused);
            }
        });
    }
    actions.0.extend(answer.actions);
    marks.0 = answer.marks;
    view3d.rect = Some(rest);
    Ok(())
}

/// Draws everything; returns what was asked for and the rectangle left for the scene.
fn draw(ctx: &egui::Context, view: &View, layout: Layout) -> (Answer, egui::Rect) {
    let mut answer = Answer::default();
    let mut root = egui::Ui::new(
        ctx.clone(),
        "root".into(),
        egui::UiBuilder::new()
            .layer_id(egui::LayerId::background())
            .max_rect(ctx.viewport_rect()),
    );
    // Not filled: the window is cleared to the panels' colour, and where a processor draws, a fill costs.
    let frame = |x, y| egui::Frame::new().inner_margin(egui::Margin::symmetric(x, y));
    egui::Panel::bottom("status")
        .exact_size(28.0)
        .resizable(false)
        .frame(frame(10, 3))
        .show_inside(&mut root, |ui| status::show(ui, view, &mut answer));
    if layout.left {
        egui::Panel::left("left")
            .exact_size(264.0)
            .resizable(false)
            .frame(frame(12, 8))
            .show_inside(&mut root, |ui| left::show(ui, view, &mut answer));
    }
    if layout.right {
        egui::Panel::right("right")
            .exact_size(284.0)
            .resizable(false)
            .frame(frame(10, 8))
            .show_inside(&mut root, |ui| charts::show(ui, view));
    }
    let rest = root.available_rect_before_wrap();
    overlay::show(&root, rest, view);
    if layout.help {
        help::show(ctx, rest, &mut answer);
    }
    if view.leaving {
        overlay::leaving(ctx);
    }
    answer.marks.insert("view", rest);
    (answer, rest)
}

#[cfg(test)]
mod tests;
