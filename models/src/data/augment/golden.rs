//! The augmentations held against torchvision, by images from `tests/golden/augment.py`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::byte_ops::Operation;
use super::color_jitter::Change;
use super::rand_augment::OPERATIONS;
use super::resized_crop::Area;

const SIZE: usize = 24;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/golden/augment.json")).unwrap()
}

fn bytes(json: &Value) -> Vec<u8> {
    STANDARD.decode(json.as_str().unwrap()).unwrap()
}

fn floats(json: &Value) -> Vec<f32> {
    let bytes = bytes(json);
    let numbers = bytes.chunks_exact(4);
    numbers
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

fn operation(name: &str, magnitude: f64) -> Operation {
    match name {
        "shear_x" => Operation::ShearX(magnitude),
        "shear_y" => Operation::ShearY(magnitude),
        "translate_x" => Operation::TranslateX(magnitude as i64),
        "translate_y" => Operation::TranslateY(magnitude as i64),
        "rotate" => Operation::Rotate(magnitude),
        "brightness" => Operation::Brightness(magnitude),
        "color" => Operation::Color(magnitude),
        "contrast" => Operation::Contrast(magnitude),
        "sharpness" => Operation::Sharpness(magnitude),
        "posterize" => Operation::Posterize(magnitude as u32),
        "solarize" => Operation::Solarize(magnitude),
        "auto_contrast" => Operation::AutoContrast,
        "equalize" => Operation::Equalize,
        other => panic!("{other} is no operation"),
    }
}

#[test]
fn every_operation_gives_the_bytes_of_torchvision_and_almost_those_of_pillow() {
    let golden = golden();
    let image = bytes(&golden["image"]);
    let cases = golden["operations"].as_array().unwrap();
    for case in cases {
        let (name, magnitude) = (case["name"].as_str().unwrap(), case["magnitude"].as_f64());
        let mut got = image.clone();
        operation(name, magnitude.unwrap()).apply(SIZE, &mut got);
        let expected = bytes(&case["result"]);
        let apart = got.iter().zip(&expected).filter(|(a, b)| a != b).count();
        assert_eq!(apart, 0, "{name} {magnitude:?} of {} values", got.len());
        assert_ne!(got, image, "{name}");
        assert!(case["pillow_apart"].as_u64().unwrap_or(0) <= 1, "{name}");
    }
    assert_eq!(cases.len(), 21);
}

#[test]
fn grey_images_take_every_operation() {
    let golden = golden();
    let grey = &bytes(&golden["image"])[..SIZE * SIZE];
    for case in golden["operations"].as_array().unwrap() {
        let (name, magnitude) = (case["name"].as_str().unwrap(), case["magnitude"].as_f64());
        let mut got = grey.to_vec();
        operation(name, magnitude.unwrap()).apply(SIZE, &mut got);
        // What changes each channel by itself does the same to the first alone.
        if !["color", "contrast"].contains(&name) {
            assert_eq!(got, bytes(&case["result"])[..SIZE * SIZE], "{name}");
        }
    }
}

#[test]
fn magnitudes_are_those_of_torchvision() {
    const NAMES: [&str; 14] = [
        "Identity",
        "ShearX",
        "ShearY",
        "TranslateX",
        "TranslateY",
        "Rotate",
        "Brightness",
        "Color",
        "Contrast",
        "Sharpness",
        "Posterize",
        "Solarize",
        "AutoContrast",
        "Equalize",
    ];
    for case in golden()["space"].as_array().unwrap() {
        let magnitude = case["magnitude"].as_f64().unwrap();
        for (name, make) in NAMES.into_iter().zip(OPERATIONS) {
            let expected = &case["values"][name];
            let (value, signed) = (
                expected[0].as_f64().unwrap(),
                expected[1].as_bool().unwrap(),
            );
            let of = |sign| match make(magnitude / 30.0, sign, 224) {
                Operation::ShearX(value)
                | Operation::ShearY(value)
                | Operation::Rotate(value)
                | Operation::Solarize(value) => value,
                Operation::TranslateX(pixels) | Operation::TranslateY(pixels) => pixels as f64,
                Operation::Brightness(factor)
                | Operation::Color(factor)
                | Operation::Contrast(factor)
                | Operation::Sharpness(factor) => factor - 1.0,
                Operation::Posterize(bits) => f64::from(bits),
                Operation::Identity | Operation::AutoContrast | Operation::Equalize => 0.0,
            };
            // torchvision takes the whole part of a shift.
            let value = if name.starts_with("Translate") {
                value.trunc()
            } else {
                value
            };
            let opposite = if signed { -value } else { value };
            assert!((of(1.0) - value).abs() < 1e-4, "{name} {magnitude}");
            assert!((of(-1.0) - opposite).abs() < 1e-4, "{name} {magnitude}");
        }
    }
}

#[test]
fn every_change_of_colours_gives_the_values_of_torchvision() {
    let golden = golden();
    let image: Vec<f32> = bytes(&golden["image"])
        .iter()
        .map(|byte| f32::from(*byte) / 255.0)
        .collect();
    let cases = golden["floats"].as_array().unwrap();
    for case in cases {
        let factor = case["factor"].as_f64().unwrap();
        let change = match case["name"].as_str().unwrap() {
            "brightness" => Change::Brightness(factor),
            "contrast" => Change::Contrast(factor),
            "saturation" => Change::Saturation(factor),
            _ => Change::Hue(factor),
        };
        let mut got = image.clone();
        change.apply(SIZE * SIZE, &mut got);
        let expected = floats(&case["result"]);
        let error = got.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let error = error.fold(0.0, f32::max);
        assert!(error < 2e-6, "{change:?}: {error}");
    }
    assert_eq!(cases.len(), 9);
}

#[test]
fn parts_of_an_image_are_resized_as_by_torchvision() {
    let golden = golden();
    let image: Vec<f32> = bytes(&golden["image"])
        .iter()
        .map(|byte| f32::from(*byte) / 255.0)
        .collect();
    for case in golden["crops"].as_array().unwrap() {
        let area = case["area"].as_array().unwrap().iter();
        let area: Vec<_> = area.map(|n| n.as_u64().unwrap() as usize).collect();
        let area = Area {
            top: area[0],
            left: area[1],
            height: area[2],
            width: area[3],
        };
        let mut got = vec![0.0; image.len()];
        area.resize(SIZE, &image, &mut got);
        let expected = floats(&case["result"]);
        let error = got.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let error = error.fold(0.0, f32::max);
        assert!(error < 2e-6, "{area:?}: {error}");
    }
}
