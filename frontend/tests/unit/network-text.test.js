import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../lib/request.js";
import { safeStorage } from "../../lib/storage.js";
import { textChecks } from "../../network/checks.js";
import { freeName, nameError, summaryOf } from "../../network/names.js";
import { findingsOf, mistakeText } from "../../network/problems.js";
import { argumentsOf } from "../../network/signature.js";
import { draftKey } from "../../network/drafts.js";
import { storedText } from "../../network/stored-text.js";

/** @import { CheckedNetwork, NetworkCheck, NetworkSource } from "../../network/types" */

const taken = new Set(["vgg16", "vgg16-copy"]);

test("a name that is not allowed is refused with what is", () => {
  assert.equal(nameError("my-net_2", taken), "");
  assert.match(nameError("", taken), /needs a name/);
  assert.match(nameError("2net", taken), /begins with a letter/);
  assert.match(nameError("Net", taken), /begins with a letter/);
  assert.match(nameError("my net", taken), /only letters/);
  assert.match(nameError("a".repeat(65), taken), /at most 64/);
  assert.match(nameError("new", taken), /cannot be a name/);
  assert.match(nameError("vgg16", taken), /already a network named “vgg16”/);
});

test("a file's name becomes a free name", () => {
  assert.equal(freeName("My Étude (v2)", taken), "my-etude-v2");
  assert.equal(freeName("vgg16", taken), "vgg16-2");
  assert.equal(freeName("99", taken), "network");
  assert.equal(freeName("new", taken), "network");
  assert.equal(nameError(freeName("x".repeat(200), taken), taken), "");
});

/** @param {any[]} errors */
const refused = (errors) => new Problem({ status: 422, detail: "refused", errors });

test("what is wrong is sorted into mistakes, options and the rest", () => {
  const found = findingsOf(
    refused([
      { path: "source", value: "", message: "line 2, column 21: Linear takes values", line: 2, column: 21 },
      { path: "network.hidden.1", value: 0, message: "must be between 1 and 9" },
      { path: "options.depth", value: 1, message: "is no option of the network" },
      { path: "input", value: [], message: "must be [channels, height, width]" },
      { path: "source", value: "", message: "has no function" },
    ]),
  );
  assert.deepEqual(found.mistakes, [{ line: 2, column: 21, message: "Linear takes values" }]);
  assert.equal(mistakeText(found.mistakes[0]), "Line 2, column 21: Linear takes values");
  assert.deepEqual([...found.options], [["network.hidden", "must be between 1 and 9"]]);
  assert.deepEqual(found.unknown, ["depth"]);
  assert.deepEqual(found.other, ["input: must be [channels, height, width]", "Has no function"]);
  assert.deepEqual(findingsOf(new Problem({ detail: "Vivarium does not answer." })).other, [
    "Vivarium does not answer.",
  ]);
});

test("a signature gives its arguments with their defaults", () => {
  assert.deepEqual(argumentsOf("Conv2d(out, kernel, stride=1, len=(1, 16))"), [
    { name: "out", standard: null },
    { name: "kernel", standard: null },
    { name: "stride", standard: "1" },
    { name: "len", standard: "(1, 16)" },
  ]);
  assert.deepEqual(argumentsOf("ReLU()"), []);
  assert.deepEqual(argumentsOf("Sum(…)"), []);
});

/** @param {string} source @returns {NetworkCheck} */
const check = (source) => ({ source, input: [3, 32, 32], classes: 10, options: {} });
const good = /** @type {CheckedNetwork} */ ({
  title: "",
  parameters: 0,
  multiply_adds: 0,
  options: [],
  layers: [],
  stages: [],
});
const settled = () => new Promise((resolve) => setTimeout(resolve));

test("of the texts that were typed during a check, only the newest is checked", async () => {
  /** @type {[string, (network: CheckedNetwork) => void][]} */
  const asked = [];
  /** @type {string[]} */
  const shown = [];
  const checks = textChecks({
    onGood: (_, { source }) => shown.push(source),
    onBad: assert.fail,
    ask: ({ source }) => new Promise((resolve) => asked.push([source, resolve])),
  });
  for (const source of ["a", "ab", "abc"]) checks.later(check(source));
  asked[0][1](good);
  await settled();
  assert.deepEqual(
    asked.map(([source]) => source),
    ["a", "abc"],
  );
  asked[1][1](good);
  await settled();
  assert.deepEqual(shown, ["a", "abc"]);
});

