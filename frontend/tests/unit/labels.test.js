import assert from "node:assert/strict";
import test from "node:test";
import { isSame, labelStore } from "../../labels/store.js";
import { Problem } from "../../lib/request.js";

/** @import { LabelEdit, SeenLabels } from "../../lib/types" */

/** A server's labels in memory, which refuse what was made to others than they are now. */
function server() {
  /** @type {Map<number, number | null>} */
  const corrections = new Map();
  let changes = 0;
  let sha256 = "aa";
  const now = () =>
    /** @type {SeenLabels} */ (
      /** @type {unknown} */ ({
        set: "pets",
        sha256,
        etag: `"${changes}"`,
        corrections: [...corrections].map(([sample, of]) => ({ sample, name: null, imported: 0, class: of })),
        kept: [],
      })
    );
  /** @param {LabelEdit[]} edits */
  const apply = (edits) => {
    for (const edit of edits) corrections.set(edit.sample, edit.action === "exclude" ? null : 1);
    changes += 1;
  };
  return {
    now,
    apply,
    replace: () => (sha256 = "bb"),
    requests: {
      get: async () => now(),
      /** @param {string} _set @param {string | null} etag @param {{ changes?: LabelEdit[] }} body */
      async change(_set, etag, { changes: edits = [] }) {
        await new Promise((done) => setTimeout(done, 1));
        if (etag !== now().etag || sha256 !== "aa") throw new Problem({ title: "Changed elsewhere", status: 412 });
        apply(edits);
        return now();
      },
    },
  };
}

test("changes are sent one after another, each to the labels that the one before made", async () => {
  const remote = server();
  const store = labelStore(remote.now(), () => {}, remote.requests);
  await Promise.all([1, 2, 3].map((sample) => store.change({ changes: [{ action: "exclude", sample }] })));
  assert.deepEqual(
    store.labels().corrections.map(({ sample }) => sample),
    [1, 2, 3],
  );
  assert.deepEqual(store.stateOf(2, 0), { class: null, kept: false });
  assert.deepEqual(store.stateOf(9, 4), { class: 4, kept: false });
});

test("a change elsewhere to other images is taken in, and one to the same image ends the change", async () => {
  const remote = server();
  let told = 0;
  const store = labelStore(remote.now(), () => (told += 1), remote.requests);
  const change = (/** @type {number} */ sample) => {
    const seen = store.stateOf(sample, 0);
    return store.change({ changes: [{ action: "exclude", sample }] }, () => isSame(store.stateOf(sample, 0), seen));
  };
  remote.apply([{ action: "relabel", sample: 5, class: "b" }]);
  assert.equal(await change(6), true);
  remote.apply([{ action: "relabel", sample: 7, class: "b" }]);
  assert.equal(await change(7), false);
  assert.deepEqual(store.stateOf(7, 0), { class: 1, kept: false });
  assert.equal(told, 3);
});

test("the images of another set under the same name are not changed", async () => {
  const remote = server();
  const store = labelStore(remote.now(), () => {}, remote.requests);
  remote.replace();
  await assert.rejects(store.change({ changes: [{ action: "exclude", sample: 1 }] }), /was replaced/);
  assert.equal(remote.now().corrections.length, 0);
});
