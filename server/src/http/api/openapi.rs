//! The description of the API. Each handler describes itself, and each body is described by its type; how any route may
//! refuse is said here, once, and referenced by each.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::openapi::Ref;
use utoipa::{OpenApi, ToSchema};
use vivarium_models::contract::Record;

use crate::base_path;
use crate::http::problem::Problem;
use crate::run_dir::imported::Settings;

/// The document as it is served.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| document(&crate::http::description(), &base_path::url("/api/v1")));

/// What is said of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vivarium",
        version = "1",
        description = "Launch, watch and compare training runs. A run is a directory; this API tells what its worker writes there."
    ),
    components(schemas(Problem, Record))
)]
pub struct Api;

/// A body that is no text: a picture, an archive.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes bodies that are written piece by piece")]
pub struct Binary(Vec<u8>);

/// The document that the routes' descriptions make, for an API that begins at `server`.
pub fn document(routes: &utoipa::openapi::OpenApi, server: &str) -> Value {
    let mut document = Api::openapi();
    document.merge(routes.clone());
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["servers"] = json!([{ "url": server }]);
    any_variant(&mut document);
    require_nullable(&mut document);
    complete(&mut document);
    document
}

/// The variants of an untagged enum are tried one after the other: a value may be of the form of several.
fn any_variant(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(any_variant),
        Value::Object(items) => {
            if let Some(variants) = items.shift_remove("oneOf") {
                items.insert("anyOf".to_owned(), variants);
            }
            items.values_mut().for_each(any_variant);
        }
        _ => {}
    }
}

/// An answer says `null` where it has nothing: a property of it that may be `null` is always there.
/// One that may be missing is described as not nullable.
///
/// This does not hold for requests, for events, which may be older than a property, and for the settings of imported runs.
fn require_nullable(document: &mut Value) {
    let mut partial = BTreeSet::from([Settings::name().into_owned()]);
    let event = json!(Ref::from_schema_name(Record::name()));
    collect(document, &event, &mut partial);
    for operation in operations(document) {
        collect(document, &operation["requestBody"], &mut partial);
    }
    let schemas = document["components"]["schemas"].as_object_mut();
    for (name, schema) in schemas.into_iter().flatten() {
        if !partial.contains(name) {
            require(schema);
        }
    }
}

/// The names of the schemas that a part of the document refers to.
fn collect(document: &Value, part: &Value, names: &mut BTreeSet<String>) {
    match part {
        Value::Array(items) => items.iter().for_each(|item| collect(document, item, names)),
        Value::Object(items) => {
            let name = items.get("$ref").and_then(Value::as_str);
            let name = name.and_then(|name| name.strip_prefix("#/components/schemas/"));
            if let Some(name) = name
                && names.insert(name.to_owned())
            {
                collect(document, &document["components"]["schemas"][name], names);
            }
            items
                .values()
                .for_each(|item| collect(document, item, names));
        }
        _ => {}
    }
}

fn require(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(require),
        Value::Object(items) => {
            if let Some(Value::Object(properties)) = items.get("properties") {
                let nullable = properties.iter().filter(|(_, of)| is_nullable(of));
                let nullable: Vec<_> = nullable.map(|(name, _)| json!(name)).collect();
                let required = items.entry("required").or_insert_with(|| json!([]));
                if let Value::Array(required) = required {
                    required.extend(nullable);
                    let mut seen = BTreeSet::new();
                    required.retain(|name| seen.insert(name.to_string()));
                }
            }
            items.values_mut().for_each(require);
        }
        _ => {}
    }
}

fn is_nullable(schema: &Value) -> bool {
    let types = schema["type"].as_array();
    let choices = schema["anyOf"].as_array();
    types.is_some_and(|types| types.contains(&json!("null")))
        || choices.is_some_and(|all| all.iter().any(|one| one["type"] == "null"))
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(_, operations)| {
        let operations = operations.as_object().into_iter().flatten();
        operations.map(|(_, operation)| operation)
    })
}

/// Which routes may answer so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Every,
    /// Those whose address names something.
    Named,
    /// Those that take words after a question mark.
    Asked,
    /// Those that take a selection of runs by its name.
    Selected,
    /// Those that take a body of JSON.
    Json,
    /// Those that take a form with files.
    Form,
}

