//! Behind real proxies that end TLS, with the files of `docs/proxy.md`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Answer, ENDLESS, Server, form, form_type, mlp, until};

const PAGE: &str = include_str!("../../../docs/proxy.md");
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The blocks of the page in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let open = format!("```{language}\n");
    let rest = PAGE.split(open.as_str()).skip(1);
    rest.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A running proxy.
struct Proxy {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn certificate(folder: &Path) -> (String, String) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=lab.example"])
        .args(["-addext", "subjectAltName=DNS:lab.example,IP:127.0.0.1"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{made:?}");
    (certificate, key)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The block with what is here in place of what is in the page, each of which must be there.
fn filled(block: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(block.to_owned(), |text, (there, here)| {
        assert!(text.contains(there), "{there} in {text}");
        text.replace(there, here)
    })
}

impl Proxy {
    fn start(command: &mut Command, port: u16, folder: TempDir) -> Self {
        let process = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the proxy is installed");
        let proxy = Self {
            process,
            port,
            _folder: folder,
        };
        until("the proxy listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        proxy
    }

    fn nginx(server: &Server, block: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = certificate(folder.path());
        let port = free_port();
        let block = filled(
            block,
            &[
                ("127.0.0.1:7878", &server.address),
                ("listen 443", &format!("listen 127.0.0.1:{port}")),
                ("/etc/ssl/lab.example/fullchain.pem", &certificate),
                ("/etc/ssl/lab.example/privkey.pem", &key),
            ],
        );
        let place = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|of| format!("{of}_temp_path {place}/{of};\n"))
            .collect();
        // One process, so that nothing is left when it is killed.
        let whole = format!(
            "daemon off;\nmaster_process off;\npid {place}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{block}\n}}\n"
        );
        let path = folder.path().join("nginx.conf");
        fs::write(&path, whole).unwrap();
        // Not every user has it among the programs that are found by name.
        let debian = Path::new("/usr/sbin/nginx");
        let program = if debian.exists() {
            debian
        } else {
            Path::new("nginx")
        };
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&path);
        command.arg("-e").arg(folder.path().join("errors"));
        Self::start(&mut command, port, folder)
    }

    fn caddy(server: &Server, block: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = certificate(folder.path());
        let port = free_port();
        let site = format!(
            "https://lab.example:{port}, https://127.0.0.1:{port} {{\n\ttls {certificate} {key}"
        );
        let block = filled(
            block,
            &[
                ("127.0.0.1:7878", &server.address),
                ("lab.example {", &site),
            ],
        );
        let path = folder.path().join("Caddyfile");
        fs::write(
            &path,
            format!("{{\n\tadmin off\n\tauto_https off\n}}\n{block}"),
        )
        .unwrap();
        let mut command = Command::new("caddy");
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(&path);
        command
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path());
        Self::start(&mut command, port, folder)
    }

    /// A browser that asks for lab.example by this proxy.
    fn browser(&self) -> Browser {
        let tls = ureq::tls::TlsConfig::builder()
            .disable_verification(true)
            .build();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(tls)
            .build()
            .into();
        Browser {
            agent,
            address: format!("https://127.0.0.1:{}", self.port),
            host: format!("lab.example:{}", self.port),
            cookie: String::new(),
        }
    }
}

struct Browser {
    agent: ureq::Agent,
    address: String,
    host: String,
    cookie: String,
}

impl Browser {
    fn get(&self, path: &str) -> ureq::http::Response<ureq::Body> {
        let request = self.agent.get(format!("{}{path}", self.address));
        let request = request.header("host", &self.host);
        request.header("cookie", &self.cookie).call().unwrap()
    }

    fn text(&self, path: &str) -> Answer {
        Answer::of(Ok(self.get(path)))
    }

    fn post(&self, path: &str, kind: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.address));
        let request = request
            .header("host", &self.host)
            .header("cookie", &self.cookie)
            .header("content-type", kind);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        Answer::of(request.send(body))
    }
}

