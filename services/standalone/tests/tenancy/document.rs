//! The operations of the API as its document tells them.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::rows::{body_of, query_of};

/// Ids of somebody's things, by the segment of the path behind which such an id stands: `customers`, `phones`, …
pub(crate) type Things = BTreeMap<&'static str, String>;

/// An operation, ready to be asked for with anybody's things.
pub(crate) struct Operation {
    /// Its id.
    pub(crate) id: String,
    /// Its method.
    pub(crate) method: Method,
    /// Its path, with `{customers}` where the id of a customer stands.
    pub(crate) path: String,
    /// The type of its body, and the body as text, with ids as in the path. A `GET` has none.
    pub(crate) body: Option<(String, String)>,
    /// Whether an API key is a credential for it.
    pub(crate) takes_keys: bool,
}

impl Operation {
    /// The things that a request names.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let text = self.body.as_ref().map_or("", |(_, text)| text);
        let named = |thing: &&str| [&*self.path, text].iter().any(|t| t.contains(&format!("{{{thing}}}")));
        THINGS.into_iter().filter(named).collect()
    }
}

/// Everything that has an id. A version is a number, and everybody's agents have a first one.
const THINGS: [&str; 17] = [
    "agents",
    "answers",
    "api-keys",
    "apps",
    "bots",
    "calls",
    "customers",
    "deliveries",
    "keys",
    "members",
    "notifications",
    "phones",
    "projects",
    "sources",
    "suppressions",
    "tickets",
    "webhooks",
];

/// `text` with these ids in it.
pub(crate) fn filled(text: &str, things: &Things) -> String {
    things.iter().fold(text.to_owned(), |text, (thing, id)| text.replace(&format!("{{{thing}}}"), id))
}

/// All of them, in the document's order.
pub(crate) fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().expect("paths");
    let items = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations");
        methods.iter().map(move |(method, operation)| (path, method, operation))
    });
    items.map(|(path, method, operation)| read(document, path, method, operation)).collect()
}

fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let id = operation["operationId"].as_str().expect("an operation id").to_owned();
    let own = body_of(&id).map(|body| ("application/json".to_owned(), body.to_string()));
    let keys = |way: &Value| way.get("apiKey").is_some();
    Operation {
        body: own.or_else(|| example(document, &operation["requestBody"])),
        method: method.to_uppercase().parse().expect("a method"),
        path: with_things(path) + query_of(&id),
        takes_keys: operation["security"].as_array().is_some_and(|ways| ways.iter().any(keys)),
        id,
    }
}

/// `/customers/{id}` as `/customers/{customers}`.
fn with_things(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').collect();
    let named = segments.iter().enumerate().map(|(at, segment)| match segment.starts_with('{') {
        // What stands behind no thing is an app.
        true if segments[at - 1] == "api" => "{apps}".to_owned(),
        true => format!("{{{}}}", segments[at - 1]),
        false => (*segment).to_owned(),
    });
    named.collect::<Vec<_>>().join("/")
}

/// The first example of a body, with its type.
fn example(document: &Value, body: &Value) -> Option<(String, String)> {
    let (kind, content) = body["content"].as_object()?.iter().next()?;
    if let Some(text) = content["example"].as_str() {
        return Some((kind.clone(), text.to_owned()));
    }
    let schema = content["schema"]["$ref"].as_str()?.rsplit('/').next()?;
    let example = &document["components"]["schemas"][schema]["example"];
    assert!(example.is_object(), "{schema} has no example");
    Some((kind.clone(), example.to_string()))
}
