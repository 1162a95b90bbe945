//! A server of one's own for each test, on a free port, in a folder that goes with the test.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a condition may take to come true before the test fails. Far above what is
/// expected, because machines that run tests are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where Debian's package dataset-fashion-mnist has its files.
pub const FASHION: &str = "/usr/share/datasets/fashion-mnist";

/// A data folder and the server that works on it.
pub struct Server {
    folder: TempDir,
    process: Child,
    pub address: String,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(arguments, &[])
    }

    /// Starts with variables in the environment.
    pub fn start_in(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let arguments = arguments.iter().map(|&a| a.to_owned()).collect::<Vec<_>>();
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let variables: Vec<_> = variables.iter().map(own).collect();
        let folder = tempfile::tempdir().unwrap();
        let (process, address) = spawn(folder.path(), &arguments, &variables, Stdio::null());
        Self {
            folder,
            process,
            address,
            arguments,
            variables,
        }
    }

    /// Starts a server on a data folder that is there already.
    pub fn start_on(folder: TempDir) -> Self {
        let (process, address) = spawn(folder.path(), &[], &[], Stdio::null());
        Self {
            folder,
            process,
            address,
            arguments: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Starts a server whose log goes to a file.
    pub fn start_logging_to(log: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(log).unwrap();
        let (process, address) = spawn(folder.path(), &[], &[], log.into());
        Self {
            folder,
            process,
            address,
            arguments: Vec::new(),
            variables: Vec::new(),
        }
    }

    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    pub fn run_dir(&self, id: &str) -> PathBuf {
        self.data_dir().join("runs").join(id)
    }

    /// Waits for a server that dies by itself.
    pub fn wait(&mut self) {
        self.process.wait().unwrap();
    }

    /// Ends the server without a chance to tidy up.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Stops the server and waits for its end.
    pub fn stop(&mut self) {
        self.stop_by("TERM");
    }

    /// Waits for the server's end, whatever it is.
    pub fn await_end(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// Closes the server's terminal, and waits for its end.
    pub fn hang_up(&mut self) {
        self.stop_by("HUP");
    }

    fn stop_by(&mut self, name: &str) {
        signal(self.process.id(), name);
        assert!(
            self.process.wait().unwrap().success(),
            "the server ends well"
        );
    }

    /// Starts a server on the same folder.
    pub fn restart(&mut self) {
        let (process, address) = spawn(
            self.folder.path(),
            &self.arguments,
            &self.variables,
            Stdio::null(),
        );
        self.process = process;
        self.address = address;
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> Answer {
        Answer::of(agent().get(self.url(path)).call())
    }

    /// What is no text: the status, the headers and the bytes.
    pub fn get_bytes(&self, path: &str) -> (u16, ureq::http::HeaderMap, Vec<u8>) {
        let mut response = agent().get(self.url(path)).call().unwrap();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec();
        let status = response.status().as_u16();
        (status, response.headers().clone(), bytes.unwrap())
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::of(agent().put(self.url(path)).send_json(body))
    }

    /// As `put`, with one more header.
    pub fn put_if(&self, path: &str, (name, value): (&str, &str), body: &Value) -> Answer {
        let request = agent().put(self.url(path)).header(name, value);
        Answer::of(request.send_json(body))
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(agent().post(self.url(path)).send_json(body))
    }

    pub fn post_text(&self, path: &str, body: &str) -> Answer {
        let request = agent()
            .post(self.url(path))
            .header("content-type", "application/json");
        Answer::of(request.send(body))
    }

    pub fn delete(&self, path: &str) -> Answer {
        Answer::of(agent().delete(self.url(path)).call())
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::of(agent().patch(self.url(path)).send_json(body))
    }

    /// As `patch`, with one more header.
    pub fn patch_if(&self, path: &str, (name, value): (&str, &str), body: &Value) -> Answer {
        let request = agent().patch(self.url(path)).header(name, value);
        Answer::of(request.send_json(body))
    }

    /// Sends the bytes of a request and gives all that comes back until the server closes.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Creates a run and returns its id.
    pub fn create(&self, spec: &Value) -> String {
        let answer = self.post("/api/v1/runs", spec);
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    pub fn run(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/runs/{id}")).json()
    }

    pub fn status(&self, id: &str) -> String {
        self.run(id)["status"].as_str().unwrap_or("none").to_owned()
    }

    /// Waits until the run has this status.
    pub fn await_status(&self, id: &str, status: &str) -> Value {
        let begun = Instant::now();
        loop {
            let run = self.run(id);
            if run["status"] == status {
                return run;
            }
            let waited = begun.elapsed();
            assert!(waited < PATIENCE, "not {status} within {PATIENCE:?}: {run}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the run has trained this many steps.
    pub fn await_step(&self, id: &str, step: u64) {
        until(&format!("run {id} is at step {step}"), || {
            self.run(id)["summary"]["step"].as_u64() >= Some(step)
        });
    }

    /// The process that trains the run; the one that is there, not one that was killed.
    pub fn worker_pid(&self, id: &str) -> u32 {
        let path = self.run_dir(id);
        let mut found = None;
        until("the run has a worker", || {
            let pid = holder(&path);
            let command_line =
                std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            found = pid.parse().ok();
            command_line.contains(&*path.to_string_lossy())
        });
        found.unwrap()
    }

    /// The lines of the run's log.
    pub fn log_lines(&self, id: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.run_dir(id).join("events.ndjson")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The index, opened as any other program would.
    pub fn index(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data_dir().join("index.sqlite3")).unwrap()
    }

    /// The lines that the index holds of the run.
    pub fn indexed_lines(&self, id: &str) -> Vec<String> {
        let index = self.index();
        let sql =
            "SELECT body FROM events WHERE run = (SELECT key FROM runs WHERE id = ?1) ORDER BY seq";
        let mut statement = index.prepare(sql).unwrap();
        statement
            .query_map([id], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Workers outlive a server by design; not by this test.
        let runs = self.data_dir().join("runs");
        let _ = self.process.kill();
        let _ = self.process.wait();
        for entry in std::fs::read_dir(runs).into_iter().flatten().flatten() {
            let pid = holder(&entry.path());
            let command_line =
                std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if command_line.contains(&*entry.path().to_string_lossy()) {
                let _ = Command::new("kill").args(["-9", &pid]).status();
            }
        }
    }
}

/// The process in the lock of a run.
fn holder(run: &Path) -> String {
    let text = std::fs::read_to_string(run.join("lock")).unwrap_or_default();
    text.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn spawn(
    folder: &Path,
    arguments: &[String],
    variables: &[(String, String)],
    log: Stdio,
) -> (Child, String) {
    let mut process = at_a_terminal(env!("CARGO_BIN_EXE_vivarium"))
        .args(["serve", "--port", "0", "--data-dir"])
        .arg(folder)
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().strip_prefix("Vivarium is listening on http://");
    (
        process,
        address
            .expect("the server says where it listens")
            .to_owned(),
    )
}

/// What a server said.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn of(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Self {
        let mut response = response.unwrap();
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.body_mut().read_to_string().unwrap(),
        }
    }

    /// Asserts the status, and gives the body; null where there is none.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The paths of the fields that a problem document names.
    pub fn fields(&self) -> Vec<String> {
        let errors = self.json()["errors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        errors
            .iter()
            .map(|error| error["path"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A client that takes every status as an answer and follows nothing.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into()
}

/// Sends a picture as a browser's form does.
pub fn upload_image(server: &Server, bytes: &[u8]) -> Answer {
    let request = agent().post(server.url("/api/v1/images"));
    let request = request.header("content-type", form_type());
    Answer::of(request.send(&form("image", Some("photo.png"), bytes)[..]))
}

const BOUNDARY: &str = "vivarium-test";

/// A form with one field.
pub fn form(field: &str, file: Option<&str>, bytes: &[u8]) -> Vec<u8> {
    form_of(&[(field, file, bytes)])
}

/// A form: of each field its name, its file's name, its bytes.
pub fn form_of(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (field, file, bytes) in fields {
        let file = file.map_or(String::new(), |file| format!("; filename=\"{file}\""));
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{field}\"{file}\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(bytes);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    form
}

/// What a request with a form says it has.
pub fn form_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// The files of golden pictures, of the crate of numerics.
pub fn photos() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden/photos")
}

/// A program, as it is started at a terminal. Where the tests themselves run under `nohup`, their children would not
/// hear a hang-up.
pub fn at_a_terminal(program: &str) -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP", program]);
    command
}

/// Runs the binary to its end.
pub fn vivarium(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args(arguments)
        .output()
        .unwrap()
}

pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status();
    assert!(
        sent.unwrap().success(),
        "process {pid} is there to get a signal"
    );
}

/// Waits until `condition` holds.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(
            begun.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An MLP on 400 points: an epoch of 36 steps takes about a millisecond.
pub fn mlp(epochs: u64) -> Value {
    json!({
        "name": "mlp on moons",
        "data": {"set": "moons"},
        "network": {"kind": "mlp", "hidden": [32, 16], "dropout": 0.1},
        "training": {"epochs": epochs, "batch_size": 8, "seed": 7, "threads": 1}
    })
}

/// A small convolutional network on 80 images; a few dozen steps a second.
pub fn conv(epochs: u64) -> Value {
    json!({
        "name": "residual on digits",
        "data": {"set": "digits", "size": 32, "channels": 3, "limit": 80},
        "network": {"kind": "residual-small", "plan": [4, 6], "depth": [2], "hidden": 8},
        "training": {"epochs": epochs, "batch_size": 32, "seed": 7, "threads": 1}
    })
}

/// More epochs than any test waits for.
pub const ENDLESS: u64 = 100_000;

/// So many epochs of [`mlp`] that what is done in their midst does not find the run at its end: they take five seconds or
/// more, 100 epochs a tenth of one.
pub const LASTING: u64 = 5_000;
