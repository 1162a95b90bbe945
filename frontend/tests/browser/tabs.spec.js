// Many tabs of one browser share one stream, and each tab gets every event once.

import { expect, SHORT, test } from "./vivarium.js";

/** @import { Page } from "@playwright/test" */

// No trace: for many tabs it takes longer than the test.
test.use({ trace: "off" });
test.describe.configure({ timeout: 240_000 });

/** Trains for hours at a few steps per second, so that many tabs can follow on a busy machine. */
const LONG = {
  name: "long",
  data: { set: "digits" },
  network: { kind: "mlp", hidden: [768, 768] },
  training: { epochs: 100_000, batch_size: 256, threads: 1 },
};
/** A generous limit for a busy machine. */
const PATIENCE = { timeout: 60_000 };

/** The number of open streams of the server. @param {string} url */
async function streams(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^vivarium_event_streams (\d+)$/m.exec(text)?.[1]);
}

/**
 * Follows runs from a tab, in addition to its page, and records the sequence numbers of events.
 * @param {Page} page
 * @param {string[]} ids
 * @param {number} [after]
 */
async function record(page, ids, after = 0) {
  await page.evaluate(
    async ({ ids, after }) => {
      const module = "/frontend/lib/live.js";
      const { openStream } = await import(module);
      const seen = /** @type {{ [id: string]: number[] }} */ (Object.fromEntries(ids.map((id) => [id, []])));
      Object.assign(window, { seen });
      const on = Object.fromEntries(
        ids.map((id) => [ids.length === 1 ? "message" : id, (/** @type {any} */ { seq }) => seen[id].push(seq)]),
      );
      openStream({
        url: () =>
          `/api/v1/events?${ids.map((id) => `run=${id}`).join("&")}&after=${ids.map(() => after).join(".")}&include=status`,
        on,
      });
    },
    { ids, after },
  );
}

/**
 * For each run the number of events, and whether they are complete and in order from the first one.
 * @param {Page} page
 * @returns {Promise<{ [id: string]: { count: number, whole: boolean } }>}
 */
const seen = (page) =>
  page.evaluate(() =>
    Object.fromEntries(
      Object.entries(/** @type {{ [id: string]: number[] }} */ (/** @type {any} */ (window).seen)).map(([id, seqs]) => [
        id,
        { count: seqs.length, whole: seqs.every((seq, i) => seq === i + 1) },
      ]),
    ),
  );

test("seven tabs share one stream, each gets every event once, and other requests are not blocked", async ({
  page,
  context,
  server,
  vivarium,
}) => {
  const runs = [await vivarium.create({ ...LONG, name: "one" }), await vivarium.create({ ...LONG, name: "two" })];
  for (const { id } of runs) await expect.poll(async () => (await vivarium.get(id)).status, PATIENCE).toBe("running");
  const [one, two] = runs;
  const addresses = [one.url, two.url, one.url, `/compare?run=${one.id}&run=${two.id}`, "/", two.url, one.url];
  const tabs = [page];
  while (tabs.length < addresses.length) tabs.push(await context.newPage());
  for (const [i, tab] of tabs.entries()) {
    await tab.goto(addresses[i]);
    // Each tab starts at another event.
    await record(tab, i % 2 ? [one.id, two.id] : [one.id], 0);
  }
  // With one connection per tab, this would wait forever.
  for (const tab of tabs) expect(await tab.evaluate(async () => (await fetch("/api/v1/runs")).status)).toBe(200);
  await expect.poll(() => streams(server.url)).toBe(1);
  for (const tab of tabs) {
    const { count } = (await seen(tab))[one.id];
    await expect.poll(async () => (await seen(tab))[one.id].count, PATIENCE).toBeGreaterThan(count + 3);
  }
  for (const { id } of runs) await vivarium.call("POST", `/runs/${id}/stop`);
  for (const { id } of runs) await expect.poll(async () => (await vivarium.get(id)).status, PATIENCE).toBe("stopped");
  const events = {
    [one.id]: (await vivarium.get(one.id)).summary.events,
    [two.id]: (await vivarium.get(two.id)).summary.events,
  };
  for (const tab of tabs) {
    for (const id of Object.keys(await seen(tab)))
      await expect.poll(async () => (await seen(tab))[id], PATIENCE).toEqual({ count: events[id], whole: true });
  }
  await expect(page.getByText("Connection lost")).toHaveCount(0);
  expect(await streams(server.url)).toBe(1);
  // Only the list of runs keeps its stream.
  for (const tab of tabs.slice(1)) await tab.close();
  await expect.poll(() => streams(server.url)).toBe(0);
});

