//! What the server promises of a cluster's jobs.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::{Cluster, NODES};
use crate::support::{Server, until};

/// A test and its name.
type Named = (&'static str, fn());

/// All tests.
pub const ALL: &[Named] = &[
    (
        "a_sweep_is_one_array_and_survives_a_node_and_servers_that_die",
        a_sweep_is_one_array_and_survives_a_node_and_servers_that_die,
    ),
    (
        "a_run_that_is_longer_than_its_time_limit_goes_on_in_further_jobs",
        a_run_that_is_longer_than_its_time_limit_goes_on_in_further_jobs,
    ),
    (
        "how_a_job_ended_is_told_as_such",
        how_a_job_ended_is_told_as_such,
    ),
    (
        "while_the_controller_is_away_nothing_fails",
        while_the_controller_is_away_nothing_fails,
    ),
    (
        "waiting_jobs_are_stopped_deleted_and_preempted_ones_go_on",
        waiting_jobs_are_stopped_deleted_and_preempted_ones_go_on,
    ),
    (
        "a_submission_whose_answer_was_lost_is_found_again",
        a_submission_whose_answer_was_lost_is_found_again,
    ),
    (
        "another_machine_takes_over_and_two_servers_refuse_each_other",
        another_machine_takes_over_and_two_servers_refuse_each_other,
    ),
    (
        "a_run_of_the_command_line_is_a_job_and_seen_by_a_server",
        a_run_of_the_command_line_is_a_job_and_seen_by_a_server,
    ),
];

fn server(cluster: &Cluster, more: &[&str]) -> Server {
    let configuration = cluster.configuration();
    let arguments = [&["--launcher", "slurm", "--slurm-notice", "10"], more].concat();
    let variables = [("SLURM_CONF", configuration.to_str().unwrap())];
    Server::start_in(&arguments, &variables)
}

fn mlp(epochs: u64, seed: u64) -> Value {
    json!({
        "data": {"set": "digits"},
        "network": {"kind": "mlp"},
        "training": {"epochs": epochs, "threads": 1, "seed": seed},
        "resources": {"cpus": 1, "memory": 500},
    })
}

/// The losses of the steps in a run's log; every step is there once.
fn losses(server: &Server, id: &str) -> Vec<f64> {
    losses_in(&server.run_dir(id))
}

fn losses_in(run: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(run.join("events.ndjson")).unwrap();
    let mut losses = Vec::new();
    for (line, seq) in text.lines().zip(1u64..) {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["seq"], seq, "lines are numbered without a gap");
        if event["kind"] == "steps" {
            let first = event["first_step"].as_u64().unwrap();
            assert_eq!(first, losses.len() as u64 + 1, "each step is logged once");
            let values = event["loss"].as_array().unwrap();
            losses.extend(values.iter().map(|loss| loss.as_f64().unwrap()));
        }
    }
    losses
}

