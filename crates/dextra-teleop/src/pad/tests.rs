#![allow(clippy::unwrap_used)]

use super::*;

const SYNC: u16 = 0;

/// As the kernel's `xpad` describes a wired controller of an Xbox 360.
fn xbox_360() -> PadInfo {
    let sticks = [0, 1, 3, 4].map(|code| axis(code, -32_768, 32_767));
    let triggers = [2, 5].map(|code| axis(code, 0, 255));
    let hat = [0x10, 0x11].map(|code| axis(code, -1, 1));
    PadInfo {
        name: "Microsoft X-Box 360 pad".into(),
        id: PadId {
            bus: 3,
            vendor: 0x045e,
            product: 0x028e,
            version: 0x0114,
        },
        keys: vec![
            0x130, 0x131, 0x133, 0x134, 0x136, 0x137, 0x13a, 0x13b, 0x13c, 0x13d, 0x13e,
        ],
        axes: [sticks.to_vec(), triggers.to_vec(), hat.to_vec()].concat(),
    }
}

/// As the kernel's `hid-playstation` describes a wired DualShock 4.
fn dualshock_4() -> PadInfo {
    let axes = [0, 1, 2, 3, 4, 5].map(|code| axis(code, 0, 255));
    let hat = [0x10, 0x11].map(|code| axis(code, -1, 1));
    PadInfo {
        name: "Sony Interactive Entertainment Wireless Controller".into(),
        id: PadId {
            bus: 3,
            vendor: 0x054c,
            product: 0x09cc,
            version: 0x8111,
        },
        keys: vec![
            0x130, 0x131, 0x133, 0x134, 0x136, 0x137, 0x138, 0x139, 0x13a, 0x13b, 0x13c, 0x13d,
            0x13e,
        ],
        axes: [axes.to_vec(), hat.to_vec()].concat(),
    }
}

fn axis(code: u16, least: i32, most: i32) -> PadAxis {
    PadAxis { code, least, most }
}

/// What raw events mean, as a script writes it.
fn play(pad: &mut Pad, events: &[(u16, u16, i32)]) -> Vec<String> {
    let inputs = events
        .iter()
        .flat_map(|&(kind, code, value)| pad.event(kind, code, value));
    inputs.map(|input| input.to_string()).collect()
}

#[test]
fn a_controller_of_an_xbox_360_drives_by_the_place_of_its_buttons() {
    let mut pad = Pad::new(xbox_360());
    let events = [
        (KEY, 0x130, 1),
        (SYNC, 0, 0),
        (KEY, 0x130, 0),
        (KEY, 0x131, 1),
        // The letters X and Y, to the left and on top.
        (KEY, 0x133, 1),
        (KEY, 0x134, 1),
        (KEY, 0x136, 1),
        (KEY, 0x13a, 1),
        (KEY, 0x13b, 1),
        (KEY, 0x13d, 1),
        (KEY, 0x13e, 1),
    ];
    let expected = [
        "press PadSouth",
        "release PadSouth",
        "press PadEast",
        "press PadWest",
        "press PadNorth",
        "press PadLeftShoulder",
        "press PadSelect",
        "press PadStart",
        "press PadLeftStick",
        "press PadRightStick",
    ];
    assert_eq!(play(&mut pad, &events), expected);
    // A stick to the right and pushed away, a trigger pulled, the cross up, then left, then let go of.
    let events = [
        (ABSOLUTE, 0, 32_767),
        (ABSOLUTE, 1, -32_768),
        (ABSOLUTE, 5, 255),
        (ABSOLUTE, 5, 255),
        (ABSOLUTE, 5, 0),
        (ABSOLUTE, 0x11, -1),
        (ABSOLUTE, 0x10, -1),
        (ABSOLUTE, 0x11, 0),
        (ABSOLUTE, 0x10, 0),
    ];
    let expected = [
        "axis PadLeftX 1",
        "axis PadLeftY 1",
        "axis PadRightTrigger 1",
        "axis PadRightTrigger 0",
        "press PadUp",
        "press PadLeft",
        "release PadUp",
        "release PadLeft",
    ];
    assert_eq!(play(&mut pad, &events), expected);
}

#[test]
fn a_dualshock_4_drives_alike() {
    let mut pad = Pad::new(dualshock_4());
    let events = [
        (KEY, 0x130, 1),
        // The triangle and the square.
        (KEY, 0x133, 1),
        (KEY, 0x134, 1),
        // The triggers are axes; that they are buttons too means nothing.
        (KEY, 0x138, 1),
        (ABSOLUTE, 2, 255),
        (KEY, 0x13b, 1),
        (ABSOLUTE, 3, 0),
        (ABSOLUTE, 4, 0),
        (ABSOLUTE, 0x10, 1),
    ];
    let expected = [
        "press PadSouth",
        "press PadNorth",
        "press PadWest",
        "axis PadLeftTrigger 1",
        "press PadStart",
        "axis PadRightX -1",
        "axis PadRightY 1",
        "press PadRight",
    ];
    assert_eq!(play(&mut pad, &events), expected);
    let released: Vec<_> = pad.release_all().iter().map(Input::to_string).collect();
    assert_eq!(released.len(), 8);
    assert!(released.contains(&"release PadSouth".into()));
    assert!(released.contains(&"axis PadRightX 0".into()));
    assert!(pad.release_all().is_empty());
}

#[test]
fn one_that_the_database_does_not_know_is_read_as_the_kernel_asks_of_all() {
    let mut info = dualshock_4();
    info.id = PadId::default();
    let mut pad = Pad::new(info);
    let events = [
        (KEY, 0x13a, 1),
        (KEY, 0x133, 1),
        (ABSOLUTE, 2, 255),
        (ABSOLUTE, 3, 255),
        (ABSOLUTE, 0x11, 1),
    ];
    let expected = [
        "press PadSelect",
        "press PadWest",
        "axis PadLeftTrigger 1",
        "axis PadRightX 1",
        "press PadDown",
    ];
    assert_eq!(play(&mut pad, &events), expected);
    // A cheap one, whose right stick is where others have triggers.
    let mut info = xbox_360();
    info.id = PadId::default();
    info.axes.retain(|axis| ![3, 4].contains(&axis.code));
    let mut pad = Pad::new(info);
    let expected = ["axis PadRightX 1"];
    assert_eq!(play(&mut pad, &[(ABSOLUTE, 2, 255)]), expected);
}

#[test]
fn what_is_no_gamepad_is_none() {
    let keyboard = PadInfo::is_gamepad(|code| code < 0x100, |_| false);
    let tablet = PadInfo::is_gamepad(|code| code == 0x14a, |_| true);
    let motion_sensors = PadInfo::is_gamepad(|_| false, |_| true);
    assert!(!keyboard && !tablet && !motion_sensors);
    let pad = xbox_360();
    let has = |code| pad.axes.iter().any(|axis| axis.code == code);
    assert!(PadInfo::is_gamepad(|code| pad.keys.contains(&code), has));
}
