//! The description of the API: what is particular to each route is written in `openapi.json`; how
//! any route may refuse is said here, once, and referenced by each.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::base_path;

/// The document as it is served.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = serde_json::from_str(include_str!("openapi.json")).unwrap_or_default();
    complete(&mut document);
    document
});

/// Which routes may answer so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Every,
    /// Those whose address names something.
    Named,
    /// Those that take words after a question mark.
    Asked,
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
    ("404", "NotFound", "There is no such thing", &[Of::Named]),
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
    document["servers"] = json!([{ "url": base_path::url("/api/v1") }]);
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
    let applies = |of: &Of| match of {
        Of::Every => true,
        Of::Named => path.contains('{'),
        Of::Asked => asked,
        Of::Json => json,
        Of::Form => form,
    };
    let refusals: Vec<_> = REFUSALS
        .iter()
        .map(|(status, name, _, of)| (*status, *name, of.iter().any(applies)))
        .collect();
    for (status, name, may) in refusals {
        let own = &operation["responses"][status];
        if may || own["content"].get("application/problem+json").is_some() {
            operation["responses"][status] =
                json!({"$ref": format!("#/components/responses/{name}")});
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                    let Some(reference) = response["$ref"].as_str() else {
                        continue;
                    };
                    let target = reference.trim_start_matches('#');
                    assert!(DOCUMENT.pointer(target).is_some(), "{reference}");
                }
            }
        }
    }
}
