// One stream for many subscribers: each gets the events after its own position, once and in order.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { Feed } from "../../live/feed.js";
import { FeedHost } from "../../live/host.js";

/** A fake server that streams logs and states like the real one. */
class World {
  constructor() {
    this.index = "i1";
    this.change = 0;
    /** @type {Map<string, { status: string, log: number, changed: number }>} */
    this.runs = new Map();
    /** @type {any[]} */
    this.open = [];
    /** @type {string[]} */
    this.asked = [];
    this.away = false;
    /** Of more changes at once, only the number is told. */
    this.most = 5;
    /** @type {Map<string, string[]>} */
    this.selections = new Map();
    const world = this;
    this.Source = /** @type {any} */ (
      class {
        static CLOSED = 2;
        /** @param {string} url */
        constructor(url) {
          this.listeners = new Map();
          this.readyState = 0;
          this.query = new URL(url, "http://h").searchParams;
          world.asked.push(this.query.toString());
          setTimeout(() => world.connect(this), 2);
        }
        /** @param {string} name @param {any} listener */
        addEventListener(name, listener) {
          this.listeners.set(name, listener);
        }
        close() {
          this.readyState = 2;
          world.open = world.open.filter((each) => each !== this);
        }
        /** @param {string} name @param {any} data */
        say(name, data) {
          if (this.readyState === 1) this.listeners.get(name)?.({ data: JSON.stringify(data) });
        }
      }
    );
  }

  /** @param {any} source */
  connect(source) {
    if (source.readyState === 2) return;
    if (this.away) {
      source.onerror?.();
      return;
    }
    source.readyState = 1;
    this.open.push(source);
    source.onopen?.();
    source.logs = source.query.getAll("run");
    source.after = (source.query.get("after") ?? "").split(".").map(Number);
    source.say("server", { index: this.index });
    for (const id of source.logs) if (!this.runs.has(id)) source.say("removed", { id });
    const [index, since] = (source.query.get("since") ?? ".0").split(".");
    source.since = index === this.index ? Number(since) : 0;
    const [listed, change] = (source.query.get("changes") ?? ".0").split(".");
    source.changes = listed === "" ? null : listed === this.index ? Number(change) : this.change;
    this.tell(source, true);
  }

  /** @param {any} source */
  tell(source, first = false) {
    source.logs.forEach((/** @type {string} */ id, /** @type {number} */ i) => {
      const run = this.runs.get(id);
      while (run && source.after[i] < run.log) {
        source.after[i] += 1;
        source.say(source.logs.length === 1 ? "message" : id, { seq: source.after[i] });
      }
    });
    const named = source.query.getAll("status");
    let told = first;
    if (source.changes !== null && this.change - source.changes > this.most) {
      source.changes = this.change;
      source.say("many", { runs: this.runs.size });
      told = true;
    }
    for (const [id, run] of this.runs) {
      const isNamed = named.includes("all") || named.includes(id) || (this.selections.get(named[0]) ?? []).includes(id);
      const isChange = source.changes !== null && run.changed > source.changes;
      if ((isNamed && run.changed > source.since) || isChange) {
        source.say("run", { id, changed: run.changed, status: run.status, summary: { events: run.log } });
        told = true;
      }
    }
    source.since = this.change;
    if (source.changes !== null) source.changes = this.change;
    if (told) source.say("upto", { change: this.change });
  }

  /** @param {string} id @param {string} status @param {number} log */
  put(id, status, log) {
    this.change += 1;
    this.runs.set(id, { status, log, changed: this.change });
    for (const source of [...this.open]) this.tell(source);
  }

  /** @param {string} id */
  remove(id) {
    this.runs.delete(id);
    for (const source of [...this.open]) source.say("removed", { id });
  }

  cut() {
    for (const source of [...this.open]) {
      source.readyState = 0;
      source.onerror?.();
    }
  }
}

