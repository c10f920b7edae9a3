//! The panels around the scene. Each is a function of the [`View`] that draws itself and adds what was
//! asked for to an [`Answer`].

mod analyse;
mod browser;
mod charts;
mod help;
mod learner;
mod left;
mod memory;
mod overlay;
mod palette;
mod policy;
mod record;
mod sandbox;
mod status;
mod theme;
mod tiles;
mod timeline;
mod top;

pub(crate) use policy::value_color;

use std::collections::BTreeMap;

use bevy::{ecs::system::SystemParam, prelude::*};
use bevy_egui::{EguiContexts, EguiPlugin, EguiPrimaryContextPass, egui};

use dextra_train::Edit;

use crate::{
    action::{Action, Actions},
    browser::{Browse, Browses},
    camera::View3d,
    control::Edits,
    dock::{Dock, Docks},
    record::FolderWish,
    sandbox::{Command, Commands},
    view::{Sources, View},
    workspace::{Arrangement, Tab, Workspace},
};

/// Which panels are open.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layout {
    /// Training, sources, episode.
    pub left: bool,
    /// Charts, the learner's numbers, the policy's and the memory.
    pub right: bool,
    /// Which of them was brought to the front last.
    pub tab: Tab,
    /// Whether the policy's is on the screen.
    pub policy: bool,
    /// The timeline.
    pub bottom: bool,
    /// The list of keys.
    pub help: bool,
    /// The command palette.
    pub palette: bool,
    /// What the window is arranged for.
    pub workspace: Workspace,
}

impl Layout {
    /// A workspace as it is arranged.
    pub fn new(workspace: Workspace, arrangement: Arrangement) -> Self {
        let Arrangement {
            left,
            right,
            tab,
            bottom,
        } = arrangement;
        Self {
            left,
            right,
            tab,
            policy: right && tab == Tab::Policy,
            bottom,
            help: false,
            palette: false,
            workspace,
        }
    }

    /// Turns to a workspace.
    pub fn arrange(&mut self, workspace: Workspace, arrangement: Arrangement) {
        *self = Self {
            help: self.help,
            ..Self::new(workspace, arrangement)
        };
    }

    /// What is open.
    pub fn arrangement(&self) -> Arrangement {
        Arrangement {
            left: self.left,
            right: self.right,
            tab: self.tab,
            bottom: self.bottom,
        }
    }

    /// Whether the prior's sampled actions are shown.
    pub fn shows_samples(&self) -> bool {
        self.policy
    }

    /// Whether something shows what the critics say.
    pub fn shows_values(&self) -> bool {
        self.bottom || self.shows_samples()
    }
}

/// Where the widgets are, for scripted tests; logical pixels.
#[derive(Resource, Default)]
pub(crate) struct Marks(pub BTreeMap<&'static str, egui::Rect>);

/// What the panels answer.
#[derive(Default)]
struct Answer {
    actions: Vec<Action>,
    /// Changes of the learner's numbers.
    edits: Vec<Edit>,
    /// What the sandbox's panels ask for.
    commands: Vec<Command>,
    /// What the episode browser's panels ask for.
    browses: Vec<Browse>,
    marks: BTreeMap<&'static str, egui::Rect>,
    /// The folder that was typed for a dataset.
    folder: Option<String>,
    /// Whether a text field has the keyboard.
    typing: bool,
    /// Whether a tile was moved.
    moved: bool,
}

impl Answer {
    /// Notes where a widget is, and asks for the action when it was clicked.
    fn on_click(&mut self, name: &'static str, response: &egui::Response, action: Action) {
        self.marks.insert(name, response.rect);
        if response.clicked() {
            self.actions.push(action);
        }
    }

    /// As [`Answer::on_click`], for what only the sandbox can do.
    fn on_command(&mut self, name: &'static str, response: &egui::Response, command: Command) {
        self.marks.insert(name, response.rect);
        if response.clicked() {
            self.commands.push(command);
        }
    }

    /// As [`Answer::on_click`], for what only the episode browser can do.
    fn on_browse(&mut self, name: &'static str, response: &egui::Response, browse: Browse) {
        self.marks.insert(name, response.rect);
        if response.clicked() {
            self.browses.push(browse);
        }
    }
}

/// Whether a slider over time was moved by the user. What plays moves on by itself, and the pointer that
/// lets go of it stands where it was: that is no wish to go back.
fn scrubbed(slider: &egui::Response) -> bool {
    slider.changed() && !slider.drag_stopped()
}

pub(crate) struct PanelPlugin;

impl Plugin for PanelPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(EguiPlugin::default())
            .init_resource::<Marks>()
            .add_systems(EguiPrimaryContextPass, panels);
    }
}

