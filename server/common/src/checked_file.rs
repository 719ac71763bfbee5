//! Small files that are replaced as a whole: JSON, then a line with its checksum.
//!
//! A bit that flips in such a file is found when it is read, and the error names the file.

use crate::env::fs;
use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Opens the line with the checksum; no line of JSON starts with it.
const MARK: &str = "#crc32=";

/// `body` with its checksum line.
pub fn seal(body: &[u8]) -> Vec<u8> {
    let mut bytes = body.to_vec();
    if bytes.last() != Some(&b'\n') {
        bytes.push(b'\n');
    }
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(format!("{MARK}{crc:08x}\n").as_bytes());
    bytes
}

/// The body of a sealed file, checked.
///
/// # Errors
/// [`Error::Corrupt`] when it is damaged.
pub fn unseal(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    let damaged = |detail: &str| Error::Corrupt { reason: format!("[{}] is damaged: {detail}", path.display()) };
    let line = MARK.len() + 9;
    let at = bytes.len().checked_sub(line).ok_or_else(|| damaged("too short"))?;
    let (body, end) = bytes.split_at(at);
    let expected = end.strip_prefix(MARK.as_bytes()).and_then(|rest| rest.strip_suffix(b"\n")).ok_or_else(|| damaged("no checksum"))?;
    let expected = std::str::from_utf8(expected).ok().and_then(|text| u32::from_str_radix(text, 16).ok());
    if expected != Some(crc32fast::hash(body)) {
        return Err(damaged("the checksum does not match"));
    }
    Ok(body.to_vec())
}

/// Replaces the file durably.
///
/// # Errors
/// A disk that fails.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let body = serde_json::to_vec(value).map_err(|error| Error::internal(format!("cannot write [{}]: {error}", path.display())))?;
    Ok(fs::write_durably(path, &seal(&body))?)
}

/// Reads the file; `None` when there is none.
///
/// # Errors
/// [`Error::Corrupt`] when it is damaged.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(bytes) = fs::read_if_exists(path)? else { return Ok(None) };
    let body = unseal(path, &bytes)?;
    let value = serde_json::from_slice(&body)
        .map_err(|error| Error::Corrupt { reason: format!("[{}] cannot be read: {error}", path.display()) })?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_is_found_and_the_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write(&path, &vec![1, 2, 3]).unwrap();
        assert_eq!(read::<Vec<u32>>(&path).unwrap(), Some(vec![1, 2, 3]));
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 4;
            fs::write_durably(&path, &bad).unwrap();
            let error = read::<Vec<u32>>(&path).unwrap_err();
            assert!(matches!(&error, Error::Corrupt { reason } if reason.contains("state")), "{at}: {error}");
        }
    }

    #[test]
    fn a_missing_file_is_no_error() {
        assert_eq!(read::<u32>(Path::new("no/such/file")).unwrap(), None);
    }
}
