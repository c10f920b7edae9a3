//! What graphics libraries say on standard error though nothing is wrong.

/// Mesa's layer that chooses among graphics cards asks for a Wayland display, whose library complains where
/// `XDG_RUNTIME_DIR` is not set: on servers, in containers. There is no such display then and nothing to
/// choose by, so the process begins again with the layer off, which only the environment can say.
#[cfg(target_os = "linux")]
pub fn layers() {
    use std::{env, os::unix::process::CommandExt, process::Command};
    const LAYER_OFF: &str = "NODEVICE_SELECT";
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    if set("XDG_RUNTIME_DIR") || env::var_os(LAYER_OFF).is_some() {
        return;
    }
    if let Ok(program) = env::current_exe() {
        let mut args = env::args_os();
        let name = args.next().unwrap_or_else(|| "dextra".into());
        // Returns only when it fails; then the library complains, and that is all.
        let _ = Command::new(program)
            .arg0(name)
            .args(args)
            .env(LAYER_OFF, "1")
            .exec();
    }
}

/// Elsewhere they say nothing.
#[cfg(not(target_os = "linux"))]
pub fn layers() {}
