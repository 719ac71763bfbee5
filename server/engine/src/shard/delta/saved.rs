//! The file of what a delta takes away: one line of JSON for each document state that is dropped, and for each document that
//! comes back although this copy had deleted it.

use super::DeltaDocument;
use serde::Serialize;
use std::path::{Path, PathBuf};
use tandem_common::env::fs::{self, File};
use tandem_common::{Error, Result};

/// Lines are written in pieces of this size.
const WRITE_BYTES: usize = 256 << 10;

/// Why a document is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    /// This copy had this state, and has it no longer.
    Dropped,
    /// This copy had deleted the document, and has it again, like this.
    BroughtBack,
}

/// The file while it is written. Without a line there is no file.
pub(super) struct SavedFile {
    path: PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
}

#[derive(Serialize)]
struct Line<'a> {
    reason: Reason,
    #[serde(rename = "_id")]
    id: &'a str,
    #[serde(rename = "_routing", skip_serializing_if = "Option::is_none")]
    routing: Option<&'a str>,
    #[serde(rename = "_seq_no")]
    seq_no: i64,
    #[serde(rename = "_primary_term")]
    op_term: u64,
    #[serde(rename = "_version")]
    version: i64,
}

impl SavedFile {
    /// Begins at `path`; what an earlier attempt has left there goes.
    pub(super) fn begin(path: PathBuf) -> Result<SavedFile> {
        fs::remove_file_if_exists(&path)?;
        Ok(SavedFile { path, file: None, buffer: Vec::new() })
    }

    /// Adds a line.
    pub(super) fn add(&mut self, reason: Reason, document: &DeltaDocument) -> Result<()> {
        let DeltaDocument { id, routing, seq_no, op_term, version, source } = document;
        let line = Line { reason, id, routing: routing.as_deref(), seq_no: seq_no.0, op_term: op_term.0, version: *version };
        serde_json::to_writer(&mut self.buffer, &line).map_err(|error| Error::internal(format!("cannot write a document: {error}")))?;
        // The source goes in byte by byte, as it was sent; in valid JSON a line end is nothing but white space.
        self.buffer.pop();
        self.buffer.extend_from_slice(b",\"_source\":");
        self.buffer.extend(source.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
        self.buffer.extend_from_slice(b"}\n");
        if self.buffer.len() >= WRITE_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                fs::create_folders(self.path.parent().unwrap_or(Path::new(".")))?;
                self.file.insert(File::create(&self.path)?)
            }
        };
        file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Makes the file durable; its place, if it has a line.
    pub(super) fn finish(mut self) -> Result<Option<PathBuf>> {
        self.write()?;
        let Some(file) = self.file else { return Ok(None) };
        file.sync_all()?;
        fs::sync_folder(self.path.parent().unwrap_or(Path::new(".")))?;
        Ok(Some(self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use tandem_common::{PrimaryTerm, SeqNo};

    #[test]
    fn each_document_is_a_line_with_its_source_as_it_was_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved/file.ndjson");
        assert_eq!(SavedFile::begin(path.clone()).unwrap().finish().unwrap(), None);
        assert!(!path.exists());
        let mut saved = SavedFile::begin(path.clone()).unwrap();
        let document = DeltaDocument {
            id: "a\"b".into(),
            routing: Some("r".into()),
            seq_no: SeqNo(7),
            op_term: PrimaryTerm(2),
            version: 3,
            source: Bytes::from_static(b"{\r\n \"x\": 1.50}\n"),
        };
        saved.add(Reason::Dropped, &document).unwrap();
        saved.add(Reason::BroughtBack, &DeltaDocument { routing: None, source: Bytes::from_static(b"{}"), ..document }).unwrap();
        assert_eq!(saved.finish().unwrap(), Some(path.clone()));
        let expected = concat!(
            r#"{"reason":"dropped","_id":"a\"b","_routing":"r","_seq_no":7,"_primary_term":2,"_version":3,"_source":{   "x": 1.50} }"#,
            "\n",
            r#"{"reason":"brought_back","_id":"a\"b","_seq_no":7,"_primary_term":2,"_version":3,"_source":{}}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(fs::read(&path).unwrap()).unwrap(), expected);
    }
}
