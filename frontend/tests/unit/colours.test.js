import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { membersOf } from "../../compare/members.js";
import { categorical, orderOf, Palette } from "../../lib/colours.js";
import { distinctLabels } from "../../lib/settings-diff.js";

/** @import { Run } from "../../lib/types" */

/** @param {string} id @param {any} [training] @param {any} [more] @returns {Run} */
const run = (id, training = {}, more = {}) =>
  /** @type {any} */ ({
    id,
    name: "mlp on digits",
    spec: { data: { set: "digits" }, network: { kind: "mlp" }, training: { batch_size: 32, seed: 0, ...training } },
    ...more,
  });

/** @param {number[]} values */
const batches = (...values) => values.map((batch_size) => [run(`b${batch_size}`, { batch_size })]);
/** @param {Run[][]} groups @param {Palette} [palette] */
const members = (groups, palette) => membersOf(groups, distinctLabels(groups.map(([first]) => first)), palette);

test("runs that differ in one number get the ramp, and the legend is in its order", () => {
  const made = members(batches(64, 16, 128, 32));
  assert.deepEqual(
    made.map(({ label, stroke }) => [label, stroke.token]),
    [
      ["batch size 16", "--order-1"],
      ["batch size 32", "--order-5"],
      ["batch size 64", "--order-9"],
      ["batch size 128", "--order-13"],
    ],
  );
  assert.ok(made.every(({ stroke }) => stroke.dash.length === 0));
});

test("a name given by the user comes first, and the number beside it", () => {
  const groups = batches(16, 32);
  groups[1][0] = { ...groups[1][0], name: "mine" };
  assert.deepEqual(
    members(groups).map(({ label }) => label),
    ["batch size 16", "mine, batch size 32"],
  );
});

test("what is not one number of each run gives no order", () => {
  assert.equal(orderOf([[run("a")], [run("b", { batch_size: 64, epochs: 2 })]]), null);
  assert.equal(orderOf([[run("a")], [run("b")]]), null);
  assert.equal(orderOf([[run("a", { seed: 0 })], [run("b", { seed: 1 })]]), null);
  const kinds = [[run("a", { optimizer: { kind: "sgd" } })], [run("b", { optimizer: { kind: "adamw" } })]];
  assert.equal(orderOf(kinds), null);
  assert.equal(orderOf([...batches(16, 32), [run("again", { batch_size: 16, seed: 1 })]]), null);
});

test("other runs have different colours while there are some, and only then dashes", () => {
  const strokes = Array.from({ length: 32 }, (_, i) => categorical(i));
  assert.equal(new Set(strokes.slice(0, 8).map(({ token }) => token)).size, 8);
  assert.ok(strokes.slice(0, 8).every(({ dash }) => dash.length === 0));
  assert.equal(new Set(strokes.map((stroke) => JSON.stringify(stroke))).size, 32);
});

test("three runs whose numbers are far apart are three colours without dashes", () => {
  const apart = [17, 18, 25].map((number) => [run(String(number), { optimizer: { kind: `o${number}` } }, { number })]);
  const made = members(apart);
  assert.equal(new Set(made.map(({ stroke }) => stroke.token)).size, 3);
  assert.ok(made.every(({ stroke }) => stroke.dash.length === 0));
});

test("colours stay when runs are removed, and when a sweep's later runs start", () => {
  const palette = new Palette({ "training.batch_size": [16, 32, 64, 128] });
  const first = palette.strokes(batches(16, 32));
  assert.equal(first.get("b32")?.token, "--order-5");
  const all = new Palette({ "training.batch_size": [16, 32, 64, 128] }).strokes(batches(16, 32, 64, 128));
  assert.deepEqual(all.get("b32"), first.get("b32"));
  const kept = new Palette();
  const before = kept.strokes(batches(16, 32, 64));
  const [before32, before64] = [before.get("b32"), before.get("b64")];
  const after = kept.strokes(batches(32, 64));
  assert.deepEqual([after.get("b32"), after.get("b64")], [before32, before64]);
});

test("more numbers than the ramp has colours are still all different", () => {
  const strokes = new Palette().strokes(batches(...Array.from({ length: 30 }, (_, i) => i + 1)));
  assert.equal(new Set([...strokes.values()].map((stroke) => JSON.stringify(stroke))).size, 30);
});

const TOKENS = readFileSync(new URL("../../../static/css/tokens.css", import.meta.url), "utf8");

/** @param {string} hex @returns {number[]} linear light */
const linear = (hex) =>
  [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });

/** OKLab (Ottosson 2020). @param {number[]} rgb linear */
function oklab([r, g, b]) {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** Full colour blindness, simulated (Machado, Oliveira & Fernandes 2009). */
const EYES = {
  any: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

// On a dark surface a dark colour is a weaker line than a light one of the same contrast on white.
for (const [theme, at, surface, least] of /** @type {[string, number, string, number][]} */ ([
  ["light", 0, "#ffffff", 3],
  ["dark", 1, "#171b19", 4],
])) {
  const ramp = [...TOKENS.matchAll(/--order-\d+: light-dark\((#\w+), (#\w+)\)/g)].map((found) => found[1 + at]);
  const luminance = (/** @type {string} */ hex) => {
    const [r, g, b] = linear(hex);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  test(`the ${theme} ramp can be seen, and its lightness goes one way in even steps`, () => {
    assert.equal(ramp.length, 13);
    for (const hex of ramp) {
      const [low, high] = [luminance(hex), luminance(surface)].sort((a, b) => a - b);
      assert.ok((high + 0.05) / (low + 0.05) >= least, hex);
    }
    const lightness = ramp.map((hex) => oklab(linear(hex))[0]);
    const steps = lightness.slice(1).map((value, i) => value - lightness[i]);
    const mean = (lightness[12] - lightness[0]) / 12;
    for (const step of steps) assert.ok(Math.abs(step / mean - 1) < 0.15, `${step} of ${mean}`);
  });

  for (const [eye, matrix] of Object.entries(EYES)) {
    test(`seven runs on the ${theme} ramp are told apart: ${eye}`, () => {
      const seen = ramp
        .filter((_, i) => i % 2 === 0)
        .map((hex) =>
          oklab(
            matrix.map((row) =>
              Math.min(
                1,
                Math.max(
                  0,
                  linear(hex).reduce((sum, part, i) => sum + part * row[i], 0),
                ),
              ),
            ),
          ),
        );
      seen.forEach((a, i) =>
        seen.slice(0, i).forEach((b) => {
          assert.ok(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) > 0.04, `${i}`);
        }),
      );
    });
  }
}
