//! A small blocking HTTP/1.1 client for tests.
//!
//! One connection per request, always with `Connection: close`: the answer is then the whole stream, so that a wrong
//! `Content-Length`, a body after HEAD or a connection left open is an error here and not a puzzle in the next request.
//! It adds no header that was not asked for besides `Host`, `Connection` and `Content-Length`, because what a server
//! does *without* a content type is one of the things under test.

use std::{
    fmt, io,
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use flate2::read::GzDecoder;
use serde_json::Value;

/// The longest that a connection may stay silent.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// A server to talk to.
#[derive(Clone, Debug)]
pub struct Client {
    address: String,
}

/// What goes out. The target is the path with its query string, percent-encoded already.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// Send the body in chunks, without telling its length ahead.
    pub chunked: bool,
}

/// What came back, with a gzip body unpacked.
#[derive(Clone, Debug, Default)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    /// Takes `http://host:port`, with or without a slash at the end.
    pub fn new(url: &str) -> Result<Self, String> {
        let address = url.strip_prefix("http://").ok_or_else(|| format!("[{url}] does not start with http://"))?.trim_end_matches('/');
        if address.contains('/') || !address.contains(':') {
            return Err(format!("[{url}] is not of the form http://host:port"));
        }
        Ok(Self { address: address.to_owned() })
    }

    pub fn send(&self, request: &Request) -> io::Result<Response> {
        let address =
            self.address.to_socket_addrs()?.next().ok_or_else(|| io::Error::other(format!("[{}] has no address", self.address)))?;
        let mut stream = TcpStream::connect_timeout(&address, SILENCE_LIMIT)?;
        stream.set_read_timeout(Some(SILENCE_LIMIT))?;
        stream.set_write_timeout(Some(SILENCE_LIMIT))?;
        stream.set_nodelay(true)?;

        let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", request.method, request.target, self.address);
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut body = request.body.clone().unwrap_or_default();
        if request.chunked {
            head.push_str("Transfer-Encoding: chunked\r\n");
            body = cut_into_chunks(&body);
        } else if request.body.is_some() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut message = head.into_bytes();
        message.extend_from_slice(&body);
        stream.write_all(&message)?;

        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        parse_answer(&request.method, &answer).map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem))
    }

    /// A request with a JSON body, or none, and a JSON answer.
    pub fn json(&self, method: &str, target: &str, body: Option<&Value>) -> io::Result<(u16, Value)> {
        let mut request = Request { method: method.to_owned(), target: target.to_owned(), ..Request::default() };
        if let Some(body) = body {
            request.headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            request.body = Some(body.to_string().into_bytes());
        }
        let response = self.send(&request)?;
        let value = if response.body.is_empty() { Value::Null } else { serde_json::from_slice(&response.body)? };
        Ok((response.status, value))
    }
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_CHARACTERS: usize = 1_200;
        let text = self.text();
        let shown: String = text.chars().take(SHOWN_CHARACTERS).collect();
        write!(f, "{} {shown}{}", self.status, if shown.len() < text.len() { " …" } else { "" })
    }
}

fn parse_answer(method: &str, answer: &[u8]) -> Result<Response, String> {
    if answer.is_empty() {
        return Err("the connection was closed without an answer".to_owned());
    }
    let end = find(answer, b"\r\n\r\n").ok_or("the head of the answer has no end")?;
    let head = std::str::from_utf8(&answer[..end]).map_err(|_| "the head of the answer is not UTF-8")?;
    let rest = &answer[end + 4..];

    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line
        .strip_prefix("HTTP/1.")
        .and_then(|line| line.strip_prefix("1 ").or_else(|| line.strip_prefix("0 ")))
        .and_then(|line| line.get(..3))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| format!("[{status_line}] is not a status line"))?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("[{line}] is not a header"))?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }

    let mut response = Response { status, headers, body: Vec::new() };
    response.body = if method == "HEAD" {
        if !rest.is_empty() {
            return Err(format!("{} bytes follow the answer to a HEAD", rest.len()));
        }
        Vec::new()
    } else if response.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        join_chunks(rest)?
    } else if let Some(length) = response.header("content-length") {
        let length: usize = length.parse().map_err(|_| format!("Content-Length is [{length}]"))?;
        if length != rest.len() {
            return Err(format!("Content-Length is {length}, but {} bytes came", rest.len()));
        }
        rest.to_vec()
    } else {
        rest.to_vec()
    };
    if response.header("content-encoding") == Some("gzip") && !response.body.is_empty() {
        let mut unpacked = Vec::new();
        GzDecoder::new(response.body.as_slice()).read_to_end(&mut unpacked).map_err(|error| format!("bad gzip body: {error}"))?;
        response.body = unpacked;
    }
    Ok(response)
}

/// Small chunks, so that even a short body has several.
fn cut_into_chunks(body: &[u8]) -> Vec<u8> {
    const CHUNK_BYTES: usize = 7;
    let mut chunks = Vec::new();
    for chunk in body.chunks(CHUNK_BYTES) {
        chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunks.extend_from_slice(chunk);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    chunks
}

fn join_chunks(mut rest: &[u8]) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let line_end = find(rest, b"\r\n").ok_or("a chunk has no size line")?;
        let line = std::str::from_utf8(&rest[..line_end]).map_err(|_| "a chunk size is not UTF-8")?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).map_err(|_| format!("[{line}] is not a chunk size"))?;
        rest = &rest[line_end + 2..];
        if size == 0 {
            return Ok(body);
        }
        if rest.len() < size + 2 || &rest[size..size + 2] != b"\r\n" {
            return Err("a chunk is cut short".to_owned());
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_split_into_status_headers_and_body() {
        let response = parse_answer("GET", b"HTTP/1.1 404 Not Found\r\nX-A: b\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        assert_eq!((response.status, response.header("x-a"), response.text().as_str()), (404, Some("b"), "{}"));
    }

    #[test]
    fn chunks_are_joined() {
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(parse_answer("GET", answer).unwrap().text(), "abcde");
    }

    #[test]
    fn what_was_cut_into_chunks_can_be_joined() {
        for body in [&b""[..], b"short", b"a body of several chunks"] {
            assert_eq!(join_chunks(&cut_into_chunks(body)).unwrap(), body);
        }
    }

    #[test]
    fn a_body_that_does_not_fit_its_length_is_refused() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}";
        assert!(parse_answer("GET", answer).unwrap_err().contains("2 bytes came"));
    }

    #[test]
    fn a_body_after_a_head_is_refused() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert!(parse_answer("HEAD", answer).unwrap_err().contains("HEAD"));
        assert!(parse_answer("HEAD", &answer[..answer.len() - 2]).is_ok());
    }

    #[test]
    fn only_plain_http_urls_with_a_port_are_taken() {
        assert!(Client::new("http://127.0.0.1:9200/").is_ok());
        assert!(Client::new("127.0.0.1:9200").is_err());
        assert!(Client::new("http://localhost").is_err());
    }
}
