//! One request from its head to its response: what holds for every route, around axum's router.

use super::params::{Params, decode};
use super::respond::{Answer, Outcome, View, response};
use super::routes::router;
use super::{App, body};
use axum::Router;
use axum::extract::OriginalUri;
use bytes::Bytes;
use futures::FutureExt as _;
use http::header::{CONNECTION, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Request, Response, Uri, Version};
use http_body::Body;
use http_body_util::Full;
use std::panic::AssertUnwindSafe;
use tandem_common::{Error, Result};
use tower::ServiceExt as _;

/// OpenSearch's limit on the first line of a request.
const URI_BYTES_MAX: usize = 4_096;

/// How an empty segment is spelled for the router, which takes none. Nothing else is spelled so: the escapes of a path
/// are checked before.
const EMPTY_SEGMENT: &str = "%";

/// The REST door: every route over one node. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    router: Router,
    content_bytes_max: usize,
    head_bytes_max: usize,
}

impl Door {
    /// The door to `app`.
    pub fn new(app: App) -> Self {
        Self { router: router(&app, super::routes()), content_bytes_max: app.content_bytes_max, head_bytes_max: app.head_bytes_max }
    }

    /// The largest head of a request, in bytes.
    pub(crate) fn head_bytes_max(&self) -> usize {
        self.head_bytes_max
    }

    /// Answers one request; whatever goes wrong is an answer too.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: std::fmt::Display,
    {
        let (head, mut body) = request.into_parts();
        let (method, uri, version) = (head.method.clone(), head.uri.clone(), head.version);
        let mut view = View::of_headers(&method, &head.headers);
        let served = AssertUnwindSafe(self.answer(head, &mut body, &mut view)).catch_unwind().await;
        let outcome = served.unwrap_or_else(|_| {
            tracing::error!(%method, path = uri.path(), "a request panicked");
            Err(Error::internal("the request failed unexpectedly"))
        });
        let mut response = response(outcome, &view).await;
        // What is left of a refused request must not be taken for the next one; most clients send it before they read.
        if !body::drain(&mut body).await && version < Version::HTTP_2 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answer<B>(&self, mut head: Parts, body: B, view: &mut View) -> Result<Answer>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: std::fmt::Display,
    {
        if let Some(refusal) = self.refuse_long(&head.uri, &head.headers) {
            return Ok(refusal);
        }
        let params = Params::parse(head.uri.query().unwrap_or_default())?;
        view.read(&params)?;
        let Ok(routed) = routed(&head.uri) else {
            return Ok(Answer::refusal(400, "invalid uri has been requested".into(), false));
        };
        let body = body::receive(&head.headers, body, self.content_bytes_max).await?;
        head.extensions.insert(params);
        if let Some(routed) = routed {
            head.extensions.insert(OriginalUri(std::mem::replace(&mut head.uri, routed)));
        }
        let served = self.router.clone().oneshot(Request::from_parts(head, axum::body::Body::from(body))).await;
        let outcome = served.map(|mut response| response.extensions_mut().remove::<Outcome>());
        match outcome {
            Ok(Some(Outcome(outcome))) => outcome,
            Ok(None) => Err(Error::internal("the router answered by itself")),
        }
    }

    fn refuse_long(&self, uri: &Uri, headers: &HeaderMap) -> Option<Answer> {
        if uri.path_and_query().is_some_and(|uri| uri.as_str().len() > URI_BYTES_MAX) {
            let reason = format!("An HTTP line is larger than {URI_BYTES_MAX} bytes.");
            return Some(Answer::failure(400, "too_long_http_line_exception", &reason));
        }
        let head_bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let reason = || format!("HTTP header is larger than {} bytes.", self.head_bytes_max);
        (head_bytes > self.head_bytes_max).then(|| Answer::failure(400, "too_long_http_header_exception", &reason()))
    }
}

/// What the router is asked for instead of `uri`, where that differs: without the slashes at the end, so that `/a/` is
/// `/a`, and with the empty segments inside spelled as [`EMPTY_SEGMENT`].
///
/// # Errors
/// A broken percent-encoding.
fn routed(uri: &Uri) -> Result<Option<Uri>> {
    let path = uri.path();
    decode(path, false)?;
    if path == "/" || !(path.ends_with('/') || path.contains("//")) {
        return Ok(None);
    }
    let inside = path.strip_prefix('/').unwrap_or(path).trim_end_matches('/');
    let spelled: Vec<&str> = match inside {
        "" => Vec::new(),
        inside => inside.split('/').map(|segment| if segment.is_empty() { EMPTY_SEGMENT } else { segment }).collect(),
    };
    Uri::try_from(format!("/{}", spelled.join("/"))).map(Some).map_err(|error| Error::illegal_argument(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::Call;
    use super::super::routes::Route;
    use super::*;
    use http::Method;
    use http_body_util::BodyExt as _;
    use tandem_common::Action;
    use tandem_common::config::Config;
    use tandem_node::{Addresses, Node};

    async fn careless(_app: App, call: Call) -> Result<Answer> {
        assert_ne!(call.value("what"), "panic", "asked for");
        Ok(Answer::text(call.value("what")))
    }

    #[tokio::test]
    async fn a_panic_costs_one_request_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::of([("path.data", folder.path().to_str().unwrap())]).unwrap();
        let addresses = Addresses { http: "127.0.0.1:1".parse().unwrap(), transport: "127.0.0.1:2".parse().unwrap() };
        let node = Node::start(config, addresses).await.unwrap();
        let app = App { services: node.services().clone(), content_bytes_max: 1 << 20, head_bytes_max: 16 << 10 };
        let routes = vec![Route::new(&[Method::GET], "/do/{what}", Action("test"), &[], careless)];
        let door = Door { router: router(&app, routes), ..Door::new(app) };
        for (path, status, text) in [("/do/panic", 500, "the request failed unexpectedly"), ("/do/a%2Fb/", 200, "a/b")] {
            let response = door.handle(Request::get(path).body(Full::<Bytes>::default()).unwrap()).await;
            assert_eq!(response.status(), status, "{path}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(String::from_utf8_lossy(&body).contains(text), "{body:?}");
        }
        node.stop().await;
    }

    #[test]
    fn the_router_sees_no_empty_segment_and_no_slash_at_the_end() {
        let routed = |path: &'static str| routed(&Uri::from_static(path)).map(|uri| uri.map(|uri| uri.to_string()));
        for (path, expected) in [
            ("/", None),
            ("/i/_doc/a%2Fb+c?x=/", None),
            ("//", Some("/")),
            ("/i/_doc//?x", Some("/i/_doc")),
            ("//_search", Some("/%/_search")),
            ("/_plugins/_replication//_status", Some("/_plugins/_replication/%/_status")),
        ] {
            assert_eq!(routed(path).unwrap().as_deref(), expected, "{path}");
        }
        for path in ["/%", "/%zz", "/a/%f", "/%ff"] {
            assert!(routed(path).is_err(), "{path}");
        }
    }
}
