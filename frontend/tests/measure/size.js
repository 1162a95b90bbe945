// Measures a user's waiting times with many points, in Chromium against the real binary: until the page of a run with a
// million steps is usable and its curves are drawn, zooms into it, and a comparison of a hundred runs of ten thousand
// steps. Also checks that a single spike among the million is visible at every zoom.
//
//     npm run --prefix frontend measure:size
//
// Exits with 1 if a figure exceeds its bound. Leave the machine idle meanwhile.

import { chromium } from "@playwright/test";
import config from "../../playwright.config.js";
import { api, startServer } from "../server.js";
import { writeRun } from "./synthetic.js";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BOUNDS = { page: 1000, zoom: 200, compare: 1000 };
const STEPS = 1_000_000;
const SPIKE = 654_321;
const RUNS = 100;
const ROUNDS = 5;

const dataDir = mkdtempSync(join(tmpdir(), "vivarium-size-"));
const million = writeRun(dataDir, {
  place: 0,
  name: "A million steps",
  steps: STEPS,
  stepsPerEpoch: 2000,
  spike: SPIKE,
});
const hundred = Array.from({ length: RUNS }, (_, i) =>
  writeRun(dataDir, {
    place: i + 1,
    name: `Run ${i + 1}`,
    steps: 10_000,
    lr: [0.1, 0.03, 0.01, 0.003][i % 4],
    seed: Math.floor(i / 4),
  }),
);
const server = await startServer({ dataDir });
const browser = await chromium.launch(config.use?.launchOptions);
/** @type {[boolean, string][]} */
const findings = [];

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** @param {string} what @param {number[]} times @param {number} bound */
function judge(what, times, bound) {
  const worst = Math.max(...times);
  findings.push([
    worst <= bound,
    `${what}: median ${Math.round(median(times))} ms, worst ${Math.round(worst)} ms (bound ${bound})`,
  ]);
}

/** Runs in the page from its start: records the frame in which every chart has drawn points. */
function watchDrawn() {
  const look = () => {
    const notes = [...document.querySelectorAll(".chart-plot")];
    const drawn =
      notes.length > 0 && notes.every((plot) => plot.querySelector("canvas") && !plot.classList.contains("blank"));
    if (drawn) requestAnimationFrame(() => setTimeout(() => Object.assign(window, { drawnAt: performance.now() })));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** Milliseconds from the request until every chart is painted. @param {string} path */
async function opened(path) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(watchDrawn);
  await page.goto(`${server.url}${path}`);
  await page.waitForFunction(() => "drawnAt" in window, undefined, { timeout: 30_000 });
  return { page, ms: await page.evaluate(() => /** @type {any} */ (window).drawnAt) };
}

/**
 * Zooms by keyboard and returns the milliseconds until the finer points are drawn.
 * @param {import("@playwright/test").Page} page
 * @param {string} key
 */
const zoomed = (page, key) =>
  page.evaluate(async (press) => {
    const stage = /** @type {HTMLElement} */ (document.querySelector(".chart-stage"));
    const note = /** @type {HTMLElement} */ (document.querySelector(".chart-note"));
    stage.focus();
    const began = performance.now();
    stage.dispatchEvent(new KeyboardEvent("keydown", { key: press, bubbles: true }));
    // Done when nothing has changed for a while; the last change counts.
    let last = began;
    let text = note.textContent;
    while (performance.now() - last < 400) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      if (note.textContent !== text) {
        text = note.textContent;
        last = performance.now();
      }
    }
    return last - began;
  }, key);

/**
 * Whether the spike is drawn, judged by the vertical axis.
 * @param {import("@playwright/test").Page} page
 */
const spikeShows = (page) =>
  page.evaluate(async () => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('[data-chart="loss"] canvas'));
    const ctx = canvas.getContext("2d");
    if (!ctx) return false;
    // Only the spike can be blue in the upper half of the plot: all other values are below 4 of 50.
    const { data } = ctx.getImageData(
      60 * devicePixelRatio,
      20,
      canvas.width - 80 * devicePixelRatio,
      canvas.height / 2 - 20,
    );
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 0 && data[i + 2] > data[i] + 25) return true;
    return false;
  });

try {
  // A server that has just started indexes the logs first.
  const client = api(server.url);
  for (const id of [million, ...hundred]) {
    while ((await client.get(id).catch(() => null))?.status !== "finished")
      await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await (await opened(`/runs/${hundred[0]}`)).page.close();
  const pages = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { page, ms } = await opened(`/runs/${million}`);
    pages.push(ms);
    await page.close();
  }
  judge("a million steps, from the request to the curves", pages, BOUNDS.page);

  const zooms = [];
  const { page } = await opened(`/runs/${million}?range=600000:700000`);
  await page.waitForTimeout(500);
  for (let round = 0; round < 6; round += 1) zooms.push(await zoomed(page, "+"));
  for (let round = 0; round < 3; round += 1) zooms.push(await zoomed(page, "-"));
  await page.close();
  judge("zooms into a million steps, to the finer points", zooms, BOUNDS.zoom);

  const lost = [];
  for (let width = STEPS; width >= 20; width = Math.floor(width / 3)) {
    const from = Math.max(1, SPIKE - Math.floor(width * 0.37));
    const { page: near } = await opened(`/runs/${million}?range=${from}:${from + width}&smooth=0`);
    await near.waitForTimeout(400);
    if (!(await spikeShows(near))) lost.push(width);
    await near.close();
  }
  findings.push([
    lost.length === 0,
    lost.length === 0
      ? "the one spike among a million is in sight at every zoom"
      : `the spike is lost where ${lost.join(", ")} steps are in sight`,
  ]);

  const many = [];
  const address = `/compare?${hundred.map((id) => `run=${id}`).join("&")}&seeds=apart`;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { page: compared, ms } = await opened(address);
    many.push(ms);
    await compared.close();
  }
  judge(`${RUNS} runs of 10,000 steps, from the request to the curves`, many, BOUNDS.compare);
} finally {
  await browser.close();
  await server.stop();
}
for (const [held, text] of findings) console.log(`${held ? "holds " : "BROKEN"}  ${text}`);
process.exitCode = findings.every(([held]) => held) ? 0 : 1;