/// What one does in the browser, with the site below `base`.
fn a_browser_works(proxy: &Proxy, base: &str) {
    let mut browser = proxy.browser();
    let origin = format!("https://{}", browser.host);

    // The address with the token leads to the page without it.
    assert_eq!(browser.text(&format!("{base}/")).status, 401);
    let signed_in = browser.text(&format!("{base}/?token={TOKEN}"));
    assert_eq!(signed_in.status, 303, "{}", signed_in.body);
    assert_eq!(signed_in.headers["location"], format!("{base}/"));
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().to_owned();
    let path = if base.is_empty() { "/" } else { base };
    assert!(cookie.contains(&format!("; Path={path};")), "{cookie}");
    assert!(cookie.contains("; Secure"), "{cookie}");
    browser.cookie = cookie.split(';').next().unwrap().to_owned();

    // Pages, and all that they load.
    for page in ["/", "/new", "/data", "/reports", "/nowhere"] {
        let html = browser.text(&format!("{base}{page}"));
        let is_folder = |part: &str| html.body.contains(&format!("\"data_dir\":\"{part}\""));
        let parts = html.body.split(['"']).filter(|part| part.starts_with('/'));
        let links: Vec<_> = parts.filter(|part| !is_folder(part)).collect();
        assert!(links.len() > 15, "{page}: {links:?}");
        for link in links {
            assert!(link.starts_with(&format!("{base}/")), "{page}: {link}");
            let answer = browser.get(link);
            assert_eq!(answer.status(), 200, "{page}: {link}");
            if link.ends_with(".js") {
                assert_eq!(
                    answer.headers()["content-type"],
                    "text/javascript",
                    "{link}"
                );
            }
        }
    }
    let openapi = browser.text(&format!("{base}/api/v1/openapi.json")).json();
    assert_eq!(openapi["servers"][0]["url"], format!("{base}/api/v1"));

    // What changes something: a browser of today, one that sends no Sec-Fetch-Site, another site.
    let runs = format!("{base}/api/v1/runs");
    let spec = mlp(ENDLESS).to_string();
    let own = [
        ("origin", origin.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let made = browser.post(&runs, "application/json", &own, spec.as_bytes());
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(made.json()["url"], format!("{base}/runs/{id}"));
    assert_eq!(made.headers["location"], format!("{runs}/{id}"));
    let check = format!("{base}/api/v1/specs/check");
    let checked = browser.post(&check, "application/json", &own[..1], spec.as_bytes());
    assert_eq!(checked.status, 200, "{}", checked.body);
    let foreign = [("origin", "https://evil.example")];
    let refused = browser.post(&check, "application/json", &foreign, spec.as_bytes());
    assert_eq!(refused.status, 403, "{}", refused.body);

    // An upload that is larger than proxies allow by themselves.
    let picture = noise(1000);
    assert!(picture.len() > 2 << 20, "{}", picture.len());
    let sent = form("image", Some("photo.png"), &picture);
    let kept = browser.post(&format!("{base}/api/v1/images"), &form_type(), &own, &sent);
    let url = kept.expect(201)["url"].as_str().unwrap().to_owned();
    assert_eq!(kept.headers["location"], url.as_str());
    assert_eq!(browser.get(&url).status(), 200);

    // The stream, live: it has an event of a step that was not trained when it began.
    let events = format!("{base}/api/v1/events?run={id}");
    let run = |browser: &Browser| browser.text(&format!("{runs}/{id}")).json();
    let before = run(&browser)["summary"]["step"].as_u64().unwrap_or(0);
    let stream = browser.get(&events);
    let mut lines = BufReader::new(stream.into_body().into_reader()).lines();
    let mut next = || -> Value {
        let data = lines.find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("data: ").map(str::to_owned)
        });
        serde_json::from_str(&data.expect("the stream goes on")).unwrap()
    };
    while next()["first_step"].as_u64() <= Some(before) {}
    let stopped = browser.post(&format!("{runs}/{id}/stop"), "application/json", &own, b"");
    assert_eq!(stopped.status, 202, "{}", stopped.body);
    while next()["kind"] != "finished" {}
}

/// A PNG that cannot be compressed.
fn noise(side: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let image = image::RgbImage::from_fn(side, side, |_, _| {
        image::Rgb(std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn server(more: &[&str]) -> Server {
    let always = ["--trust-proxy", "--token", TOKEN, "--allow-host"];
    Server::start_with(&[&always[..], more].concat())
}

/// The server's options name the port that the proxy takes only later: the browser's `Host` tells.
const NAME: &str = "lab.example";

#[test]
fn a_browser_works_behind_nginx() {
    let server = server(&[NAME]);
    let proxy = Proxy::nginx(&server, blocks("nginx")[0]);
    a_browser_works(&proxy, "");
}

#[test]
fn a_browser_works_below_a_path_of_nginx() {
    let server = server(&[NAME, "--base-path", "/vivarium"]);
    let proxy = Proxy::nginx(&server, blocks("nginx")[1]);
    a_browser_works(&proxy, "/vivarium");
}

#[test]
fn a_browser_works_below_a_path_that_nginx_takes_off() {
    let server = server(&[NAME, "--base-path", "/vivarium"]);
    let block = filled(
        blocks("nginx")[1],
        &[
            ("location /vivarium {", "location /vivarium/ {"),
            (
                "proxy_pass http://127.0.0.1:7878;",
                "proxy_pass http://127.0.0.1:7878/;",
            ),
        ],
    );
    let proxy = Proxy::nginx(&server, &block);
    a_browser_works(&proxy, "/vivarium");
}

#[test]
fn a_browser_works_behind_nginx_with_another_host() {
    let server = server(&[NAME]);
    let block = filled(
        blocks("nginx")[0],
        &[("        proxy_set_header Host $http_host;\n", "")],
    );
    let proxy = Proxy::nginx(&server, &block);
    a_browser_works(&proxy, "");
}

#[test]
fn a_browser_works_behind_caddy() {
    let [whole, below] = blocks("caddy")[..] else {
        panic!("the page has two files for Caddy");
    };
    let server_of = |base: &str| server(&[NAME, "--base-path", base]);
    for (block, base) in [(whole, ""), (below, "/vivarium")] {
        let server = server_of(base);
        let proxy = Proxy::caddy(&server, block);
        a_browser_works(&proxy, base);
    }
}

#[test]
fn a_base_path_that_cannot_be_told_apart_is_refused() {
    for path in ["vivarium", "/runs", "//x", "/a/../b"] {
        let refused = crate::support::vivarium(&["serve", "--port", "0", "--base-path", path]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            !refused.status.success() && told.contains("must "),
            "{path}: {told}"
        );
    }
}
