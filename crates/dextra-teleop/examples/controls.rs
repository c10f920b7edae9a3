//! The page on the driving controls, from the table that binds them.
//!
//! `cargo run --release -p dextra-teleop --example controls > docs/driving.md`

use dextra_teleop::bindings;

fn main() {
    print!("{}", bindings::page());
}
