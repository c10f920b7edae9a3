//! Where the panels stand: for each workspace a tree of tiles that a person drags, splits and resizes, kept
//! on disk.
//!
//! Sizes are logical pixels. Whatever changes the window's size is taken from the scene, or given to it, so
//! that panels stay as wide as they were made.

use std::path::PathBuf;

use bevy::prelude::*;
use bevy_egui::egui::{self, Rect, Vec2};
use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

use crate::{
    panel::Layout,
    workspace::{Tab, Workspace, read, settings_file, write},
};

/// Width of the line between two tiles.
pub(crate) const GAP: f32 = 1.0;
/// Height of a bar of tabs.
pub(crate) const TAB_BAR: f32 = 28.0;
/// No tile is made smaller than this.
pub(crate) const LEAST: f32 = 96.0;
/// What the scene keeps of a window that becomes small.
const LEAST_SCENE: f32 = 200.0;
const SIDE_WIDTH: f32 = 264.0;
const TOOLS_WIDTH: f32 = 284.0;
const TIMELINE_HEIGHT: f32 = 190.0;

/// What a tile shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Panel {
    /// The scene, or what is analysed.
    Scene,
    /// The training and the episode; the runs; the take.
    Side,
    Timeline,
    Charts,
    Learner,
    Policy,
    Memory,
}

impl Panel {
    const ALL: [Self; 7] = [
        Self::Scene,
        Self::Side,
        Self::Timeline,
        Self::Charts,
        Self::Learner,
        Self::Policy,
        Self::Memory,
    ];

    /// The tab that it is, of those that the right panel has at first.
    pub fn tab(self) -> Option<Tab> {
        match self {
            Self::Scene | Self::Side | Self::Timeline => None,
            Self::Charts => Some(Tab::Charts),
            Self::Learner => Some(Tab::Learner),
            Self::Policy => Some(Tab::Policy),
            Self::Memory => Some(Tab::Memory),
        }
    }

    /// Whether a layout has it open.
    fn is_open(self, layout: &Layout) -> bool {
        match self {
            Self::Scene => true,
            Self::Side => layout.left,
            Self::Timeline => layout.bottom,
            Self::Charts | Self::Learner | Self::Policy | Self::Memory => layout.right,
        }
    }
}

/// A tree of tiles as it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Node {
    Panel(Panel),
    Tabs { shown: usize, of: Vec<Node> },
    Row { sizes: Vec<f32>, of: Vec<Node> },
    Column { sizes: Vec<f32>, of: Vec<Node> },
}

impl Node {
    /// As it is until someone changes it.
    fn first() -> Self {
        let tools = [Panel::Charts, Panel::Learner, Panel::Policy, Panel::Memory];
        let middle = Self::Column {
            sizes: vec![LEAST_SCENE, TIMELINE_HEIGHT],
            of: vec![Self::Panel(Panel::Scene), Self::Panel(Panel::Timeline)],
        };
        let tools = Self::Tabs {
            shown: 0,
            of: tools.map(Self::Panel).to_vec(),
        };
        Self::Row {
            sizes: vec![SIDE_WIDTH, LEAST_SCENE, TOOLS_WIDTH],
            of: vec![Self::Panel(Panel::Side), middle, tools],
        }
    }

    fn panels(&self, found: &mut Vec<Panel>) {
        match self {
            Self::Panel(panel) => found.push(*panel),
            Self::Tabs { of, .. } | Self::Row { of, .. } | Self::Column { of, .. } => {
                of.iter().for_each(|node| node.panels(found));
            }
        }
    }

    /// Whether every panel is in it, once, and every size is a size.
    fn is_whole(&self) -> bool {
        let mut found = Vec::new();
        self.panels(&mut found);
        found.len() == Panel::ALL.len()
            && Panel::ALL.iter().all(|p| found.contains(p))
            && self.fits()
    }

    fn fits(&self) -> bool {
        match self {
            Self::Panel(_) => true,
            Self::Tabs { of, .. } => of.iter().all(Self::fits),
            Self::Row { sizes, of } | Self::Column { sizes, of } => {
                let sane = |size: &f32| (0.0..1e5).contains(size);
                sizes.len() == of.len() && sizes.iter().all(sane) && of.iter().all(Self::fits)
            }
        }
    }

