// The list of runs: pages, live states, and what asks the server again.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

globalThis.document ??= /** @type {any} */ ({ documentElement: { dataset: {} }, querySelector: () => null });

const { RunList } = await import("../../runs/run-list.js");

/** @import { Run } from "../../lib/types" */

/** @param {string} id @param {any} more @returns {Run} */
const run = (id, more = {}) =>
  /** @type {any} */ ({ id, name: id, status: "finished", changed: 1, summary: { events: 1 }, ...more });

/** A server with runs, in their order. */
class World {
  /** @param {Run[]} runs */
  constructor(runs) {
    this.runs = runs;
    /** @type {URLSearchParams[]} */
    this.asked = [];
    /** Terms that it does not understand. @type {string[]} */
    this.faulty = [];
    globalThis.fetch = /** @type {any} */ (async (/** @type {string} */ url) => this.answer(new URL(url, "http://h")));
  }

  /** @param {URL} url */
  answer({ pathname, searchParams: query }) {
    this.asked.push(query);
    const faults = (query.get("search") ?? "").split(" ").filter((word) => this.faulty.includes(word));
    if (faults.length > 0) {
      const errors = faults.map((value) => ({ path: "search", value, message: `“${value}” is wrong.` }));
      return new Response(JSON.stringify({ status: 422, detail: "wrong", errors }), { status: 422 });
    }
    const found = this.runs.filter(({ name }) => name.includes(query.get("search") ?? ""));
    if (pathname.endsWith("/ids")) return Response.json({ ids: found.map(({ id }) => id) });
    const start = Number(query.get("cursor") ?? 0);
    const end = start + Number(query.get("limit"));
    return Response.json({
      runs: found.slice(start, end),
      next: end < found.length ? String(end) : null,
      total: found.length,
      statuses: { finished: this.runs.length },
      groups: [],
      unreadable: [],
    });
  }
}

/** @type {{ returned: () => void }[]} */
const lists = [];
afterEach(() => lists.splice(0));

function listOf() {
  /** @type {unknown[]} */
  const problems = [];
  let drawn = 0;
  const list = new RunList({
    changes: "index.10",
    onChange: () => (drawn += 1),
    onProblem: (error) => problems.push(error),
  });
  lists.push(list);
  return { list, problems, drawn: () => drawn };
}

const ids = (/** @type {InstanceType<typeof RunList>} */ list) => list.runs().map(({ id }) => id);
const many = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => run(`r${i}`));

/** @param {() => boolean} condition */
async function until(condition) {
  for (let i = 0; i < 1000; i += 1) {
    if (condition()) return;
    await pause(5);
  }
  assert.fail(`never: ${condition}`);
}

test("pages are added until there are no more", async () => {
  const world = new World(many(250));
  const { list } = listOf();
  await list.ask({ sort: "name" });
  assert.deepEqual([ids(list).length, list.total, list.all, list.hasMore], [100, 250, 250, true]);
  // Scrolling asks more than once.
  await Promise.all([list.more(), list.more()]);
  assert.equal(ids(list).length, 200);
  await list.more();
  await list.more();
  assert.deepEqual([ids(list).length, list.hasMore], [250, false]);
  assert.equal(new Set(ids(list)).size, 250);
  assert.ok(world.asked.every((query) => query.get("sort") === "name"));
  assert.equal((await list.matching()).length, 250);
});

test("a state changes the run that is shown, without a question", async () => {
  const world = new World(many(3));
  const { list, drawn } = listOf();
  await list.ask({});
  const before = [world.asked.length, drawn()];
  list.put(run("r1", { name: "another", changed: 12 }));
  list.put(run("r1", { name: "older", changed: 11 }));
  assert.equal(list.get("r1")?.name, "another");
  assert.deepEqual([world.asked.length, drawn()], [before[0], before[1] + 1]);
  await pause(600);
  assert.equal(world.asked.length, before[0]);
});

test("a run that came is asked for, one that the page knew is not", async () => {
  const world = new World(many(150));
  const { list } = listOf();
  await list.ask({});
  await list.more();
  world.asked.length = 0;
  list.put(run("r149", { changed: 9 }));
  list.put(run("elsewhere", { changed: 10 }));
  await pause(700);
  assert.equal(world.asked.length, 0);
  world.runs.unshift(run("new", { changed: 11 }));
  list.put(run("new", { changed: 11 }));
  await until(() => ids(list)[0] === "new");
  assert.equal(ids(list).length, 150, "as many as were shown");
  assert.equal(world.asked.length, 1);
});

test("a run that is gone vanishes at once, and the next one moves up", async () => {
  const world = new World(many(101));
  const { list } = listOf();
  await list.ask({});
  world.runs.splice(5, 1);
  list.drop("r5");
  assert.ok(!ids(list).includes("r5"));
  assert.equal(list.total, 100);
  await until(() => ids(list).includes("r100"));
});

test("terms that are not understood are told and left out", async () => {
  const world = new World([run("apple"), run("banana")]);
  world.faulty = ["netwrk:x", "lr:"];
  const { list, problems } = listOf();
  await list.ask({ search: "netwrk:x ap lr:" });
  assert.deepEqual(ids(list), ["apple"]);
  assert.deepEqual(list.faults, ["“netwrk:x” is wrong.", "“lr:” is wrong."]);
  assert.deepEqual(await list.matching(), ["apple"]);
  await list.refresh();
  assert.equal(list.faults.length, 2, "still");
  await list.ask({ search: "ba" });
  assert.deepEqual([ids(list), list.faults], [["banana"], []]);
  assert.deepEqual(problems, []);
});

test("a later question wins over an earlier answer", async () => {
  const world = new World([run("apple"), run("banana")]);
  const { list } = listOf();
  const answer = world.answer.bind(world);
  world.answer = /** @type {any} */ (
    async (/** @type {URL} */ url) => {
      if (url.searchParams.get("search") === "apple") await pause(50);
      return answer(url);
    }
  );
  await Promise.all([list.ask({ search: "apple" }), list.ask({ search: "banana" })]);
  assert.deepEqual(ids(list), ["banana"]);
});

test("a failure is told and leaves the list as it was", async () => {
  const world = new World(many(2));
  const { list, problems } = listOf();
  await list.ask({});
  world.answer = () => new Response("gone", { status: 500 });
  await list.refresh();
  await list.ask({ search: "x" });
  assert.equal(problems.length, 2);
  assert.equal(ids(list).length, 2);
});
