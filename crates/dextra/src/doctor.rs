//! `dextra doctor`: what the machine offers, what is missing and how to get it.

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use dextra_tasks::{TaskModel, scenes_dir, task_names};
use dextra_train::VERSION;
use sysinfo::System;

use crate::{error::CliError, window::has_display};

/// Prints the findings; the code is 1 when training itself would not run.
pub fn run() -> Result<ExitCode, CliError> {
    println!("dextra {VERSION}, rapier {}", dextra_sim::RAPIER_VERSION);
    processor();
    memory();
    let trains = scenes();
    let shows = display() & vulkan() & keyboard();
    if !cfg!(feature = "window") {
        println!("window       not in this build (feature `window`)");
    } else if shows {
        println!("window       all that it needs is there");
    } else {
        println!("window       cannot open; `dextra train door` works without");
    }
    Ok(if trains {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn processor() {
    let mut system = System::new();
    system.refresh_cpu_all();
    let name = system
        .cpus()
        .first()
        .map_or("unknown", |cpu| cpu.brand().trim());
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("processor    {name}, {cores} cores usable{}", features());
    if cores < 2 {
        println!("             training uses two: actors and learner will take turns on this one");
    }
}

#[cfg(target_arch = "x86_64")]
fn features() -> String {
    let all = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    let found: Vec<_> = all
        .iter()
        .filter(|(_, there)| *there)
        .map(|(name, _)| *name)
        .collect();
    if found.is_empty() {
        ", no AVX2: the learner will be slow".into()
    } else {
        format!(", {}", found.join(" "))
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> String {
    String::new()
}

fn memory() {
    let mut system = System::new();
    system.refresh_memory();
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let (free, total) = (gib(system.available_memory()), gib(system.total_memory()));
    println!("memory       {free:.1} of {total:.1} GiB available");
    if free < 1.0 {
        println!(
            "             a run needs about 0.5 GiB; lower `replay_capacity` if it does not fit"
        );
    }
}

/// Whether every task loads.
fn scenes() -> bool {
    match scenes_dir() {
        Ok(folder) => {
            let folder = folder.canonicalize().unwrap_or(folder);
            println!("scenes       {}", folder.display());
        }
        Err(error) => {
            println!("scenes       missing: {error}");
            return false;
        }
    }
    let mut all = true;
    for task in task_names() {
        match TaskModel::load(task) {
            Ok(model) => {
                let hash: String = model.model().hash().chars().take(12).collect();
                println!("task         {task}, scene {hash}");
            }
            Err(error) => {
                println!("task         {task} does not load: {error}");
                all = false;
            }
        }
    }
    all
}

fn display() -> bool {
    let there = has_display();
    if there {
        let of = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let screen = of("WAYLAND_DISPLAY")
            .or_else(|| of("DISPLAY"))
            .unwrap_or("yes".into());
        println!("display      {screen}");
    } else {
        println!("display      none: DISPLAY and WAYLAND_DISPLAY are not set");
        println!(
            "             log in to a desktop, or use `xvfb-run dextra`, or train in the terminal"
        );
    }
    there
}

fn vulkan() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let drivers = vulkan_drivers();
    let names: Vec<_> = drivers
        .iter()
        .filter_map(|path| path.file_stem()?.to_str())
        .map(|name| name.trim_end_matches(".x86_64").to_owned())
        .collect();
    let loader = library("libvulkan.so.1");
    match (loader, names.is_empty()) {
        (true, false) => println!("Vulkan       drivers: {}", names.join(", ")),
        (true, true) => println!("Vulkan       the loader is there, no driver"),
        (false, _) => println!("Vulkan       libvulkan.so.1 is missing"),
    }
    let there = loader && !names.is_empty();
    if !there {
        println!("             apt install libvulkan1 mesa-vulkan-drivers");
    }
    there
}

fn keyboard() -> bool {
    let missing = missing_keyboard_library();
    if let Some(library) = missing {
        println!("keyboard     {library} is missing");
        println!("             {KEYBOARD_REMEDY}");
    }
    missing.is_none()
}

/// How to get what [`missing_keyboard_library`] names.
pub const KEYBOARD_REMEDY: &str = "apt install libxkbcommon-x11-0";

/// The keyboard library that a window loads and this machine lacks, if any.
pub fn missing_keyboard_library() -> Option<&'static str> {
    let wayland = env::var_os("WAYLAND_DISPLAY").is_some_and(|value| !value.is_empty());
    let needed = if wayland {
        "libxkbcommon.so.0"
    } else {
        "libxkbcommon-x11.so.0"
    };
    (cfg!(target_os = "linux") && !library(needed)).then_some(needed)
}

/// Driver manifests where the Vulkan loader looks for them.
fn vulkan_drivers() -> Vec<PathBuf> {
    for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        if let Some(list) = env::var_os(name).filter(|list| !list.is_empty()) {
            return env::split_paths(&list)
                .filter(|path| path.exists())
                .collect();
        }
    }
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let folders = ["/etc", "/usr/local/etc", "/usr/share", "/usr/local/share"].map(PathBuf::from);
    let mut found: Vec<_> = folders
        .into_iter()
        .chain(home)
        .filter_map(|folder| std::fs::read_dir(folder.join("vulkan/icd.d")).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    found.sort();
    found
}

/// Whether the dynamic linker would find a library, by the folders it usually looks in.
fn library(name: &str) -> bool {
    let path = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let arch = format!("{}-linux-gnu", env::consts::ARCH);
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"]
        .iter()
        .flat_map(|folder| [PathBuf::from(folder), Path::new(folder).join(&arch)])
        .chain(env::split_paths(&path))
        .any(|folder| folder.join(name).exists())
}
