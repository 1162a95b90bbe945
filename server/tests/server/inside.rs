//! Looking inside a run that was really trained: every address, and that what they say goes together.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Answer, Server, agent, conv, photos, upload_image};

/// A run that is through, and where to ask about it.
pub struct Trained {
    pub server: Server,
    pub id: String,
}

impl Trained {
    pub fn new(spec: &Value) -> Self {
        let server = Server::start();
        let id = server.create(spec);
        server.await_status(&id, "finished");
        Self { server, id }
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/runs/{}/{rest}", self.id)
    }

    pub fn get(&self, rest: &str) -> Answer {
        self.server.get(&self.path(rest))
    }

    /// The answer to what must be possible.
    pub fn json(&self, rest: &str) -> Value {
        let answer = self.get(rest);
        assert_eq!(answer.status, 200, "{rest}: {}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/json", "{rest}");
        answer.json()
    }

    pub fn picture(&self, rest: &str) -> image::DynamicImage {
        let (status, headers, png) = self.server.get_bytes(&self.path(rest));
        assert_eq!(status, 200, "{rest}: {}", String::from_utf8_lossy(&png));
        assert_eq!(headers["content-type"], "image/png", "{rest}");
        image::load_from_memory_with_format(&png, image::ImageFormat::Png).unwrap()
    }

    pub fn photo(&self, name: &str) -> String {
        let answer = upload_image(&self.server, &fs::read(photos().join(name)).unwrap());
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn list(value: &Value) -> &Vec<Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("{value} is no list"))
}

#[test]
fn every_layer_has_its_pictures_and_they_are_as_large_as_is_said() {
    let run = Trained::new(&conv(2));
    let catalogue = run.json("layers");
    assert_eq!(
        (&catalogue["checkpoint"], &catalogue["film"]),
        (&json!("best"), &json!([0, 1, 2]))
    );
    assert_eq!(catalogue["input"], json!([3, 32, 32]));
    assert_eq!(list(&catalogue["classes"]).len(), 10);
    let checkpoints = list(&catalogue["checkpoints"]);
    assert_eq!(checkpoints.len(), 2);
    assert_eq!(
        checkpoints[1],
        json!({"name": "last", "epoch": 2, "step": 6})
    );
    let summary = run.server.run(&run.id)["summary"].clone();
    assert_eq!(catalogue["parameters"], summary["parameters"]);
    let layers = list(&catalogue["layers"]);
    let parameters: u64 = layers
        .iter()
        .map(|l| l["parameters"].as_u64().unwrap())
        .sum();
    assert_eq!(json!(parameters), catalogue["parameters"]);
    let photo = run.photo("rgb.jpg");
    let mut kinds = std::collections::BTreeSet::new();
    for layer in layers {
        let name = layer["name"].as_str().unwrap();
        kinds.insert(layer["kind"].as_str().unwrap().to_owned());
        let queries = [
            format!("features{{}}?image={photo}&scale=layer"),
            format!("features{{}}?image={photo}&scale=network&sort=index"),
            "features{}?image=test:3".to_owned(),
            "filters{}?checkpoint=last".to_owned(),
            "filters{}?checkpoint=1&scale=network".to_owned(),
            "features{}?checkpoint=2&scale=layer".to_owned(),
        ];
        for query in queries {
            if query.starts_with("filters") && layer["has_filters"] == false {
                continue;
            }
            let at = |part: &str| format!("layers/{name}/{}", query.replace("{}", part));
            let sheet = run.json(&at(""));
            let picture = run.picture(&at(".png"));
            let size = json!([picture.width(), picture.height()]);
            assert_eq!(
                json!([sheet["sheet"]["width"], sheet["sheet"]["height"]]),
                size,
                "{}",
                at("")
            );
            assert_eq!(list(&sheet["legend"]).len(), 9);
            if query.contains("scale") {
                assert!(number(&sheet["range"]["lo"]) <= number(&sheet["range"]["hi"]));
            } else {
                assert_eq!(sheet["range"], Value::Null);
            }
            if query.starts_with("features") {
                let statistics = &sheet["statistics"];
                assert!(number(&statistics["std"]) >= 0.0, "{}", at(""));
                assert_eq!(list(&statistics["histogram"]["counts"]).len(), 32);
            }
        }
    }
    for kind in [
        "input",
        "conv",
        "depthwise",
        "pointwise",
        "batch_norm",
        "activation",
        "linear",
        "sum",
    ] {
        assert!(kinds.contains(kind), "{kind} of {kinds:?}");
    }
}