    fn insert(&self, tiles: &mut Tiles<Panel>) -> TileId {
        let mut children =
            |of: &[Self]| -> Vec<TileId> { of.iter().map(|node| node.insert(tiles)).collect() };
        let container: Container = match self {
            Self::Panel(panel) => return tiles.insert_pane(*panel),
            Self::Tabs { shown, of } => {
                let mut tabs = Tabs::new(children(of));
                tabs.active = tabs.children.get(*shown).copied();
                tabs.into()
            }
            Self::Row { sizes, of } | Self::Column { sizes, of } => {
                let dir = match self {
                    Self::Row { .. } => LinearDir::Horizontal,
                    _ => LinearDir::Vertical,
                };
                let mut linear = Linear::new(dir, children(of));
                for (child, size) in linear.children.iter().zip(sizes) {
                    linear.shares.set_share(*child, *size);
                }
                linear.into()
            }
        };
        tiles.insert_container(container)
    }

    fn of(tiles: &Tiles<Panel>, id: TileId) -> Option<Self> {
        let children = |of: &[TileId]| -> Option<Vec<Self>> {
            of.iter().map(|&id| Self::of(tiles, id)).collect()
        };
        Some(match tiles.get(id)? {
            Tile::Pane(panel) => Self::Panel(*panel),
            Tile::Container(Container::Tabs(tabs)) => {
                let shown = tabs.children.iter().position(|&id| Some(id) == tabs.active);
                Self::Tabs {
                    shown: shown.unwrap_or(0),
                    of: children(&tabs.children)?,
                }
            }
            Tile::Container(Container::Linear(linear)) => {
                let sizes = linear.children.iter().map(|&id| linear.shares[id]);
                let (sizes, of) = (sizes.collect(), children(&linear.children)?);
                match linear.dir {
                    LinearDir::Horizontal => Self::Row { sizes, of },
                    LinearDir::Vertical => Self::Column { sizes, of },
                }
            }
            // Never made here; what is in one stands side by side.
            Tile::Container(Container::Grid(grid)) => {
                let of: Vec<TileId> = grid.children().copied().collect();
                Self::Row {
                    sizes: vec![1.0; of.len()],
                    of: children(&of)?,
                }
            }
        })
    }
}

/// The tiles of one workspace.
pub(crate) struct Dock {
    pub tree: Tree<Panel>,
    /// The tab that was brought to the front last.
    front: Option<Tab>,
}

impl Dock {
    /// The tiles as they are until someone moves them.
    pub fn first(workspace: Workspace) -> Self {
        Self::new(workspace, &Node::first())
    }

    fn new(workspace: Workspace, node: &Node) -> Self {
        let mut tiles = Tiles::default();
        let root = node.insert(&mut tiles);
        Self {
            tree: Tree::new(egui::Id::new(("dock", workspace.name())), root, tiles),
            front: None,
        }
    }

    /// Shows what the layout has open and fits the tiles into so much room.
    pub fn arrange(&mut self, layout: &Layout, room: Rect) {
        if self.front != Some(layout.tab) {
            let wanted =
                |tile: &Tile<Panel>| matches!(tile, Tile::Pane(p) if p.tab() == Some(layout.tab));
            self.tree.make_active(|_, tile| wanted(tile));
            self.front = Some(layout.tab);
        }
        let Some(root) = self.tree.root else { return };
        open(&mut self.tree.tiles, root, layout);
        fit(&mut self.tree.tiles, root, room.size());
    }

    /// Whether a panel is on the screen.
    pub fn shows(&self, panel: Panel) -> bool {
        let active = self.tree.active_tiles();
        active
            .iter()
            .any(|id| self.tree.tiles.get_pane(id) == Some(&panel))
    }

    /// The panels that no bar of tabs has, and so need a handle of their own.
    pub fn without_tabs(&self) -> Vec<TileId> {
        let tiles = &self.tree.tiles;
        let in_tabs = |id: TileId| {
            let parent = tiles.parent_of(id).and_then(|parent| tiles.get(parent));
            matches!(parent, Some(Tile::Container(Container::Tabs(_))))
        };
        let panes = tiles.iter().filter(|(_, tile)| tile.is_pane());
        panes
            .map(|(id, _)| *id)
            .filter(|id| !in_tabs(*id))
            .collect()
    }
}

