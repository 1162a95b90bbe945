// The film of a perceptron's mistakes: its places and what it says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { filmPlaces } from "../../run/film-places.js";
import { endWords, placeWords, updateWords } from "../../run/mistake-words.js";

/** @import { Shown } from "../../run/mistake-words.js" */

/** @param {any} about @param {number} [at] @returns {Shown} */
const shown = (about, at = 0) => {
  const update = about.total > 0 ? { step: 7, batch: 1, mistakes: [], lr: 0.001, before: [], after: [] } : null;
  return /** @type {any} */ ({ about: { samples: 288, mistakes: about.total, ...about }, at, update });
};

test("an epoch without updates has one place of its own", () => {
  const film = filmPlaces([8, 0, 2]);
  assert.equal(film.length, 11);
  for (const [index, place] of /** @type {[number, [number, number]][]} */ ([
    [0, [1, 0]],
    [7, [1, 7]],
    [8, [2, 0]],
    [9, [3, 0]],
    [10, [3, 1]],
  ])) {
    assert.deepEqual(film.at(index), place);
    assert.equal(film.indexOf(...place), index);
  }
});

test("a mistake is told with the names of the classes, as the legend has them while they are unknown", () => {
  const update = /** @type {any} */ ({ batch: 1, mistakes: [{ target: 0, rival: 1, scores: [0, 0.5] }] });
  assert.equal(updateWords(update, ["cat", "dog"]), "The point is “cat”, but the weights say “dog” (score 0.5).");
  assert.equal(updateWords(update, null), "The point is “class 0”, but the weights say “class 1” (score 0.5).");
});

test("the end of the film says what it means", () => {
  const plain = { plain: true, epochs: 2 };
  assert.equal(
    placeWords(shown({ epoch: 2, total: 0 })),
    "Epoch 2: no mistake in 288 points. The line stays where it is.",
  );
  assert.match(endWords(shown({ epoch: 2, total: 0 }), plain), /more training changes nothing/);
  // Momentum moves the line without a mistake.
  assert.equal(endWords(shown({ epoch: 2, total: 0 }), { ...plain, plain: false }), "");
  assert.equal(endWords(shown({ epoch: 1, total: 3 }, 2), plain), "");
  assert.equal(endWords(shown({ epoch: 2, total: 3 }, 1), plain), "");
  assert.match(endWords(shown({ epoch: 2, total: 3 }, 2), plain), /the last so far, with 3 mistakes/);
});
