//! The list of routes, made into axum's router.

use super::respond::{Answer, Outcome};
use super::{App, Call};
use axum::Router;
use axum::extract::{FromRef, OriginalUri, State};
use axum::routing::{MethodFilter, MethodRouter};
use http::header::ALLOW;
use http::{Method, Uri};
use std::collections::BTreeMap;
use tandem_common::{Action, Result};

/// One entry of the route list. Without the name of its action none can be made.
#[derive(Clone)]
pub(crate) struct Route {
    methods: &'static [Method],
    /// Segments that are literal or, in braces, named.
    pub(crate) path: &'static str,
    action: Action,
    params: &'static [&'static [&'static str]],
    served: MethodRouter<At>,
}

/// The state of a route's handler: the node, and what the route declares.
#[derive(Clone)]
pub(crate) struct At {
    /// The node.
    pub(crate) app: App,
    /// Segments that are literal or, in braces, named.
    pub(crate) path: &'static str,
    /// What the route does, in OpenSearch's words.
    pub(crate) action: Action,
    /// The parameters that it takes besides the common ones, in groups.
    pub(crate) params: &'static [&'static [&'static str]],
}

impl FromRef<At> for App {
    fn from_ref(at: &At) -> Self {
        at.app.clone()
    }
}

impl Route {
    /// A route for `methods` at `path`, whose segments are literal or, in braces, named. It takes the parameters in
    /// `params` besides the common ones.
    ///
    /// # Panics
    /// A method outside HTTP's own: a mistake in the list.
    pub(crate) fn new<F, Fut>(
        methods: &'static [Method],
        path: &'static str,
        action: Action,
        params: &'static [&'static [&'static str]],
        handler: F,
    ) -> Self
    where
        F: Fn(App, Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Answer>> + Send + 'static,
    {
        let handler = move |State(app): State<App>, call: Call| {
            let answer = handler(app, call);
            async move { Outcome(answer.await) }
        };
        let mut served = MethodRouter::new();
        for method in methods {
            let filter = MethodFilter::try_from(method.clone()).expect("the list names methods of HTTP");
            served = served.on(filter, handler.clone());
        }
        Self { methods, path, action, params, served }
    }
}

/// The router of a list: a literal segment goes before a named one, and what no route takes is refused as OpenSearch does.
///
/// # Panics
/// Two routes with the same method and path: a mistake in the list.
pub(crate) fn router(app: &App, routes: Vec<Route>) -> Router {
    let mut paths: BTreeMap<&'static str, Vec<Route>> = BTreeMap::new();
    for route in routes {
        paths.entry(route.path).or_default().push(route);
    }
    let router = paths.into_iter().fold(Router::new(), |router, (path, routes)| router.route(path, methods(app, routes)));
    router.fallback(no_route)
}

/// The routes of one path.
fn methods(app: &App, routes: Vec<Route>) -> MethodRouter {
    let allowed: Vec<&'static str> = routes.iter().flat_map(|route| route.methods).map(Method::as_str).collect();
    let mut methods = MethodRouter::new();
    for Route { path, action, params, served, .. } in routes {
        methods = methods.merge(served.with_state(At { app: app.clone(), path, action, params }));
    }
    // axum would let GET answer HEAD; OpenSearch has HEAD where a route names it.
    let names_head = allowed.contains(&Method::HEAD.as_str());
    let refused = async move |OriginalUri(uri): OriginalUri, method: Method| Outcome(Ok(wrong_method(&uri, &method, &allowed)));
    if !names_head {
        methods = methods.on(MethodFilter::HEAD, refused.clone());
    }
    methods.fallback(refused)
}

async fn no_route(OriginalUri(uri): OriginalUri, method: Method) -> Outcome {
    Outcome(Ok(match method {
        Method::OPTIONS => Answer::text(""),
        _ => Answer::refusal(400, format!("no handler found for uri [{}] and method [{method}]", uri.path()), false),
    }))
}

fn wrong_method(uri: &Uri, method: &Method, allowed: &[&str]) -> Answer {
    let answer = match *method {
        Method::OPTIONS => Answer::text(""),
        _ => {
            let (uri, names) = (uri.path_and_query().map_or("/", |uri| uri.as_str()), allowed.join(", "));
            Answer::refusal(405, format!("Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{names}]"), true)
        }
    };
    answer.with_header(ALLOW, &allowed.join(","))
}
