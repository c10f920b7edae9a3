//! The gamepads of this machine: found by looking at the folder of devices now and then, each read on a
//! thread of its own. Nothing of the system's libraries is needed, only the right to read the device.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use evdev::{Device, EventSummary};

use super::{Pad, PadAxis, PadEvent, PadId, PadInfo};

/// Where the kernel shows its input devices.
const FOLDER: &str = "/dev/input";
/// Where it describes them to everybody, even to those who may not read them.
const DESCRIPTIONS: &str = "/sys/class/input";
/// Time between looks at the folder.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Failures to open a device before they are said.
const FAILURES: u32 = 3;

/// Listens to every gamepad that is there or comes, for as long as the receiver is kept.
pub fn listen() -> Receiver<PadEvent> {
    let (outbox, events) = channel();
    thread::spawn(move || {
        let mut known = BTreeMap::new();
        while look(
            Path::new(FOLDER),
            Path::new(DESCRIPTIONS),
            &mut known,
            &outbox,
        )
        .is_some()
        {
            thread::sleep(LOOK_EVERY);
        }
    });
    events
}

/// How often a device could not be opened; `None` once it was.
type Known = BTreeMap<PathBuf, Option<u32>>;

/// Opens the gamepads in the folder that are not yet `known`. `None` when nobody listens any more.
fn look(
    folder: &Path,
    descriptions: &Path,
    known: &mut Known,
    outbox: &Sender<PadEvent>,
) -> Option<()> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_event = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("event"))
    };
    let there: Vec<PathBuf> = entries.map(|e| e.path()).filter(is_event).collect();
    // One that comes back under its old name is opened again.
    known.retain(|path, _| there.contains(path));
    for path in there {
        let failures = match known.get(&path) {
            Some(None) => continue,
            Some(Some(failures)) => *failures,
            None => 0,
        };
        match Device::open(&path) {
            Ok(device) => {
                known.insert(path, None);
                if let Some(pad) = gamepad(&device) {
                    read(device, pad, outbox.clone())?;
                }
            }
            Err(error) => {
                known.insert(path.clone(), Some(failures + 1));
                // A device that has just come gets its permissions a moment later.
                if failures + 1 != FAILURES {
                    continue;
                }
                if let Some(name) = described(descriptions, &path) {
                    outbox
                        .send(PadEvent::Trouble(trouble(&name, &path, &error)))
                        .ok()?;
                }
            }
        }
    }
    Some(())
}

/// Why a gamepad cannot be read, and what to do.
fn trouble(name: &str, path: &Path, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; add yourself to the group `input` (sudo usermod -aG input $USER) and log in again, or install \
             your system's rules for game devices (the package steam-devices or game-devices-udev)"
        }
        _ => "; plug it in again",
    };
    format!(
        "The gamepad {name} cannot be read from {}: {error}{remedy}",
        path.display()
    )
}

/// The gamepad that a device is, if it is one.
fn gamepad(device: &Device) -> Option<Pad> {
    let keys: Vec<u16> = device
        .supported_keys()?
        .iter()
        .map(|key| key.code())
        .collect();
    let axes = device.get_absinfo().ok()?.map(|(axis, info)| PadAxis {
        code: axis.0,
        least: info.minimum(),
        most: info.maximum(),
    });
    let axes: Vec<PadAxis> = axes.collect();
    let has_axis = |code| axes.iter().any(|axis| axis.code == code);
    if !PadInfo::is_gamepad(|code| keys.contains(&code), has_axis) {
        return None;
    }
    let id = device.input_id();
    Some(Pad::new(PadInfo {
        name: device.name().unwrap_or("without a name").to_owned(),
        id: PadId {
            bus: id.bus_type().0,
            vendor: id.vendor(),
            product: id.product(),
            version: id.version(),
        },
        keys,
        axes,
    }))
}

/// Reads a gamepad on a thread of its own until it is unplugged. `None` when nobody listens any more.
fn read(mut device: Device, mut pad: Pad, outbox: Sender<PadEvent>) -> Option<()> {
    let name = pad.name().to_owned();
    outbox.send(PadEvent::Connected(name.clone())).ok()?;
    thread::spawn(move || {
        while let Ok(events) = device.fetch_events() {
            for event in events {
                let (kind, code) = match event.destructure() {
                    EventSummary::Key(_, key, _) => (super::KEY, key.code()),
                    EventSummary::AbsoluteAxis(_, axis, _) => (super::ABSOLUTE, axis.0),
                    _ => continue,
                };
                for input in pad.event(kind, code, event.value()) {
                    if outbox.send(PadEvent::Input(input)).is_err() {
                        return;
                    }
                }
            }
        }
        let released = pad.release_all().into_iter().map(PadEvent::Input);
        for event in released.chain([PadEvent::Disconnected(name)]) {
            let _ = outbox.send(event);
        }
    });
    Some(())
}

