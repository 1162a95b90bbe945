//! Networks as texts: what they give, what they refuse and where, and that no text takes long or much.

use serde_json::{Map, Value, json};
use vivarium_models::graph::{Graph, Operation};
use vivarium_models::networks::{NETWORKS, NetworkText, TextError, row};

fn graph_of(
    source: &str,
    options: Value,
    input: &[usize],
    classes: usize,
) -> Result<Graph, TextError> {
    let Value::Object(options) = options else {
        panic!("options are an object")
    };
    NetworkText::read(source)?.graph(&options, input, classes)
}

fn graph(source: &str) -> Graph {
    graph_of(source, json!({}), &[3, 8, 8], 10).unwrap_or_else(|error| panic!("{error}"))
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|node| &*node.name).collect()
}

#[test]
fn a_modules_place_in_the_tree_is_its_name() {
    let graph = graph(
        "def net(classes):
    def block(out):
        return Sum(body=Sequential(Conv2d(out, 3, padding=1), ReLU()), skip=Conv2d(out, 1))
    return Sequential(stem=block(4), blocks=Sequential(block(6), MaxPool2d(2)), mean=Mean(), head=Linear(classes))
",
    );
    assert_eq!(
        names(&graph),
        [
            "input",
            "stem.body.0",
            "stem.body.1",
            "stem.skip",
            "stem",
            "blocks.0.body.0",
            "blocks.0.body.1",
            "blocks.0.skip",
            "blocks.0",
            "blocks.1",
            "mean",
            "head"
        ]
    );
    assert_eq!(graph.nodes[8].shape, [6, 8, 8]);
    // Where the module is made, and the calls that led there.
    assert_eq!(graph.nodes[5].lines, [3, 4]);
    assert_eq!(
        graph.parameters(),
        (3 * 9 + 1) * 4 + (3 + 1) * 4 + (4 * 9 + 1) * 6 + (4 + 1) * 6 + 70
    );
}

#[test]
fn parameters_stand_in_the_order_of_a_state_dict() {
    let graph = graph(
        "def net(classes):
    pair = Sum(Sequential(Conv2d(4, 1, name='blocks.0'), Conv2d(4, 1, name='blocks.1')), Conv2d(4, 1, name='long.0'))
    return Sequential(pair, Conv2d(4, 1, name='blocks.2'), Mean(), Linear(classes, name='head'))
",
    );
    let mut store = vivarium_models::nn::VarStore::new(0);
    let _executor = vivarium_models::nn::Executor::new(graph, &mut store).unwrap();
    let weights = store.parameters().map(|(name, _)| name);
    let weights: Vec<_> = weights.filter(|name| name.ends_with("weight")).collect();
    assert_eq!(
        weights,
        [
            "blocks.0.weight",
            "blocks.1.weight",
            "blocks.2.weight",
            "long.0.weight",
            "head.weight"
        ]
    );
}

#[test]
fn the_defaults_of_a_function_are_fields() {
    let text = NetworkText::read(
        "\"\"\"A net\n\nIt is\nsmall.\n\"\"\"
defaults = {'training.epochs': 2}
def net(classes, width=option(8, min=1, max=64, help='Channels.'), rate=0.5, act=option(Tanh, choices=[ReLU, Tanh]),
        deep=False, widths=[3, 4], head=option('a', choices=['a', 'b_c'], advanced=True)):
    return Sequential(Flatten(), Linear(classes))
",
    )
    .unwrap();
    assert_eq!((&*text.title, &*text.summary), ("A net", "It is small."));
    assert_eq!(
        text.defaults,
        Map::from_iter([("training.epochs".to_owned(), json!(2))])
    );
    let fields = serde_json::to_value(&text.fields).unwrap();
    assert_eq!(
        fields[0],
        json!({
            "path": "network.width", "label": "Width", "help": "Channels.", "default": "8",
            "topic": null, "kind": {"type": "integer", "min": 1, "max": 64, "step": 1}
        })
    );
    assert_eq!(fields[2]["default"], "\"tanh\"");
    assert_eq!(
        fields[5]["kind"]["options"],
        json!([{"value": "a", "label": "A"}, {"value": "b_c", "label": "B c"}])
    );
    let paths: Vec<_> = text.fields.iter().map(|field| &*field.path).collect();
    assert_eq!(paths.last(), Some(&"network.init"));
}

