// Measures a user's waiting times in Chromium against the real binary. Starts the preset "MLP on digits" with a click,
// several times, and takes the time to the first and to the last point. That run ends before its page has loaded, so
// the latency of a point from log to screen is measured on the same settings with more epochs, started from the form:
// the time when the browser painted it minus the time when the worker wrote its line.
// Then three runs that train at once are watched on one comparison, for the frames of the page and its longest task.
//
//     npm run --prefix frontend measure              five runs of the preset, and the long one
//     npm run --prefix frontend measure -- 20 --json
//
// Exits with 1 if a figure exceeds its bound. Leave the machine idle meanwhile: the worker uses both cores of a small
// machine, which the browser shares.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import config from "../../playwright.config.js";
import { api, startServer } from "../server.js";
import { LONG_TASK_MS, measureFrames } from "./frames.js";

/** @typedef {{ seq: number, at: number }} Painted the newest drawn event and its time */
/** @typedef {{ kind: string, seq: number, at: number }} Written an event of the log */
/**
 * @typedef {{ run: any, clicked: number, written: Written[], painted: Painted[] }} Watched times in milliseconds of the
 *   clock
 */

const BOUNDS = { accuracy: 0.96, done: 15_000, firstPoint: 1000, delay: 150, task: 200, frames: 30 };
/** About ten seconds of training. */
const LONG_EPOCHS = 3000;

/** Runs in the page: records the click across navigation, and each painting. */
function watch() {
  const now = () => performance.timeOrigin + performance.now();
  addEventListener("click", () => sessionStorage.setItem("clicked", String(now())), { capture: true });
  /** @type {Painted[]} */
  const painted = [];
  const channel = new MessageChannel();
  /** @type {number[]} */
  const waiting = [];
  // The drawing is done in an animation frame; a message is delivered after that frame's painting.
  channel.port1.onmessage = () => painted.push({ seq: /** @type {number} */ (waiting.shift()), at: now() });
  // The document has no root element yet.
  new MutationObserver(() => {
    waiting.push(Number(document.documentElement.dataset.lastSeqDrawn));
    channel.port2.postMessage(null);
  }).observe(document, { subtree: true, attributeFilter: ["data-last-seq-drawn"] });
  Object.assign(window, { painted });
}

/**
 * Starts a run through the page, watches it to its end, and reads the worker's log.
 * @param {import("@playwright/test").Browser} browser
 * @param {(page: import("@playwright/test").Page, url: string) => Promise<void>} start
 * @returns {Promise<Watched>}
 */
async function watchRun(browser, start) {
  const server = await startServer();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(watch);
    await start(page, server.url);
    await page.waitForURL("**/runs/*");
    await page.locator('.run-head .badge[data-status="finished"]').waitFor({ timeout: 60_000 });
    const id = String(new URL(page.url()).pathname.split("/").pop());
    const lines = readFileSync(join(server.dataDir, "runs", id, "events.ndjson"), "utf8")
      .trim()
      .split("\n");
    const written = lines
      .map((line) => JSON.parse(line))
      .map(({ kind, seq, time }) => ({ kind, seq, at: Date.parse(time) }));
    await page.waitForFunction(
      (seq) => Number(document.documentElement.dataset.lastSeqDrawn) >= seq,
      written[written.length - 1].seq,
    );
    // One more frame, to record the last painting.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
    const { painted, clicked } = await page.evaluate(() => ({
      painted: /** @type {any} */ (window).painted,
      clicked: Number(sessionStorage.getItem("clicked")),
    }));
    return { run: await api(server.url).get(id), clicked, written, painted };
  } finally {
    await context.close();
    await server.stop();
  }
}

/** @param {import("@playwright/test").Page} page @param {string} url */
async function clickPreset(page, url) {
  await page.goto(`${url}/`);
  await page
    .locator('[data-preset="mlp-on-digits"]')
    .getByRole("button", { name: /^Start/ })
    .click();
}

/** @param {import("@playwright/test").Page} page @param {string} url */
async function startLong(page, url) {
  await page.goto(`${url}/new?preset=mlp-on-digits`);
  await page.getByRole("textbox", { name: "Epochs", exact: true }).fill(String(LONG_EPOCHS));
  await page.getByRole("button", { name: "Start run" }).click();
}

