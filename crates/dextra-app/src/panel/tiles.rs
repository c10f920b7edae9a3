//! The panels as tiles: each draws itself where its tile stands.

use bevy_egui::egui::{
    Color32, CursorIcon, Frame, Margin, Rect, Response, Sense, Stroke, Style, Ui, Visuals,
    WidgetText, vec2,
};
use egui_tiles::{Behavior, EditAction, ResizeState, TabState, TileId, Tiles, UiResponse};

use super::{
    Answer, Layout, analyse, browser, charts, learner, left, memory, policy, record, theme,
    timeline,
};
use crate::{
    action::Action,
    dock::{Dock, GAP, LEAST, Panel, TAB_BAR},
    view::View,
    workspace::{Tab, Workspace},
};

/// Height of the handle on top of a panel without a tab.
const HANDLE: f32 = 8.0;
/// Lines between tiles.
const LINE: Color32 = Color32::from_rgb(44, 49, 57);

/// Draws the tiles into what is left of `ui`; returns where the scene is, if it is in front.
pub(super) fn show(
    ui: &mut Ui,
    view: &View,
    layout: &Layout,
    dock: &mut Dock,
    answer: &mut Answer,
) -> Option<Rect> {
    dock.arrange(layout, ui.available_rect_before_wrap());
    let mut shown = Shown {
        view,
        workspace: layout.workspace,
        handles: dock.without_tabs(),
        answer,
        scene: None,
    };
    dock.tree.ui(&mut shown, ui);
    shown.scene
}

struct Shown<'a, 'v> {
    view: &'a View<'v>,
    workspace: Workspace,
    /// The tiles that are dragged by a handle.
    handles: Vec<TileId>,
    answer: &'a mut Answer,
    scene: Option<Rect>,
}

impl Shown<'_, '_> {
    fn draw(&mut self, ui: &mut Ui, panel: Panel) {
        let (view, answer) = (self.view, &mut *self.answer);
        match (panel, &view.browser) {
            (Panel::Side, Some(browser)) => return browser::list(ui, browser, answer),
            (Panel::Timeline, Some(browser)) => return browser::steps(ui, browser, answer),
            _ => {}
        }
        match panel {
            Panel::Scene if self.workspace == Workspace::Analyse => {
                analyse::show(ui, view, answer);
            }
            Panel::Scene => {}
            Panel::Side => match self.workspace {
                Workspace::Analyse => analyse::runs(ui, view, answer),
                Workspace::Record => record::show(ui, view, answer),
                Workspace::Watch | Workspace::Train => left::show(ui, view, answer),
            },
            Panel::Timeline => timeline::show(ui, view, answer),
            Panel::Charts => charts::show(ui, view),
            Panel::Learner => learner::show(ui, view, answer),
            Panel::Policy => policy::show(ui, view),
            Panel::Memory => memory::show(ui, view, answer),
        }
    }
}

impl Behavior<Panel> for Shown<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, id: TileId, panel: &mut Panel) -> UiResponse {
        let rect = ui.max_rect();
        let margin = match panel {
            Panel::Scene if self.workspace == Workspace::Analyse => Margin::symmetric(12, 8),
            Panel::Scene => Margin::ZERO,
            Panel::Side => Margin::symmetric(12, 8),
            Panel::Timeline => Margin::symmetric(10, 7),
            _ => Margin::symmetric(10, 8),
        };
        // Not filled: the window is cleared to the panels' colour, and where a processor draws, a fill costs.
        Frame::new()
            .inner_margin(margin)
            .show(ui, |ui| self.draw(ui, *panel));
        match panel {
            Panel::Scene => {
                self.scene = Some(rect);
                UiResponse::None
            }
            _ if self.handles.contains(&id) && handle(ui, rect).drag_started() => {
                UiResponse::DragStarted
            }
            _ => UiResponse::None,
        }
    }

    fn tab_title_for_pane(&mut self, panel: &Panel) -> WidgetText {
        let name = match (panel, self.workspace) {
            (Panel::Scene, Workspace::Analyse) => "Comparison",
            (Panel::Scene, _) => "Scene",
            (Panel::Side, Workspace::Analyse) => "Runs",
            (Panel::Side, Workspace::Record) => "Take",
            (Panel::Side, _) => "Training",
            (Panel::Timeline, _) => "Timeline",
            (Panel::Charts, _) => Tab::Charts.name(),
            (Panel::Learner, _) => Tab::Learner.name(),
            (Panel::Policy, _) => Tab::Policy.name(),
            (Panel::Memory, _) => Tab::Memory.name(),
        };
        name.into()
    }

    fn on_tab_button(
        &mut self,
        tiles: &mut Tiles<Panel>,
        id: TileId,
        response: Response,
    ) -> Response {
        let Some(tab) = tiles.get_pane(&id).and_then(|panel| panel.tab()) else {
            return response;
        };
        let mark = match tab {
            Tab::Charts => "tab_charts",
            Tab::Learner => "tab_learner",
            Tab::Policy => "tab_policy",
            Tab::Memory => "tab_memory",
        };
        self.answer.on_click(mark, &response, Action::Show(tab));
        response.on_hover_text("Drag it to put it elsewhere")
    }

    fn is_tile_draggable(&self, tiles: &Tiles<Panel>, id: TileId) -> bool {
        tiles.get_pane(&id) != Some(&Panel::Scene)
    }

    fn on_edit(&mut self, _: EditAction) {
        self.answer.moved = true;
    }

    fn min_size(&self) -> f32 {
        LEAST
    }

    fn gap_width(&self, _: &Style) -> f32 {
        GAP
    }

    fn tab_bar_height(&self, _: &Style) -> f32 {
        TAB_BAR
    }

    fn resize_stroke(&self, style: &Style, state: ResizeState) -> Stroke {
        match state {
            ResizeState::Idle => Stroke::new(GAP, LINE),
            ResizeState::Hovering => style.visuals.widgets.hovered.fg_stroke,
            ResizeState::Dragging => style.visuals.widgets.active.fg_stroke,
        }
    }

    fn tab_bar_color(&self, _: &Visuals) -> Color32 {
        theme::PANEL
    }

    fn tab_bg_color(&self, _: &Visuals, _: &Tiles<Panel>, _: TileId, state: &TabState) -> Color32 {
        if state.active {
            theme::ACCENT
        } else {
            Color32::TRANSPARENT
        }
    }

    fn tab_outline_stroke(&self, _: &Visuals, _: &Tiles<Panel>, _: TileId, _: &TabState) -> Stroke {
        Stroke::NONE
    }

    fn tab_text_color(
        &self,
        _: &Visuals,
        _: &Tiles<Panel>,
        _: TileId,
        state: &TabState,
    ) -> Color32 {
        if state.active {
            Color32::WHITE
        } else {
            theme::TEXT
        }
    }
}

/// What a panel is dragged by: its upper edge, which shows itself under the pointer.
fn handle(ui: &Ui, rect: Rect) -> Response {
    let edge = Rect::from_min_size(rect.min, vec2(rect.width(), HANDLE));
    let response = ui
        .interact(edge, ui.id().with("handle"), Sense::drag())
        .on_hover_cursor(CursorIcon::Grab)
        .on_hover_text("Drag it to put this panel elsewhere");
    if response.hovered() || response.dragged() {
        for dot in -2..=2 {
            let at = edge.center() + vec2(7.0 * dot as f32, 0.0);
            ui.painter().circle_filled(at, 1.5, theme::QUIET);
        }
    }
    response
}