#[test]
fn options_reach_the_network_as_values_of_the_text() {
    let source =
        "def net(classes, act=option(ReLU, choices=[ReLU, Tanh]), widths=[3], rate=0.0, deep=True):
    layers = [Linear(w) for w in widths] + [act()]
    if deep and rate > 0:
        layers += [Dropout(rate)]
    return Sequential(Flatten(), *layers, Linear(classes))
";
    let options = json!({"act": "tanh", "widths": [5, 6], "rate": 0.25});
    let graph = graph_of(source, options, &[2], 3).unwrap();
    let operations: Vec<_> = graph
        .nodes
        .iter()
        .map(|node| node.operation.name())
        .collect();
    assert_eq!(
        operations,
        [
            "Input", "Flatten", "Linear", "Linear", "Tanh", "Dropout", "Linear"
        ]
    );
    assert_eq!(graph.nodes[5].operation, Operation::Dropout { p: 0.25 });
}

#[test]
fn python_computes_as_in_python() {
    for (expression, value) in [
        ("7 // 2 + 7 % 3 - 2 ** 3", -4),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("7 // -2", -4),
        ("7 % -3", -2),
        ("int(3.9) + round(2.5) + round(3.5)", 9),
        ("sum([i * i for i in range(5) if i % 2])", 10),
        ("len([1, 2, 3][::-1]) + [1, 2, 3][-1]", 6),
        ("max(3, 9, 4) + min([5, 2])", 11),
        ("sum([a * b for a, b in zip([1, 2], (3, 4))])", 11),
        ("1 if 'a' in 'cat' and not 3 < 2 <= 5 else 0", 1),
        ("(lambda x, y=2: x * y)(4)", 8),
        ("len(f'blocks.{3}.{[1]}')", 12),
        ("{'a': 5}['a'] + {'a': 5}.get('b', 1)", 6),
        ("sum([x for row in [[1], [2, 3]] for x in row])", 6),
        ("sum(range(3), 10)", 13),
        ("int(2 * sum([1, 0.5]))", 3),
        ("len(sum([[1], [2, 3]], [])) + sum([])", 3),
        ("len('ab' * 3 + 'c')", 7),
        ("sum(range(10, 0, -3))", 22),
        (
            "1 if round(0.15, 1) == 0.1 and round(2.675, 2) == 2.67 and round(7, 2) == 7 else 0",
            1,
        ),
        ("round(1250, -2) + round(-150, -2) + round(99, -3)", 1000),
        (
            "1 if str(1e16) == '1e+16' and str(1e-5) == '1e-05' and str(1e15) == '1000000000000000.0' else 0",
            1,
        ),
        (
            "1 if str(['a', \"it's\", 1.0, None]) == '[\\'a\\', \"it\\'s\", 1.0, None]' else 0",
            1,
        ),
        (
            "1 if f\"{'a'!r}{'a'!s}{('b',)}\" == \"'a'a('b',)\" else 0",
            1,
        ),
        ("len(str([7] * 40))", 120),
    ] {
        let source = format!(
            "def net(classes):\n    return Sequential(Flatten(), Linear(100 + ({expression})), Linear(classes))\n"
        );
        let shape = &graph(&source).nodes[2].shape;
        assert_eq!(
            shape[..],
            [usize::try_from(100 + value).unwrap()],
            "{expression}"
        );
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let body = |line: &str| {
        format!(
            "def net(classes):\n    {line}\n    return Sequential(Flatten(), Linear(classes))\n"
        )
    };
    for (source, place, what) in [
        ("def net(:\n".to_owned(), (1, 9), "Expected a parameter"),
        ("x = 1\n".to_owned(), (1, 1), "there is no def"),
        ("import os\ndef net(classes):\n    pass\n".to_owned(), (1, 1), "import is not part"),
        (body("Conv2D(3, 3)"), (2, 5), "there is no Conv2D: is Conv2d meant?"),
        (body("Conv2d(3)"), (2, 5), "Conv2d() needs the argument kernel"),
        (body("Conv2d(3, 3, pad=1)"), (2, 5), "Conv2d() has no argument pad: it takes out, kernel"),
        (body("Conv2d(0, 3)"), (2, 5), "out of Conv2d() must be a whole number from 1"),
        (body("Sequential([ReLU()])"), (2, 5), "put * before it"),
        (body("Sequential(ReLU)"), (2, 5), "write ReLU()"),
        (body("x = 1 / 0"), (2, 9), "division by zero"),
        (body("x = [1][3]"), (2, 9), "there is no item 3"),
        (body("x = 'é' + 1"), (2, 9), "+ has no place between a str and an int"),
        (body("x = f'{classes=}'"), (2, 9), "= within a string has no place"),
        (body("x = f'{classes!a}'"), (2, 9), "!a within a string has no place"),
        (body("x = round(1.5, -1)"), (2, 9), "of a float 0 to 300"),
        (body("x = str([['a' * 9999] * 9])"), (2, 9), "is too long"),
        (body("x = sum([[1]])"), (2, 9), "+ has no place between an int and a list"),
        (body("x = sum(['a'], '')"), (2, 9), "sum() joins no strings"),
        (body("x = sum([1], 2, 3)"), (2, 9), "wrong number of arguments"),
        (body("break"), (2, 5), "have a place only within"),
        (body("(lambda: 0)()\n    if classes: continue"), (3, 17), "have a place only within"),
        ("def net(classes, a=1, a=2):\n    pass\n".to_owned(), (1, 23), "two parameters have the name a"),
        (
            "def net(classes, a=option('x', choices=['x', 'y', 'x'])):\n    pass\n".to_owned(),
            (1, 20),
            "two choices of option() are",
        ),
        (
            "def net(classes, a=option(5, min=10, max=1)):\n    pass\n".to_owned(),
            (1, 20),
            "min of option() must be at most its max",
        ),
        (
            "def net(classes):\n    return Sequential(\n        Flatten(),\n        Linear(2**24),\n        Linear(classes))\n".to_owned(),
            (4, 9),
            "more than 2147483648 parameters",
        ),
        (body("raise ValueError('no')"), (2, 5), "no"),
        (body("assert classes < 3, 'too many'"), (2, 5), "too many"),
        ("def net(classes, x):\n    pass\n".to_owned(), (1, 18), "the option x needs a default"),
        ("def net(classes):\n    return 3\n".to_owned(), (1, 5), "must return a module"),
        ("def net(classes):\n    return Linear(3)\n".to_owned(), (2, 12), "put Flatten() before it"),
        ("def net(classes):\n    return Sequential(Flatten(), Linear(3))\n".to_owned(), (1, 5), "gives 3 scores for 10 classes"),
        (
            "def net(classes):\n    a = Linear(classes)\n    return Sequential(Flatten(), a, a)\n".to_owned(),
            (2, 9),
            "is used twice, as 1 and as 2",
        ),
        (
            "def net(classes):\n    return Sequential(ReLU(name='a'), ReLU(name='a.b'), Flatten(), Linear(classes))\n".to_owned(),
            (2, 39),
            "a is a layer",
        ),
        (
            "def net(classes):\n    return Sequential(ReLU(name='../a'), Flatten(), Linear(classes))\n".to_owned(),
            (2, 23),
            "name must be letters",
        ),
        (
            "def net(classes):\n    return Sequential(Sum(Conv2d(3, 3), Identity()), Flatten(), Linear(classes))\n".to_owned(),
            (2, 23),
            "the branches of a Sum give the same shape, not 3x6x6 and 3x8x8",
        ),
    ] {
        let error = graph_of(&source, json!({}), &[3, 8, 8], 10).unwrap_err();
        assert_eq!((error.line, error.column), place, "{source}\n{error}");
        assert!(error.message.contains(what), "{source}\n{error}");
    }
}

#[test]
fn defaults_are_settings_with_values_that_they_may_have() {
    let body = "def net(classes):\n    return Sequential(Flatten(), Linear(classes))\n";
    let check = |entry: &str| {
        let source =
            format!("x = 1\ndefaults = {{\n    \"data.size\": 16,\n    {entry},\n}}\n{body}");
        vivarium_models::form::check_defaults(&NetworkText::read(&source).unwrap())
    };
    for entry in [
        "'training.epochs': 5",
        "'training.optimizer.kind': 'adamw'",
        "'training.optimizer.lr': 0.1",
        "'training.schedule.kind': 'cosine'",
        "'training.early_stopping': None",
        "'data.normalisation': 'imagenet'",
        "'training.label_smoothing': 0.1",
    ] {
        check(entry).unwrap_or_else(|error| panic!("{entry}: {error}"));
    }
    for (entry, what) in [
        ("'training.nope': 3", "there is no setting training.nope"),
        (
            "'training.epochs': -5",
            "the default of training.epochs must be between 1 and 100000",
        ),
        (
            "'training.optimizer.kind': 'lion'",
            "must be one of sgd, adamw",
        ),
        ("'training.optimizer': 3", "has no default as a whole"),
        ("'network.width': 3", "there is no setting network.width"),
        ("'data.set': 'digits'", "there is no setting data.set"),
    ] {
        let error = check(entry).unwrap_err();
        assert_eq!((error.line, error.column), (4, 5), "{entry}: {error}");
        assert!(error.message.contains(what), "{entry}: {error}");
    }
}

#[test]
fn each_layer_is_in_the_part_of_the_tree_that_its_name_says() {
    let graph = graph(
        "def net(classes):
    features = Sequential(Conv2d(4, 3), ReLU(), Conv2d(4, 3), ReLU(), MaxPool2d(2))
    return Sequential(features=features, more=Conv2d(4, 1), relu=ReLU(), flatten=Flatten(), head=Linear(classes))
",
    );
    let parts = graph.parts();
    let count = |part: &str| parts.iter().filter(|name| *name == part).count();
    assert_eq!(
        [
            count("features"),
            count("more"),
            count("relu"),
            count("head")
        ],
        [5, 1, 1, 1]
    );
}

#[test]
fn no_text_takes_long_or_much() {
    let end = "\n    return Sequential(Flatten(), Linear(classes))\n";
    let inside = |line: &str| format!("def net(classes):\n    {line}{end}");
    let deep = "(".repeat(400_000);
    for (source, what) in [
        (format!("x = {deep}\n"), "nested too deeply"),
        (format!("x = {}1\n", "-".repeat(400_000)), "nested too deeply"),
        (format!("x = 1{}\n", "+1".repeat(400_000)), "nested too deeply"),
        (format!("x = a{}\n", ".b".repeat(400_000)), "nested too deeply"),
        (format!("x = {}1\n", "lambda: ".repeat(100_000)), "nested too deeply"),
        (format!("x = f'{}'\n", "{f\"".repeat(100_000)), "nested too deeply"),
        ("a".repeat(2 << 20), "more than 1048576"),
        ("def net(classes):\n    return net(classes)\n".to_owned(), "calls within calls"),
        (inside("while True: pass"), "steps"),
        (inside("x = [0] * 10 ** 9"), "too long"),
        (inside("x = 'a' * 2 ** 30"), "too long"),
        (inside("x = list(range(10 ** 12))"), "too long"),
        (inside("x = 2 ** 10 ** 9"), "too large"),
        (inside("x = [0]\n    while True: x += x"), "too long"),
        (inside("x = []\n    while True: x = [x]"), "too long"),
        (inside("x = ()\n    while True: x = (x,)"), "too long"),
        (inside("f = 0\n    while True:\n        f = lambda g=f: g"), "steps"),
        (inside("x = ReLU()\n    while True: x = Sequential(x)"), "modules within modules"),
        (inside("for i in range(10 ** 5):\n        for j in range(10 ** 5): ReLU()"), "modules"),
        (
            "def net(classes):\n    return Sequential(*[ReLU() for i in range(20000)], Flatten(), Linear(classes))\n".to_owned(),
            "more than 10000 layers",
        ),
        (inside("x = []\n    x.append(x)\n    y = x == x\n    raise ValueError(x)"), "[[[["),
        ("def net(classes):\n    return 1\0\n".to_owned(), ""),
    ] {
        let error = graph_of(&source, json!({}), &[3, 8, 8], 10).unwrap_err();
        let start: String = source.chars().take(80).collect();
        assert!(error.message.contains(what), "{start}\n{error}");
        assert!(error.message.len() < 1000, "{start}");
    }
}

#[test]
fn the_two_residual_networks_differ_in_their_defaults_alone() {
    let without_defaults = |source: &str| {
        let lines = source
            .lines()
            .skip_while(|line| !line.starts_with("def separable"));
        let lines = lines.map(|line| match line.split_once("=option(") {
            Some((name, rest)) => {
                let about = rest
                    .find("choices=")
                    .or_else(|| rest.find("min="))
                    .or_else(|| rest.find("help="));
                format!("{name}=option({}", &rest[about.unwrap_or(0)..])
            }
            None => line.replace("residual_deep", "residual_small"),
        });
        lines.collect::<Vec<_>>()
    };
    let small = include_str!("../../networks/residual-small.py");
    let deep = include_str!("../../networks/residual-deep.py");
    assert_eq!(without_defaults(small), without_defaults(deep));
    assert_ne!(small, deep);
}

#[test]
fn the_built_in_texts_are_short_enough_to_read_aloud() {
    for network in NETWORKS.iter() {
        // Options are a table to look things up in; the rest is read.
        let is_read = |line: &&str| {
            !line.trim().is_empty() && !line.contains("=option(") && !line.contains("=widths(")
        };
        let lines = network.source().lines().filter(is_read).count();
        assert!(lines < 60, "{}: {lines} lines", network.kind);
    }
    let vgg16 = row("vgg16").unwrap().source().lines().count();
    assert!(vgg16 < 40, "{vgg16} lines");
}
