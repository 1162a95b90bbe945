import assert from "node:assert/strict";
import { test } from "node:test";
import { RunStates } from "../../lib/states.js";

/** @import { Run } from "../../lib/types" */

/** @param {string} id @param {number} changed @param {string} status */
const run = (id, changed, status) => /** @type {Run} */ (/** @type {unknown} */ ({ id, changed, status }));
/** @param {RunStates} states */
const told = (states) => states.all().map(({ id, status }) => `${id} ${status}`);

test("a response older than the latest event changes nothing", () => {
  const states = new RunStates();
  assert.equal(states.put(run("a", 7, "finished")), true);
  assert.equal(states.put(run("a", 3, "queued")), false);
  states.replace([run("a", 5, "running"), run("b", 6, "queued")]);
  assert.deepEqual(told(states), ["a finished", "b queued"]);
  assert.equal(states.put(run("a", 9, "queued")), true);
  assert.deepEqual(told(states), ["a queued", "b queued"]);
});

test("the states of a server with a new index are accepted, whatever their numbers", () => {
  const states = new RunStates();
  states.put(run("a", 70, "running"));
  states.returned();
  states.put(run("a", 2, "interrupted"));
  assert.deepEqual(told(states), ["a interrupted"]);
  assert.equal(states.put(run("a", 1, "queued")), false);
});

test("runs that are not listed are gone", () => {
  const states = new RunStates();
  states.put(run("a", 1, "finished"));
  states.replace([run("b", 2, "queued")]);
  assert.deepEqual(told(states), ["b queued"]);
  assert.equal(states.drop("a"), false);
  assert.equal(states.drop("b"), true);
});
