//! A client of our own: one HTTP/1.1 request on one connection.

use std::time::Duration;
use tandem_common::env::{clock, net};
use tandem_common::{Error, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The largest answer that is taken; it is held in memory.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// What to send.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// `GET` and so on.
    pub(super) method: String,
    /// `http://host:port`, with or without a path before the request's own.
    pub(super) url: String,
    /// The path with its query.
    pub(super) path: String,
    /// The body; none is sent when it is empty.
    pub(super) body: Vec<u8>,
    /// The type of the body.
    pub(super) content_type: String,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    /// The HTTP status.
    pub(super) status: u16,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// Sends `request` and waits for the whole answer.
///
/// # Errors
/// No connection, no answer within `limit`, an answer that is no HTTP.
pub(super) async fn send(request: &Request, limit: Duration) -> Result<Response> {
    let exchange = async {
        let (authority, prefix) = split_url(&request.url)?;
        let unreachable = |error: std::io::Error| Error::ConnectTransport { reason: error.to_string() };
        let mut stream = net::connect(&authority).await.map_err(unreachable)?;
        let path = if request.path.starts_with('/') { request.path.clone() } else { format!("/{}", request.path) };
        let mut head = format!("{} {prefix}{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n", request.method);
        if !request.body.is_empty() {
            head.push_str(&format!("content-type: {}\r\n", request.content_type));
        }
        if !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT") {
            head.push_str(&format!("content-length: {}\r\n", request.body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.map_err(unreachable)?;
        // A server may refuse a body before it has read it, and its answer counts more than the broken pipe.
        let sent = stream.write_all(&request.body).await;
        let mut bytes = Vec::new();
        let received = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await;
        if bytes.is_empty() {
            sent.map_err(unreachable)?;
            received.map_err(unreachable)?;
        }
        parse(&bytes, request.method == "HEAD")
    };
    clock::timeout(limit, exchange).await.unwrap_or_else(|| Err(Error::Timeout { reason: format!("no answer within {limit:?}") }))
}

/// `http://host:port/prefix` as host and port, and the prefix without a slash at its end.
fn split_url(url: &str) -> Result<(String, String)> {
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some((scheme, _)) => return Err(Error::illegal_argument(format!("[{scheme}] is not supported, only http is"))),
        None => url,
    };
    let (authority, prefix) = rest.split_once('/').map_or((rest, String::new()), |(authority, path)| (authority, format!("/{path}")));
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let authority = if has_port { authority.to_owned() } else { format!("{authority}:9200") };
    Ok((authority, prefix.trim_end_matches('/').to_owned()))
}

/// Reads an answer whose connection was closed behind it.
fn parse(bytes: &[u8], is_head: bool) -> Result<Response> {
    let broken = || Error::illegal_argument("the answer is not HTTP");
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(broken)?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| broken())?;
    let rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(broken)?;
    let header = |name: &str| {
        lines.clone().find_map(|line| line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()))
    };
    if status == 100 {
        return parse(rest, is_head);
    }
    if is_head {
        return Ok(Response { status, body: Vec::new() });
    }
    if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Ok(Response { status, body: unchunk(rest).ok_or_else(broken)? });
    }
    let cut_off = || Error::ConnectTransport { reason: "the answer breaks off".to_owned() };
    let body = match header("content-length") {
        Some(length) => rest.get(..length.parse().map_err(|_| broken())?).ok_or_else(cut_off)?,
        None => rest,
    };
    Ok(Response { status, body: body.to_vec() })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line_end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[line_end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size.checked_add(2)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_may_leave_out_scheme_port_and_path() {
        for (url, authority, prefix) in [
            ("http://a:1/x/", "a:1", "/x"),
            ("http://a", "a:9200", ""),
            ("127.0.0.1:9201", "127.0.0.1:9201", ""),
            ("http://[::1]:9200/", "[::1]:9200", ""),
        ] {
            assert_eq!(split_url(url).unwrap(), (authority.to_owned(), prefix.to_owned()), "{url}");
        }
        assert!(split_url("https://a").is_err());
    }

    #[test]
    fn answers_are_read_by_length_by_chunks_and_to_the_end() {
        let ok = |body: &str| Response { status: 200, body: body.into() };
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokxx", false).unwrap(), ok("ok"));
        assert_eq!(
            parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n", false).unwrap(),
            ok("ok!")
        );
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n\r\nall", false).unwrap(), ok("all"));
        assert_eq!(parse(b"HTTP/1.1 404 No\r\ncontent-length: 9\r\n\r\n", true).unwrap().status, 404);
        for broken in [&b"nonsense"[..], b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"] {
            assert!(parse(broken, false).is_err());
        }
    }
}
