//! The routes as a tree of path segments: the path finds a node, the node knows its methods.

use super::respond::Answer;
use super::{App, Call};
use futures::future::BoxFuture;
use http::Method;
use std::collections::HashMap;
use std::sync::Arc;
use tandem_common::{Action, Result};

/// What serves a route.
pub(crate) type Handler = Arc<dyn Fn(App, Call) -> BoxFuture<'static, Result<Answer>> + Send + Sync>;

/// One entry of the route list. Without the name of its action none can be made.
#[derive(Clone)]
pub(crate) struct Route {
    /// Which methods.
    pub(crate) methods: &'static [Method],
    /// Segments that are literal or, in braces, named.
    pub(crate) path: &'static str,
    /// What it does, in OpenSearch's words.
    pub(crate) action: Action,
    /// The parameters it takes besides the common ones, in groups.
    pub(crate) params: &'static [&'static [&'static str]],
    /// Serves it.
    pub(crate) handler: Handler,
}

impl Route {
    /// A route.
    pub(crate) fn new<F, Fut>(
        methods: &'static [Method],
        path: &'static str,
        action: Action,
        params: &'static [&'static [&'static str]],
        handler: F,
    ) -> Self
    where
        F: Fn(App, Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Answer>> + Send + 'static,
    {
        Self { methods, path, action, params, handler: Arc::new(move |app, call| Box::pin(handler(app, call))) }
    }
}

/// Every route, ready to be found.
#[derive(Default)]
pub(crate) struct Routes {
    root: Node,
}

#[derive(Default)]
struct Node {
    literal: HashMap<&'static str, Node>,
    named: Option<Box<Node>>,
    /// (method, route, names of the segments in braces).
    methods: Vec<(Method, Arc<Route>, Vec<&'static str>)>,
}

/// What a path leads to.
pub(crate) struct Found<'a> {
    node: &'a Node,
    values: Vec<String>,
}

impl Routes {
    /// Builds the tree.
    ///
    /// # Panics
    /// Two routes with the same method and path: a mistake in the list.
    pub(crate) fn new(routes: Vec<Route>) -> Self {
        let mut tree = Self::default();
        for route in routes {
            let route = Arc::new(route);
            let mut node = &mut tree.root;
            let mut names = Vec::new();
            for segment in route.path.split('/').filter(|segment| !segment.is_empty()) {
                node = match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                    Some(name) => {
                        names.push(name);
                        node.named.get_or_insert_default()
                    }
                    None => node.literal.entry(segment).or_default(),
                };
            }
            for method in route.methods {
                assert!(!node.methods.iter().any(|(known, _, _)| known == method), "{method} {} is listed twice", route.path);
                node.methods.push((method.clone(), route.clone(), names.clone()));
            }
        }
        tree
    }

    /// The node of a path whose segments are decoded already. A literal segment goes before a named one.
    pub(crate) fn find(&self, segments: &[String]) -> Option<Found<'_>> {
        let mut values = Vec::new();
        let node = descend(&self.root, segments, &mut values)?;
        Some(Found { node, values })
    }
}

fn descend<'a>(node: &'a Node, segments: &[String], values: &mut Vec<String>) -> Option<&'a Node> {
    let Some((segment, rest)) = segments.split_first() else { return (!node.methods.is_empty()).then_some(node) };
    if let Some(found) = node.literal.get(segment.as_str()).and_then(|next| descend(next, rest, values)) {
        return Some(found);
    }
    let next = node.named.as_deref()?;
    values.push(segment.clone());
    let found = descend(next, rest, values);
    if found.is_none() {
        values.pop();
    }
    found
}

impl Found<'_> {
    /// The route for a method, with the named segments.
    pub(crate) fn route(&self, method: &Method) -> Option<(Arc<Route>, HashMap<&'static str, String>)> {
        let (_, route, names) = self.node.methods.iter().find(|(known, _, _)| known == method)?;
        Some((route.clone(), names.iter().copied().zip(self.values.iter().cloned()).collect()))
    }

    /// The methods of the path, in the order of the list.
    pub(crate) fn allowed(&self) -> Vec<&str> {
        self.node.methods.iter().map(|(method, _, _)| method.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&'static str]) -> Routes {
        let route = |path: &&'static str| Route::new(&[Method::GET], path, Action("test"), &[], |_, _| async { Ok(Answer::text("")) });
        Routes::new(paths.iter().map(route).collect())
    }

    fn found(tree: &Routes, path: &str) -> Option<(&'static str, HashMap<&'static str, String>)> {
        let segments: Vec<String> =
            path.split('/').skip(1).filter(|part| !path.ends_with('/') || !part.is_empty()).map(str::to_owned).collect();
        tree.find(&segments)?.route(&Method::GET).map(|(route, values)| (route.path, values))
    }

    #[test]
    fn a_literal_segment_goes_before_a_named_one() {
        let tree = tree(&["/", "/{index}", "/_search", "/{index}/_search", "/_cat/indices", "/_cat/indices/{index}", "/{index}/_doc/{id}"]);
        for (path, route) in [
            ("/", "/"),
            ("/_search", "/_search"),
            ("/_nosuch", "/{index}"),
            ("/a/_search", "/{index}/_search"),
            ("/_cat/indices/x", "/_cat/indices/{index}"),
            // The literal branch ends nowhere, so the named one is tried.
            ("/_cat/_search", "/{index}/_search"),
        ] {
            assert_eq!(found(&tree, path).map(|(route, _)| route), Some(route), "{path}");
        }
        assert!(found(&tree, "/a/b/c/d").is_none());
        assert!(found(&tree, "/_cat/nosuch").is_none());
        assert_eq!(found(&tree, "/i/_doc/x").unwrap().1, HashMap::from([("index", "i".to_owned()), ("id", "x".to_owned())]));
    }
}
