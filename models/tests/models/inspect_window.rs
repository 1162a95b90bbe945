//! A layer's window at all positions: what is told of its sources gives, at every position, what the network computed,
//! forward and backward.

use serde_json::json;
use vivarium_models::Error;
use vivarium_models::contract::Normalisation;
use vivarium_models::graph::{Graph, Operation};
use vivarium_models::inspect::{
    Direction, Inspector, LayerKind, Recording, SlidingWindow, WindowOperation, WindowQuery,
};
use vivarium_models::networks::Model;

use crate::golden_networks::Golden;
use crate::inspect_maps::watched;
use crate::random_graphs::{Random, input as random_input};

/// What the window computes at each position of the target, from the definition of the operation.
fn computed(window: &SlidingWindow) -> Vec<f64> {
    let bias = window.bias.map_or(0.0, f64::from);
    match (window.operation, window.direction) {
        (WindowOperation::Linear, _) => {
            let plane = &window.planes[0];
            let products = plane.values.iter().zip(&plane.weights);
            let sum: f64 = products.map(|(v, w)| f64::from(*v) * f64::from(*w)).sum();
            vec![sum + bias]
        }
        (WindowOperation::Convolution, _) => convolved(window, bias),
        (_, Direction::Forward) => pooled(window),
        (_, Direction::Backward) => gathered(window),
    }
}

fn convolved(window: &SlidingWindow, bias: f64) -> Vec<f64> {
    let geometry = window.geometry.unwrap();
    let (source, target) = (&window.source, &window.target);
    let mut sums = vec![bias; target[1] * target[2]];
    if let Some(rest) = &window.rest {
        let both = sums.iter_mut().zip(rest);
        both.for_each(|(sum, rest)| *sum += f64::from(*rest));
    }
    let mut tap = |plane: usize, y: usize, x: usize, ky: usize, kx: usize| {
        // The rows and columns of output and input that a tap of the kernel joins.
        let joined = |axis: usize, output: usize, k: usize| {
            let at = output * geometry.stride[axis] + k * geometry.dilation[axis];
            at.checked_sub(geometry.padding[axis])
        };
        let (Some(row), Some(column)) = (joined(0, y, ky), joined(1, x, kx)) else {
            return;
        };
        let input = match window.direction {
            Direction::Forward => source,
            Direction::Backward => target,
        };
        if row >= input[1] || column >= input[2] {
            return;
        }
        let plane = &window.planes[plane];
        let weight = f64::from(plane.weights[ky * geometry.kernel[1] + kx]);
        let (from, to) = match window.direction {
            Direction::Forward => (row * source[2] + column, y * target[2] + x),
            Direction::Backward => (y * source[2] + x, row * target[2] + column),
        };
        sums[to] += weight * f64::from(plane.values[from]);
    };
    let output = match window.direction {
        Direction::Forward => target,
        Direction::Backward => source,
    };
    for plane in 0..window.planes.len() {
        for (y, x) in positions(output) {
            for ky in 0..geometry.kernel[0] {
                for kx in 0..geometry.kernel[1] {
                    tap(plane, y, x, ky, kx);
                }
            }
        }
    }
    sums
}

fn positions(shape: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let [height, width] = match shape {
        [_, height, width] => [*height, *width],
        _ => [1, 1],
    };
    (0..height).flat_map(move |y| (0..width).map(move |x| (y, x)))
}

fn pooled(window: &SlidingWindow) -> Vec<f64> {
    let pool = window.pool.as_ref().unwrap();
    let (values, width) = (&window.planes[0].values, window.source[2]);
    let mut result = Vec::new();
    for rows in &pool.rows {
        for columns in &pool.columns {
            let under = (rows.start..rows.end)
                .flat_map(|y| (columns.start..columns.end).map(move |x| y * width + x));
            let under = under.map(|pixel| f64::from(values[pixel]));
            result.push(match &pool.winners {
                Some(_) => under.fold(f64::NEG_INFINITY, f64::max),
                None => under.sum::<f64>() / (rows.count * columns.count) as f64,
            });
        }
    }
    if let Some(winners) = &pool.winners {
        let won = winners.iter().map(|pixel| f64::from(values[*pixel]));
        assert_eq!(won.collect::<Vec<_>>(), result);
    }
    result
}