/// Hides what is not open, and what has nothing open in it; whether there is something.
fn open(tiles: &mut Tiles<Panel>, id: TileId, layout: &Layout) -> bool {
    let visible = match tiles.get(id) {
        Some(Tile::Pane(panel)) => panel.is_open(layout),
        Some(Tile::Container(container)) => {
            let children: Vec<TileId> = container.children().copied().collect();
            // Each is set, whatever those before it are.
            let open = children
                .into_iter()
                .filter(|&child| open(tiles, child, layout));
            open.count() > 0
        }
        None => false,
    };
    tiles.set_visible(id, visible);
    visible
}

/// Gives the branch with the scene what the others leave.
fn fit(tiles: &mut Tiles<Panel>, id: TileId, room: Vec2) {
    let (children, dir) = match tiles.get(id) {
        Some(Tile::Container(Container::Linear(linear))) => (linear.children.clone(), linear.dir),
        Some(Tile::Container(Container::Tabs(tabs))) => {
            let children = tabs.children.clone();
            if let Some(child) = children.into_iter().find(|&c| has_scene(tiles, c)) {
                fit(tiles, child, room - Vec2::new(0.0, TAB_BAR));
            }
            return;
        }
        _ => return,
    };
    let seen: Vec<TileId> = children
        .into_iter()
        .filter(|&child| tiles.is_visible(child))
        .collect();
    let Some(scene) = seen.iter().copied().find(|&child| has_scene(tiles, child)) else {
        return;
    };
    let axis = usize::from(dir == LinearDir::Vertical);
    let all = room[axis] - GAP * (seen.len() - 1) as f32;
    let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(id) else {
        return;
    };
    let others = || seen.iter().copied().filter(|&child| child != scene);
    for child in others() {
        // One that was dropped here just now has a share, not a size.
        if linear.shares[child] < LEAST {
            linear.shares.set_share(child, (all / 3.0).max(LEAST));
        }
    }
    let taken: f32 = others().map(|child| linear.shares[child]).sum();
    let most = (all - LEAST_SCENE).max(0.0);
    if taken > most {
        for child in others() {
            let size = linear.shares[child] * most / taken;
            linear.shares.set_share(child, size);
        }
    }
    let left = all - taken.min(most);
    linear.shares.set_share(scene, left);
    let mut room = room;
    room[axis] = left;
    fit(tiles, scene, room);
}

fn has_scene(tiles: &Tiles<Panel>, id: TileId) -> bool {
    match tiles.get(id) {
        Some(Tile::Pane(panel)) => *panel == Panel::Scene,
        Some(Tile::Container(container)) => {
            container.children().any(|&child| has_scene(tiles, child))
        }
        None => false,
    }
}

/// The trees of all workspaces, as they are saved.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    watch: Node,
    train: Node,
    analyse: Node,
    record: Node,
}

/// The tiles of all workspaces.
#[derive(Resource)]
pub(crate) struct Docks {
    docks: [Dock; 4],
    /// Whether something was moved that is not on disk.
    pub moved: bool,
}

impl Docks {
    /// The tiles of a workspace.
    pub fn of(&mut self, workspace: Workspace) -> &mut Dock {
        &mut self.docks[workspace as usize]
    }

    /// Puts the tiles of a workspace back where they were at first.
    pub fn reset(&mut self, workspace: Workspace) {
        *self.of(workspace) = Dock::first(workspace);
        self.moved = true;
    }

    fn read(saved: Option<Saved>) -> Self {
        let first = Node::first;
        let nodes = match saved {
            Some(saved) => [saved.watch, saved.train, saved.analyse, saved.record],
            None => [first(), first(), first(), first()],
        };
        let mut nodes = nodes.into_iter();
        let docks = Workspace::ALL.map(|workspace| {
            let node = nodes.next().filter(Node::is_whole);
            Dock::new(workspace, &node.unwrap_or_else(first))
        });
        Self {
            docks,
            moved: false,
        }
    }

    fn saved(&self) -> Saved {
        let [watch, train, analyse, record] = Workspace::ALL.map(|workspace| {
            let tree = &self.docks[workspace as usize].tree;
            let node = tree.root.and_then(|root| Node::of(&tree.tiles, root));
            node.filter(Node::is_whole).unwrap_or_else(Node::first)
        });
        Saved {
            watch,
            train,
            analyse,
            record,
        }
    }
}

pub(crate) struct DockPlugin;

impl Plugin for DockPlugin {
    fn build(&self, app: &mut App) {
        let saved = file().and_then(|path| read(&path));
        app.insert_resource(Docks::read(saved))
            .add_systems(Last, (note, keep));
    }
}

