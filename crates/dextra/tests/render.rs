//! `dextra render`, as a person runs it. Drawing needs a Vulkan driver; without one those tests say so and
//! pass.
#![cfg(feature = "window")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Output},
};

fn render(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dextra"));
    command
        .current_dir(folder)
        .env(
            "DEXTRA_SCENES",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenes"),
        )
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .args(["render", "expert", "--task", "door"])
        .args(["--size", "96x72", "--fps", "5", "--no-shadows"])
        .args(arguments);
    command
}

fn words(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// The pictures of a GIF, red, green, blue, as they are shown.
fn pictures(path: &Path) -> Vec<Vec<u8>> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut film = options.read_info(File::open(path).unwrap()).unwrap();
    let width = usize::from(film.width());
    let mut screen = vec![0; 3 * width * usize::from(film.height())];
    let mut pictures = Vec::new();
    while let Some(frame) = film.read_next_frame().unwrap() {
        let [left, top, across] = [frame.left, frame.top, frame.width].map(usize::from);
        for (i, pixel) in frame.buffer.chunks_exact(4).enumerate() {
            let at = 3 * ((top + i / across) * width + left + i % across);
            if pixel[3] > 0 {
                screen[at..at + 3].copy_from_slice(&pixel[..3]);
            }
        }
        pictures.push(screen.clone());
    }
    pictures
}

#[test]
fn a_film_shows_the_hand_moving_and_the_same_seed_makes_the_same_film() {
    let folder = tempfile::tempdir().unwrap();
    let draw = |name: &str| render(folder.path(), &["--out", name]).output().unwrap();
    let output = draw("door.gif");
    if words(&output).contains("no Vulkan driver") {
        eprintln!("SKIPPED: there is no Vulkan driver to draw with");
        return;
    }
    assert!(output.status.success(), "{}", words(&output));
    assert!(
        words(&output).contains("of 1 episodes succeeded"),
        "{}",
        words(&output)
    );

    let pictures = pictures(&folder.path().join("door.gif"));
    // 200 steps of 10 ms at 5 pictures a second, the first, and the last for 0.6 s more.
    assert_eq!(pictures.len(), 1 + 10 + 3);
    for picture in &pictures {
        let mut colors: Vec<&[u8]> = picture.chunks_exact(3).collect();
        colors.sort_unstable();
        colors.dedup();
        assert!(colors.len() > 50, "{} colours", colors.len());
    }
    let differing = |a: &[u8], b: &[u8]| {
        let pixels = a.chunks_exact(3).zip(b.chunks_exact(3));
        pixels.filter(|(a, b)| a != b).count()
    };
    // The first second: later the hand stands still.
    for (step, two) in pictures[..6].windows(2).enumerate() {
        let moved = differing(&two[0], &two[1]);
        assert!(moved > 20, "picture {step}: {moved} pixels differ");
    }
    assert_eq!(differing(&pictures[11], &pictures[12]), 0);

    assert!(draw("again.gif").status.success());
    let bytes = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(
        bytes("door.gif") == bytes("again.gif"),
        "two films of one seed differ"
    );
    // Nothing but the films is left.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn what_cannot_be_made_is_refused_with_a_remedy_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], variables: &[(&str, &str)], remedy: &str| {
        let mut command = render(folder.path(), arguments);
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert!(!output.status.success());
        assert!(words(&output).contains(remedy), "{}", words(&output));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    };
    refused(&["--out", "door.avi"], &[], ".gif or .mp4");
    refused(&["--out", "door.mp4"], &[("PATH", "")], "ask for a .gif");
    refused(&["--out", "nowhere/door.gif"], &[], "no folder nowhere");
    let no_driver = [("VK_ICD_FILENAMES", "/none"), ("VK_DRIVER_FILES", "/none")];
    if cfg!(target_os = "linux") {
        refused(&["--out", "door.gif"], &no_driver, "mesa-vulkan-drivers");
    }
}