/// The name of a device that the kernel describes as a gamepad, though it may not be read.
fn described(descriptions: &Path, device: &Path) -> Option<String> {
    let folder = descriptions.join(device.file_name()?).join("device");
    let keys = Bits::read(&folder.join("capabilities/key"))?;
    let axes = Bits::read(&folder.join("capabilities/abs"))?;
    let name = fs::read_to_string(folder.join("name")).ok()?;
    PadInfo::is_gamepad(|code| keys.has(code), |code| axes.has(code))
        .then(|| name.trim().to_owned())
}

/// The kernel's way to write sets of codes: words in base 16, the highest first.
struct Bits(Vec<u64>);

impl Bits {
    fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let words = text.split_whitespace().rev();
        let words = words.map(|word| u64::from_str_radix(word, 16).ok());
        words.collect::<Option<_>>().map(Self)
    }

    fn has(&self, code: u16) -> bool {
        let word = self.0.get(usize::from(code) / 64);
        word.is_some_and(|word| word >> (code % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use evdev::{
        AbsInfo, AbsoluteAxisCode, AttributeSet, BusType, InputEvent, InputId, KeyCode,
        UinputAbsSetup, uinput::VirtualDevice,
    };

    use super::*;

    /// As `/sys/class/input` describes an Xbox 360 controller and a keyboard.
    #[test]
    fn a_gamepad_without_permission_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let (devices, descriptions) = (folder.path().join("dev"), folder.path().join("sys"));
        fs::create_dir_all(&devices).unwrap();
        for (event, name, keys, axes) in [
            ("event7", "X-Box pad", "7cdb000000000000 0 0 0 0", "3003f"),
            (
                "event3",
                "Keyboard",
                "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe",
                "0",
            ),
        ] {
            let of = descriptions.join(event).join("device/capabilities");
            fs::create_dir_all(&of).unwrap();
            fs::write(of.join("key"), format!("{keys}\n")).unwrap();
            fs::write(of.join("abs"), format!("{axes}\n")).unwrap();
            fs::write(of.with_file_name("name"), format!("{name}\n")).unwrap();
            // No device: it cannot be read, whoever asks.
            fs::write(devices.join(event), "").unwrap();
        }
        let (outbox, events) = channel();
        let mut known = Known::new();
        for _ in 0..2 * FAILURES {
            look(&devices, &descriptions, &mut known, &outbox).unwrap();
        }
        let said: Vec<_> = events.try_iter().collect();
        let [PadEvent::Trouble(said)] = said.as_slice() else {
            panic!("{said:?}");
        };
        assert!(
            said.contains("X-Box pad") && said.contains("event7"),
            "{said}"
        );
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let said = trouble("X-Box pad", Path::new("/dev/input/event7"), &denied);
        assert!(said.contains("usermod -aG input"), "{said}");
    }

    #[test]
    fn a_machine_without_the_folder_has_no_gamepads_and_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("input");
        let (outbox, events) = channel();
        assert!(look(&gone, &gone, &mut Known::new(), &outbox).is_some());
        assert_eq!(events.try_iter().count(), 0);
        drop(events);
    }

    fn virtual_pad() -> io::Result<VirtualDevice> {
        let mut keys = AttributeSet::<KeyCode>::new();
        for code in [
            0x130, 0x131, 0x133, 0x134, 0x136, 0x137, 0x13a, 0x13b, 0x13c, 0x13d, 0x13e,
        ] {
            keys.insert(KeyCode::new(code));
        }
        let id = InputId::new(BusType::BUS_USB, 0x045e, 0x028e, 0x0114);
        let mut builder = VirtualDevice::builder()?
            .name("Dextra's virtual pad")
            .input_id(id)
            .with_keys(&keys)?;
        for code in [0, 1, 2, 3, 4, 5] {
            let info = AbsInfo::new(0, -32_768, 32_767, 0, 0, 0);
            let setup = UinputAbsSetup::new(AbsoluteAxisCode(code), info);
            builder = builder.with_absolute_axis(&setup)?;
        }
        builder.build()
    }

    #[test]
    fn a_virtual_gamepad_is_found_read_and_missed() {
        let mut device = match virtual_pad() {
            Ok(device) => device,
            Err(error) => {
                eprintln!("SKIPPED: no virtual gamepad can be made through /dev/uinput: {error}");
                return;
            }
        };
        let events = listen();
        let wait = Duration::from_secs(20);
        let until = |wanted: &dyn Fn(&PadEvent) -> bool| {
            while !wanted(&events.recv_timeout(wait).unwrap()) {}
        };
        let name = "Dextra's virtual pad";
        until(&|event| *event == PadEvent::Connected(name.into()));
        let (key, axis) = (super::super::KEY, super::super::ABSOLUTE);
        device
            .emit(&[
                InputEvent::new(key, 0x130, 1),
                InputEvent::new(axis, 0, 32_767),
            ])
            .unwrap();
        let said = |event: &PadEvent, text: &str| matches!(event, PadEvent::Input(input) if input.to_string() == text);
        until(&|event| said(event, "press PadSouth"));
        until(&|event| said(event, "axis PadLeftX 1"));
        drop(device);
        until(&|event| said(event, "release PadSouth"));
        until(&|event| *event == PadEvent::Disconnected(name.into()));
    }
}
