//! Networks as ONNX files: out and in again, over HTTP and at the command line, and hostile ones.

use serde_json::{Value, json};

use crate::support::{Answer, Server, agent, form, form_type, vivarium};

fn upload(server: &Server, name: &str, bytes: &[u8]) -> Answer {
    let request = agent().post(server.url("/api/v1/networks/import"));
    let request = request.header("content-type", form_type());
    Answer::of(request.send(&form("file", Some(name), bytes)[..]))
}

#[test]
fn a_network_goes_out_as_onnx_and_comes_back_with_its_weights() {
    let server = Server::start();
    let mut spec = json!({
        "data": {"set": "digits"},
        "network": {"kind": "mlp", "hidden": [32]},
        "training": {"epochs": 4, "batch_size": 32},
    });
    let id = server.create(&spec);
    let accuracy = |run: &Value| run["summary"]["test_accuracy"].as_f64().unwrap();
    let trained = accuracy(&server.await_status(&id, "finished"));
    assert!(trained > 0.7, "{trained}");
    let file = |format: &str| {
        let (status, headers, bytes) =
            server.get_bytes(&format!("/api/v1/runs/{id}/export?format={format}"));
        assert_eq!(status, 200, "{format}");
        let disposition = headers["content-disposition"].to_str().unwrap().to_owned();
        assert!(
            disposition.starts_with("attachment; filename=\"model."),
            "{disposition}"
        );
        bytes
    };
    let source = String::from_utf8(file("pytorch")).unwrap();
    assert!(source.contains("nn.Linear(64, 32)"), "{source}");
    assert!(!file("safetensors").is_empty());
    server
        .get(&format!("/api/v1/runs/{id}/export?format=keras"))
        .expect(400);
    let onnx = file("onnx");

    let imported = upload(&server, "My MLP.onnx", &onnx).expect(201);
    assert_eq!(
        (&imported["name"], &imported["classes"], &imported["input"]),
        (&json!("my-mlp"), &json!(10), &json!([1, 8, 8]))
    );
    // The same file again is another network.
    let again = upload(&server, "My MLP.onnx", &onnx).expect(201);
    assert_eq!(again["name"], "my-mlp-2");
    assert_eq!(server.get("/networks/my-mlp").status, 200);

    spec["network"] = json!({"kind": "my-mlp"});
    spec["training"] = json!({"epochs": 1, "optimizer": {"kind": "sgd", "lr": 1e-7}});
    let tuned = server.await_status(&server.create(&spec), "finished");
    assert!(
        (accuracy(&tuned) - trained).abs() < 0.02,
        "{trained} {tuned}"
    );
    spec["network"]["weights"] = json!("random");
    let fresh = server.await_status(&server.create(&spec), "finished");
    assert!(accuracy(&fresh) < 0.5, "{fresh}");
    // Images of another size: the first layer does not fit.
    spec["network"]["weights"] = json!("imported");
    spec["data"] = json!({"set": "digits", "size": 16});
    let failed = server.await_status(&server.create(&spec), "failed");
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains(".weight"), "{message}");
}

#[test]
fn hostile_onnx_files_are_refused_while_others_are_served() {
    let server = Server::start();
    let empty_nodes: Vec<u8> = {
        // A graph of 64 MiB of nodes without a field, two bytes each.
        let nodes = [0x0a, 0x00].repeat(32 << 20);
        let mut file = vec![0x08, 0x08, 0x3a];
        let mut len = nodes.len() as u64;
        while len > 127 {
            file.push((len & 127) as u8 | 128);
            len >>= 7;
        }
        file.push(len as u8);
        file.extend(nodes);
        file
    };
    for bytes in [
        &b""[..],
        b"\x00",
        b"not onnx at all",
        &[0xff; 1000],
        &empty_nodes,
    ] {
        std::thread::scope(|scope| {
            let hostile = scope.spawn(|| upload(&server, "net.onnx", bytes));
            while !hostile.is_finished() {
                server.get("/healthz").expect(200);
            }
            let problem = hostile.join().unwrap().expect(422);
            assert_eq!(problem["errors"][0]["path"], "file", "{problem}");
        });
    }
    assert_eq!(
        server.get("/api/v1/networks").json()["networks"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
    // Nothing is left over.
    let left = std::fs::read_dir(server.data_dir().join("weights")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn the_command_line_imports_onnx_by_what_is_in_the_file_and_a_refused_one_leaves_nothing() {
    let server = Server::start();
    let spec = json!({
        "data": {"set": "digits", "normalisation": "imagenet"},
        "network": {"kind": "mlp", "hidden": [8]},
        "training": {"epochs": 1, "batch_size": 256},
    });
    let id = server.create(&spec);
    server.await_status(&id, "finished");
    let (_, _, onnx) = server.get_bytes(&format!("/api/v1/runs/{id}/export?format=onnx"));
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let import = |name: &str, set: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, &onnx).unwrap();
        let data = data.to_str().unwrap();
        vivarium(&[
            "import",
            file.to_str().unwrap(),
            "--data",
            set,
            "--data-dir",
            data,
        ])
    };
    let count = |kind: &str| std::fs::read_dir(data.join(kind)).map_or(0, Iterator::count);
    // It takes images, and has other classes than the points.
    let refused = import("net.onnx", "moons");
    assert!(!refused.status.success());
    for kind in ["networks", "weights", "runs"] {
        assert_eq!(count(kind), 0, "{kind}");
    }
    for (at, name) in ["net.onnx", "X.ONNX", "noext", "net.safetensors"]
        .into_iter()
        .enumerate()
    {
        let output = import(name, "digits");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {told}");
        let run: Value = serde_json::from_slice(&output.stdout).unwrap();
        let spec = std::fs::read(format!("{}/spec.json", run["directory"].as_str().unwrap()));
        let spec: Value = serde_json::from_slice(&spec.unwrap()).unwrap();
        assert_eq!(
            (&spec["data"]["normalisation"], &spec["data"]["size"]),
            (&json!("imagenet"), &json!(8)),
            "{spec}"
        );
        assert_eq!((count("networks"), count("weights")), (at + 1, at + 1));
    }
}
