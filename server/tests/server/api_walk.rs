//! Every route of the API's document, with odd values in every place that takes one.

use serde_json::{Value, json};

use crate::support::{Server, conv, mlp, upload_image};

/// Values as they stand in an address: empty, ends of lines and of texts, no UTF-8, other files, other numbers, long.
const ODD: [&str; 40] = [
    "",
    "%00",
    "a%00b",
    "%20",
    "%0d%0a",
    "%ff",
    "%ed%a0%80",
    "%25",
    "%2F",
    ".",
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "%2fetc%2fpasswd",
    "%F0%9F%A6%86",
    "%E2%80%AE",
    "*",
    "%22",
    "%27%20OR%201%3D1",
    "%3Cscript%3E",
    "null",
    "NaN",
    "-NaN",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "-0",
    "%2B1",
    "0",
    "0.5",
    "0x10",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "test:18446744073709551615",
    "nan,nan",
    "urn:uuid:0199d3a0-0000-7000-8000-000000000000",
];

/// Bodies that are no settings of anything.
const BODIES: [&str; 14] = [
    "",
    "null",
    "true",
    "0",
    "\"text\"",
    "[]",
    "{}",
    "{",
    "[[[[[[[[",
    "NaN",
    "{\"\": 0}",
    "{\"name\": \"\\ud800\"}",
    "{\"a\": 1e999}",
    "{\"a\": 1, \"a\": 2}",
];

struct Walk {
    server: Server,
    agent: ureq::Agent,
    document: Value,
    /// What stands for a parameter where it is not the odd one: name, beginning of the path, value.
    known: Vec<(&'static str, &'static str, String)>,
    faults: Vec<String>,
}

impl Walk {
    fn begin() -> Self {
        let server = Server::start();
        let network = server.create(&conv(1));
        let plane = server.create(&mlp(1));
        for id in [&network, &plane] {
            server.await_status(id, "finished");
        }
        let layers = server.get(&format!("/api/v1/runs/{network}/layers")).json();
        let layer = layers["layers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|layer| layer["kind"] == "Conv2d" || layer["kind"] == "conv2d")
            .unwrap_or(&layers["layers"][0]);
        let layer = layer["name"].as_str().unwrap().to_owned();
        let report = server.post("/api/v1/reports", &json!({"text": "# A report"}));
        let report = report.json()["id"].as_str().unwrap().to_owned();
        let sweep = json!({"base": mlp(1), "grid": {"training.batch_size": [8]}, "repeats": 1});
        let sweep = server.post("/api/v1/sweeps", &sweep).expect(201);
        let photo = std::fs::read(crate::support::photos().join("rgb.png")).unwrap();
        let image = upload_image(&server, &photo).expect(201);
        let image = image["id"].as_str().unwrap().to_owned();
        let text = "def mine(classes):\n    return Sequential(Flatten(), Linear(classes))\n";
        let text = json!({"source": text});
        server.put("/api/v1/networks/mine", &text).expect(201);
        let document = server.get("/api/v1/openapi.json").json();
        let nobody = "0199d3a0-0000-7000-8000-000000000000".to_owned();
        let known = vec![
            ("id", "/sweeps", sweep["id"].as_str().unwrap().to_owned()),
            ("id", "/reports", report),
            ("id", "/runs", network.clone()),
            ("id", "", nobody),
            ("layer", "", layer),
            ("file", "/images", format!("{image}.png")),
            ("file", "", "test:0.png".to_owned()),
            ("set", "", "digits".to_owned()),
            ("name", "/networks", "mine".to_owned()),
            ("format", "", "pytorch".to_owned()),
            ("epoch", "/runs/{id}/film", "0".to_owned()),
            ("of", "", "filter".to_owned()),
            ("index", "", "0".to_owned()),
            ("map", "", "0".to_owned()),
            ("y", "", "0".to_owned()),
            ("x", "/runs/{id}/layers", "0".to_owned()),
            ("run", "", network),
        ];
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        Self {
            server,
            agent,
            document,
            known,
            faults: Vec::new(),
        }
    }

    fn known(&self, name: &str, path: &str) -> Option<&str> {
        let found = self
            .known
            .iter()
            .find(|(of, begin, _)| *of == name && path.starts_with(begin));
        found.map(|(.., value)| value.as_str())
    }

    /// The address of an operation, with one parameter of it as given.
    fn address(&self, path: &str, parameters: &[Value], odd: Option<(&str, &str)>) -> String {
        let value = |name: &str| match odd {
            Some((of, value)) if of == name => Some(value.to_owned()),
            _ => self.known(name, path).map(str::to_owned),
        };
        let mut address = path.to_owned();
        let mut query = Vec::new();
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            match (parameter["in"].as_str().unwrap(), value(name)) {
                ("path", given) => {
                    let given = given.unwrap_or_else(|| panic!("{name} of {path} is not known"));
                    address = address.replace(&format!("{{{name}}}"), &given);
                }
                ("query", Some(given)) => query.push(format!("{name}={given}")),
                _ => {}
            }
        }
        if !query.is_empty() {
            address = format!("{address}?{}", query.join("&"));
        }
        self.server.url(&format!("/api/v1{address}"))
    }