#[test]
fn the_numbers_of_a_tile_are_those_that_the_picture_and_the_arithmetic_are_of() {
    let run = Trained::new(&conv(1));
    let photo = run.photo("turned-6.jpg");
    let layers = run.json("layers");
    let convolves = |layer: &&Value| {
        ["conv", "depthwise", "pointwise"].contains(&layer["kind"].as_str().unwrap())
    };
    let (mut seen, mut gathered) = (0, 0);
    for layer in list(&layers["layers"]).iter().filter(convolves) {
        let name = layer["name"].as_str().unwrap();
        let [maps, height, width] = [0, 1, 2].map(|i| layer["shape"][i].as_u64().unwrap());
        let map = maps - 1;
        let values = run.json(&format!(
            "layers/{name}/values?of=feature&index={map}&image={photo}"
        ));
        assert_eq!(values["shape"], json!([height, width]));
        let window = run.json(&format!("layers/{name}/window?map={map}&image={photo}"));
        assert_eq!(window["values"], values["values"], "{name}");
        let gathers = run.json(&format!(
            "layers/{name}/window?direction=backward&map={map}&class=3&image={photo}"
        ));
        assert_eq!(
            (&gathers["target"], &gathers["source"], &gathers["class"]),
            (&window["source"], &window["target"], &json!(3)),
            "{name}"
        );
        for (y, x) in [(0, 0), (height / 2, width / 3), (height - 1, width - 1)] {
            let at = format!("map={map}&y={y}&x={x}&image={photo}");
            let sum = run.json(&format!("layers/{name}/arithmetic?{at}"));
            let value = number(&values["values"][(y * width + x) as usize]);
            assert_eq!(number(&sum["value"]), value, "{name} {at}");
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-4 * b.abs().max(1.0);
            assert!(close(number(&sum["sum"]), value), "{name} {at}: {sum}");
            let parts: f64 = list(&sum["channels"])
                .iter()
                .map(|c| number(&c["sum"]))
                .sum();
            let total = parts + number(&sum["rest_sum"]) + number(&sum["bias"]);
            assert!(close(total, value), "{name} {at}: {total} for {value}");
            let back = run.json(&format!("layers/{name}/gradient?{at}&class=3"));
            assert_eq!(back["class"], 3);
            let arrives = &back["arrives"];
            if arrives["input"] == gathers["input"] {
                let width = gathers["target"][2].as_u64().unwrap();
                let place = arrives["y"].as_u64().unwrap() * width + arrives["x"].as_u64().unwrap();
                assert_eq!(
                    gathers["values"][place as usize], arrives["value"],
                    "{name} {at}"
                );
                gathered += 1;
            }
            let (sum, value) = (number(&arrives["sum"]), number(&arrives["value"]));
            assert!(
                (sum - value).abs() <= 1e-4 * value.abs().max(1e-2),
                "{name} {at}: {back}"
            );
            seen += 1;
        }
        let filter = run.json(&format!("layers/{name}/values?of=filter&index=0"));
        assert!(number(&filter["min"]) <= number(&filter["max"]));
    }
    assert!(seen >= 9 && gathered >= 3, "{seen} {gathered}");
    // A filter's kernels, and the order by how filters answer an image.
    let kernels = run.json("layers/stem.0/filters?filter=1");
    assert_eq!(
        (&kernels["kind"], &kernels["total"]),
        (&json!("kernels"), &json!(3))
    );
    let kernel = run.json("layers/stem.0/values?of=kernel&index=1&input=2");
    assert_eq!(kernel["shape"], json!([3, 3]));
    let sorted = run.json(&format!(
        "layers/stem.0/filters?sort=activation&image={photo}"
    ));
    assert_eq!(
        (&sorted["sort"], list(&sorted["tiles"]).len()),
        (&json!("activation"), 4)
    );
    let fixed = run.json("layers/stem.0/filters?range=-1,0.5");
    assert_eq!(
        fixed["range"],
        json!({"lo": -1.0, "hi": 1.0}),
        "0 stays in the middle"
    );
}

#[test]
fn predictions_attention_and_the_image_itself_are_shown() {
    let run = Trained::new(&conv(2));
    let photo = run.photo("rgb.png");
    let told = run.json(&format!("predict?image={photo}"));
    let top = list(&told["top"]);
    assert_eq!(
        (told["image"].clone(), top.len()),
        (json!({"id": photo, "truth": null}), 10)
    );
    let shares: Vec<_> = top.iter().map(|of| number(&of["probability"])).collect();
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-5);
    assert!(
        shares.windows(2).all(|pair| pair[0] >= pair[1]),
        "{shares:?}"
    );
    for query in [
        "",
        "&method=gradient&class=4",
        "&method=grad-cam&layer=stem.2",
    ] {
        let picture = run.picture(&format!("attention.png?image={photo}{query}"));
        assert_eq!((picture.width(), picture.height()), (224, 224));
    }
    // The image as the network sees it: the quarters keep their colours, each value a square.
    let seen = run
        .picture(&format!("images/{photo}.png?size=100"))
        .into_rgb8();
    assert_eq!(seen.dimensions(), (96, 96));
    for ((x, y), colour) in [((20, 20), [200, 30, 40]), ((70, 70), [240, 230, 20])] {
        let found = seen.get_pixel(x, y).0;
        assert!(
            found.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 3),
            "{found:?}"
        );
    }
    let own = run.picture("images/pinned.png").into_rgb8();
    assert_eq!(own.dimensions(), (32, 32));
    let first = run.picture("images/test:0.png").into_rgb8();
    assert_eq!(
        own, first,
        "nobody pinned an image: it is the first of the test split"
    );
    assert!(own.pixels().any(|p| p.0[0] > 128) && own.pixels().any(|p| p.0[0] < 16));
    assert_eq!(
        run.json("predict")["top"],
        run.json("predict?image=test:0")["top"]
    );
}