test("a slow check is given up for a newer text", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {string[]} */
  const shown = [];
  const checks = textChecks({
    onGood: (_, { source }) => shown.push(source),
    onBad: assert.fail,
    ask: ({ source }, signal) =>
      source === "slow"
        ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
        : Promise.resolve(good),
  });
  checks.later(check("slow"));
  checks.later(check("new"));
  context.mock.timers.tick(250);
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
  assert.deepEqual(shown, ["new"]);
});

test("without an answer the same text is checked again", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let times = 0;
  /** @type {unknown[]} */
  const bad = [];
  /** @type {string[]} */
  const shown = [];
  const checks = textChecks({
    onGood: (_, { source }) => shown.push(source),
    onBad: (error) => bad.push(error),
    ask: async () => {
      times += 1;
      if (times === 1) throw new Problem({ status: 0 });
      return good;
    },
  });
  checks.later(check("a"));
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
  assert.equal(bad.length, 1);
  context.mock.timers.tick(3000);
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
  assert.deepEqual(shown, ["a"]);
});

function memory() {
  /** @type {Map<string, string>} */
  const map = new Map();
  const storage = {
    getItem: (/** @type {string} */ key) => map.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void map.set(key, value),
    removeItem: (/** @type {string} */ key) => void map.delete(key),
    key: (/** @type {number} */ at) => [...map.keys()][at] ?? null,
    get length() {
      return map.size;
    },
  };
  return safeStorage(() => /** @type {Storage} */ (/** @type {unknown} */ (storage)));
}

/** A server with one network. @param {string} source */
function serverWith(source) {
  let version = 1;
  const now = (/** @type {string} */ name) => ({ name, title: name, source, built_in: false, etag: String(version) });
  return {
    read: async (/** @type {string} */ name) => now(name),
    write: async (/** @type {string} */ name, /** @type {string} */ next, /** @type {string | null} */ etag) => {
      if (etag !== null && etag !== String(version)) throw new Problem({ status: 412 });
      if (next.includes("!")) throw refused([{ path: "source", value: "", message: "bad", line: 1, column: 1 }]);
      source = next;
      version += 1;
      return now(name);
    },
    source: () => source,
  };
}

/** @param {ReturnType<typeof serverWith>} server @param {ReturnType<typeof memory>} storage @param {Partial<NetworkSource>} [more] */
function opened(server, storage, more = {}) {
  /** @type {string[]} */
  const states = [];
  const network = { name: "mine", title: "Mine", source: server.source(), built_in: false, etag: "1", ...more };
  const key = draftKey(network.name, "?copy=a");
  const { read, write } = server;
  return { states, text: storedText(network, { key, onState: (state) => states.push(state), storage, read, write }) };
}

test("a change is kept until it is saved", async () => {
  const [server, storage] = [serverWith("a"), memory()];
  const { text, states } = opened(server, storage);
  text.change("ab");
  const again = opened(server, storage).text;
  assert.equal(again.recover(), true);
  assert.equal(again.text(), "ab");
  assert.equal(again.state(), "changed");
  assert.equal(await text.save(), true);
  assert.deepEqual(states, ["changed", "saving", "saved"]);
  assert.equal(opened(server, storage, { etag: "2" }).text.recover(), false);
});

test("the text of a tab is not lost when another tab saves its own", async () => {
  for (const more of [{}, { name: "", etag: null }]) {
    const [server, storage] = [serverWith("a"), memory()];
    const [first, second] = [opened(server, storage, more).text, opened(server, storage, more).text];
    first.change("first");
    second.change("second");
    assert.equal(await first.save("mine"), true);
    const again = opened(server, storage, more).text;
    assert.equal(again.recover(), true);
    assert.equal(again.text(), "second");
    // A third one takes it over; the second keeps it as soon as it hears of that.
    second.hold();
    again.discard();
    assert.equal(opened(server, storage, more).text.recover(), true);
  }
});

