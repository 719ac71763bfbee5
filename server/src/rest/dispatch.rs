//! One request from its head to its response: path, parameters, body, handler.

use super::body::{self, Read};
use super::params::{Params, decode};
use super::respond::{Answer, View, response};
use super::routes::Routes;
use super::{App, Call};
use bytes::Bytes;
use futures::FutureExt as _;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, Version};
use http_body::Body;
use http_body_util::Full;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tandem_common::context::DEFAULT_TIMEOUT;
use tandem_common::{Context, Error, Result, Subject};

/// OpenSearch's limit on the first line of a request.
const URI_BYTES_MAX: usize = 4_096;

/// The longest time that a request may wait; clients write absurd ones to mean "for ever".
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

/// The REST door: every route over one node. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    app: App,
    routes: Arc<Routes>,
}

impl Door {
    /// The door to `app`.
    pub fn new(app: App) -> Self {
        Self { app, routes: Arc::new(Routes::new(super::routes())) }
    }

    /// The largest head of a request, in bytes.
    pub(crate) fn head_bytes_max(&self) -> usize {
        self.app.head_bytes_max
    }

    /// Answers one request; whatever goes wrong is an answer too.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: std::fmt::Display,
    {
        let (head, mut body) = request.into_parts();
        let mut view = View::of_headers(&head.method, &head.headers);
        let served = AssertUnwindSafe(self.answer(&head, &mut body, &mut view)).catch_unwind().await;
        let outcome = served.unwrap_or_else(|_| {
            tracing::error!(method = %head.method, path = head.uri.path(), "a request panicked");
            Err(Error::internal("the request failed unexpectedly"))
        });
        let mut response = response(outcome, &view).await;
        // What is left of a refused request must not be taken for the next one; most clients send it before they read.
        if !body::drain(&mut body).await && head.version < Version::HTTP_2 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answer<B>(&self, head: &Parts, body: B, view: &mut View) -> Result<Answer>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: std::fmt::Display,
    {
        let uri = head.uri.path_and_query().map_or("/", |uri| uri.as_str());
        if uri.len() > URI_BYTES_MAX {
            let reason = format!("An HTTP line is larger than {URI_BYTES_MAX} bytes.");
            return Ok(Answer::failure(400, "too_long_http_line_exception", &reason));
        }
        let head_bytes: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if head_bytes > self.app.head_bytes_max {
            let reason = format!("HTTP header is larger than {} bytes.", self.app.head_bytes_max);
            return Ok(Answer::failure(400, "too_long_http_header_exception", &reason));
        }
        let path = head.uri.path();
        let segments = segments(path)?;
        let Some(found) = self.routes.find(&segments) else {
            return Ok(match head.method {
                Method::OPTIONS => Answer::text(""),
                _ => Answer::refusal(400, format!("no handler found for uri [{path}] and method [{}]", head.method), false),
            });
        };
        let Some((route, values)) = found.route(&head.method) else {
            let allowed = found.allowed();
            return Ok(match head.method {
                Method::OPTIONS => Answer::text(""),
                _ => {
                    let names = allowed.join(", ");
                    let text = format!("Incorrect HTTP method for uri [{uri}] and method [{}], allowed: [{names}]", head.method);
                    Answer::refusal(405, text, true)
                }
            }
            .with_header(ALLOW, &allowed.join(",")));
        };
        if head.headers.get_all(CONTENT_TYPE).iter().count() > 1 {
            return Err(Error::illegal_argument("only one Content-Type header should be provided"));
        }
        let params = Params::parse(head.uri.query().unwrap_or_default())?;
        view.read(&params)?;
        params.check(path, route.params)?;
        if params.get("master_timeout").is_some() && params.get("cluster_manager_timeout").is_some() {
            return Err(Error::parse("Please only use one of the request parameters [master_timeout, cluster_manager_timeout]."));
        }
        let body = match body::read(&head.headers, body, &params, self.app.content_bytes_max).await? {
            Read::Body(body) => body,
            Read::Refused(refusal) => return Ok(refusal),
        };
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let timeout = params.time("timeout")?.unwrap_or(DEFAULT_TIMEOUT).min(TIMEOUT_MAX);
        let mut context = Context::with_timeout(Subject::Everyone, route.action, timeout);
        context.opaque_id = text("x-opaque-id");
        let call = Call { values, params, body, context, accept: text("accept") };
        (route.handler)(self.app.clone(), call).await
    }
}

/// The decoded segments of a path. Empty ones at its end do not count, so that `/a/` is `/a`; those inside do.
fn segments(path: &str) -> Result<Vec<String>> {
    let trimmed = path.strip_prefix('/').unwrap_or(path).trim_end_matches('/');
    if trimmed.is_empty() {
        return Ok(Vec::new());
    }
    trimmed.split('/').map(|segment| decode(segment, false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_after_they_were_split() {
        assert_eq!(segments("/i/_doc/a%2Fb+c").unwrap(), ["i", "_doc", "a/b+c"]);
        assert!(segments("//").unwrap().is_empty());
        assert_eq!(segments("/i/_doc/").unwrap(), ["i", "_doc"]);
        assert_eq!(segments("/_plugins/_replication//_status").unwrap(), ["_plugins", "_replication", "", "_status"]);
        assert!(segments("/%zz").is_err());
    }
}
