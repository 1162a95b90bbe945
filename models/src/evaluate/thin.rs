//! Thins the points of a curve for drawing.

/// The greatest distance of a point that is left out from the thinned curve; a chart of a thousand pixels shows half a
/// pixel of it.
const TOLERANCE: f64 = 0.0005;

/// The points without which the curve would be off by more than the tolerance (Douglas and Peucker 1973). The first and
/// the last point stay. `place` tells where a point is drawn.
pub(super) fn thin<T: Copy>(points: &[T], place: impl Fn(&T) -> [f64; 2]) -> Vec<T> {
    let mut kept = vec![false; points.len()];
    if let (Some(first), true) = (kept.first_mut(), points.len() > 1) {
        *first = true;
    }
    if let Some(last) = kept.last_mut() {
        *last = true;
    }
    let mut parts = vec![(0, points.len().saturating_sub(1))];
    while let Some((from, to)) = parts.pop() {
        let (start, end) = match (points.get(from), points.get(to)) {
            (Some(start), Some(end)) if to > from + 1 => (place(start), place(end)),
            _ => continue,
        };
        let mut farthest = (0.0, from);
        for (index, point) in points.iter().enumerate().take(to).skip(from + 1) {
            let away = distance(place(point), start, end);
            if away > farthest.0 {
                farthest = (away, index);
            }
        }
        if farthest.0 > TOLERANCE {
            kept[farthest.1] = true;
            parts.extend([(from, farthest.1), (farthest.1, to)]);
        }
    }
    let kept = points.iter().zip(kept).filter(|(_, kept)| *kept);
    kept.map(|(point, _)| *point).collect()
}

/// The distance of a point from a line segment.
fn distance(point: [f64; 2], start: [f64; 2], end: [f64; 2]) -> f64 {
    let [dx, dy] = [end[0] - start[0], end[1] - start[1]];
    let [px, py] = [point[0] - start[0], point[1] - start[1]];
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 {
        ((px * dx + py * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (px - along * dx).hypot(py - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_on_a_line_goes_and_corners_and_ends_stay() {
        let line: Vec<[f64; 2]> = (0..=100).map(|i| [f64::from(i) / 100.0, 0.5]).collect();
        assert_eq!(thin(&line, |p| *p), [[0.0, 0.5], [1.0, 0.5]]);
        let corner = [[0.0, 0.0], [0.0, 0.4], [0.0, 0.9], [0.5, 0.9], [1.0, 1.0]];
        let kept = thin(&corner, |p| *p);
        assert_eq!(kept, [[0.0, 0.0], [0.0, 0.9], [0.5, 0.9], [1.0, 1.0]]);
        assert_eq!(thin(&[[0.3, 0.3]], |p| *p), [[0.3, 0.3]]);
        assert_eq!(thin::<[f64; 2]>(&[], |p| *p).len(), 0);
    }
}
