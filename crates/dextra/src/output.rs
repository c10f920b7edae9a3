//! Printing to a reader that may have gone away.

use std::{
    fmt::Arguments,
    io::{ErrorKind, Write},
    process,
};

/// What a shell reports of a program that SIGPIPE ended.
const READER_GONE: i32 = 141;

/// As the standard library's, but `dextra ... | head` ends quietly and not with a panic.
macro_rules! println {
    ($($text:tt)*) => {
        $crate::output::line(format_args!($($text)*))
    };
}

/// Prints a line; ends the program when it cannot.
pub fn line(text: Arguments) {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => process::exit(READER_GONE),
        Err(error) => {
            eprintln!("error: cannot write to standard output: {error}");
            process::exit(1);
        }
    }
}
