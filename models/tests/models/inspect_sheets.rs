//! Pages of tiles: every tile is on a page, in order, with the colours of the scale.

use vivarium_models::inspect::{ColourMap, Sheet, SheetKind, SheetQuery, Sort, Tile, Tiles};

/// Tiles of three by three values: `values` gives those of each.
fn kernels(count: usize, values: impl Fn(usize) -> [f32; 9]) -> Tiles<'static> {
    let all: Vec<[f32; 9]> = (0..count).map(values).collect();
    let summaries = all
        .iter()
        .enumerate()
        .map(|(i, v)| Tile::of(i, v))
        .collect();
    Tiles::of_values(
        SheetKind::Kernels,
        ColourMap::Diverging,
        1,
        [3, 3],
        summaries,
        all.concat(),
    )
}

fn page(page: usize) -> SheetQuery {
    SheetQuery {
        page,
        ..SheetQuery::default()
    }
}

/// The RGBA colour in the middle of a value.
fn colour(sheet: &Sheet, place: usize, row: usize, column: usize) -> [u8; 4] {
    let picture = image::load_from_memory(&sheet.png().unwrap())
        .unwrap()
        .to_rgba8();
    let grid = &sheet.sheet;
    assert_eq!(
        picture.dimensions(),
        (grid.width as u32, grid.height as u32)
    );
    let at = |index: usize, side: usize, value: usize| {
        index * (side * grid.zoom + grid.gap) + value * grid.zoom + grid.zoom / 2
    };
    let x = at(place % grid.columns, grid.tile_width, column);
    let y = at(place / grid.columns, grid.tile_height, row);
    picture.get_pixel(x as u32, y as u32).0
}

#[test]
fn every_tile_is_on_one_page_and_the_largest_come_first() {
    // 600 kernels with unordered norms, some of them equal.
    let tiles = kernels(600, |i| [((i * 7919) % 200) as f32 + 1.0; 9]);
    let first = tiles.sheet(&page(0), None).unwrap();
    assert_eq!((first.total, first.pages, first.sort), (600, 3, Sort::Norm));
    let all: Vec<Tile> = (0..first.pages)
        .flat_map(|i| tiles.sheet(&page(i), None).unwrap().tiles)
        .collect();
    let mut seen: Vec<usize> = all.iter().map(|tile| tile.index).collect();
    for pair in all.windows(2) {
        let in_order = pair[0].norm > pair[1].norm
            || (pair[0].norm == pair[1].norm && pair[0].index < pair[1].index);
        assert!(in_order, "{pair:?}");
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..600).collect::<Vec<_>>());
    let refused = tiles.sheet(&page(3), None).unwrap_err().to_string();
    assert!(
        refused.contains("page") && refused.contains("below 3"),
        "{refused}"
    );
}

#[test]
fn tiles_are_sorted_by_what_is_asked_for() {
    let tiles = kernels(4, |i| [[1.0, -3.0, 2.0, -0.5][i]; 9]);
    let order = |sort| {
        let query = SheetQuery {
            sort: Some(sort),
            ..SheetQuery::default()
        };
        let sheet = tiles.sheet(&query, None).unwrap();
        sheet
            .tiles
            .iter()
            .map(|tile| tile.index)
            .collect::<Vec<_>>()
    };
    assert_eq!(order(Sort::Index), [0, 1, 2, 3]);
    assert_eq!(order(Sort::Norm), [1, 2, 0, 3]);
    assert_eq!(order(Sort::Mean), [2, 0, 3, 1]);
    let query = SheetQuery {
        sort: Some(Sort::Activation),
        ..SheetQuery::default()
    };
    let refused = tiles.sheet(&query, None).unwrap_err().to_string();
    assert!(refused.contains("needs an image"), "{refused}");
}

#[test]
fn a_scale_of_its_own_lets_small_kernels_be_seen_and_a_shared_one_compares_them() {
    // The second kernel is the first, a hundred times weaker.
    let tiles = kernels(2, |i| {
        let size = [1.0, 0.01][i];
        [size, 0.0, -size, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    });
    let own = tiles.sheet(&page(0), None).unwrap();
    assert!(own.range.is_none());
    for (row, column) in [(0, 0), (0, 1), (0, 2)] {
        assert_eq!(colour(&own, 0, row, column), colour(&own, 1, row, column));
    }
    let shared = tiles.sheet(&page(0), Some([-1.0, 1.0])).unwrap();
    let range = shared.range.unwrap();
    assert_eq!((range.lo, range.hi), (-1.0, 1.0));
    assert_eq!(colour(&shared, 0, 0, 0), colour(&own, 0, 0, 0));
    // A hundredth of the range has almost the colour of 0, which is white.
    let (zero, weak) = (colour(&shared, 1, 1, 1), colour(&shared, 1, 0, 0));
    assert!(zero[..3].iter().all(|channel| *channel > 240), "{zero:?}");
    for (a, b) in zero.iter().zip(&weak) {
        assert!(a.abs_diff(*b) <= 4, "{zero:?} and {weak:?}");
    }
    // Above 0 is red, below it blue.
    let (above, below) = (colour(&own, 0, 0, 0), colour(&own, 0, 0, 2));
    assert!(
        above[0] > above[2] && below[2] > below[0],
        "{above:?} {below:?}"
    );
}

#[test]
fn a_range_that_is_asked_for_holds_and_a_wrong_one_is_refused() {
    let tiles = kernels(1, |_| [0.5; 9]);
    let with = |range| SheetQuery {
        range: Some(range),
        ..SheetQuery::default()
    };
    let sheet = tiles.sheet(&with([-2.0, 1.0]), None).unwrap();
    let range = sheet.range.unwrap();
    // 0 stays in the middle.
    assert_eq!((range.lo, range.hi), (-2.0, 2.0));
    for range in [
        [1.0, 1.0],
        [2.0, 1.0],
        [f32::NAN, 1.0],
        [0.0, f32::INFINITY],
    ] {
        let refused = tiles.sheet(&with(range), None).unwrap_err().to_string();
        assert!(refused.contains("range"), "{refused}");
    }
}

#[test]
fn a_tile_that_tells_nothing_apart_is_flagged() {
    let constant = |values: &[f32]| Tile::of(0, values).constant;
    assert!(constant(&[0.3; 9]));
    assert!(constant(&[0.0; 9]));
    assert!(!constant(&[0.3, 0.3, 0.30001]));
    // Of a single value, only 0 is dead.
    assert!(constant(&[0.0]));
    assert!(!constant(&[0.7]));
    // Empty cells do not count.
    assert!(constant(&[0.5, f32::NAN, 0.5]));
    let tiles = kernels(2, |i| {
        if i == 0 {
            [1.0; 9]
        } else {
            [0.0, 0.1, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        }
    });
    let sheet = tiles.sheet(&page(0), None).unwrap();
    let flags: Vec<_> = sheet
        .tiles
        .iter()
        .map(|tile| (tile.index, tile.constant))
        .collect();
    assert_eq!(flags, [(0, true), (1, false)]);
}
