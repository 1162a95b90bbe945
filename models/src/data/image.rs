//! Images made larger, smaller, coloured.

/// A grey image of `from`×`from` pixels at another size, bilinearly: pixels have their centres at half numbers, and
/// what lies past the edge is the edge. PyTorch's `interpolate(mode="bilinear")`.
pub(super) fn resize(image: &[f32], from: usize, to: usize) -> Vec<f32> {
    if from == to {
        return image.to_vec();
    }
    let scale = from as f64 / to as f64;
    // For a place in the result: the two places in the image that it lies between, and how far it is to the second.
    let between = |place: usize| {
        let exact = ((place as f64 + 0.5) * scale - 0.5).max(0.0);
        let first = (exact as usize).min(from - 1);
        (first, (first + 1).min(from - 1), exact - first as f64)
    };
    let mut resized = Vec::with_capacity(to * to);
    for y in 0..to {
        let (top, bottom, down) = between(y);
        for x in 0..to {
            let (left, right, across) = between(x);
            let pixel = |row: usize, column: usize| f64::from(image[row * from + column]);
            let upper = pixel(top, left) * (1.0 - across) + pixel(top, right) * across;
            let lower = pixel(bottom, left) * (1.0 - across) + pixel(bottom, right) * across;
            resized.push((upper * (1.0 - down) + lower * down) as f32);
        }
    }
    resized
}

#[cfg(test)]
mod tests {
    use super::*;

    // torch.nn.functional.interpolate(torch.arange(9.).reshape(1, 1, 3, 3), size=(n, n), mode="bilinear")
    #[test]
    fn sizes_change_as_in_pytorch() {
        let image: Vec<f32> = (0..9).map(|v| v as f32).collect();
        assert_eq!(resize(&image, 3, 2), [1.0, 2.5, 5.5, 7.0]);
        let larger = resize(&image, 3, 5);
        let first_row = [0.0, 0.4, 1.0, 1.6, 2.0];
        for (value, expected) in larger.iter().zip(first_row) {
            assert!((value - expected).abs() < 1e-6, "{larger:?}");
        }
        assert!((larger[24] - 8.0).abs() < 1e-6 && (larger[12] - 4.0).abs() < 1e-6);
    }

    #[test]
    fn an_image_of_the_right_size_is_left_as_it_is() {
        assert_eq!(resize(&[1.0, 2.0, 3.0, 4.0], 2, 2), [1.0, 2.0, 3.0, 4.0]);
    }
}
