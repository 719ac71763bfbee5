//! The checksums at the ends of the index library's files. The library writes them and does not look at them again; here
//! each file of the durable commit is read once, when a store is opened, so that damage is found before it is served.
//!
//! A file ends with a footer: JSON with the CRC-32 of everything before it, its length, and a magic number.

use super::planted::{self, Bug};
use std::path::Path;
use tandem_common::{Error, Result};

/// Length of the footer's text and magic number, four bytes each.
const FOOTER_END: usize = 8;

/// The number that ends every file of the library.
const FOOTER_MAGIC: u32 = 1337;

#[derive(serde::Deserialize)]
struct Footer {
    crc: u32,
}

fn footer_of(bytes: &[u8]) -> Option<(Footer, &[u8])> {
    let (rest, end) = bytes.split_last_chunk::<FOOTER_END>()?;
    let [l0, l1, l2, l3, m0, m1, m2, m3] = *end;
    if u32::from_le_bytes([m0, m1, m2, m3]) != FOOTER_MAGIC {
        return None;
    }
    let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
    let (body, footer) = rest.split_at_checked(rest.len().checked_sub(length)?)?;
    Some((serde_json::from_slice(footer).ok()?, body))
}

/// Checks one file against its footer.
///
/// # Errors
/// [`Error::Corrupt`] with the file named.
pub(super) fn verify(path: &Path, bytes: &[u8]) -> Result<()> {
    let damaged = |detail: &str| Error::Corrupt { reason: format!("[{}] is damaged: {detail}", path.display()) };
    let (footer, body) = footer_of(bytes).ok_or_else(|| damaged("the footer cannot be read"))?;
    let right = crc32fast::hash(body) == footer.crc || planted::is(Bug::IndexChecksumSkipped, path);
    if right { Ok(()) } else { Err(damaged("the checksum does not match")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(body: &[u8]) -> Vec<u8> {
        let footer = format!("{{\"version\":{{}},\"crc\":{}}}", crc32fast::hash(body));
        let length = u32::try_from(footer.len()).unwrap();
        [body, footer.as_bytes(), &length.to_le_bytes(), &FOOTER_MAGIC.to_le_bytes()].concat()
    }

    #[test]
    fn a_file_is_what_its_footer_says() {
        let path = Path::new("a.term");
        verify(path, &file(b"terms")).unwrap();
        verify(path, &file(b"")).unwrap();
        for at in 0..5 {
            let mut bad = file(b"terms");
            bad[at] ^= 1;
            assert!(matches!(verify(path, &bad), Err(Error::Corrupt { reason }) if reason.contains("a.term")));
        }
    }

    #[test]
    fn a_file_without_a_footer_is_damaged_however_short_it_is() {
        let whole = file(b"terms");
        for length in 0..whole.len() {
            assert!(verify(Path::new("a"), &whole[..length]).is_err(), "{length}");
        }
    }
}
