//! The body of a request: its type, its size limit, its compression.

use super::params::Params;
use super::respond::Answer;
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use http_body::Body;
use http_body_util::BodyExt as _;
use std::io::Read as _;
use std::time::Duration;
use tandem_common::env::clock;
use tandem_common::{Error, Result, blocking};

/// A body that sends nothing for so long is given up.
const FRAME_WAIT_MAX: Duration = Duration::from_secs(30);
/// A refused body is read to its end up to here; a longer one costs its connection.
const DRAIN_BYTES_MAX: usize = 1 << 20;
/// And for no longer than this per piece.
const DRAIN_WAIT_MAX: Duration = Duration::from_secs(1);
/// From here on decompressing moves to the blocking pool.
const GUNZIP_ON_POOL_FROM_BYTES: usize = 64 << 10;

/// The body, or the answer that refuses it.
pub(crate) enum Read {
    /// The decompressed bytes; empty when there is no body.
    Body(Bytes),
    /// The refusal.
    Refused(Answer),
}

/// Reads a body that was received: at most `bytes_max` decompressed bytes.
///
/// # Errors
/// [`Error::ContentTooLong`], an unknown coding.
pub(crate) async fn read(headers: &HeaderMap, raw: Bytes, params: &Params, bytes_max: usize) -> Result<Read> {
    if raw.is_empty() {
        return from_parameter(params);
    }
    if let Some(refusal) = refuse_type(headers) {
        return Ok(Read::Refused(refusal));
    }
    match headers.get(CONTENT_ENCODING).map(|coding| coding.to_str().unwrap_or_default()) {
        None | Some("identity" | "") => Ok(Read::Body(raw)),
        Some("gzip" | "x-gzip") if raw.len() < GUNZIP_ON_POOL_FROM_BYTES => gunzip(&raw, bytes_max).map(Read::Body),
        Some("gzip" | "x-gzip") => blocking::run(move || gunzip(&raw, bytes_max)).await.map(Read::Body),
        Some(other) => Err(Error::illegal_argument(format!("Content-Encoding header [{other}] is not supported"))),
    }
}

/// Receives a whole body of at most `bytes_max` bytes.
///
/// # Errors
/// [`Error::ContentTooLong`], a body that breaks off or does not arrive.
pub(crate) async fn receive<B>(headers: &HeaderMap, mut body: B, bytes_max: usize) -> Result<Bytes>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > bytes_max as u64) {
        return Err(too_long(bytes_max));
    }
    let mut first: Option<Bytes> = None;
    let mut gathered = BytesMut::new();
    loop {
        let Some(frame) = clock::timeout(FRAME_WAIT_MAX, body.frame()).await else {
            return Err(Error::illegal_argument("the request body did not arrive in time"));
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| Error::illegal_argument(format!("the request body cannot be read: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.as_ref().map_or(gathered.len(), Bytes::len) + data.len() > bytes_max {
            return Err(too_long(bytes_max));
        }
        // A body of one frame, the usual case, is not copied.
        match first.take() {
            None if gathered.is_empty() => first = Some(data),
            None => gathered.extend_from_slice(&data),
            Some(earlier) => {
                gathered.reserve(declared.map_or(0, |length| usize::try_from(length).unwrap_or(0)).max(earlier.len() + data.len()));
                gathered.extend_from_slice(&earlier);
                gathered.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| gathered.freeze()))
}

/// Reads and forgets what is left of a body. Tells whether its end was reached.
pub(crate) async fn drain<B>(body: &mut B) -> bool
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = DRAIN_BYTES_MAX;
    while !body.is_end_stream() {
        match clock::timeout(DRAIN_WAIT_MAX, body.frame()).await {
            Some(None) => return true,
            Some(Some(Ok(frame))) => match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return false,
            },
            Some(Some(Err(_))) | None => return false,
        }
    }
    true
}

fn gunzip(raw: &[u8], bytes_max: usize) -> Result<Bytes> {
    let mut plain = Vec::new();
    let limit = bytes_max as u64 + 1;
    let read = MultiGzDecoder::new(raw).take(limit).read_to_end(&mut plain);
    read.map_err(|error| Error::illegal_argument(format!("the request body is not gzip: {error}")))?;
    if plain.len() > bytes_max {
        return Err(too_long(bytes_max));
    }
    Ok(plain.into())
}

