//! A layer as a call.

use super::Source;
use crate::graph::Operation;
use crate::ops::PoolWindow;

/// The call of a layer's class, with `name=` where the layer needs it.
pub(super) fn call(source: &Source<'_>, place: usize, name: Option<&str>) -> String {
    let operation = &source.graph.nodes[place].operation;
    let mut arguments = arguments(source, place, operation);
    arguments.extend(name.map(|name| format!("name=\"{name}\"")));
    let class = match operation {
        Operation::BatchNorm { .. } => match source.graph.nodes[place].shape.len() {
            3 => "BatchNorm2d",
            _ => "BatchNorm1d",
        },
        other => other.name(),
    };
    format!("{class}({})", arguments.join(", "))
}

fn arguments(source: &Source<'_>, place: usize, operation: &Operation) -> Vec<String> {
    let outputs = |count: usize| match source.classes == Some(place) {
        true => "classes".to_owned(),
        false => count.to_string(),
    };
    let mut list = Vec::new();
    match *operation {
        Operation::Conv2d {
            out_channels,
            kernel,
            stride,
            padding,
            dilation,
            groups,
            bias,
            ..
        } => {
            list.extend([outputs(out_channels), pair(kernel)]);
            push(&mut list, "stride", stride, [1, 1]);
            push(&mut list, "padding", padding, [0, 0]);
            push(&mut list, "dilation", dilation, [1, 1]);
            if groups != 1 {
                list.push(format!("groups={groups}"));
            }
            if !bias {
                list.push("bias=False".to_owned());
            }
        }
        Operation::Linear {
            out_features, bias, ..
        } => {
            list.push(outputs(out_features));
            if !bias {
                list.push("bias=False".to_owned());
            }
        }
        Operation::BatchNorm { eps, momentum } => {
            if eps != Operation::EPS {
                list.push(format!("eps={eps:?}"));
            }
            if momentum != Operation::MOMENTUM {
                list.push(format!("momentum={momentum:?}"));
            }
        }
        Operation::Hardtanh { min, max } => list.extend([format!("{min:?}"), format!("{max:?}")]),
        Operation::MaxPool2d { window } => of_window(&mut list, window),
        Operation::AvgPool2d {
            window,
            count_include_pad,
        } => {
            of_window(&mut list, window);
            if !count_include_pad {
                list.push("count_include_pad=False".to_owned());
            }
        }
        Operation::AdaptiveAvgPool2d { output } => list.push(pair(output)),
        Operation::Dropout { p } => list.push(format!("{p:?}")),
        Operation::ZeroPad1d {
            padding: [before, after],
        } => list.push(format!("({before}, {after})")),
        Operation::ZeroPad2d {
            padding: [left, right, top, bottom],
        } => list.push(format!("({left}, {right}, {top}, {bottom})")),
        _ => {}
    }
    list
}

fn of_window(list: &mut Vec<String>, window: PoolWindow) {
    list.push(pair(window.kernel));
    push(list, "stride", window.stride, window.kernel);
    push(list, "padding", window.padding, [0, 0]);
    if window.ceil_mode {
        list.push("ceil_mode=True".to_owned());
    }
}

fn push(list: &mut Vec<String>, name: &str, value: [usize; 2], default: [usize; 2]) {
    if value != default {
        list.push(format!("{name}={}", pair(value)));
    }
}

fn pair([a, b]: [usize; 2]) -> String {
    if a == b {
        a.to_string()
    } else {
        format!("({a}, {b})")
    }
}
