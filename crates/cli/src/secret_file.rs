//! Files that hold secrets: read with a look at who else can read them, written so that nobody else can.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::output::Output;

/// No secret is longer.
const MAX_LEN: u64 = 64 * 1024;

/// Reads a passphrase: the file's content without the line end after it.
pub(crate) fn read_passphrase(path: &Path, output: &Output) -> Result<Zeroizing<String>, Failure> {
    let mut text = read(path)?;
    if let Some(line) = text.strip_suffix('\n') {
        let length = line.strip_suffix('\r').unwrap_or(line).len();
        text.truncate(length);
    }
    if text.is_empty() {
        return Err(Failure::usage(format!("the passphrase in {} is empty", path.display())));
    }
    warn_if_open(path, output);
    Ok(text)
}

/// Reads a text; nothing of it stays behind.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let cannot = |error: io::Error| Failure::failed(format!("{} cannot be read: {error}", path.display()));
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let file = File::open(path).map_err(cannot)?;
    file.take(MAX_LEN).read_to_string(&mut text).map_err(cannot)?;
    Ok(text)
}

/// Writes a new file that only its owner can read. One that is there is never overwritten.
pub(crate) fn write_new(path: &Path, secret: &str) -> Result<(), Failure> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::failed(format!("{} is there already, and is not overwritten", path.display()))
        }
        _ => Failure::failed(format!("{} cannot be written: {error}", path.display())),
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(cannot)?;
    let written = file.write_all(secret.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a key is of no use to anybody.
        let _gone = fs::remove_file(path);
        cannot(error)
    })
}

/// The bits of a file's mode that let others in; 0 where there are no modes.
pub(crate) fn open_to_others(path: &Path) -> u32 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path)
            .map_or(0, |file| if file.is_file() { file.permissions().mode() & 0o077 } else { 0 })
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        0
    }
}

fn warn_if_open(path: &Path, output: &Output) {
    if open_to_others(path) != 0 {
        output.remark(&format!(
            "Warning: others than its owner can read {}: take that away from them (chmod 600).",
            path.display()
        ));
    }
}
