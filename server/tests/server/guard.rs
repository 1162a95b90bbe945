//! Who may ask: the first layer of the server.

use crate::support::{Answer, Server, agent, mlp, vivarium};

fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(agent().get(server.url(path)), |r, (name, value)| {
            r.header(*name, *value)
        });
    Answer::of(request.call())
}

fn post(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(agent().post(server.url(path)), |r, (name, value)| {
            r.header(*name, *value)
        });
    Answer::of(request.send(mlp(1).to_string()))
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_name_that_is_not_this_servers_is_refused_everywhere() {
    let server = Server::start_with(&["--allow-host", "lab.example"]);
    for path in [
        "/",
        "/static/css/base.css",
        "/api/v1/runs",
        "/api/v1/events",
        "/healthz",
        "/nowhere",
    ] {
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "",
        ] {
            assert_eq!(
                get(&server, path, &[("host", host)]).status,
                403,
                "{path} {host}"
            );
        }
    }
    for host in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1:7878",
        "[::1]:80",
        "lab.example",
    ] {
        assert_eq!(
            get(&server, "/healthz", &[("host", host)]).status,
            200,
            "{host}"
        );
    }
}

#[test]
fn what_changes_something_must_come_from_this_site() {
    let server = Server::start();
    let own = format!("http://{}", server.address);
    for refused in [
        [("origin", "null"), JSON],
        [("origin", "http://evil.example"), JSON],
        [("origin", "http://localhost"), JSON],
        [("origin", "https://localhost"), JSON],
        [("sec-fetch-site", "cross-site"), JSON],
        [("sec-fetch-site", "same-site"), JSON],
        [("sec-fetch-site", "none"), JSON],
    ] {
        assert_eq!(
            post(&server, "/api/v1/runs", &refused).status,
            403,
            "{refused:?}"
        );
    }
    for admitted in [
        [("origin", own.as_str()), JSON],
        [("sec-fetch-site", "same-origin"), JSON],
    ] {
        assert_eq!(
            post(&server, "/api/v1/specs/check", &admitted).status,
            200,
            "{admitted:?}"
        );
    }
    let answer = get(
        &server,
        "/api/v1/runs",
        &[("origin", "http://evil.example")],
    );
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    assert_eq!(answer.json()["runs"], serde_json::json!([]));
}

#[test]
fn bodies_must_be_json_and_small() {
    let server = Server::start();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        assert_eq!(
            post(&server, "/api/v1/runs", &[("content-type", kind)]).status,
            415,
            "{kind}"
        );
    }
    let long = format!(r#"{{"name": "{}"}}"#, "x".repeat(300_000));
    assert_eq!(server.post_text("/api/v1/runs", &long).status, 413);
    let deep = "[".repeat(100_000);
    assert_eq!(server.post_text("/api/v1/runs", &deep).status / 100, 4);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn every_answer_forbids_foreign_content() {
    let server = Server::start();
    for path in ["/", "/new", "/nowhere", "/api/v1/runs", "/api/v1/nowhere"] {
        let headers = server.get(path).headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
    for page in ["/", "/new"] {
        let html = server.get(page).body;
        assert!(
            !html.contains(" style=") && !html.contains(" onclick="),
            "{page} has nothing inline"
        );
    }
}

#[test]
fn nothing_outside_the_binary_is_served() {
    let server = Server::start();
    for path in [
        "/static/../Cargo.toml",
        "/static/%2e%2e/Cargo.toml",
        "/static//etc/passwd",
        "/frontend/package.json",
        "/frontend/tests/unit/smoothing.test.js",
        "/frontend/node_modules/uplot/package.json",
        "/runs/../../etc/passwd",
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn an_address_for_others_needs_a_token() {
    let refused = vivarium(&["serve", "--host", "0.0.0.0", "--port", "0"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--token"));
    let short = vivarium(&["serve", "--token", "secret", "--port", "0"]);
    assert!(!short.status.success() && String::from_utf8_lossy(&short.stderr).contains("128 bits"));
}

#[test]
fn with_a_token_nobody_else_gets_anything() {
    let token = "0123456789abcdef0123456789abcdef";
    let server = Server::start_with(&["--token", token]);
    for path in [
        "/",
        "/healthz",
        "/api/v1/runs",
        "/api/v1/events",
        "/static/css/base.css",
    ] {
        assert_eq!(get(&server, path, &[]).status, 401, "{path}");
        assert_eq!(
            get(
                &server,
                path,
                &[("authorization", "Bearer 0123456789abcdef0123456789abcdee")]
            )
            .status,
            401
        );
        assert_eq!(
            get(
                &server,
                path,
                &[("cookie", &format!("vivarium_session={token}"))]
            )
            .status,
            401
        );
    }
    assert_eq!(get(&server, "/?token=wrong", &[]).status, 401);
    assert_eq!(
        get(
            &server,
            "/healthz",
            &[("authorization", &format!("Bearer {token}"))]
        )
        .status,
        200
    );

    let answer = get(
        &server,
        &format!("/new?preset=mlp-on-digits&token={token}"),
        &[],
    );
    assert_eq!(
        (answer.status, answer.headers["location"].to_str().unwrap()),
        (303, "/new?preset=mlp-on-digits")
    );
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Strict")
            && !cookie.contains(token)
    );
    let session = cookie.split(';').next().unwrap();
    assert_eq!(get(&server, "/healthz", &[("cookie", session)]).status, 200);
    let elsewhere = get(&server, &format!("//evil.example?token={token}"), &[]);
    assert!(
        !elsewhere.headers["location"]
            .to_str()
            .unwrap()
            .starts_with("//")
    );
}
