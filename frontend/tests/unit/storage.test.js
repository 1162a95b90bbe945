// Browser storage, available or not.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { safeStorage } from "../../lib/storage.js";

/** @param {{ full?: boolean }} [options] @returns {Storage} */
function storage({ full = false } = {}) {
  const items = new Map([["old", "1"]]);
  return /** @type {any} */ ({
    getItem: (/** @type {string} */ key) => items.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => {
      if (full) throw new DOMException("full", "QuotaExceededError");
      items.set(key, value);
    },
    removeItem: (/** @type {string} */ key) => items.delete(key),
  });
}

/** @returns {Storage} */
const forbidden = () => {
  throw new DOMException("denied", "SecurityError");
};

test("values are stored in the browser", () => {
  const one = storage();
  const kept = safeStorage(() => one);
  kept.setItem("a", "2");
  assert.equal(one.getItem("a"), "2");
  assert.equal(kept.getItem("a"), "2");
  assert.ok(kept.lasts("a"));
  kept.removeItem("a");
  assert.equal(kept.getItem("a"), null);
});

test("without storage, values live as long as the page, and nothing throws", () => {
  for (const refusing of [forbidden, () => /** @type {any} */ (null), () => /** @type {any} */ (undefined)]) {
    const kept = safeStorage(refusing);
    assert.equal(kept.getItem("a"), null);
    kept.setItem("a", "2");
    assert.equal(kept.getItem("a"), "2");
    assert.ok(!kept.lasts("a"));
    kept.removeItem("a");
    assert.equal(kept.getItem("a"), null);
  }
});

test("without space, the newer value lives as long as the page", () => {
  const full = storage({ full: true });
  const kept = safeStorage(() => full);
  kept.setItem("old", "2");
  assert.equal(kept.getItem("old"), "2");
  assert.equal(full.getItem("old"), "1");
  kept.removeItem("old");
  assert.equal(kept.getItem("old"), null);
});

test("optional browser features are used only in the modules that handle their absence", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".js") && !/^(node_modules|tests|test-results|playwright-report)/.test(file),
  );
  assert.ok(files.length > 50);
  /** @param {RegExp} what */
  const users = (what) => files.filter((file) => what.test(readFileSync(join(root, file), "utf8"))).sort();
  // The script before the first paint cannot import modules.
  assert.deepEqual(users(/\b(localStorage|sessionStorage)\b/), ["lib/storage.js", "theme-boot.js"]);
  assert.deepEqual(users(/\b(SharedWorker|BroadcastChannel)\b/), ["live/transports.js"]);
  assert.deepEqual(users(/navigator\.clipboard/), ["lib/code.js"]);
  assert.deepEqual(users(/\b(indexedDB|caches|Notification|document\.cookie)\b/), []);
});
