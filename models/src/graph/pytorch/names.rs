//! Names that are no plain attributes in Python: keywords, numbers, and what `nn.Module` and its containers have already.

/// Python's keywords.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// The public attributes of `nn.Module`. Those that begin with `_` are not listed: no such name is taken as plain.
const OF_MODULE: [&str; 54] = [
    "T_destination",
    "add_module",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "compile",
    "cpu",
    "cuda",
    "double",
    "dump_patches",
    "eval",
    "extra_repr",
    "float",
    "forward",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "ipu",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "parameters",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_module",
    "register_parameter",
    "register_state_dict_post_hook",
    "register_state_dict_pre_hook",
    "requires_grad_",
    "set_extra_state",
    "set_submodule",
    "share_memory",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "xpu",
    "zero_grad",
];

/// The public attributes that `nn.Sequential`, `nn.ModuleList` and `nn.ModuleDict` add.
const OF_CONTAINERS: [&str; 9] = [
    "append", "clear", "extend", "insert", "items", "keys", "pop", "update", "values",
];

/// What `nn.Module` sets on itself while it is used. A module of such a name breaks it.
const STATE: [&str; 18] = [
    "training",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_buffers",
    "_compiled_call_impl",
    "_forward_hooks",
    "_forward_hooks_always_called",
    "_forward_hooks_with_kwargs",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_is_full_backward_hook",
    "_load_state_dict_post_hooks",
    "_load_state_dict_pre_hooks",
    "_modules",
    "_non_persistent_buffers_set",
    "_parameters",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
];

/// Whether no module can have this name in PyTorch, however it is added.
pub(crate) fn is_state_of_module(name: &str) -> bool {
    STATE.contains(&name)
}

/// Whether `add_module` of a module or a container may refuse a name, because it has such an attribute.
pub(super) fn is_attribute(name: &str) -> bool {
    name.starts_with('_') || OF_MODULE.contains(&name) || OF_CONTAINERS.contains(&name)
}

/// Whether `self.name = …` adds a module, and `self.name(…)` calls it.
pub(super) fn is_plain(name: &str) -> bool {
    // Python changes some names that are not ASCII: it normalises them.
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(letters)
        && !KEYWORDS.contains(&name)
        && !is_attribute(name)
}

/// A name as that of a class: `residual_small` is `ResidualSmall`.
pub(super) fn class_name(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let words = words.map(|word| {
        let mut characters = word.chars();
        let first = characters.next().map(char::to_uppercase);
        first
            .into_iter()
            .flatten()
            .chain(characters)
            .collect::<String>()
    });
    let name: String = words.collect();
    let is_taken = KEYWORDS.contains(&&*name) || name == "OrderedDict";
    if name.is_empty() || is_taken || name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("Network{name}")
    } else {
        name
    }
}
