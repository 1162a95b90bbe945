import assert from "node:assert/strict";
import { test } from "node:test";
import { InsideContext } from "../../inside/context.js";
import { readView, viewState } from "../../inside/view.js";

/** @import { Film, Run } from "../../lib/types" */

/** @param {string} id @param {string} set @returns {Run} */
const run = (id, set = "digits") =>
  /** @type {any} */ ({ id, spec: { data: { set, validation: 0.1 }, training: { seed: 0 } } });

/**
 * Epochs with the images of their frames.
 * @param {[number, string, string | null][]} frames
 * @param {string} pinned
 * @returns {Film}
 */
const film = (frames, pinned) => ({
  epochs: frames.map(([epoch]) => epoch),
  bytes: 0,
  pinned: { image: pinned, pending: false },
  frames: frames.map(([epoch, name, image]) => ({
    name: String(epoch),
    epoch,
    step: epoch,
    version: String(epoch),
    validation_accuracy: null,
    top: null,
    pinned: name,
    image,
  })),
});

/** @param {string} address @param {Film} of */
function context(address, of) {
  const made = new InsideContext(run("one"), viewState(readView(address)));
  made.film = of;
  return made;
}

const MIXED = film(
  [
    [1, "test:0", "test:0"],
    [2, "png:gone", null],
    [3, "png:now", "pinned"],
  ],
  "test:5",
);

test("a frame shows the image that was pinned when it was made", () => {
  const of = (/** @type {string} */ epoch) => {
    const { image, otherImage } = {
      image: context(`?checkpoint=${epoch}`, MIXED).image,
      otherImage: context(`?checkpoint=${epoch}`, MIXED).otherImage(),
    };
    return [image, otherImage?.words ?? null];
  };
  assert.deepEqual(of("1"), ["test:0", "test sample 0"]);
  assert.deepEqual(of("2"), [null, "an image that was pinned before"]);
  assert.deepEqual(of("3"), ["pinned", null]);
  assert.deepEqual(of("last"), ["pinned", null]);
});

test("a pinned sample is the same image as the default sample", () => {
  const made = context(
    "?checkpoint=1",
    film(
      [
        [1, "test:0", "test:0"],
        [2, "png:now", "pinned"],
      ],
      "test:0",
    ),
  );
  assert.equal(made.otherImage(), null);
  assert.equal(made.pictured("1").key, made.pictured("2").key);
});

test("another run is shown the image that is pinned here, not its own", () => {
  const made = context("?checkpoint=last&beside=two+best", film([], "test:5"));
  made.second = { run: "two", name: "two", spec: run("two").spec, film: film([], "test:9"), inside: null };
  assert.equal(made.of("best", "two").query.image, "test:5");
  assert.equal(made.pictured("best", "two").key, made.pictured("last").key);
  made.second.spec = run("two", "mnist").spec;
  assert.notEqual(
    made.pictured("best", "two").key,
    made.pictured("last").key,
    "sample 5 of other data is another image",
  );
});

test("a checkpoint with a chosen image and a frame of the pinned one show two images", () => {
  const made = context("?checkpoint=last&image=test:7&beside=3", MIXED);
  assert.notEqual(made.pictured("last").key, made.pictured("3").key);
  assert.equal(made.pictured("3").words, "test sample 5");
});
