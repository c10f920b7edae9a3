//! The Bevy app: watch a learner live.
//!
//! The window shows frames that others make and never steps a training environment. Frames come from
//! an actor of the running training, or from a rollout that the app plays in real time on a thread of
//! its own (module `source`). What played is kept on a `tape` with one time cursor; the critics' word on it
//! comes from a thread of its own (`judge`). Videos are drawn without a window (`film`). Panels are functions of a view model (`view`), keys and buttons both
//! give an action (`action`, `bindings`), and `control` carries actions out.

mod action;
mod analysis;
mod bindings;
mod browser;
mod camera;
mod capture;
mod control;
mod curves;
mod demos;
mod dock;
mod e2e;
mod error;
mod film;
mod ghost;
mod history;
mod judge;
mod library;
mod memory;
mod notice;
mod options;
mod outcome;
mod pace;
mod panel;
mod platform;
mod quit;
mod record;
mod sandbox;
mod scene;
mod session;
mod source;
mod tape;
mod tuning;
mod view;
mod workspace;

use bevy::{
    app::TerminalCtrlCHandlerPlugin,
    asset::AssetPlugin,
    log::{Level, LogPlugin},
    prelude::*,
    render::RenderPlugin,
    window::{ExitCondition, PresentMode, WindowPlugin, WindowResizeConstraints, WindowResolution},
    winit::WinitSettings,
};
use dextra_data::dataset::is_dataset;

pub use error::AppError;
pub use film::{Clip, Film, FilmError, FilmOptions, Watcher, check_film, film};
pub use options::AppOptions;
pub use platform::{Graphics, graphics};
pub use scene::Overlay;

/// Opens the window and returns when it is closed.
///
/// With a training under way, closing the window (or `Ctrl-C` in the terminal) stops the training,
/// waits for its checkpoint and then returns.
///
/// # Errors
/// When there is no display or no Vulkan driver, when the task or the given policy cannot be loaded, or
/// when the window system refuses a window. All of these are found before a window opens.
pub fn run(options: AppOptions) -> Result<(), AppError> {
    platform::require_display()?;
    let graphics = platform::graphics()?;
    let source = source::SourcePlugin::new(&options)?;
    let browses = options.view.as_deref().is_some_and(is_dataset);
    let (dataset, scene) = match browses {
        true => (options.view.clone(), None),
        false => (None, options.view.clone()),
    };
    quit::listen_for_interrupts()?;

    let mut app = App::new();
    app.add_plugins(window_plugins(&options))
        .insert_resource(WinitSettings::continuous())
        .insert_resource(pace::Pace::new(options.max_fps, graphics.software))
        .insert_resource(scene::Quality::for_adapter(graphics.software))
        .init_resource::<tape::Tape>()
        .insert_resource(session::Training::new(options.config, options.out.clone()))
        .insert_resource(view::Machine {
            adapter: graphics.name,
        })
        .add_plugins((
            bevy_panorbit_camera::PanOrbitCameraPlugin,
            source,
            sandbox::SandboxPlugin {
                open: scene.map(sandbox::Origin::named),
            },
            session::SessionPlugin,
            control::ControlPlugin {
                train: options.train,
            },
            scene::ScenePlugin,
            camera::CameraPlugin,
            panel::PanelPlugin,
            notice::NoticePlugin,
            capture::CapturePlugin,
            pace::PacePlugin,
            quit::QuitPlugin,
        ))
        .add_plugins((
            workspace::WorkspacePlugin,
            dock::DockPlugin,
            library::LibraryPlugin { out: options.out },
            judge::JudgePlugin,
            ghost::GhostPlugin,
            analysis::AnalysisPlugin,
            record::RecordPlugin,
            browser::BrowserPlugin { open: dataset },
            memory::MemoryPlugin,
            film::RecordPlugin,
        ));
    if options.e2e {
        app.add_plugins((
            e2e::E2ePlugin,
            sandbox::e2e_plugin,
            record::e2e_plugin,
            browser::e2e_plugin,
        ));
    }
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(AppError::Window(format!(
            "the window ended with code {code}"
        ))),
    }
}

fn window_plugins(options: &AppOptions) -> bevy::app::PluginGroupBuilder {
    DefaultPlugins
        .set(WindowPlugin {
            primary_window: Some(Window {
                title: format!("Dextra: {}", options.task),
                name: Some("dextra".into()),
                resolution: WindowResolution::new(1280, 720),
                resize_constraints: WindowResizeConstraints {
                    min_width: 960.0,
                    min_height: 600.0,
                    ..default()
                },
                present_mode: PresentMode::AutoVsync,
                ..default()
            }),
            // Closing is ours: it may have to wait for a checkpoint.
            close_when_requested: false,
            exit_condition: ExitCondition::DontExit,
            ..default()
        })
        .set(RenderPlugin {
            // A scripted test must not see frames that are half empty while shaders compile.
            synchronous_pipeline_compilation: options.e2e,
            ..default()
        })
        .set(LogPlugin {
            level: Level::WARN,
            filter: "warn,wgpu=error,naga=error,bevy_winit=error".into(),
            ..default()
        })
        .set(AssetPlugin::default())
        .disable::<TerminalCtrlCHandlerPlugin>()
}
