// Measures how fluid a comparison is while its three runs train: frames and drawings per second, and tasks of the main
// thread that keep the page from answering.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LONG } from "../browser/vivarium.js";
import { api, startServer } from "../server.js";

/** How long the page is watched once it follows its runs. */
const WATCH_MS = 10_000;
/** The browser reports tasks longer than this. */
export const LONG_TASK_MS = 50;

/** Runs in the page: counts frames and records long tasks. */
function watch() {
  const seen = { frames: 0, tasks: /** @type {{ at: number, ms: number }[]} */ ([]) };
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) seen.tasks.push({ at: startTime, ms: duration });
  }).observe({ type: "longtask", buffered: true });
  const frame = () => {
    seen.frames += 1;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  Object.assign(window, { seen });
}

/** Runs in the page: the counts so far. */
function read() {
  return {
    at: performance.now(),
    clock: Date.now(),
    drawings: Number(document.documentElement.dataset.drawn ?? 0),
    .../** @type {{ frames: number, tasks: { at: number, ms: number }[] }} */ (/** @type {any} */ (window).seen),
  };
}

/** @param {import("@playwright/test").Browser} browser */
export async function measureFrames(browser) {
  const server = await startServer({ jobs: 3 });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const client = api(server.url);
  try {
    const sweep = await client.call("POST", "/sweeps", {
      base: LONG,
      grid: { "training.optimizer.lr": [0.001, 0.01, 0.05] },
      repeats: 1,
    });
    const page = await context.newPage();
    await page.addInitScript(watch);
    await page.goto(`${server.url}/sweeps/${sweep.id}`);
    await page.locator('.members .badge[data-status="running"]').nth(2).waitFor({ timeout: 60_000 });
    const drawn = await page.evaluate(read);
    await page.waitForFunction(
      (before) => Number(document.documentElement.dataset.drawn) > before + 5,
      drawn.drawings,
      { timeout: 60_000 },
    );
    const begin = await page.evaluate(read);
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    const end = await page.evaluate(read);
    const seconds = (end.at - begin.at) / 1000;
    const { runs } = await client.call("GET", `/sweeps/${sweep.id}`);
    // The times at which the workers wrote something new, at most one for each frame.
    const news = new Set(
      runs.flatMap((/** @type {{ id: string }} */ { id }) =>
        readFileSync(join(server.dataDir, "runs", id, "events.ndjson"), "utf8")
          .trim()
          .split("\n")
          .map((line) => Date.parse(JSON.parse(line).time))
          .filter((at) => at >= begin.clock && at <= end.clock)
          .map((at) => Math.floor((at * 60) / 1000)),
      ),
    );
    const tasks = end.tasks.filter(({ at }) => at >= begin.at).map(({ ms }) => Math.round(ms));
    return {
      frames_per_s: Math.round((end.frames - begin.frames) / seconds),
      drawings_per_s: Math.round((end.drawings - begin.drawings) / seconds),
      news_per_s: Math.round(news.size / seconds),
      long_tasks: tasks.length,
      longest_task_ms: Math.max(0, ...tasks),
    };
  } finally {
    await context.close();
    await client.clear();
    await server.stop();
  }
}
