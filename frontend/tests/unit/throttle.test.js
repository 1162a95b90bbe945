import assert from "node:assert/strict";
import { test } from "node:test";
import { throttled } from "../../lib/throttle.js";

test("the first call acts at once, and of those that follow the last one later", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  context.mock.method(performance, "now", () => now);
  let acted = 0;
  const act = throttled(100, () => (acted += 1));
  act();
  assert.equal(acted, 1);
  now = 40;
  act();
  act();
  assert.equal(acted, 1);
  now = 100;
  context.mock.timers.tick(60);
  assert.equal(acted, 2);
  now = 300;
  act();
  assert.equal(acted, 3);
});
