// Pages of tiles: where the tiles lie, in which order, and whose weights a layer's values come from.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cornerOf, sheetLayout, tileAt } from "../../inside/sheet-layout.js";
import { weightsOf } from "../../inside/strongest.js";
import { arranged, byValue } from "../../inside/tile-order.js";

/** @param {string} kind @param {number} tiles @param {number} columns @param {[number, number]} tile */
const page = (kind, tiles, columns, [tile_height, tile_width]) => ({
  kind: /** @type {any} */ (kind),
  tiles: /** @type {any} */ (Array.from({ length: tiles }, (_, index) => ({ index }))),
  sheet: /** @type {any} */ ({ columns, tile_height, tile_width }),
});

test("tiles take the whole width, with cells of whole pixels", () => {
  for (const room of [330, 656, 900])
    for (const about of [page("neurons", 128, 12, [8, 8]), page("rgb", 16, 4, [3, 3]), page("maps", 64, 8, [32, 32])]) {
      const layout = sheetLayout(about, room);
      assert.ok(Math.abs(layout.width - room) < 1e-9, `${about.kind} in ${room}: ${layout.width}`);
      if (about.kind !== "maps") assert.equal(layout.tile[1] % about.sheet.tile_width, 0);
    }
});

test("neurons stay large enough to be recognised, on a phone too", () => {
  const about = page("neurons", 128, 12, [8, 8]);
  assert.ok(sheetLayout(about, 656).tile[1] >= 56);
  assert.ok(sheetLayout(about, 330).tile[1] >= 40);
});

test("a few tiles, a heat map and a picture are not blown up", () => {
  assert.equal(sheetLayout(page("kernels", 2, 2, [3, 3]), 900).tile[1], 198);
  assert.equal(sheetLayout(page("picture", 1, 1, [8, 8]), 900).width, 240);
  assert.equal(sheetLayout(page("heatmap", 1, 1, [2, 10]), 900).width, 440);
  assert.ok(sheetLayout(page("heatmap", 1, 1, [128, 64]), 900).height <= 640);
});

test("a point finds the tile whose corner it is at", () => {
  const layout = sheetLayout(page("rgb", 16, 4, [3, 3]), 656);
  for (const place of [0, 3, 4, 15]) {
    const { left, top } = cornerOf(layout, place);
    assert.deepEqual(tileAt(layout, left + 1e-6, top + 1e-6)?.place, place);
  }
  assert.equal(tileAt(layout, -1, 5), null);
});

test("a page is put into another order, but only where it has the same tiles", () => {
  const tiles = [{ index: 7 }, { index: 2 }, { index: 5 }];
  const of = /** @type {any} */ ({ about: { tiles }, picture: null });
  const other = arranged(of, [2, 5, 7]);
  assert.deepEqual(other.places, [1, 2, 0]);
  assert.deepEqual(
    other.about.tiles.map(({ index }) => index),
    [2, 5, 7],
  );
  assert.equal(arranged(of, [2, 5]), of);
  assert.equal(arranged(of, [2, 5, 8]), of);
  assert.deepEqual(byValue([0.5, null, 3, -1]), [2, 0, 3, 1]);
});

test("the values after an activation are those of the neurons before it", () => {
  const layers = /** @type {any[]} */ ([
    { name: "input", kind: "input", inputs: [] },
    { name: "net.0", kind: "linear", inputs: ["input"] },
    { name: "net.1", kind: "activation", inputs: ["net.0"] },
    { name: "pool", kind: "pool", inputs: ["net.1"] },
  ]);
  assert.deepEqual(
    layers.map((layer) => weightsOf(layers, layer)?.name ?? null),
    [null, "net.0", "net.0", null],
  );
});