/// The losses of the same run that nothing disturbed, trained on this machine.
fn undisturbed(spec: &Value) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.json");
    std::fs::write(&file, spec.to_string()).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args(["train", "--spec"])
        .arg(&file)
        .arg("--data-dir")
        .arg(folder.path().join("data"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    losses_in(Path::new(summary["directory"].as_str().unwrap()))
}

fn job_text(server: &Server, id: &str) -> String {
    server.run(id)["job"]["text"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Waits longer than `until`: for Slurm's own periods.
fn patiently(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(300);
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The index has the lines of the logs.
fn assert_indexed(server: &Server, ids: &[String]) {
    for id in ids {
        until("the index equals the log", || {
            server.indexed_lines(id) == server.log_lines(id)
        });
    }
}

fn a_sweep_is_one_array_and_survives_a_node_and_servers_that_die() {
    let cluster = Cluster::start();
    let mut server = server(&cluster, &[]);
    let sweep = json!({
        "base": mlp(1200, 0),
        "grid": {"training.batch_size": [32, 64], "training.seed": [0, 1, 2, 3, 4, 5]},
    });
    let made = server.post("/api/v1/sweeps", &sweep).expect(201);
    let ids: Vec<String> = made["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| {
            run["id"]
                .as_str()
                .unwrap_or_else(|| run.as_str().unwrap())
                .to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 12);
    until("all are with Slurm", || cluster.jobs().len() == 12);
    let arrays: HashSet<String> = cluster
        .jobs()
        .iter()
        .map(|id| id.split('_').next().unwrap().to_owned())
        .collect();
    assert_eq!(arrays.len(), 1, "one array");
    let running = |server: &Server| -> Vec<(String, String)> {
        ids.iter()
            .filter_map(|id| {
                let run = server.run(id);
                let host = run["job"]["host"].as_str()?.to_owned();
                (run["status"] == "running").then_some((id.clone(), host))
            })
            .collect()
    };
    until("the nodes are full", || running(&server).len() == 2 * NODES);
    // One that waits says why.
    let waiting = ids.iter().find(|id| server.status(id) == "queued").unwrap();
    until("the reason is told", || {
        job_text(&server, waiting).contains("waits in Slurm's queue")
    });
    let (victim, node) = running(&server)[0].clone();
    until("it has trained", || {
        server.run(&victim)["summary"]["epoch"].as_u64() >= Some(3)
    });
    cluster.kill_node(&node);
    for round in 0..10 {
        server.kill();
        // Torn while it was written.
        let file = server.run_dir(&victim).join("job.json");
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() * round / 10]).unwrap();
        server.restart();
        until("the server knows its job", || {
            let told = std::fs::read_to_string(&file).unwrap();
            serde_json::from_str::<Value>(&told).is_ok()
        });
    }
    patiently("its runs wait again", || server.status(&victim) == "queued");
    cluster.start_node(&node);
    patiently("all are finished", || {
        ids.iter().all(|id| server.status(id) == "finished")
    });
    assert_indexed(&server, &ids);
    let submitted = cluster.run(
        "squeue",
        &["--noheader", "--array", "--states=all", "--format=%i"],
    );
    assert_eq!(submitted.lines().count(), 12, "no job twice: {submitted}");
    let spec = {
        let mut spec = mlp(1200, 0);
        let run = server.run(&victim);
        spec["training"]["seed"] = run["spec"]["training"]["seed"].clone();
        spec["training"]["batch_size"] = run["spec"]["training"]["batch_size"].clone();
        spec
    };
    assert_eq!(losses(&server, &victim), undisturbed(&spec), "to the bit");
}

fn a_run_that_is_longer_than_its_time_limit_goes_on_in_further_jobs() {
    let cluster = Cluster::start();
    let server = server(&cluster, &["--slurm-partition", "short"]);
    // Long enough for two time limits of a minute.
    let mut spec = mlp(100_000, 0);
    spec["training"]["batch_size"] = json!(8);
    let id = server.create(&spec);
    let restarts = |server: &Server| {
        server
            .log_lines(&id)
            .iter()
            .filter(|line| line.contains(r#""kind":"started""#))
            .count()
    };
    patiently("it has gone on twice", || {
        server.run_dir(&id).join("events.ndjson").exists() && restarts(&server) >= 3
    });
    assert_eq!(
        server
            .post(&format!("/api/v1/runs/{id}/stop"), &json!({}))
            .status,
        202
    );
    patiently("it is stopped", || server.status(&id) == "stopped");
    let trained = losses(&server, &id);
    assert!(trained.len() > 1000, "{} steps", trained.len());
    // The beginning of the same run without an interruption.
    spec["training"]["epochs"] = json!(3);
    let whole = undisturbed(&spec);
    assert_eq!(trained[..whole.len()], whole);
}

fn how_a_job_ended_is_told_as_such() {
    let cluster = Cluster::start();
    let server = server(&cluster, &[]);
    let cancelled = server.create(&mlp(100_000, 0));
    let mut hungry = mlp(100_000, 1);
    // A wide network does not fit into 200 MiB.
    hungry["network"] = json!({"kind": "mlp-wide"});
    hungry["resources"]["memory"] = json!(200);
    let hungry = server.create(&hungry);
    let mut impossible = mlp(3, 2);
    impossible["resources"]["cpus"] = json!(256);
    let impossible = server.create(&impossible);
    server.await_step(&cancelled, 100);
    let job = server.run(&cancelled)["job"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    cluster.run("scancel", &[&job]);
    patiently("it is stopped", || server.status(&cancelled) == "stopped");
    let message = |id: &str| server.run(id)["message"].as_str().unwrap().to_owned();
    assert!(
        message(&cancelled).contains("cancelled"),
        "{}",
        message(&cancelled)
    );
    patiently("memory ran out", || server.status(&hungry) == "failed");
    assert!(message(&hungry).contains("memory"), "{}", message(&hungry));
    until("why it will never begin is told", || {
        job_text(&server, &impossible).contains("no node of the partition has what it asks for")
    });
    let nowhere = self::server(&cluster, &["--slurm-partition", "nowhere"]);
    let refused = nowhere.create(&mlp(3, 0));
    let told = nowhere.await_status(&refused, "failed")["message"].to_string();
    assert!(
        told.contains("refused") && told.contains("partition"),
        "{told}"
    );
    // Resume submits anew.
    server
        .post(&format!("/api/v1/runs/{cancelled}/resume"), &json!({}))
        .expect(202);
    let step = losses(&server, &cancelled).len() as u64;
    patiently("it goes on", || {
        server.run(&cancelled)["summary"]["step"].as_u64() > Some(step)
    });
    server
        .post(&format!("/api/v1/runs/{cancelled}/stop"), &json!({}))
        .expect(202);
    patiently("it is stopped", || server.status(&cancelled) == "stopped");
    assert_eq!(message(&cancelled), "");
}

fn while_the_controller_is_away_nothing_fails() {
    let cluster = Cluster::start();
    let server = server(&cluster, &[]);
    // One that outlives the pause and one that may well end in it.
    let running = server.create(&mlp(100_000, 0));
    let ending = server.create(&mlp(1000, 2));
    server.await_step(&running, 100);
    server.await_step(&ending, 100);
    cluster.stop_controller();
    let created = server.create(&mlp(3, 1));
    patiently("the pages say so", || {
        job_text(&server, &running).contains("does not answer")
            && job_text(&server, &created).contains("does not answer")
    });
    let step = server.run(&running)["summary"]["step"].as_u64();
    patiently("training goes on", || {
        server.run(&running)["summary"]["step"].as_u64() > step
    });
    assert_eq!(server.status(&created), "queued");
    cluster.start_controller();
    for id in [&created, &ending] {
        patiently("both finish", || server.status(id) == "finished");
    }
    assert_eq!(server.status(&running), "running");
    server
        .post(&format!("/api/v1/runs/{running}/stop"), &json!({}))
        .expect(202);
    patiently("it stops", || server.status(&running) == "stopped");
    assert_indexed(&server, &[created, ending, running]);
}

fn waiting_jobs_are_stopped_deleted_and_preempted_ones_go_on() {
    let cluster = Cluster::start();
    let server = server(&cluster, &[]);
    // Every core of the cluster, and two runs that wait.
    let ids: Vec<String> = (0..8)
        .map(|seed| server.create(&mlp(100_000, seed)))
        .collect();
    let with = |status: &str| -> Vec<String> {
        let is = |id: &&String| server.status(id) == status;
        ids.iter().filter(is).cloned().collect()
    };
    until("six run and two wait", || {
        with("running").len() == 6 && cluster.jobs().len() == 8
    });
    let waiting = with("queued");
    server
        .post(&format!("/api/v1/runs/{}/stop", waiting[0]), &json!({}))
        .expect(202);
    until("it is stopped", || server.status(&waiting[0]) == "stopped");
    server
        .delete(&format!("/api/v1/runs/{}", waiting[1]))
        .expect(204);
    until("its job is gone", || cluster.jobs().len() == 6);
    // Someone important comes.
    let running = with("running");
    server.await_step(&running[0], 100);
    let urgent = cluster.run(
        "sbatch",
        &[
            "--parsable",
            "--partition=urgent",
            "--nodes=3",
            "--ntasks=6",
            "--mem=100",
            "--output=/dev/null",
            "--wrap=sleep 20",
        ],
    );
    patiently("some make room", || with("queued").len() >= 5);
    patiently("the urgent job is done", || {
        !cluster.jobs().contains(&urgent.trim().to_owned())
    });
    patiently("all run again", || with("running").len() == 6);
    for id in &running {
        assert_eq!(server.delete(&format!("/api/v1/runs/{id}")).status, 204);
    }
    until("nothing is left", || cluster.jobs().is_empty());
}

fn a_submission_whose_answer_was_lost_is_found_again() {
    let cluster = Cluster::start();
    let mut server = server(&cluster, &[]);
    let ids: Vec<String> = (0..3)
        .map(|seed| server.create(&mlp(100_000, seed)))
        .collect();
    until("they train", || {
        ids.iter().all(|id| server.status(id) == "running")
    });
    for round in 0..4 {
        server.kill();
        for id in &ids {
            // The server died before it wrote the file, or while it did.
            let file = server.run_dir(id).join("job.json");
            let whole = std::fs::read(&file).unwrap();
            match round % 2 {
                0 => std::fs::remove_file(&file).unwrap(),
                _ => std::fs::write(&file, &whole[..whole.len() * round / 4]).unwrap(),
            }
        }
        server.restart();
        until("the jobs are known again", || {
            ids.iter().all(|id| {
                let file = server.run_dir(id).join("job.json");
                let text = std::fs::read_to_string(file).unwrap_or_default();
                serde_json::from_str::<Value>(&text).is_ok() && server.status(id) == "running"
            })
        });
        assert_eq!(cluster.jobs().len(), 3, "none was submitted twice");
    }
    // One that never reached Slurm is submitted after all.
    server.kill();
    cluster.run("scancel", &["--signal=KILL", "--full", &cluster.jobs()[0]]);
    server.restart();
    for id in &ids {
        assert_eq!(server.delete(&format!("/api/v1/runs/{id}")).status, 204);
    }
    until("nothing is left", || cluster.jobs().is_empty());
}

fn another_machine_takes_over_and_two_servers_refuse_each_other() {
    let cluster = Cluster::start();
    let mut server = server(&cluster, &[]);
    let id = server.create(&mlp(100_000, 0));
    server.await_step(&id, 100);
    let elsewhere = |server: &Server| {
        let mut command = std::process::Command::new("unshare");
        command
            .args([
                "--uts",
                "sh",
                "-c",
                "hostname elsewhere; exec \"$0\" \"$@\"",
            ])
            .arg(env!("CARGO_BIN_EXE_vivarium"))
            .args(["serve", "--port", "0", "--launcher", "slurm", "--data-dir"])
            .arg(server.data_dir())
            .env("SLURM_CONF", cluster.configuration());
        command
    };
    // A file server that knows no locks between machines.
    let lock = server.data_dir().join("server.lock");
    let held = std::fs::read_to_string(&lock).unwrap();
    assert!(held.split_whitespace().count() == 3, "{held}");
    let refused = elsewhere(&server).output().unwrap();
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("in use by another Vivarium server"), "{told}");
    server.kill();
    let mut other = elsewhere(&server)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(other.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    let url = line.trim().rsplit(' ').next().unwrap().to_owned();
    let run = || -> Value {
        let mut answer = ureq::get(format!("{url}/api/v1/runs/{id}")).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    };
    let step = losses(&server, &id).len() as u64;
    patiently("the other server follows it", || {
        run()["status"] == "running" && run()["summary"]["step"].as_u64() > Some(step)
    });
    ureq::delete(format!("{url}/api/v1/runs/{id}"))
        .call()
        .unwrap();
    until("its job is gone", || cluster.jobs().is_empty());
    other.kill().unwrap();
    other.wait().unwrap();
}

fn a_run_of_the_command_line_is_a_job_and_seen_by_a_server() {
    let cluster = Cluster::start();
    let server = server(&cluster, &[]);
    let train = |epochs: u64, slurm: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_vivarium"))
            .args([
                "train",
                "--launcher",
                "slurm",
                "--network",
                "mlp",
                "--data",
                "digits",
            ])
            .args(slurm)
            .args(["--set", &format!("training.epochs={epochs}"), "--data-dir"])
            .arg(server.data_dir())
            .env("SLURM_CONF", cluster.configuration())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let output = train(300, &[]).wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["reason"], "completed", "{summary}");
    let id = summary["run"].as_str().unwrap();
    server.await_status(id, "finished");
    assert_indexed(&server, &[id.to_owned()]);
    // A job that cannot be put back into the queue is followed by another one.
    let mut child = train(100_000, &["--slurm-arg=--no-requeue"]);
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut is_told = |words: &str| told.any(|line| line.unwrap().contains(words));
    assert!(is_told("epoch 2:"));
    let mut job = String::new();
    until("the server knows its job", || {
        let run = server.get("/api/v1/runs").json()["runs"][0].clone();
        job = run["job"]["id"].as_str().unwrap_or_default().to_owned();
        run["status"] == "running" && !job.is_empty()
    });
    cluster.run("scancel", &["--signal=USR1", "--batch", &job]);
    assert!(is_told("Another one follows."));
    assert!(is_told(" runs on node"));
    let run = server.get("/api/v1/runs").json()["runs"][0]["id"].clone();
    let stop = format!("/api/v1/runs/{}/stop", run.as_str().unwrap());
    server.post(&stop, &json!({})).expect(202);
    let output = child.wait_with_output().unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["run"], &summary["reason"]),
        (&run, &json!("stopped"))
    );
    // It says where the job runs. Ctrl-C leaves the job alone.
    let mut child = train(100_000, &[]);
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    let where_it_runs = told.find(|line| line.as_ref().unwrap().contains(" runs on node"));
    assert!(where_it_runs.is_some());
    until("the server follows it", || {
        let runs = server.get("/api/v1/runs").json();
        let runs = runs["runs"].as_array().unwrap();
        runs.len() == 3 && runs[0]["summary"]["step"].as_u64() > Some(100)
    });
    let interrupt = ["-INT", &child.id().to_string()];
    std::process::Command::new("kill")
        .args(interrupt)
        .status()
        .unwrap();
    let last = told.last().unwrap().unwrap();
    assert!(last.contains("the job goes on"), "{last}");
    child.wait().unwrap();
    let runs = server.get("/api/v1/runs").json();
    let id = runs["runs"][0]["id"].as_str().unwrap().to_owned();
    let step = server.run(&id)["summary"]["step"].as_u64();
    until("it goes on", || {
        server.run(&id)["summary"]["step"].as_u64() > step
    });
    server
        .post(&format!("/api/v1/runs/{id}/stop"), &json!({}))
        .expect(202);
    server.await_status(&id, "stopped");
}