/** @type {Feed[]} */
const feeds = [];
afterEach(() =>
  feeds.splice(0).forEach((feed) => {
    feed.subscribers.clear();
    clearTimeout(feed.settling);
    feed.close();
  }),
);

/** @param {World} world */
function feedOf(
  world,
  select = /** @type {(ids: string[]) => Promise<string | null>} */ (async () => null),
  more = {},
) {
  const feed = new Feed({ url: "/events", EventSource: world.Source, select, ...more });
  feed.wait = 5;
  feeds.push(feed);
  return feed;
}

/** @param {Feed} feed @param {string} key @param {[string, number][]} runs */
function follow(feed, key, runs, states = true) {
  /** @type {{ [run: string]: number[] }} */
  const seen = {};
  /** @type {string[]} */
  const said = [];
  /** @type {any[]} */
  const told = [];
  feed.subscribe(key, { runs, states }, (each) => {
    if (each.kind === "event") {
      seen[each.run] ??= [];
      seen[each.run].push(each.seq);
    } else if (each.kind === "run") told.push(JSON.parse(each.text));
    else said.push(each.kind === "removed" ? `removed ${each.id}` : each.kind);
  });
  return { seen, said, told };
}

/** @param {() => boolean} condition */
async function until(condition) {
  for (let i = 0; i < 1000; i += 1) {
    if (condition()) return;
    await pause(5);
  }
  assert.fail(`never: ${condition}`);
}

const count = (/** @type {number} */ from, /** @type {number} */ to) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("subscribers at different positions get each later event once, from one stream", async () => {
  const world = new World();
  world.put("a", "running", 500);
  const feed = feedOf(world);
  const early = follow(feed, "early", [["a", 490]]);
  await until(() => early.seen.a?.length === 10);
  world.put("a", "running", 505);
  const late = follow(feed, "late", [["a", 0]]);
  world.put("a", "running", 510);
  await until(() => late.seen.a?.at(-1) === 510);
  world.put("a", "running", 515);
  const same = follow(feed, "same", [["a", 515]]);
  world.put("a", "running", 520);
  assert.deepEqual(early.seen.a, count(491, 520));
  assert.deepEqual(late.seen.a, count(1, 520));
  assert.deepEqual(same.seen.a, count(516, 520));
  assert.equal(world.open.length, 1);
});

test("a second run does not disturb subscribers of the first", async () => {
  const world = new World();
  world.put("a", "running", 3);
  world.put("b", "running", 2);
  const feed = feedOf(world);
  const one = follow(feed, "one", [["a", 0]]);
  await until(() => one.seen.a?.length === 3);
  const both = follow(feed, "both", [
    ["b", 0],
    ["a", 1],
  ]);
  await until(() => both.seen.b?.length === 2 && both.seen.a?.length === 2);
  world.put("a", "running", 5);
  assert.deepEqual(one.seen, { a: count(1, 5) });
  assert.deepEqual(both.seen, { b: [1, 2], a: count(2, 5) });
  assert.equal(world.open.length, 1);
});

test("a finished run needs no stream, and a resume is found by `look`", async () => {
  const world = new World();
  world.put("a", "running", 3);
  const feed = feedOf(world);
  const tab = follow(feed, "tab", [["a", 0]]);
  await until(() => tab.seen.a?.length === 3);
  world.put("a", "finished", 5);
  await until(() => world.open.length === 0);
  assert.deepEqual(tab.seen.a, count(1, 5));
  feed.look();
  await until(() => world.asked.length === 2 && world.open.length === 0 && feed.source === null);
  assert.ok(!world.asked[1].includes("run="), "its log is through");
  world.put("a", "queued", 5);
  feed.look();
  await until(() => world.open.length === 1);
  world.put("a", "running", 7);
  await until(() => tab.seen.a.length === 7);
  assert.deepEqual(tab.seen.a, count(1, 7));
  assert.deepEqual(tab.said, []);
});

