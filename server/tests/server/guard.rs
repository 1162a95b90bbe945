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

/// A browser behind a proxy that ends TLS: the origin has another scheme, and perhaps another host and port than the
/// request that arrives.
#[test]
fn a_browser_behind_a_proxy_may_change_things() {
    let server = Server::start_with(&[
        "--allow-host",
        "lab.example",
        "--allow-host",
        "lab.example:8443",
        "--allow-host",
        "Vivarium_Upstream",
    ]);
    let own = format!("https://{}", server.address);
    for admitted in [
        &[("origin", own.as_str()), ("sec-fetch-site", "same-origin")][..],
        &[("origin", own.as_str())],
        // The proxy passes its own name for this server, or none but the address.
        &[
            ("host", "vivarium_upstream"),
            ("origin", "https://lab.example"),
            ("sec-fetch-site", "same-origin"),
        ],
        &[
            ("origin", "https://elsewhere.example"),
            ("sec-fetch-site", "same-origin"),
        ],
        &[("origin", "https://lab.example")],
        &[("host", "lab.example"), ("origin", "https://lab.example")],
        // `proxy_set_header Host $host` leaves the port out.
        &[
            ("host", "lab.example"),
            ("origin", "https://lab.example:8443"),
        ],
        &[
            ("host", "localhost:3000"),
            ("origin", "http://localhost:3000"),
        ],
    ] {
        let headers = [admitted, &[JSON]].concat();
        let answer = post(&server, "/api/v1/specs/check", &headers);
        assert_eq!(answer.status, 200, "{admitted:?}: {}", answer.body);
    }
    for refused in [
        &[("origin", "null"), ("sec-fetch-site", "same-origin")][..],
        &[("origin", own.as_str()), ("sec-fetch-site", "cross-site")],
        &[("origin", own.as_str()), ("sec-fetch-site", "")],
        &[("origin", "https://lab.example:9000")],
        &[
            ("host", "lab.example"),
            ("origin", "http://lab.example:9000"),
        ],
        &[("origin", "https://lab.example.evil.example")],
        &[("origin", "lab.example")],
        &[("origin", "")],
        // Without --trust-proxy anyone may have written this.
        &[
            ("x-forwarded-host", "elsewhere.example"),
            ("origin", "https://elsewhere.example"),
        ],
    ] {
        let headers = [refused, &[JSON]].concat();
        let answer = post(&server, "/api/v1/specs/check", &headers);
        assert_eq!(answer.status, 403, "{refused:?}: {}", answer.body);
    }
}

#[test]
fn a_trusted_proxy_says_which_host_was_asked_for() {
    let token = "0123456789abcdef0123456789abcdef";
    let server = Server::start_with(&[
        "--trust-proxy",
        "--allow-host",
        "lab.example",
        "--token",
        token,
    ]);
    let bearer = format!("Bearer {token}");
    let asked = |forwarded: (&'static str, &'static str), origin: &'static str| {
        let headers = [
            ("authorization", bearer.as_str()),
            JSON,
            forwarded,
            ("origin", origin),
        ];
        post(&server, "/api/v1/specs/check", &headers).status
    };
    let at_8443 = ("x-forwarded-host", "lab.example:8443");
    assert_eq!(asked(at_8443, "https://lab.example:8443"), 200);
    assert_eq!(asked(at_8443, "https://lab.example:8444"), 403);
    let standard = (
        "forwarded",
        "for=10.0.0.1;proto=https;host=\"lab.example:8443\"",
    );
    assert_eq!(asked(standard, "https://lab.example:8443"), 200);
    // What a page that rebinds its name could send as well.
    let evil = ("x-forwarded-host", "evil.example");
    assert_eq!(asked(evil, "https://evil.example"), 403);
    assert_eq!(get(&server, "/healthz", &[evil]).status, 403);
    let rebound = [
        ("host", "evil.example"),
        ("x-forwarded-host", "lab.example"),
    ];
    assert_eq!(get(&server, "/healthz", &rebound).status, 403);

    let sign_in = format!("/?token={token}");
    for (forwarded, secure) in [
        (("x-forwarded-proto", "https"), true),
        (("x-forwarded-proto", "http"), false),
        (("forwarded", "proto=https"), true),
    ] {
        let cookie = get(&server, &sign_in, &[forwarded]).headers["set-cookie"].clone();
        let is_secure = cookie.to_str().unwrap().contains("; Secure");
        assert_eq!(is_secure, secure, "{forwarded:?}");
    }
    let untrusted = Server::start_with(&["--token", token]);
    let answer = get(&untrusted, &sign_in, &[("x-forwarded-proto", "https")]);
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(!cookie.contains("Secure"), "{cookie}");
}

#[test]
fn a_header_that_decides_must_not_be_there_twice() {
    let server = Server::start();
    let own = format!("http://{}", server.address);
    for (name, first, second) in [
        ("Host", server.address.as_str(), "evil.example"),
        ("Host", server.address.as_str(), server.address.as_str()),
        ("Origin", own.as_str(), "http://evil.example"),
        ("Sec-Fetch-Site", "same-origin", "cross-site"),
        ("Content-Type", "application/json", "text/plain"),
        ("Authorization", "Bearer a", "Bearer b"),
    ] {
        let host = match name {
            "Host" => String::new(),
            _ => format!("Host: {}\r\n", server.address),
        };
        let request = format!(
            "DELETE /api/v1/runs/x HTTP/1.1\r\n{host}{name}: {first}\r\n{name}: {second}\r\nConnection: close\r\n\r\n"
        );
        let answer = server.raw(request.as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 400 ")
                && answer.to_lowercase().contains(&name.to_lowercase()),
            "{name}: {answer}"
        );
    }
    let other_target = format!(
        "GET http://evil.example/healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.address
    );
    let answer = server.raw(other_target.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[test]
fn a_host_that_can_never_match_is_refused_at_the_start() {
    for host in ["https://lab.example", "lab.example/vivarium", "*.example"] {
        let refused = vivarium(&["serve", "--port", "0", "--allow-host", host]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            !refused.status.success() && told.contains("lab.example:8443"),
            "{host}: {told}"
        );
    }
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
        "/frontend/tests/unit/smooth.test.js",
        "/frontend/node_modules/playwright/package.json",
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
