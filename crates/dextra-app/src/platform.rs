//! Whether a window can be opened at all, found out before the window system is asked for one and fails
//! with less helpful words.

#[cfg(target_os = "linux")]
use std::path::PathBuf;

use wgpu::{Backends, DeviceType, Instance, InstanceDescriptor};

use crate::AppError;

/// The adapter that will draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graphics {
    /// Its name, as the driver gives it.
    pub name: String,
    /// Whether it draws on the processor.
    pub software: bool,
}

/// The adapter that the window will use: a GPU if there is one.
///
/// # Errors
/// When no driver offers one.
pub fn graphics() -> Result<Graphics, AppError> {
    // Not OpenGL, whose libraries say on standard error what they do not find.
    let mut wanted = InstanceDescriptor::new_without_display_handle();
    wanted.backends = Backends::PRIMARY;
    let instance = Instance::new(wanted);
    let adapters = bevy::tasks::block_on(instance.enumerate_adapters(Backends::PRIMARY));
    adapters
        .iter()
        .map(|adapter| adapter.get_info())
        .map(|info| Graphics {
            software: info.device_type == DeviceType::Cpu,
            name: info.name,
        })
        .min_by_key(|graphics| graphics.software)
        .ok_or(AppError::NoVulkan)
}

/// Checks that a display server answers.
///
/// # Errors
/// When none is named or the named ones do not answer.
#[cfg(target_os = "linux")]
pub(crate) fn require_display() -> Result<(), AppError> {
    use std::{env, os::unix::net::UnixStream};
    let named = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    if named("WAYLAND_SOCKET").is_some() {
        return Ok(());
    }
    let mut silent = Vec::new();
    if let Some(display) = named("WAYLAND_DISPLAY") {
        let socket = PathBuf::from(named("XDG_RUNTIME_DIR").unwrap_or_default()).join(&display);
        if UnixStream::connect(socket).is_ok() {
            return Ok(());
        }
        silent.push(format!("WAYLAND_DISPLAY={display}"));
    }
    if let Some(display) = named("DISPLAY") {
        match x_socket(&display) {
            Some(socket) if UnixStream::connect(&socket).is_err() => {
                silent.push(format!("DISPLAY={display}"));
            }
            // A display on another machine, which only the window system can try.
            _ => return Ok(()),
        }
    }
    Err(AppError::NoDisplay(if silent.is_empty() {
        "neither DISPLAY nor WAYLAND_DISPLAY is set".into()
    } else {
        format!("nothing answers at {}", silent.join(" or "))
    }))
}

/// Elsewhere than on Linux there always is one.
#[cfg(not(target_os = "linux"))]
pub(crate) fn require_display() -> Result<(), AppError> {
    Ok(())
}

/// The socket of a local X display such as `:0` or `:1.0`; `None` for one reached by network.
#[cfg(target_os = "linux")]
fn x_socket(display: &str) -> Option<PathBuf> {
    let (host, rest) = display.rsplit_once(':')?;
    let number = rest.split('.').next()?;
    let local = host.is_empty() || host == "unix";
    (local && number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty())
        .then(|| PathBuf::from(format!("/tmp/.X11-unix/X{number}")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn local_displays_have_a_socket() {
        assert_eq!(x_socket(":91"), Some("/tmp/.X11-unix/X91".into()));
        assert_eq!(x_socket("unix:1.0"), Some("/tmp/.X11-unix/X1".into()));
        assert_eq!(x_socket("far:0"), None);
        assert_eq!(x_socket("nonsense"), None);
    }
}
