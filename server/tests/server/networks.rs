//! Networks as texts: those of users over the API, and runs and sweeps of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{ENDLESS, Server, vivarium};

const TEXT: &str = r#""""My network

Two layers.
"""


def mine(classes, width=option(16, min=1, max=64, help="Values between the layers.")):
    return Sequential(flatten=Flatten(), first=Linear(width), relu=ReLU(), last=Linear(classes))
"#;

fn run_of(network: &str) -> Value {
    json!({"data": {"set": "digits"}, "network": {"kind": network}, "training": {"epochs": 1, "batch_size": 64}})
}

fn save(server: &Server, name: &str, text: &str) -> Value {
    let path = format!("/api/v1/networks/{name}");
    let answer = server.put(&path, &json!({"source": text}));
    assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
    answer.json()
}

#[test]
fn a_text_is_saved_listed_shown_and_deleted() {
    let server = Server::start();
    let saved = save(&server, "mine", TEXT);
    assert_eq!(
        (&saved["title"], &saved["built_in"]),
        (&json!("My network"), &json!(false))
    );
    assert!(server.data_dir().join("networks/mine.py").exists());
    let shown = server.get("/api/v1/networks/mine").expect(200);
    assert_eq!(shown, saved);
    let all = server.get("/api/v1/networks").json();
    let listed = all["networks"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (
            &listed["kind"],
            &listed["source"],
            &listed["fields"][0]["path"]
        ),
        (&json!("mine"), &json!(TEXT), &json!("network.width"))
    );
    for page in [
        "/networks",
        "/networks/mine",
        "/networks/vgg16",
        "/networks/new?copy=mine",
        "/new?network=mine",
    ] {
        assert_eq!(server.get(page).status, 200, "{page}");
    }
    server.delete("/api/v1/networks/mine").expect(204);
    server.delete("/api/v1/networks/mine").expect(404);
    assert_eq!(server.get("/networks/mine").status, 404);
}

#[test]
fn nobody_s_text_is_overwritten() {
    let server = Server::start();
    let put = |tag: (&str, &str), text: &str| {
        server.put_if("/api/v1/networks/mine", tag, &json!({"source": text}))
    };
    let first = put(("if-none-match", "*"), TEXT).expect(201);
    put(("if-none-match", "*"), TEXT).expect(412);
    let tag = first["etag"].as_str().unwrap();
    let changed = format!("{TEXT}# more\n");
    put(("if-match", tag), &changed).expect(200);
    let problem = put(("if-match", tag), TEXT).expect(412);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("saved elsewhere"),
        "{problem}"
    );
    assert_eq!(
        server.get("/api/v1/networks/mine").json()["source"],
        changed
    );
}

#[test]
fn mistakes_have_their_place_and_built_in_networks_stay() {
    let server = Server::start();
    let wrong = TEXT.replace("Linear(width)", "Linear(width +)");
    let problem = server
        .put("/api/v1/networks/mine", &json!({"source": wrong}))
        .expect(422);
    assert_eq!(problem["errors"][0]["line"], 8, "{problem}");
    assert!(
        problem["errors"][0]["column"].as_u64().unwrap() > 40,
        "{problem}"
    );
    for (name, status) in [
        ("vgg16", 409),
        ("new", 422),
        ("A", 422),
        ("..%2fspec", 422),
        ("a.b", 422),
    ] {
        let path = format!("/api/v1/networks/{name}");
        assert_eq!(
            server.put(&path, &json!({"source": TEXT})).status,
            status,
            "{name}"
        );
    }
    server.delete("/api/v1/networks/vgg16").expect(409);
    // A file that somebody put there is listed with its mistake, and a run of it is refused with the place.
    std::fs::create_dir_all(server.data_dir().join("networks")).unwrap();
    std::fs::write(server.data_dir().join("networks/broken.py"), &wrong).unwrap();
    let all = server.get("/api/v1/networks").json();
    assert_eq!(all["unreadable"][0]["name"], "broken");
    assert_eq!(server.get("/networks").status, 200);
    assert_eq!(server.get("/networks/broken").status, 200);
    assert_eq!(server.get("/new").status, 200);
    let problem = server.post("/api/v1/runs", &run_of("broken")).expect(422);
    assert_eq!(
        (&problem["errors"][0]["path"], &problem["errors"][0]["line"]),
        (&json!("network.source"), &json!(8))
    );
    server.post("/api/v1/runs", &run_of("nothing")).expect(422);
    // What is wrong with the layers is told when they are made.
    save(
        &server,
        "unknown",
        &TEXT.replace("Linear(width)", "Lineal(width)"),
    );
    let problem = server.post("/api/v1/runs", &run_of("unknown")).expect(422);
    assert_eq!(problem["errors"][0]["path"], "network.source");
    let message = problem["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("line 8") && message.contains("Lineal"),
        "{message}"
    );
}

#[test]
fn a_run_keeps_its_text_and_its_graph_whatever_becomes_of_the_text() {
    let mut server = Server::start();
    save(&server, "mine", TEXT);
    let mut spec = run_of("mine");
    spec["training"]["epochs"] = json!(ENDLESS);
    let id = server.create(&spec);
    server.await_step(&id, 20);
    server
        .post(&format!("/api/v1/runs/{id}/stop"), &json!({}))
        .expect(202);
    server.await_status(&id, "stopped");
    // Another text of this name: the run goes on with its own.
    save(
        &server,
        "mine",
        &TEXT.replace("first=Linear(width)", "first=Linear(2 * width)"),
    );
    server.kill();
    server.restart();
    server
        .post(&format!("/api/v1/runs/{id}/resume"), &json!({}))
        .expect(202);
    let steps = server.run(&id)["summary"]["step"].as_u64().unwrap();
    server.await_step(&id, steps + 20);
    assert_eq!(
        server.run(&id)["summary"]["parameters"],
        64 * 16 + 16 + 16 * 10 + 10
    );
    server
        .post(&format!("/api/v1/runs/{id}/stop"), &json!({}))
        .expect(202);
    server.await_status(&id, "stopped");
    let shown = server
        .get(&format!("/api/v1/runs/{id}/network"))
        .expect(200);
    assert_eq!(
        (&shown["source"], &shown["name"]),
        (&json!(TEXT), &json!("mine"))
    );
    for file in ["network.py", "network.json"] {
        assert!(server.run_dir(&id).join(file).exists(), "{file}");
    }
    // What is kept and listed of the settings does not have the text.
    let network = &server.run(&id)["spec"]["network"];
    assert_eq!(
        (&network["kind"], &network["width"], &network["source"]),
        (&json!("mine"), &json!(16), &Value::Null)
    );
    // The form for a copy and the layers are those of the run.
    assert_eq!(server.get(&format!("/new?copy={id}")).status, 200);
    assert_eq!(server.get(&format!("/networks/new?run={id}")).status, 200);
    let layers = server.get(&format!("/api/v1/runs/{id}/layers")).expect(200);
    let names: Vec<_> = layers["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| &layer["name"])
        .collect();
    assert!(names.contains(&&json!("first")), "{names:?}");
    // A run of a built-in network has a text, too.
    let id = server.create(&run_of("mlp"));
    let shown = server
        .get(&format!("/api/v1/runs/{id}/network"))
        .expect(200);
    assert_eq!(shown["built_in"], true);
}

#[test]
fn a_sweep_compares_texts_and_their_options() {
    let server = Server::start();
    for name in ["first", "second", "third"] {
        save(&server, name, TEXT);
    }
    let sweep = json!({
        "base": run_of("first"),
        "grid": {"network": [{"kind": "first"}, {"kind": "second"}, {"kind": "third"}], "network.width": [4, 8]},
    });
    let checked = server.post("/api/v1/sweeps/check", &sweep).expect(200);
    assert_eq!(checked["runs"], 6, "{checked}");
    let made = server.post("/api/v1/sweeps", &sweep).expect(201);
    let ids: Vec<_> = made["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 6);
    for id in &ids {
        let run = server.await_status(id, "finished");
        assert!(run["name"].as_str().unwrap().contains("width"), "{run}");
    }
    // It grows with the texts that it had.
    server.delete("/api/v1/networks/third").expect(204);
    let path = format!("/api/v1/sweeps/{}/trials", made["id"].as_str().unwrap());
    let more = server.post(&path, &json!({"repeats": 1})).expect(201);
    assert_eq!(more["runs"].as_array().unwrap().len(), 6);
}

#[test]
fn the_command_line_takes_the_file_of_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("My Net.py");
    std::fs::write(&file, TEXT).unwrap();
    let file = file.to_str().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let train = [
        "train",
        "--network",
        file,
        "--data",
        "digits",
        "--set",
        "training.epochs=1",
        "--data-dir",
        data,
    ];
    let json_of = |arguments: &[&str]| -> Value {
        let output = vivarium(arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let summary = json_of(&train);
    assert_eq!(summary["name"], "my-net on digits");
    let bench = json_of(&[
        "bench",
        "--network",
        file,
        "--steps",
        "3",
        "--size",
        "8",
        "--json",
    ]);
    assert_eq!(bench["net"], "my-net");
}

#[test]
fn the_command_line_says_in_which_file_a_text_has_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for name in ["wrong.py", "WRONG.PY", "wrong.txt", "wrong"] {
        let file = folder.path().join(name);
        std::fs::write(&file, TEXT.replace("Linear(width)", "Linear(width +)")).unwrap();
        let file = file.to_str().unwrap();
        let train = [
            "train",
            "--network",
            file,
            "--data",
            "digits",
            "--data-dir",
            data.to_str().unwrap(),
        ];
        for arguments in [&train[..], &["bench", "--network", file]] {
            let output = vivarium(arguments);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success());
            assert!(told.contains(&format!("{file}: line 8, column ")), "{told}");
        }
    }
}

#[test]
fn a_check_tells_what_a_run_of_the_text_would_be_refused_for() {
    let server = Server::start();
    let check = |source: &str| {
        let body = json!({"source": source, "input": [3, 32, 32], "classes": 10});
        server.post("/api/v1/networks/check", &body).expect(422)["errors"][0].clone()
    };
    let with = |line: &str| TEXT.replace("def mine(", &format!("{line}\n\n\ndef mine("));
    for (line, said) in [
        (
            "weights = \"nope.safetensors\"",
            "there is no file nope.safetensors",
        ),
        (
            "defaults = {\"training.nope\": 3}",
            "there is no setting training.nope",
        ),
        (
            "defaults = {\"training.epochs\": -5}",
            "must be between 1 and 100000",
        ),
    ] {
        let error = check(&with(line));
        assert_eq!(
            (&error["path"], &error["line"]),
            (&json!("source"), &json!(7)),
            "{error}"
        );
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
    }
    let wrong = with("defaults = {\"training.epochs\": -5}");
    server
        .put("/api/v1/networks/mine", &json!({"source": wrong}))
        .expect(422);
    // More memory than any machine has.
    let large = TEXT.replace(
        "flatten=",
        "\n        large=AdaptiveAvgPool2d(2**20), small=AdaptiveAvgPool2d(1), flatten=",
    );
    let error = check(&large);
    assert_eq!(
        (&error["line"], &error["layer"]),
        (&json!(9), &json!("large")),
        "{error}"
    );
    save(&server, "mine", &large);
    let mut spec = run_of("mine");
    spec["data"] = json!({"set": "digits", "size": 8});
    for path in ["/api/v1/specs/check", "/api/v1/runs"] {
        let problem = server.post(path, &spec).expect(422);
        assert_eq!(
            problem["errors"][0]["path"], "training.batch_size",
            "{problem}"
        );
    }
    let estimate = server.post("/api/v1/specs/estimate", &spec).expect(200);
    assert!(
        estimate["memory_bytes"].as_u64().unwrap() > 1 << 42,
        "{estimate}"
    );
    assert!(
        estimate["note"].as_str().unwrap().contains("large"),
        "{estimate}"
    );
}

#[test]
fn a_form_whose_network_changed_or_went_is_told_so_and_names_are_all_networks() {
    let server = Server::start();
    let first = save(&server, "mine", TEXT);
    let revision = first["etag"].as_str().unwrap().trim_matches('"');
    let mut spec = run_of("mine");
    spec["training"]["label_smoothing"] = json!(0.1);
    spec["network"]["revision"] = json!(revision);
    let errors = |path: &str, spec: &Value| {
        let problem = server.post(path, spec).expect(422);
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{problem}");
        assert_eq!(errors[0]["path"], "network.kind", "{problem}");
        errors[0]["message"].as_str().unwrap().to_owned()
    };
    server.post("/api/v1/specs/check", &spec).expect(200);
    save(
        &server,
        "mine",
        &TEXT.replace("width=option(16", "width=option(32"),
    );
    let sweep = json!({"base": spec, "grid": {"training.epochs": [1, 2]}});
    for (path, body) in [
        ("/api/v1/specs/check", &spec),
        ("/api/v1/runs", &spec),
        ("/api/v1/sweeps/check", &sweep),
    ] {
        let message = errors(path, body);
        assert!(message.contains("mine was changed since"), "{message}");
    }
    server.delete("/api/v1/networks/mine").expect(204);
    let message = errors("/api/v1/runs", &spec);
    assert!(message.contains("mine was deleted since"), "{message}");
    save(&server, "other", TEXT);
    spec["network"] = json!({"kind": "mine"});
    let message = errors("/api/v1/specs/check", &spec);
    assert!(message.ends_with("inception, other"), "{message}");
}

#[test]
fn files_that_are_no_texts_are_told_by_name() {
    let server = Server::start();
    let networks = server.data_dir().join("networks");
    std::fs::create_dir_all(networks.join("zdir.py")).unwrap();
    std::fs::write(networks.join("latin.py"), b"# caf\xe9\n").unwrap();
    for name in ["zdir", "latin"] {
        let problem = server.get(&format!("/api/v1/networks/{name}")).expect(409);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("networks/{name}.py")), "{detail}");
        assert_eq!(server.get(&format!("/networks/{name}")).status, 409);
    }
    let all = server.get("/api/v1/networks").json();
    assert_eq!(all["unreadable"].as_array().unwrap().len(), 2, "{all}");
    assert_eq!(server.get("/networks").status, 200);
}

#[test]
fn a_text_that_would_never_end_is_refused_while_others_are_served() {
    let server = Server::start();
    let texts = [
        "def f(classes):\n    while True:\n        pass\n",
        "def f(classes):\n    return f(classes)\n",
        "def f(classes):\n    x = [0] * 10**9\n    return Linear(classes)\n",
        "def f(classes):\n    x = 'a' * 2**30\n    return Linear(classes)\n",
        "def f(classes):\n    return Sequential(*[Linear(9) for i in range(10**9)])\n",
        "def f(classes):\n    return Linear(classes, name='../../x')\n",
        "def f(classes):\n    return </script>\n",
        "def f(classes):\0    return Linear(classes)\n",
    ];
    let check = |source: &str| {
        let body = json!({"source": source, "input": [3, 32, 32], "classes": 10});
        server.post("/api/v1/networks/check", &body)
    };
    std::thread::scope(|scope| {
        let hostile = scope.spawn(|| {
            for text in texts {
                let began = Instant::now();
                let problem = check(text).expect(422);
                assert!(
                    problem["errors"][0]["line"].as_u64().unwrap() >= 1,
                    "{problem}"
                );
                assert!(began.elapsed() < Duration::from_secs(20), "{text}");
            }
        });
        while !hostile.is_finished() {
            server.get("/healthz").expect(200);
        }
        hostile.join().unwrap();
    });
    let deep = format!(
        "def f(classes):\n    return {}1{}\n",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    check(&deep).expect(422);
    let good = check(TEXT).expect(200);
    assert_eq!(good["layers"].as_array().unwrap().len(), 5);
    assert_eq!(good["layers"][2]["line"], 8);
}
