//! The words of the language with their help, for editors.

use serde::Serialize;
use utoipa::ToSchema;

/// A module or function that texts can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Word {
    /// Its name.
    pub name: &'static str,
    /// The call with its parameters and their defaults.
    pub signature: &'static str,
    /// What it gives, in a sentence.
    pub help: &'static str,
}

/// The words of the language.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Language {
    /// Modules as in PyTorch.
    pub modules: &'static [Word],
    /// Functions as in Python, and `option`.
    pub functions: &'static [Word],
}

const fn word(name: &'static str, signature: &'static str, help: &'static str) -> Word {
    Word {
        name,
        signature,
        help,
    }
}

/// All of them.
pub const LANGUAGE: Language = Language {
    modules: &[
        word(
            "Conv2d",
            "Conv2d(out, kernel, stride=1, padding=0, dilation=1, groups=1, bias=True, init=None)",
            "A convolution with `out` output channels. Kernel, stride, padding and dilation are numbers or pairs (height, width); padding may be \"same\".",
        ),
        word(
            "Linear",
            "Linear(out, bias=True, init=None)",
            "A fully connected layer with `out` values.",
        ),
        word(
            "BatchNorm1d",
            "BatchNorm1d(eps=1e-5, momentum=0.1)",
            "Batch normalisation of values.",
        ),
        word(
            "BatchNorm2d",
            "BatchNorm2d(eps=1e-5, momentum=0.1)",
            "Batch normalisation of channels.",
        ),
        word("ReLU", "ReLU()", "max(x, 0)."),
        word("ReLU6", "ReLU6()", "x between 0 and 6."),
        word("SiLU", "SiLU()", "x · sigmoid(x), also called swish."),
        word(
            "GELU",
            "GELU()",
            "x · Φ(x), with the distribution function of the normal distribution.",
        ),
        word("Hardswish", "Hardswish()", "x · hardsigmoid(x)."),
        word(
            "Hardsigmoid",
            "Hardsigmoid()",
            "x / 6 + 1/2 between 0 and 1.",
        ),
        word(
            "Hardtanh",
            "Hardtanh(min_val=-1, max_val=1)",
            "x between two bounds.",
        ),
        word("Sigmoid", "Sigmoid()", "1 / (1 + exp(-x))."),
        word("Tanh", "Tanh()", "The hyperbolic tangent."),
        word(
            "MaxPool2d",
            "MaxPool2d(kernel, stride=kernel, padding=0, ceil_mode=False)",
            "The maximum of each window. Kernel, stride and padding are numbers or pairs.",
        ),
        word(
            "AvgPool2d",
            "AvgPool2d(kernel, stride=kernel, padding=0, ceil_mode=False, count_include_pad=True)",
            "The mean of each window. Kernel, stride and padding are numbers or pairs.",
        ),
        word(
            "AdaptiveAvgPool2d",
            "AdaptiveAvgPool2d(output)",
            "Means over windows, so that the image has the size `output`, a number or a pair.",
        ),
        word(
            "Mean",
            "Mean()",
            "The mean of each channel over the image: values.",
        ),
        word(
            "Dropout",
            "Dropout(p=0.5)",
            "Sets a share `p` of the values to 0 at random, in training only.",
        ),
        word(
            "Flatten",
            "Flatten()",
            "The values of all channels in one list.",
        ),
        word("Identity", "Identity()", "Its input, unchanged."),
        word(
            "ZeroPad1d",
            "ZeroPad1d((before, after))",
            "Zeros before and after the values.",
        ),
        word(
            "ZeroPad2d",
            "ZeroPad2d((left, right, top, bottom))",
            "Zeros around the image; a number pads all sides.",
        ),
        word(
            "Sequential",
            "Sequential(*modules, name=module, …)",
            "Modules one after another.",
        ),
        word(
            "Sum",
            "Sum(*branches)",
            "The sum of branches of the same input; a skip is Sum(body, Identity()).",
        ),
        word(
            "Mul",
            "Mul(*branches)",
            "The product of branches of the same input; a branch may give one value for each channel.",
        ),
        word(
            "Concat",
            "Concat(*branches)",
            "Branches of the same input, joined on their channels.",
        ),
    ],
    functions: &[
        word(
            "option",
            "option(default, choices=None, min=None, max=None, len=None, label=None, help=None, advanced=False, pairs=False)",
            "An option of the network, which is a field of the form.",
        ),
        word(
            "OptionError",
            "raise OptionError(name, message)",
            "Refuses the value of an option.",
        ),
        word("abs", "abs(x)", "The absolute value."),
        word("all", "all(items)", "Whether all items are true."),
        word("any", "any(items)", "Whether any item is true."),
        word("bool", "bool(x)", "Whether x is true."),
        word(
            "enumerate",
            "enumerate(items, start=0)",
            "Pairs of a number and an item.",
        ),
        word("float", "float(x)", "A number with a fraction."),
        word("int", "int(x)", "A whole number; the fraction is cut off."),
        word("len", "len(items)", "The number of items."),
        word("list", "list(items)", "A list of the items."),
        word("max", "max(items)", "The largest item."),
        word("min", "min(items)", "The smallest item."),
        word(
            "range",
            "range(start, stop, step=1)",
            "Whole numbers from start up to, but without, stop.",
        ),
        word(
            "reversed",
            "reversed(items)",
            "The items from last to first.",
        ),
        word(
            "round",
            "round(x)",
            "The nearest whole number; halves go to the even one.",
        ),
        word("str", "str(x)", "The value as a string."),
        word(
            "sum",
            "sum(items, start=0)",
            "The sum of numbers; of lists, one after another, with a start of [].",
        ),
        word("tuple", "tuple(items)", "A tuple of the items."),
        word(
            "zip",
            "zip(*lists)",
            "Tuples of the items at the same place.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::text::{builtins, modules};

    #[test]
    fn every_word_has_its_help() {
        let names = |words: &[Word]| {
            let mut names: Vec<_> = words.iter().map(|word| word.name).collect();
            names.sort_unstable();
            names
        };
        let mut classes: Vec<_> = modules::CLASSES.iter().map(|(name, _)| *name).collect();
        classes.sort_unstable();
        assert_eq!(names(LANGUAGE.modules), classes);
        let mut functions: Vec<_> = builtins::BUILTINS.iter().map(|(name, _)| *name).collect();
        functions.push("OptionError");
        functions.sort_unstable();
        assert_eq!(names(LANGUAGE.functions), functions);
    }

    #[test]
    fn signatures_name_what_they_explain() {
        for word in LANGUAGE.modules.iter().chain(LANGUAGE.functions) {
            assert!(
                word.signature.contains(&format!("{}(", word.name)),
                "{}",
                word.name
            );
            assert!(word.help.ends_with('.'), "{}", word.name);
        }
    }
}