/// Status, name, meaning, routes.
const REFUSALS: [(&str, &str, &str, &[Of]); 12] = [
    (
        "400",
        "BadRequest",
        "The request cannot be read: its address, its body, or a header that decides who may ask and is there twice",
        &[Of::Every],
    ),
    (
        "401",
        "TokenNeeded",
        "The server was started with a token, and the request has neither it nor the cookie",
        &[Of::Every],
    ),
    (
        "403",
        "Forbidden",
        "The `Host` is not allowed, or the request would change something and comes from another site",
        &[Of::Every],
    ),
    (
        "404",
        "NotFound",
        "There is no such thing",
        &[Of::Named, Of::Selected],
    ),
    (
        "408",
        "TooSlow",
        "The request took too long to arrive, or to be answered",
        &[Of::Every],
    ),
    (
        "409",
        "Conflict",
        "Not in this state; or a link lies where a file should be, and is not followed",
        &[Of::Named],
    ),
    (
        "413",
        "TooLarge",
        "The body is longer than this route takes",
        &[Of::Json, Of::Form],
    ),
    (
        "415",
        "NotJson",
        "The body must be `application/json`",
        &[Of::Json],
    ),
    (
        "422",
        "NotValid",
        "Fields that are not valid, each with its path, its value and what is allowed",
        &[Of::Json, Of::Form, Of::Named, Of::Asked],
    ),
    (
        "429",
        "TooMany",
        "Too many uploads at a time; `Retry-After` says when it is worth to ask again",
        &[Of::Form],
    ),
    (
        "500",
        "Failed",
        "The server failed; its log says more",
        &[Of::Every],
    ),
    (
        "503",
        "Overloaded",
        "More waits already than is done in a while; `Retry-After` says when it is worth to ask again",
        &[Of::Every],
    ),
];

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

fn complete(document: &mut Value) {
    let problem = |meaning: &str| {
        json!({
            "description": meaning,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        })
    };
    let responses: Map<_, _> = REFUSALS
        .iter()
        .map(|(_, name, meaning, _)| ((*name).to_owned(), problem(meaning)))
        .collect();
    document["components"]["responses"] = Value::Object(responses);
    let Some(paths) = document["paths"].as_object_mut() else {
        return;
    };
    for (path, operations) in paths {
        for method in METHODS {
            if let Some(operation) = operations.get_mut(method) {
                // Handlers of several files are called the same.
                operation
                    .as_object_mut()
                    .and_then(|all| all.remove("operationId"));
                add_refusals(path, operation);
            }
        }
    }
}

fn add_refusals(path: &str, operation: &mut Value) {
    let content = &operation["requestBody"]["content"];
    let (json, form) = (
        content.get("application/json").is_some(),
        content.get("multipart/form-data").is_some(),
    );
    let parameters = operation["parameters"].as_array();
    let asked = parameters.is_some_and(|all| all.iter().any(|one| one["in"] == "query"));
    let selected = parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "selection"));
    let applies = |of: &Of| match of {
        Of::Every => true,
        Of::Named => path.contains('{'),
        Of::Asked => asked,
        Of::Selected => selected,
        Of::Json => json,
        Of::Form => form,
    };
    let refusals: Vec<_> = REFUSALS
        .iter()
        .map(|(status, name, _, of)| (*status, *name, of.iter().any(applies)))
        .collect();
    for (status, name, may) in refusals {
        if may || operation["responses"].get(status).is_some() {
            operation["responses"][status] =
                json!({"$ref": format!("#/components/responses/{name}")});
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_in_docs_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let document = document(&crate::http::description(), "/api/v1");
        let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
        if std::env::var_os("REFRESH").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let copy = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            copy == text,
            "docs/openapi.json is stale. Refresh it: scripts/refresh-api"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(part: &Value) {
            match part {
                Value::Array(items) => items.iter().for_each(check),
                Value::Object(items) => {
                    if let Some(reference) = items.get("$ref").and_then(Value::as_str) {
                        let target = reference.trim_start_matches('#');
                        assert!(DOCUMENT.pointer(target).is_some(), "{reference}");
                    }
                    items.values().for_each(check);
                }
                _ => {}
            }
        }
        check(&DOCUMENT);
    }

    #[test]
    fn every_route_says_how_it_refuses() {
        let paths = DOCUMENT["paths"].as_object().unwrap();
        assert!(paths.len() > 40);
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                for status in ["400", "401", "403", "408", "500", "503"] {
                    assert!(responses.contains_key(status), "{method} {path} {status}");
                }
                for (status, response) in responses {
                    assert!(!response.is_null(), "{method} {path} {status}");
                }
            }
        }
    }
}
