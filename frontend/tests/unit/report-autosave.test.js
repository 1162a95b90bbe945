import assert from "node:assert/strict";
import { test } from "node:test";
import { autosave } from "../../report/autosave.js";
import { memory } from "./report-fixtures.js";

/** @param {(body: any) => Response} answer @param {Storage} storage */
function kept(answer, storage) {
  /** @type {string[]} */
  const states = [];
  /** @type {any[]} */
  const sent = [];
  globalThis.fetch = /** @type {any} */ (
    async (/** @type {string} */ _, /** @type {{ body: string }} */ { body }) => {
      sent.push(JSON.parse(body));
      return answer(JSON.parse(body));
    }
  );
  const report = { id: "r", url: "/reports/r", title: "One", revision: "1", created: "", changed: "", text: "# One" };
  return {
    states,
    sent,
    report,
    autosaved: autosave(report, { onState: ({ kind }) => states.push(kind), onTitle: () => {}, storage }),
  };
}

test("what is written is saved with the revision that it changed", async () => {
  const storage = memory();
  const { autosaved, sent, states } = kept(() => Response.json({ title: "Two", revision: "2" }), storage);
  autosaved.change("# Two");
  assert.equal(autosaved.isSaved(), false);
  assert.match(String(storage.getItem("vivarium.report.r")), /# Two/);
  await autosaved.save();
  assert.deepEqual(sent, [{ text: "# Two", revision: "1" }]);
  assert.deepEqual(states, ["changed", "saving", "saved"]);
  assert.equal(autosaved.isSaved(), true);
  assert.equal(storage.getItem("vivarium.report.r"), null);
});

test("an unsaved text is restored on the next visit", async () => {
  const storage = memory();
  const { autosaved, states } = kept(() => Response.json({ detail: "The disk is full." }, { status: 422 }), storage);
  autosaved.change("# Mine");
  await autosaved.save();
  assert.deepEqual(states, ["changed", "saving", "away"]);
  const next = kept(() => Response.json({ title: "Mine", revision: "2" }), storage);
  assert.equal(next.autosaved.recover(), "# Mine");
  await next.autosaved.save();
  assert.deepEqual(next.sent, [{ text: "# Mine", revision: "1" }]);
  assert.equal(storage.getItem("vivarium.report.r"), null);
});

test("a version that was saved elsewhere is overwritten only on request", async () => {
  const { autosaved, sent, states, report } = kept(
    ({ revision }) =>
      revision === "9"
        ? Response.json({ title: "Mine", revision: "10" })
        : Response.json({ detail: "saved elsewhere" }, { status: 409 }),
    memory(),
  );
  autosaved.change("# Mine");
  await autosaved.save();
  assert.equal(states.at(-1), "conflict");
  autosaved.change("# Mine too");
  await autosaved.save();
  assert.equal(sent.length, 1);
  assert.equal(autosaved.settle({ ...report, text: "# Theirs", revision: "9" }, "mine"), "# Mine too");
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(sent.at(-1), { text: "# Mine too", revision: "9" });
  assert.equal(autosaved.isSaved(), true);
});