fn too_long(bytes_max: usize) -> Error {
    Error::ContentTooLong { reason: format!("the request body is larger than http.max_content_length, {bytes_max} bytes") }
}

/// `source` with `source_content_type` carries a body for clients that cannot send one with GET.
fn from_parameter(params: &Params) -> Result<Read> {
    match (params.get("source"), params.get("source_content_type")) {
        (None, _) => Ok(Read::Body(Bytes::new())),
        // OpenSearch answers 500 here; a mistake of the client is none of ours.
        (Some(_), None) => Err(Error::illegal_argument("source and source_content_type parameters are required")),
        (Some(source), Some(kind)) if is_known(kind) => Ok(Read::Body(Bytes::from(source.to_owned()))),
        (Some(_), Some(kind)) => Err(Error::illegal_argument(format!("Unknown value for source_content_type [{kind}]"))),
    }
}

fn refuse_type(headers: &HeaderMap) -> Option<Answer> {
    let kind = headers.get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap_or_default());
    (!is_known(kind)).then(|| Answer::refusal(406, format!("Content-Type header [{kind}] is not supported"), true))
}

/// What we read is JSON, by whatever name. CBOR, SMILE and YAML are refused rather than misread.
fn is_known(kind: &str) -> bool {
    let name = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        name.as_str(),
        "application/json"
            | "application/x-ndjson"
            | "application/vnd.opensearch+json"
            | "application/vnd.opensearch+x-ndjson"
            | "application/vnd.elasticsearch+json"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http_body_util::Full;
    use std::io::Write as _;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    async fn read_with(pairs: &[(&'static str, &'static str)], body: impl Into<Bytes>, query: &str) -> Result<Read> {
        let headers = headers(pairs);
        let raw = receive(&headers, Full::new(body.into()), 1000).await?;
        read(&headers, raw, &Params::parse(query).unwrap(), 1000).await
    }

    fn gzipped(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn a_compressed_body_is_measured_after_decompression() {
        let json_gzip = [("content-type", "application/json"), ("content-encoding", "gzip")];
        let Ok(Read::Body(plain)) = read_with(&json_gzip, gzipped(b"{\"a\":1}"), "").await else { panic!("not read") };
        assert_eq!(plain, "{\"a\":1}");
        let bomb = gzipped(&vec![b' '; 1_000_000]);
        assert!(bomb.len() < 2000);
        let outcome = read(&headers(&json_gzip), Bytes::from(bomb), &Params::default(), 2000).await;
        assert!(matches!(outcome, Err(Error::ContentTooLong { .. })));
        assert!(read_with(&json_gzip, "not gzip", "").await.is_err());
    }

    #[tokio::test]
    async fn what_is_left_of_a_body_is_read_unless_it_is_long() {
        assert!(drain(&mut Full::new(Bytes::from_static(b"{}"))).await);
        assert!(drain(&mut Full::<Bytes>::default()).await);
        assert!(!drain(&mut Full::new(Bytes::from(vec![b' '; DRAIN_BYTES_MAX + 1]))).await);
    }

    #[tokio::test]
    async fn a_body_needs_a_type_that_we_read() {
        for kind in ["application/json", "application/json; charset=utf-8", "application/x-ndjson"] {
            assert!(matches!(read_with(&[("content-type", kind)], "{}", "").await, Ok(Read::Body(_))), "{kind}");
        }
        for kind in ["text/plain", "application/cbor", ""] {
            assert!(matches!(read_with(&[("content-type", kind)], "{}", "").await, Ok(Read::Refused(_))), "{kind}");
        }
        assert!(matches!(read_with(&[("content-type", "text/plain")], "", "").await, Ok(Read::Body(_))));
    }

    #[tokio::test]
    async fn a_parameter_may_carry_the_body() {
        let outcome = read_with(&[], "", "source={}&source_content_type=application/json").await;
        assert!(matches!(outcome, Ok(Read::Body(body)) if body == "{}"));
        assert!(matches!(read_with(&[], "", "source={}").await, Err(Error::IllegalArgument { .. })));
    }

    #[tokio::test]
    async fn a_long_body_is_refused_by_its_header_alone() {
        let outcome = read_with(&[("content-length", "1001")], "", "").await;
        assert!(matches!(outcome, Err(Error::ContentTooLong { .. })));
    }
}