test("a refused text stays, and is kept", async () => {
  const [server, storage] = [serverWith("a"), memory()];
  const { text } = opened(server, storage);
  text.change("a!");
  await assert.rejects(text.save(), Problem);
  assert.equal(text.state(), "changed");
  assert.equal(opened(server, storage).text.recover(), true);
  assert.equal(server.source(), "a");
});

test("a text that was saved elsewhere is not overwritten, and either can be chosen", async () => {
  for (const which of /** @type {const} */ (["mine", "other"])) {
    const [server, storage] = [serverWith("a"), memory()];
    const { text } = opened(server, storage);
    text.change("mine");
    await server.write("mine", "other", "1");
    assert.equal(await text.save(), false);
    assert.equal(text.state(), "conflict");
    assert.equal(await text.save(), false);
    assert.equal(server.source(), "other");
    const now = await text.other();
    assert.ok(now);
    assert.equal(text.settle(now, which), which);
    assert.equal(await text.save(), true);
    assert.equal(server.source(), which);
  }
});

test("a network that was deleted elsewhere is saved again, but not by itself", async () => {
  const [server, storage] = [serverWith("a"), memory()];
  let isGone = true;
  const gone = {
    ...server,
    read: async () => {
      throw new Problem({ status: 404 });
    },
    write: async (/** @type {string} */ name, /** @type {string} */ source, /** @type {string | null} */ etag) => {
      if (etag !== null) throw new Problem({ status: 412 });
      isGone = false;
      return server.write(name, source, null);
    },
  };
  const { text } = opened(gone, storage);
  text.change("mine");
  assert.equal(await text.save(), false);
  assert.equal(await text.other(), null);
  assert.equal(isGone, true);
  assert.equal(await text.saveAgain(), true);
  assert.equal(server.source(), "mine");
  assert.equal(text.state(), "saved");
});

test("a draft of an earlier version is a conflict", () => {
  const [server, storage] = [serverWith("a"), memory()];
  opened(server, storage).text.change("mine");
  const { text } = opened(server, storage, { source: "other", etag: "2" });
  assert.equal(text.recover(), true);
  assert.equal(text.state(), "conflict");
  assert.equal(text.discard(), "other");
  assert.equal(text.state(), "saved");
});

test("what another tab saved is adopted where nothing was changed, and a conflict where something was", async () => {
  const [server, storage] = [serverWith("a"), memory()];
  const [first, second] = [opened(server, storage).text, opened(server, storage).text];
  assert.equal(await first.refresh(), "same");
  await server.write("mine", "other", "1");
  assert.equal(await first.refresh(), "newer");
  assert.equal(first.text(), "other");
  second.change("mine");
  assert.equal(await second.refresh(), "conflict");
  assert.equal(second.text(), "mine");
});

test("a new network is saved under its name, and its draft ends", async () => {
  const [server, storage] = [serverWith("a"), memory()];
  const { text } = opened(server, storage, { name: "", etag: null });
  assert.equal(text.isNew(), true);
  assert.equal(text.state(), "changed");
  text.change("ab");
  assert.equal(await text.save("next"), true);
  assert.equal(text.name(), "next");
  assert.equal(text.state(), "saved");
  assert.equal(opened(server, storage, { name: "", etag: null }).text.recover(), false);
});

test("a name that is taken refuses a new network and loses nothing", async () => {
  const storage = memory();
  const server = serverWith("a");
  const { text } = opened({ ...server, write: async () => assert.fail("unused") }, storage, { name: "", etag: null });
  text.change("ab");
  const full = opened(
    {
      ...server,
      write: async () => {
        throw new Problem({ status: 412 });
      },
    },
    storage,
    { name: "", etag: null },
  ).text;
  assert.equal(full.recover(), true);
  await assert.rejects(full.save("taken"), { status: 412 });
  assert.equal(full.isNew(), true);
  assert.equal(full.text(), "ab");
});

test("a text says what it is in the paragraph below its title", () => {
  assert.equal(
    summaryOf('"""Title\n\nSome 3x3 words,\nand more.\n\nDetails.\n"""\n\ndef f(): pass'),
    "Some 3×3 words, and more.",
  );
  for (const source of ["", '"""Title"""', '"""Title\n"""', "def f(): pass", '"""Title\n\nopen'])
    assert.equal(summaryOf(source), "");
});