fn file() -> Option<PathBuf> {
    settings_file("tiles.toml")
}

/// Tells the layout what is on the screen.
fn note(mut layout: ResMut<Layout>, mut docks: ResMut<Docks>) {
    let policy = docks
        .bypass_change_detection()
        .of(layout.workspace)
        .shows(Panel::Policy);
    if layout.policy != policy {
        layout.policy = policy;
    }
}

/// Saves what was moved once the mouse lets go of it. What cannot be saved is only lost at the next start, so
/// nobody is told.
fn keep(mut docks: ResMut<Docks>, buttons: Res<ButtonInput<MouseButton>>) {
    if docks.moved && buttons.get_pressed().next().is_none() {
        docks.moved = false;
        if let Some(path) = file() {
            let _ = write(&docks.saved(), &path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bevy_egui::egui::pos2;

    use super::*;
    use crate::workspace::Arrangement;

    fn layout() -> Layout {
        Layout::new(Workspace::Watch, Arrangement::of(Workspace::Watch))
    }

    fn sizes(dock: &Dock) -> Vec<f32> {
        let root = dock.tree.root.unwrap();
        match Node::of(&dock.tree.tiles, root).unwrap() {
            Node::Row { sizes, .. } => sizes,
            other => panic!("{other:?}"),
        }
    }

    fn room(width: f32) -> Rect {
        Rect::from_min_max(pos2(0.0, 0.0), pos2(width, 600.0))
    }

    #[test]
    fn a_wider_window_gives_to_the_scene_and_a_narrow_one_leaves_it_some() {
        let mut dock = Dock::first(Workspace::Watch);
        dock.arrange(&layout(), room(1280.0));
        assert_eq!(sizes(&dock), [264.0, 730.0, 284.0]);
        dock.arrange(&layout(), room(1920.0));
        assert_eq!(sizes(&dock), [264.0, 1370.0, 284.0]);
        let mut closed = layout();
        closed.left = false;
        dock.arrange(&closed, room(1920.0));
        assert_eq!(sizes(&dock)[1..], [1635.0, 284.0]);
        dock.arrange(&layout(), room(500.0));
        assert!((sizes(&dock)[1] - 200.0).abs() < 1e-3, "{:?}", sizes(&dock));
    }

    #[test]
    fn what_is_moved_is_read_again_and_a_damaged_file_is_no_trouble() {
        let mut docks = Docks::read(None);
        // The timeline goes below the left panel.
        let moved = Node::Row {
            sizes: vec![300.0, 700.0, 284.0],
            of: vec![
                Node::Column {
                    sizes: vec![1.0, 1.0],
                    of: vec![Node::Panel(Panel::Side), Node::Panel(Panel::Timeline)],
                },
                Node::Panel(Panel::Scene),
                Node::Tabs {
                    shown: 2,
                    of: [Panel::Charts, Panel::Learner, Panel::Policy, Panel::Memory]
                        .map(Node::Panel)
                        .to_vec(),
                },
            ],
        };
        *docks.of(Workspace::Train) = Dock::new(Workspace::Train, &moved);
        let text = toml::to_string(&docks.saved()).unwrap();
        let mut again = Docks::read(toml::from_str(&text).ok());
        assert_eq!(again.saved().train, moved);
        assert_eq!(again.saved().watch, Node::first());
        again.reset(Workspace::Train);
        assert_eq!(again.saved().train, Node::first());
        // One without a scene, and one with two, are not taken.
        let lost = text.replacen("scene", "policy", 1);
        let again = Docks::read(toml::from_str(&lost).ok());
        assert_eq!(again.saved().watch, Node::first());
        assert_eq!(
            Docks::read(toml::from_str("watch = 3").ok()).saved().train,
            Node::first()
        );
    }

    #[test]
    fn a_tab_that_is_asked_for_comes_to_the_front() {
        let mut dock = Dock::first(Workspace::Watch);
        let mut layout = layout();
        layout.tab = Tab::Policy;
        dock.arrange(&layout, room(1280.0));
        assert!(dock.shows(Panel::Policy) && !dock.shows(Panel::Charts));
        layout.right = false;
        dock.arrange(&layout, room(1280.0));
        assert!(!dock.shows(Panel::Policy) && dock.shows(Panel::Timeline));
    }
}
