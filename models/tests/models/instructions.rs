//! Runs the golden tests, gradient tests and comparisons with definitions again under each narrower set of
//! instructions, with the same tolerances.

use vivarium_models::ops::instructions::ENV_VAR;
use vivarium_models::ops::{Instructions, instructions};

use crate::rerun;

/// Prefixes of test names, as filters of this binary.
const TESTS: &[&str] = &[
    "accuracy::",
    "convolutions::",
    "differences::",
    "golden::",
    // The networks for images that are fast even with the narrowest instructions.
    "golden_networks::inception::every_gradient",
    "golden_networks::residual_small_shallow::",
    "golden_networks::residual_small_silu::names_and_scores",
    "golden_networks::vgg16_compact::every_gradient",
    "instructions::the_instructions_asked_for",
    "steps::",
];

fn pass_with(asked: Instructions) {
    if Instructions::supported().any(|some| some == asked) {
        rerun::pass_with(TESTS, (ENV_VAR, asked.name()));
    }
}

#[test]
fn numbers_and_gradients_are_right_on_any_machine() {
    pass_with(Instructions::Portable);
}

#[test]
fn numbers_and_gradients_are_right_on_a_machine_with_avx2() {
    pass_with(Instructions::Avx2);
}

#[test]
fn numbers_and_gradients_are_right_on_a_machine_with_avx512() {
    pass_with(Instructions::Avx512);
}

#[test]
fn the_instructions_asked_for_are_those_in_use() {
    let widest = Instructions::supported().last().unwrap();
    let asked = std::env::var(ENV_VAR).unwrap_or_default();
    let expected = if asked.is_empty() {
        widest.name()
    } else {
        &asked
    };
    let in_use = instructions().unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(in_use.name(), expected);
}

#[test]
fn instructions_that_do_not_exist_are_refused_by_name() {
    let tests = ["instructions::the_instructions_asked_for"];
    let (text, passed) = rerun::run(&tests, (ENV_VAR, "avx1024"));
    assert!(!passed);
    let refusal = "VIVARIUM_INSTRUCTIONS: must be one of portable, avx2, avx512, not avx1024";
    assert!(text.contains(refusal), "{text}");
}
