//! Why the window could not open.

use dextra_tasks::TaskError;
use dextra_train::TrainError;

/// Why the window could not open.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// There is no display to open a window on.
    #[error(
        "there is no display to open a window on ({0}); `dextra train door` trains in the terminal"
    )]
    NoDisplay(String),
    /// There is no Vulkan driver.
    #[error(
        "no Vulkan driver was found, so no window can be drawn. On Debian or Ubuntu \
         `apt install mesa-vulkan-drivers libvulkan1` installs one that needs no GPU; \
         `dextra train door` trains in the terminal without it"
    )]
    NoVulkan,
    /// There is no Vulkan driver to draw films with.
    #[error(
        "no Vulkan driver was found, so nothing can be drawn. On Debian or Ubuntu \
         `apt install mesa-vulkan-drivers libvulkan1` installs one that needs no GPU"
    )]
    NoVulkanForFilms,
    /// The window system or the driver refused.
    #[error("{0}")]
    Window(String),
    /// The task cannot be loaded.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The policy to show cannot be loaded.
    #[error(transparent)]
    Policy(#[from] TrainError),
    /// The terminal's interrupt could not be caught.
    #[error("cannot catch Ctrl-C: {0}")]
    Interrupt(String),
}