    /// Asks, and notes what must not be: a failure of the server, or a status that the document does not have.
    fn ask(&mut self, method: &str, path: &str, address: &str, body: Option<&str>) {
        let request = ureq::http::Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(address);
        let answer = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body).unwrap())
            }
            None => match request.body(()) {
                Ok(request) => self.agent.run(request),
                // The client's library takes no such address.
                Err(_) => return,
            },
        };
        let Ok(answer) = answer else {
            let told = answer.unwrap_err();
            self.faults.push(format!("{method} {address}: {told}"));
            return;
        };
        let status = answer.status().as_u16();
        let responses = &self.document["paths"][path][method]["responses"];
        let documented = responses.get(status.to_string()).is_some();
        let kind = answer.headers().get("content-type");
        let is_problem = kind.is_some_and(|kind| kind == "application/problem+json");
        // Another route's, where the odd value leads there: a path may end in a slash, or have one more.
        let elsewhere = status == 404 || status == 405;
        if status >= 500 || !(documented || elsewhere) || (status >= 400 && !is_problem) {
            let body = body.unwrap_or_default();
            self.faults
                .push(format!("{method} {address} {body}: {status} {kind:?}"));
        }
    }

    fn operations(&self) -> Vec<(String, String, Vec<Value>, Value)> {
        let mut found = Vec::new();
        for (path, methods) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let parameters = operation["parameters"].as_array().cloned();
                found.push((
                    path.clone(),
                    method.clone(),
                    parameters.unwrap_or_default(),
                    operation.clone(),
                ));
            }
        }
        found
    }

    /// The properties of the operation's body.
    fn properties(&self, operation: &Value) -> Option<Vec<String>> {
        let mut schema = &operation["requestBody"]["content"].get("application/json")?["schema"];
        if let Some(reference) = schema["$ref"].as_str() {
            schema = self
                .document
                .pointer(reference.trim_start_matches('#'))
                .unwrap();
        }
        let properties = schema["properties"].as_object();
        Some(properties.map_or(Vec::new(), |all| all.keys().cloned().collect()))
    }
}

#[test]
fn odd_values_are_refused_and_every_status_is_documented() {
    let mut walk = Walk::begin();
    let long = "x".repeat(8000);
    let odd: Vec<&str> = ODD.into_iter().chain([long.as_str()]).collect();
    for (path, method, parameters, operation) in walk.operations() {
        for parameter in &parameters {
            let (name, place) = (parameter["name"].as_str().unwrap(), &parameter["in"]);
            if place != "path" && place != "query" {
                continue;
            }
            for value in &odd {
                let address = walk.address(&path, &parameters, Some((name, value)));
                walk.ask(&method, &path, &address, None);
            }
        }
        let address = walk.address(&path, &parameters, None);
        if let Some(properties) = walk.properties(&operation) {
            for body in BODIES {
                walk.ask(&method, &path, &address, Some(body));
            }
            for property in properties {
                let long = format!("\"{}\"", "x".repeat(10_000));
                for value in [
                    "null",
                    "\"\"",
                    "\"\\u0000\"",
                    "0",
                    "-1",
                    "1e308",
                    "[]",
                    "[null]",
                    "{}",
                    &long,
                ] {
                    let body = format!("{{\"{property}\": {value}}}");
                    walk.ask(&method, &path, &address, Some(&body));
                }
            }
        } else if method == "get" {
            walk.ask(&method, &path, &address, None);
        }
    }
    let faults = &walk.faults;
    assert!(faults.is_empty(), "{}: {faults:#?}", faults.len());
}

#[test]
fn odd_addresses_of_pages_are_refused() {
    let server = Server::start();
    for value in ODD {
        for page in [
            "/runs/",
            "/runs//inside",
            "/sweeps/",
            "/reports/",
            "/static/",
            "/frontend/",
            "/compare?run=",
            "/compare?sweep=",
            "/compare?tag=",
            "/new?copy=",
            "/new?preset=",
            "/?q=",
        ] {
            let address = match page {
                "/runs//inside" => format!("/runs/{value}/inside"),
                page => format!("{page}{value}"),
            };
            let status = server.get(&address).status;
            assert!(status < 500, "{address}: {status}");
        }
    }
}

#[test]
fn null_is_no_label() {
    let server = Server::start();
    let id = server.create(&mlp(1));
    let path = format!("/api/v1/runs/{id}");
    let labelled = json!({"name": "a", "tags": ["b"], "notes": "c"});
    server.patch(&path, &labelled).expect(200);
    for field in ["name", "tags", "notes"] {
        let refused = server.patch(&path, &json!({field: null}));
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec![field.to_owned()])
        );
    }
    let run = server.run(&id);
    assert_eq!(
        (&run["name"], &run["tags"], &run["notes"]),
        (&json!("a"), &json!(["b"]), &json!("c"))
    );
    server.patch(&path, &json!({})).expect(200);
}