/** When each line with points was written and when it was painted. @param {Watched} watched */
function pointsOf({ written, painted }) {
  let next = 0;
  return written
    .filter(({ kind }) => kind === "steps" || kind === "epoch")
    .map(({ seq, at }) => {
      while (next < painted.length && painted[next].seq < seq) next += 1;
      if (next === painted.length) throw new Error(`event ${seq} was never painted`);
      return { at, shown: painted[next].at };
    });
}

/** @param {number[]} values @param {number} share */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]);
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const rounds = Number(positionals[0] ?? 5);
const browser = await chromium.launch(config.use?.launchOptions);
/** @type {Watched[]} */
const presets = [];
/** @type {Watched} */
let long;
/** @type {Awaited<ReturnType<typeof measureFrames>>} */
let three;
try {
  for (let round = 0; round < rounds; round += 1) presets.push(await watchRun(browser, clickPreset));
  long = await watchRun(browser, startLong);
  three = await measureFrames(browser);
} finally {
  await browser.close();
}

const firstPoints = presets.map((watched) => pointsOf(watched)[0].shown - watched.clicked);
const dones = presets.map((watched) => Math.max(...pointsOf(watched).map(({ shown }) => shown)) - watched.clicked);
const points = pointsOf(long);
// A loading page cannot show points: that wait is part of the time to the first point.
const live = points.filter(({ at }) => at >= points[0].shown);
const delays = live.map(({ at, shown }) => shown - at);
const figures = {
  runs: rounds,
  test_accuracy: Math.min(...presets.map(({ run }) => run.summary.test_accuracy)),
  first_point_ms: { median: quantile(firstPoints, 0.5), worst: quantile(firstPoints, 1) },
  last_point_ms: { median: quantile(dones, 0.5), worst: quantile(dones, 1) },
  log_to_screen_ms: {
    lines: delays.length,
    median: quantile(delays, 0.5),
    p99: quantile(delays, 0.99),
    worst: quantile(delays, 1),
  },
  long_run: {
    epochs: LONG_EPOCHS,
    lines: points.length,
    paintings: long.painted.length,
    ms: Math.round(points[points.length - 1].shown - long.clicked),
  },
  three_runs: three,
};
const { test_accuracy, first_point_ms, last_point_ms, log_to_screen_ms, long_run } = figures;
// No more frames are needed than there is something new to draw.
const frames = Math.min(BOUNDS.frames, three.news_per_s);
/** @type {[boolean, string][]} */
const findings = [
  [test_accuracy >= BOUNDS.accuracy, `test accuracy: ${test_accuracy.toFixed(4)} at least (bound ${BOUNDS.accuracy})`],
  [
    last_point_ms.worst < BOUNDS.done,
    `click to last point: median ${last_point_ms.median} ms, worst ${last_point_ms.worst} ms (bound ${BOUNDS.done})`,
  ],
  [
    first_point_ms.worst <= BOUNDS.firstPoint,
    `click to first point: median ${first_point_ms.median} ms, worst ${first_point_ms.worst} ms (bound ${BOUNDS.firstPoint})`,
  ],
  [
    log_to_screen_ms.p99 <= BOUNDS.delay,
    `log to screen: median ${log_to_screen_ms.median} ms, 99 of 100 ${log_to_screen_ms.p99} ms (bound ${BOUNDS.delay}), worst ${log_to_screen_ms.worst} ms`,
  ],
  [
    three.longest_task_ms <= BOUNDS.task,
    `three runs on one comparison: longest task ${three.longest_task_ms} ms (bound ${BOUNDS.task}), ${three.long_tasks} over ${LONG_TASK_MS} ms`,
  ],
  [
    three.frames_per_s >= frames,
    `three runs on one comparison: ${three.frames_per_s} frames per second (bound ${frames}), ${three.drawings_per_s} of them with new points`,
  ],
];
if (flags.json) {
  console.log(JSON.stringify(figures));
} else {
  for (const [held, text] of findings) console.log(`${held ? "holds " : "BROKEN"}  ${text}`);
  console.log(`        ${log_to_screen_ms.lines} lines in a run of ${long_run.ms} ms, ${long_run.paintings} paintings`);
}
process.exitCode = findings.every(([held]) => held) ? 0 : 1;