fn gathered(window: &SlidingWindow) -> Vec<f64> {
    let pool = window.pool.as_ref().unwrap();
    let (gradients, width) = (&window.planes[0].values, window.target[2]);
    let mut sums = vec![0.0; window.target[1] * width];
    for (row, rows) in pool.rows.iter().enumerate() {
        for (column, columns) in pool.columns.iter().enumerate() {
            let output = row * pool.columns.len() + column;
            let gradient = f64::from(gradients[output]);
            if let Some(winners) = &pool.winners {
                sums[winners[output]] += gradient;
                continue;
            }
            let share = gradient / (rows.count * columns.count) as f64;
            for y in rows.start..rows.end {
                for x in columns.start..columns.end {
                    sums[y * width + x] += share;
                }
            }
        }
    }
    sums
}

/// Compares what is computed from a window with what it tells of the network, relative to the largest value.
fn check(what: &str, window: &SlidingWindow) {
    let computed = computed(window);
    let told: Vec<f64> = match (window.operation, window.direction) {
        (WindowOperation::Linear, Direction::Forward) => vec![f64::from(window.values[window.map])],
        (WindowOperation::Linear, Direction::Backward) => {
            vec![f64::from(window.values[window.input])]
        }
        _ => window.values.iter().copied().map(f64::from).collect(),
    };
    assert_eq!(computed.len(), told.len(), "{what}");
    let largest = window.values.iter().fold(1e-6f32, |a, b| a.max(b.abs()));
    for (position, (a, b)) in computed.iter().zip(&told).enumerate() {
        let error = (a - b).abs() / f64::from(largest);
        assert!(error < 1e-4, "{what}, position {position}: {a} and {b}");
    }
}