test("a deleted run is reported to its subscribers and disconnects no other", async () => {
  const world = new World();
  world.put("a", "running", 1);
  const feed = feedOf(world);
  const gone = follow(feed, "gone", [["missing", 0]]);
  const tab = follow(feed, "tab", [["a", 0]]);
  await until(() => gone.said.includes("removed missing"));
  world.put("a", "running", 4);
  await until(() => tab.seen.a?.length === 4);
  assert.deepEqual(tab.said, []);
  world.remove("a");
  await until(() => world.open.length === 0);
  assert.deepEqual(tab.said, ["removed a"]);
});

test("a lost connection is reported, and missed events arrive once afterwards, even with a new index", async () => {
  const world = new World();
  world.put("a", "running", 3);
  const feed = feedOf(world);
  const tab = follow(feed, "tab", [["a", 0]]);
  await until(() => tab.seen.a?.length === 3);
  world.away = true;
  world.cut();
  await until(() => tab.said.includes("cut"));
  world.index = "i2";
  world.change = 0;
  world.put("a", "running", 6);
  world.away = false;
  await until(() => tab.seen.a.length === 6);
  assert.deepEqual(tab.seen.a, count(1, 6));
  assert.deepEqual(
    tab.said.filter((said) => said === "open"),
    ["open"],
  );
  assert.equal(tab.told.at(-1).changed, 1);
});

test("a list of all runs gets every state once, and so does a later tab", async () => {
  const world = new World();
  for (let i = 0; i < 200; i += 1) world.put(`r${i}`, "finished", 4);
  const feed = feedOf(world);
  const list = follow(feed, "list", []);
  await until(() => list.told.length === 200);
  const one = follow(feed, "one", [["r7", 4]]);
  assert.deepEqual(
    one.told.map(({ id }) => id),
    ["r7"],
  );
  world.put("r7", "running", 5);
  await until(() => one.seen.r7?.length === 1);
  assert.equal(list.told.length, 201);
  feed.unsubscribe("one");
  feed.unsubscribe("list");
  await until(() => world.open.length === 0);
});

test("only runs with further events are requested, and many of them by a selection", async () => {
  const world = new World();
  const ids = Array.from({ length: 300 }, (_, i) => `r${i}`);
  for (const id of ids) world.put(id, "queued", 0);
  /** @type {string[][]} */
  const selected = /** @type {string[][]} */ ([]);
  const feed = feedOf(world, async (many) => {
    selected.push(many);
    return null;
  });
  const tab = follow(
    feed,
    "tab",
    ids.map((id) => [id, 0]),
  );
  await until(() => tab.told.length === 300);
  assert.ok(world.asked.every((asked) => !asked.includes("run=")));
  world.put("r5", "running", 2);
  await until(() => tab.seen.r5?.length === 2);
  assert.equal(selected.length, 0);
  for (const id of ids) world.put(id, "running", 3);
  await until(() => ids.every((id) => tab.seen[id]?.length === 3));
  assert.notDeepEqual(selected, []);
  assert.equal(selected[selected.length - 1].length, 300);
  for (const id of ids) assert.deepEqual(tab.seen[id], [1, 2, 3]);
});

test("a host asks unknown tabs to say hello again, and forgets tabs that leave", async () => {
  const world = new World();
  world.put("a", "running", 2);
  const host = new FeedHost(feedOf(world));
  /** @type {any[]} */
  const answers = [];
  const send = (/** @type {any} */ message) => answers.push(message);
  host.receive("1", { kind: "attach", stream: 1, attachment: 1, request: { runs: [["a", 0]], states: false } }, send);
  assert.deepEqual(answers, [{ kind: "again" }]);
  host.receive("1", { kind: "hello", lock: null }, send);
  host.receive("1", { kind: "attach", stream: 1, attachment: 4, request: { runs: [["a", 0]], states: false } }, send);
  const told = () => answers.slice(2).flatMap((/** @type {any} */ { messages }) => messages);
  await until(() => told().length >= 2);
  assert.deepEqual(
    told().map(([stream, attachment, { seq }]) => [stream, attachment, seq]),
    [
      [1, 4, 1],
      [1, 4, 2],
    ],
  );
  host.receive("1", { kind: "bye" }, send);
  await until(() => world.open.length === 0);
  host.close();
});

