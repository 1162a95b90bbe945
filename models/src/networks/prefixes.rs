//! Prefixes that wrappers add to the names of tensors. `DataParallel` and `DistributedDataParallel` put `module.`
//! before them, `torch.compile` `_orig_mod.`, FSDP and DeepSpeed names of their own, averaged copies (EMA) and training
//! loops the attribute that holds the network; often several of these at once, and some around a part of the network.

use std::collections::HashSet;

/// Parts that wrappers insert anywhere in a name.
const ANYWHERE: [&str; 5] = [
    "module",
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_forward_module",
];

/// Attributes that hold a network, and so come first in a name.
const BEFORE: [&str; 15] = [
    "model",
    "net",
    "network",
    "ema",
    "ema_model",
    "model_ema",
    "averaged_model",
    "online_model",
    "shadow",
    "state_dict",
    "state_dict_ema",
    "model_state_dict",
    "model_state",
    "weights",
    "params",
];

/// The most parts of a name.
const MOST_PARTS: usize = 64;

/// The most wrappers around a network.
const DEEPEST: usize = 8;

/// Values that training loops save beside a network.
const BESIDE: [&str; 15] = [
    "n_averaged",
    "num_updates",
    "initted",
    "decay",
    "ema_decay",
    "epoch",
    "step",
    "global_step",
    "iteration",
    "it",
    "best_acc",
    "best_acc1",
    "best_loss",
    "lr",
    "rng_state",
];

/// Attributes that hold values beside a network.
const HOLDERS_BESIDE: [&str; 14] = [
    "optimizer",
    "optimizer_state",
    "optimizer_states",
    "optimizer_state_dict",
    "optim",
    "scheduler",
    "scheduler_state_dict",
    "lr_scheduler",
    "lr_schedulers",
    "scaler",
    "grad_scaler",
    "loops",
    "callbacks",
    "rng_states",
];

/// Buffers of profilers and old normalisation layers.
const BUFFERS: [&str; 3] = ["num_batches_tracked", "total_ops", "total_params"];

/// A name without its wrappers.
pub(super) struct StrippedName {
    pub(super) name: String,
    /// The prefix that was removed; empty if none was.
    pub(super) stripped: String,
}

/// Removes prefixes from a name until it is one of `own`; `None` if it never is.
pub(super) fn strip(name: &str, own: &HashSet<&str>) -> Option<StrippedName> {
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() > MOST_PARTS {
        return None;
    }
    search(&parts, own, &mut Vec::new())
}

fn search<'a>(
    parts: &[&'a str],
    own: &HashSet<&str>,
    stripped: &mut Vec<&'a str>,
) -> Option<StrippedName> {
    let name = parts.join(".");
    if own.contains(name.as_str()) {
        let mut off: String = stripped.join(".");
        if !off.is_empty() {
            off.push('.');
        }
        return Some(StrippedName {
            name,
            stripped: off,
        });
    }
    if stripped.len() == DEEPEST {
        return None;
    }
    let before = parts.first().filter(|part| BEFORE.contains(part));
    let anywhere = parts.iter().position(|part| ANYWHERE.contains(part));
    for at in before.map(|_| 0).into_iter().chain(anywhere) {
        let mut fewer = parts.to_vec();
        stripped.push(fewer.remove(at));
        if let Some(found) = search(&fewer, own, stripped) {
            return Some(found);
        }
        stripped.pop();
    }
    None
}

/// Whether a name belongs to no network, but to an optimizer or a counter.
pub(super) fn is_foreign(name: &str) -> bool {
    let (first, last) = (
        name.split('.').next().unwrap_or(name),
        name.rsplit('.').next().unwrap_or(name),
    );
    BESIDE.contains(&name) || HOLDERS_BESIDE.contains(&first) || BUFFERS.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(name: &str, own: &[&str]) -> Option<(String, String)> {
        let own = own.iter().copied().collect();
        strip(name, &own).map(|found| (found.name, found.stripped))
    }

    #[test]
    fn wrappers_are_taken_off_alone_and_stacked() {
        for prefix in [
            "",
            "module.",
            "_orig_mod.",
            "model.",
            "net.",
            "ema.",
            "ema_model.",
            "_forward_module.",
            "module._orig_mod.",
            "_orig_mod.module.",
            "ema_model.module.model.",
            "_fsdp_wrapped_module.module.",
            "state_dict.model._orig_mod.",
        ] {
            for own in ["net.0.weight", "features.0.bias"] {
                let found = taken(&format!("{prefix}{own}"), &[own]);
                assert_eq!(found, Some((own.to_owned(), prefix.to_owned())));
            }
        }
        // Around a part of the network.
        for name in [
            "features.module.0.bias",
            "module.features._orig_mod.0.bias",
            "features._checkpoint_wrapped_module.0.bias",
        ] {
            let (own, _) = taken(name, &["features.0.bias"]).unwrap();
            assert_eq!(own, "features.0.bias");
        }
    }

    #[test]
    fn what_is_the_networks_own_is_not_taken_off() {
        let own = ["net.0.weight", "module.0.weight"];
        for name in own {
            let found = taken(name, &own);
            assert_eq!(found, Some((name.to_owned(), String::new())));
        }
        for name in ["teacher.net.0.weight", "0.weight", "net", "", "module."] {
            assert_eq!(taken(name, &["net.0.weight"]), None, "{name}");
        }
    }

    #[test]
    fn names_made_to_take_long_do_not() {
        let long = format!("{}x", "module.model.".repeat(30));
        assert_eq!(taken(&long, &["net.0.weight"]), None);
        let longer = format!("{}x", "module.".repeat(100_000));
        assert_eq!(taken(&longer, &["net.0.weight"]), None);
    }
}