test("a finished run holds no stream, and a resume elsewhere is noticed", async ({
  page,
  context,
  server,
  vivarium,
}) => {
  const { id, url } = await vivarium.create({ ...LONG, name: "to and fro" });
  await expect.poll(async () => (await vivarium.get(id)).status, PATIENCE).toBe("running");
  await vivarium.call("POST", `/runs/${id}/stop`);
  await expect.poll(async () => (await vivarium.get(id)).status, PATIENCE).toBe("stopped");
  await page.goto(url);
  await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();
  await expect.poll(() => streams(server.url)).toBe(0);
  const other = await context.newPage();
  await other.goto(url);
  await other.getByRole("button", { name: "Resume" }).click();
  await expect(other.getByRole("button", { name: "Stop" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Stop" })).toBeVisible();
  expect(await streams(server.url)).toBe(1);
  await other.close();
  // A run that was resumed through the API is noticed a little later.
  await vivarium.call("POST", `/runs/${id}/stop`);
  await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();
  await expect.poll(() => streams(server.url)).toBe(0);
  await vivarium.call("POST", `/runs/${id}/resume`);
  await expect(page.getByRole("button", { name: "Stop" })).toBeVisible({ timeout: 30_000 });
});

test("a run that is deleted elsewhere updates its tab and disconnects no other", async ({
  page,
  context,
  server,
  vivarium,
}) => {
  const { id: gone, url } = await vivarium.create({ ...LONG, name: "gone" });
  const { id } = await vivarium.create({ ...LONG, name: "stays" });
  const other = await context.newPage();
  await other.goto(url);
  await page.goto(`/compare?run=${gone}&run=${id}`);
  await record(page, [gone, id]);
  await expect.poll(async () => (await seen(page))[id].count, PATIENCE).toBeGreaterThan(2);
  await vivarium.call("DELETE", `/runs/${gone}`);
  await expect(other.getByText("This run has been deleted")).toBeVisible();
  await expect(page.locator(".members li")).toHaveCount(1);
  const before = (await seen(page))[id].count;
  await expect.poll(async () => (await seen(page))[id].count, PATIENCE).toBeGreaterThan(before + 3);
  expect((await seen(page))[id].whole).toBe(true);
  expect(await streams(server.url)).toBe(1);
});

for (const [name, without] of /** @type {[string, string[]][]} */ ([
  ["a tab leads where browsers have no shared worker", ["SharedWorker"]],
  ["each tab has a stream of its own where nothing can be shared", ["SharedWorker", "BroadcastChannel"]],
])) {
  test(name, async ({ page, context, server, vivarium }) => {
    await context.addInitScript(
      (names) => names.forEach((/** @type {string} */ missing) => delete (/** @type {any} */ (window)[missing])),
      without,
    );
    const { id, url } = await vivarium.create(LONG);
    await expect.poll(async () => (await vivarium.get(id)).status, PATIENCE).toBe("running");
    const tabs = [page, await context.newPage(), await context.newPage()];
    for (const tab of tabs) {
      await tab.goto(url);
      await record(tab, [id]);
    }
    await expect.poll(() => streams(server.url)).toBe(without.length === 1 ? 1 : 3);
    for (const tab of tabs) await expect.poll(async () => (await seen(tab))[id].count, PATIENCE).toBeGreaterThan(2);
    // The first tab is the leader; another one takes over.
    await tabs[0].goto("about:blank");
    const before = (await seen(tabs[2]))[id].count;
    await expect.poll(async () => (await seen(tabs[2]))[id].count, PATIENCE).toBeGreaterThan(before + 3);
    await vivarium.call("POST", `/runs/${id}/stop`);
    await expect.poll(async () => (await vivarium.get(id)).status, PATIENCE).toBe("stopped");
    const { events } = (await vivarium.get(id)).summary;
    for (const tab of tabs.slice(1))
      await expect.poll(async () => (await seen(tab))[id], PATIENCE).toEqual({ count: events, whole: true });
    await expect.poll(() => streams(server.url)).toBe(0);
  });
}

test("a tab restored by the back button is live again", async ({ page, vivarium }) => {
  const { id, url } = await vivarium.create(LONG);
  await page.goto(url);
  await page.goto("/data");
  await page.goBack();
  await expect(page.getByRole("button", { name: "Stop" })).toBeVisible();
  await vivarium.call("POST", `/runs/${id}/stop`);
  await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();
});

test("a page opened before a short run follows it to its end", async ({ page, server, vivarium }) => {
  const blockers = [await vivarium.create({ ...LONG, name: "a" }), await vivarium.create({ ...LONG, name: "b" })];
  const { id, url } = await vivarium.create({ ...SHORT, name: "queued" });
  await page.goto(url);
  await record(page, [id]);
  for (const { id: blocker } of blockers) await vivarium.call("POST", `/runs/${blocker}/stop`);
  await expect.poll(async () => (await vivarium.get(id)).status, PATIENCE).toBe("finished");
  const { events } = (await vivarium.get(id)).summary;
  await expect.poll(async () => (await seen(page))[id], PATIENCE).toEqual({ count: events, whole: true });
  await expect.poll(() => streams(server.url)).toBe(0);
});