/// Where the answers go.
#[derive(SystemParam)]
struct Asked<'w> {
    actions: ResMut<'w, Actions>,
    edits: ResMut<'w, Edits>,
    commands: ResMut<'w, Commands>,
    browses: ResMut<'w, Browses>,
    folder: ResMut<'w, FolderWish>,
    docks: ResMut<'w, Docks>,
}

fn panels(
    mut contexts: EguiContexts,
    sources: Sources,
    layout: Res<Layout>,
    mut asked: Asked,
    mut marks: ResMut<Marks>,
    mut view3d: ResMut<View3d>,
    mut themed: Local<bool>,
) -> Result {
    let ctx = contexts.ctx_mut()?;
    if !*themed {
        theme::apply(ctx);
        *themed = true;
    }
    let (mut answer, rest) = match sources.sandbox_view() {
        Some(view) => sandbox::draw(ctx, &view, *layout),
        None => {
            let docks = asked.docks.bypass_change_detection();
            let dock = docks.of(layout.workspace);
            draw(ctx, &sources.view(), *layout, dock)
        }
    };
    if let Some(dialog) = sources.dialog() {
        sandbox::open::show(ctx, &dialog, &mut answer);
    }
    if !answer.typing {
        // Tab is ours: without this it would walk through the buttons, and Space would press them.
        ctx.memory_mut(|memory| {
            if let Some(focused) = memory.focused() {
                memory.surrender_focus(focused);
            }
        });
    }
    asked.actions.0.extend(answer.actions);
    asked.edits.0.extend(answer.edits);
    asked.commands.0.extend(answer.commands);
    asked.browses.0.extend(answer.browses);
    if answer.folder.is_some() {
        asked.folder.0 = answer.folder;
    }
    asked.docks.bypass_change_detection().moved |= answer.moved;
    marks.0 = answer.marks;
    view3d.rect = Some(rest);
    Ok(())
}

/// Draws everything; returns what was asked for and the rectangle left for the scene.
fn draw(ctx: &egui::Context, view: &View, layout: Layout, dock: &mut Dock) -> (Answer, egui::Rect) {
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
    egui::Panel::top("top")
        .exact_size(top::HEIGHT)
        .resizable(false)
        .frame(frame(10, 3))
        .show_inside(&mut root, |ui| top::show(ui, view, &layout, &mut answer));
    // What is browsed stands where training and timeline do, also where those are hidden.
    let browses = view.browser.is_some();
    let tiled = Layout {
        left: layout.left || browses,
        bottom: layout.bottom || browses,
        ..layout
    };
    let scene = tiles::show(&mut root, view, &tiled, dock, &mut answer);
    // Behind another tab it rests in a corner.
    let corner = |rect: egui::Rect| egui::Rect::from_min_size(rect.max, egui::Vec2::splat(1.0));
    let mut rest = scene.unwrap_or_else(|| corner(ctx.viewport_rect()));
    if layout.workspace == Workspace::Analyse {
        overlay::notices(&root, rest, view);
        rest = corner(rest);
    } else if let Some(browser) = &view.browser {
        browser::over_the_scene(&root, rest, view, browser);
    } else if view.record.open {
        record::over_the_scene(&root, rest, view);
    } else {
        overlay::show(&root, rest, view);
    }
    let window = ctx.viewport_rect();
    if layout.help {
        let driven = layout.workspace == Workspace::Record || view.held.is_some();
        help::show(ctx, window, driven, &mut answer);
    }
    if layout.palette {
        palette::show(ctx, window, view, &mut answer);
    }
    if view.leaving {
        overlay::leaving(ctx);
    }
    answer.marks.insert("view", rest);
    (answer, rest)
}

#[cfg(test)]
mod tests;