/** @param {Feed} feed @param {string} key @param {string} changes */
function watch(feed, key, changes) {
  /** @type {string[]} */
  const told = [];
  feed.subscribe(key, { runs: [], states: false, changes }, (each) => {
    if (each.kind === "run" || each.kind === "removed") told.push(`${each.kind} ${each.id}`);
    else if (each.kind !== "open") told.push(each.kind);
  });
  return told;
}

test("a list is told what changes after it was read, and nothing before", async () => {
  const world = new World();
  for (let i = 0; i < 300; i += 1) world.put(`r${i}`, "finished", 1);
  const feed = feedOf(world);
  const list = watch(feed, "list", "i1.300");
  await until(() => feed.upto.change === 300);
  assert.deepEqual(list, []);
  world.put("new", "queued", 0);
  await until(() => list.length > 0);
  assert.deepEqual(list, ["run new"]);
  // A list that was read later is not told what it knows.
  const later = watch(feed, "later", "i1.301");
  const earlier = watch(feed, "earlier", "i1.300");
  world.put("r7", "running", 2);
  await until(() => later.length > 0 && earlier.length > 1);
  assert.deepEqual(later, ["run r7"]);
  assert.deepEqual(earlier, ["run new", "run r7"]);
  assert.equal(world.asked.length, 1, "one stream for all");
  world.remove("r8");
  assert.deepEqual(later, ["run r7", "removed r8"]);
});

test("a list goes on where it was after a lost connection, and is read again where too much changed", async () => {
  const world = new World();
  world.put("a", "finished", 1);
  const feed = feedOf(world);
  const list = watch(feed, "list", "i1.1");
  await until(() => feed.upto.change === 1);
  world.put("b", "queued", 0);
  world.cut();
  world.put("c", "queued", 0);
  await until(() => list.includes("run c"));
  assert.deepEqual(
    list.filter((told) => told.startsWith("run")),
    ["run b", "run c"],
  );
  assert.match(String(world.asked.at(-1)), /changes=i1\.2/);
  world.cut();
  for (let i = 0; i < 20; i += 1) world.put(`r${i}`, "finished", 1);
  await until(() => list.includes("many"));
  assert.ok(!list.includes("run r3"));
  // A new index counts anew: its changes cannot be compared.
  const before = list.length;
  world.cut();
  world.index = "i2";
  await until(() => list.slice(before).includes("many"));
  world.put("last", "queued", 0);
  await until(() => list.includes("run last"));
});

test("a list beside a run's page: the run's state is told, and the others are not", async () => {
  const world = new World();
  for (let i = 0; i < 300; i += 1) world.put(`r${i}`, "finished", 3);
  const feed = feedOf(world);
  watch(feed, "list", "i1.300");
  await until(() => feed.upto.change === 300);
  const tab = follow(feed, "tab", [["r5", 0]]);
  await until(() => tab.seen.r5?.length === 3 && tab.told.length === 1);
  assert.equal(tab.told[0].id, "r5");
});

test("many states are named by a selection, and all are asked for without one", async () => {
  const world = new World();
  const ids = Array.from({ length: 60 }, (_, i) => `r${i}`);
  for (const id of [...ids, "other"]) world.put(id, "finished", 0);
  world.selections.set("s", ids);
  const feed = feedOf(world, undefined, { selectStates: async () => "s" });
  const tab = follow(
    feed,
    "tab",
    ids.map((id) => [id, 0]),
  );
  await until(() => tab.told.length === 60);
  assert.match(world.asked[0], /status=s/);
  assert.ok(!feed.known.has("other"));
  const plain = feedOf(world);
  const other = follow(
    plain,
    "tab",
    ids.map((id) => [id, 0]),
  );
  await until(() => other.told.length === 60);
  assert.match(String(world.asked.at(-1)), /status=all/);
});