/// Checks every layer that has a window, both ways; returns the operations that were seen.
fn check_all(what: &str, inspector: &Inspector, recording: &Recording) -> Vec<WindowOperation> {
    let mut seen = Vec::new();
    for layer in inspector.layers() {
        let has_window =
            layer.kind.convolves() || matches!(layer.kind, LayerKind::Linear | LayerKind::Pool);
        for direction in [Direction::Forward, Direction::Backward] {
            let query = WindowQuery {
                direction,
                map: layer.shape[0] - 1,
                input: None,
                class: Some(1),
            };
            let what = format!("{what} {} {direction:?}", layer.name);
            let window = inspector.window(recording, &layer.name, query);
            match window {
                Ok(window) => {
                    assert!(has_window, "{what}");
                    check(&what, &window);
                    seen.push(window.operation);
                }
                Err(Error::Setting { path, .. }) => {
                    assert!(!has_window && path == "layer", "{what}: {path}");
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
    seen
}

/// A graph with random parameters, and a recording of a random image.
fn random_recording(graph: Graph, seed: u64) -> (Inspector, Recording) {
    let input = random_input(&graph, seed);
    let image = input.as_tensor().get(0).unwrap();
    let image: Vec<f64> = image.flatten_all().unwrap().to_vec1().unwrap();
    let channels = graph.input()[0];
    let normalisation = Normalisation {
        mean: vec![0.0; channels],
        deviation: vec![1.0; channels],
    };
    let classes = graph.output()[0];
    let names = (0..classes).map(|class| class.to_string()).collect();
    let model = Model::of_graph(graph, seed).unwrap();
    let inspector = Inspector::new(model, names, normalisation).unwrap();
    let image = image.into_iter().map(|value| value as f32).collect();
    let recording = inspector.record_normalised(image).unwrap();
    (inspector, recording)
}

#[test]
fn windows_of_random_networks_give_what_the_network_computed() {
    let (mut seen, mut grouped, mut strided) = (Vec::new(), 0, 0);
    for seed in 0..24 {
        let graph = Random::network(seed);
        let (inspector, recording) = random_recording(graph, seed);
        seen.extend(check_all(&format!("seed {seed}"), &inspector, &recording));
        for layer in inspector.layers().iter().filter(|of| of.kind.convolves()) {
            let query = WindowQuery::default();
            let window = inspector.window(&recording, &layer.name, query).unwrap();
            let geometry = window.geometry.unwrap();
            grouped += usize::from(geometry.groups > 1);
            strided += usize::from(geometry.stride != [1, 1]);
        }
    }
    for operation in [
        WindowOperation::Convolution,
        WindowOperation::MaxPool,
        WindowOperation::MeanPool,
        WindowOperation::Linear,
    ] {
        assert!(seen.contains(&operation), "{operation:?}");
    }
    assert!(grouped > 0 && strided > 0, "{grouped} {strided}");
}

#[test]
fn dilation_stride_padding_and_groups_differ_down_and_across() {
    let mut graph = Graph::new("dilated", &[4, 11, 9]);
    let conv = Operation::Conv2d {
        out_channels: 6,
        kernel: [3, 2],
        stride: [2, 1],
        padding: [1, 2],
        dilation: [2, 3],
        groups: 2,
        bias: true,
        init: None,
    };
    let conv = graph.push("conv".to_owned(), conv, vec![0]).unwrap();
    let flat = graph
        .push("flat".to_owned(), Operation::Flatten, vec![conv])
        .unwrap();
    let scores = Operation::Linear {
        out_features: 3,
        bias: true,
        init: None,
    };
    graph.push("scores".to_owned(), scores, vec![flat]).unwrap();
    let (inspector, recording) = random_recording(graph, 5);
    let seen = check_all("dilated", &inspector, &recording);
    assert_eq!(seen.len(), 4);
    let query = WindowQuery {
        map: 5,
        ..WindowQuery::default()
    };
    let window = inspector.window(&recording, "conv", query).unwrap();
    assert_eq!((window.reads, window.input), ([2, 4], 2));
    let geometry = window.geometry.unwrap();
    assert_eq!((geometry.dilation, geometry.groups), ([2, 3], 2));
}

#[test]
fn windows_of_vgg16_give_what_the_network_computed() {
    let numbers = include_str!("../golden/networks/vgg16-compact.json");
    let golden = Golden::new(
        "vgg16-compact",
        json!({"kind": "vgg16", "head": "compact"}),
        numbers,
    );
    let (inspector, recording) = watched(&golden);
    let seen = check_all("vgg16", &inspector, &recording);
    assert!(seen.contains(&WindowOperation::MaxPool));
    // Most of 512 channels are not told one by one, but the one that is asked for is.
    let last = inspector
        .layers()
        .iter()
        .rfind(|of| of.kind == LayerKind::Conv);
    let name = &last.unwrap().name;
    for input in [0, 255, 511] {
        let query = WindowQuery {
            input: Some(input),
            ..WindowQuery::default()
        };
        let window = inspector.window(&recording, name, query).unwrap();
        assert_eq!((window.reads, window.planes.len()), ([0, 512], 64));
        assert!(window.planes.iter().any(|plane| plane.channel == input));
        assert_eq!(
            window.rest.as_ref().map(Vec::len),
            Some(window.values.len())
        );
        check(name, &window);
        let kinds: Vec<_> = window.then.iter().map(|map| map.kind).collect();
        assert_eq!(kinds, [LayerKind::BatchNorm, LayerKind::Activation]);
    }
}

#[test]
fn what_a_map_does_not_read_is_refused() {
    let numbers = include_str!("../golden/networks/residual-small-relu.json");
    let golden = Golden::new(
        "residual-small-relu",
        json!({"kind": "residual-small"}),
        numbers,
    );
    let (inspector, recording) = watched(&golden);
    let mut layers = inspector.layers().iter();
    let depthwise = layers.find(|of| of.kind == LayerKind::Depthwise).unwrap();
    let refused = |query: WindowQuery| match inspector.window(&recording, &depthwise.name, query) {
        Err(Error::Setting { path, message, .. }) => format!("{path} {message}"),
        other => panic!("{other:?}"),
    };
    let query = WindowQuery {
        map: 3,
        input: Some(4),
        ..WindowQuery::default()
    };
    assert_eq!(
        refused(query),
        "input must be from 3 to 3, which map 3 reads, and is 4"
    );
    let query = WindowQuery {
        direction: Direction::Backward,
        ..query
    };
    assert_eq!(
        refused(query),
        "map must be from 4 to 4, which read channel 4, and is 3"
    );
    let map = depthwise.shape[0];
    let query = WindowQuery {
        map,
        ..WindowQuery::default()
    };
    assert_eq!(
        refused(query),
        format!("map must be below {map}, and is {map}")
    );
}

#[test]
fn layers_name_those_that_they_read() {
    let numbers = include_str!("../golden/networks/inception.json");
    let golden = Golden::new("inception", json!({"kind": "inception"}), numbers);
    let (inspector, _) = watched(&golden);
    let layers = inspector.layers();
    assert!(layers[0].inputs.is_empty());
    assert_eq!(layers[1].inputs, ["input"]);
    for (place, layer) in layers.iter().enumerate().skip(1) {
        assert!(!layer.inputs.is_empty(), "{}", layer.name);
        for input in &layer.inputs {
            let of = layers.iter().position(|layer| layer.name == *input);
            assert!(
                of.is_some_and(|of| of < place),
                "{} reads {input}",
                layer.name
            );
        }
    }
    let join = layers.iter().find(|of| of.kind == LayerKind::Join).unwrap();
    assert!(join.inputs.len() > 2, "{:?}", join.inputs);
}