#[test]
fn the_cells_of_a_matrix_open_their_samples() {
    let run = Trained::new(&conv(3));
    let lines = run.server.log_lines(&run.id);
    let test: Value = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|event| event["kind"] == "test")
        .unwrap();
    let frame = run.json("film/3");
    for (split, confusion) in [
        ("test", &test["confusion"]),
        ("validation&checkpoint=3", &frame["confusion"]),
    ] {
        let mut total = 0;
        for (truth, row) in list(confusion).iter().enumerate() {
            for (predicted, count) in list(row).iter().enumerate() {
                let page = run.json(&format!(
                    "samples?split={split}&truth={truth}&predicted={predicted}"
                ));
                assert_eq!(&page["total"], count, "{split} {truth} as {predicted}");
                total += count.as_u64().unwrap();
                let samples = list(&page["samples"]);
                let sure: Vec<_> = samples.iter().map(|of| number(&of["confidence"])).collect();
                assert!(sure.windows(2).all(|pair| pair[0] >= pair[1]), "{sure:?}");
                assert!(
                    samples
                        .iter()
                        .all(|of| of["truth"] == truth && of["predicted"] == predicted)
                );
            }
        }
        let all = run.json(&format!("samples?split={split}"));
        assert_eq!(all["total"], total);
    }
    // What a sample is taken for is what the network makes of it.
    let page = run.json("samples?split=test&page=1");
    let samples = list(&page["samples"]);
    assert_eq!((samples.len(), &samples[0]["id"]), (60, &json!("test:60")));
    for sample in &samples[..5] {
        let told = run.json(&format!("predict?image={}", sample["id"].as_str().unwrap()));
        assert_eq!(
            (&told["top"][0]["class"], &told["image"]["truth"]),
            (&sample["predicted"], &sample["truth"])
        );
        let confidence = number(&told["top"][0]["probability"]);
        assert!((confidence - number(&sample["confidence"])).abs() < 0.003);
    }
}

#[test]
fn what_the_browser_has_is_not_sent_again() {
    let run = Trained::new(&conv(1));
    let photo = run.photo("grey.png");
    for rest in [
        "layers".to_owned(),
        "layers/stem.0/filters.png".to_owned(),
        format!("layers/stem.0/features?image={photo}"),
        format!("predict?image={photo}"),
        "images/test:2.png".to_owned(),
        "film/1".to_owned(),
        "samples?split=test".to_owned(),
    ] {
        let first = run.server.get_bytes(&run.path(&rest)).1;
        assert_eq!(first["cache-control"], "no-cache", "{rest}");
        let again = agent().get(run.server.url(&run.path(&rest)));
        let again = Answer::of(again.header("if-none-match", &first["etag"]).call());
        assert_eq!((again.status, &*again.body), (304, ""), "{rest}");
    }
    let film = run.json("film");
    let frames = film["frames"].as_array().unwrap();
    let first = frames.iter().find(|frame| frame["epoch"] == 1).unwrap();
    let version = first["version"].as_str().unwrap().to_owned();
    for rest in [
        "layers/stem.0/filters.png",
        "layers/stem.0/features",
        "film/1",
    ] {
        let mark = if rest.contains("film") {
            ""
        } else {
            "checkpoint=1&"
        };
        let lasts = run
            .server
            .get_bytes(&run.path(&format!("{rest}?{mark}v={version}")))
            .1;
        assert_eq!(
            lasts["cache-control"], "private, max-age=31536000, immutable",
            "{rest}"
        );
        let other = run
            .server
            .get_bytes(&run.path(&format!("{rest}?{mark}v=other")))
            .1;
        assert_eq!(other["cache-control"], "no-cache", "{rest}");
    }
    // The best and the last checkpoint are two pictures, whatever they look like.
    let [best, last] = ["best", "last"].map(|checkpoint| {
        let rest = format!("layers/stem.0/filters.png?checkpoint={checkpoint}");
        run.server.get_bytes(&run.path(&rest)).1["etag"].clone()
    });
    assert_ne!(best, last);
}

#[test]
fn the_page_is_there_with_its_run() {
    let run = Trained::new(&conv(1));
    let page = run.server.get(&format!("/runs/{}/inside", run.id));
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("/frontend/pages/inside.js") && page.body.contains(&run.id));
    assert_eq!(run.server.get("/runs/none/inside").status, 404);
}

#[test]
fn the_pages_of_a_run_stand_under_runs() {
    let run = Trained::new(&conv(1));
    for page in ["", "/inside", "/evaluation", "/predict"] {
        let page = run.server.get(&format!("/runs/{}{page}", run.id)).body;
        assert!(page.contains(r#"<a href="/" aria-current="page">Runs</a>"#));
    }
}
