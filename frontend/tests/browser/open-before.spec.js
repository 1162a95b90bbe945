// Pages that are opened before training starts must show the same, midway and at the end, as pages that are opened
// then.

import { expect, LONG, test } from "./vivarium.js";

/** @import { Browser, Page } from "@playwright/test" */

/** @typedef {ReturnType<typeof import("../server.js").api>} Api */

const SWEEP = {
  base: { name: "early", data: { set: "digits" }, network: { kind: "mlp" }, training: { epochs: 40 } },
  grid: { "training.batch_size": [16, 64] },
  repeats: 1,
};

/** @param {string} id */
const REPORT = (id) =>
  `# Early\n\n\`\`\`curve\nruns: sweep ${id}\nseries: train_loss\nx: samples\n\`\`\`\n\n\`\`\`curve\nruns: tag early\nseries: validation_accuracy\nx: time\n\`\`\`\n\n\`\`\`figures\nruns: sweep ${id}\n\`\`\`\n`;

/** Texts that change with time: ages, and the saved state. */
const PASSING = /just now|yesterday|\d+ (s|min|h) ago|Saved/g;

/**
 * The content of a page: text, pictures, and charts on each axis.
 * @param {Page} page
 */
async function shown(page) {
  const read = () =>
    page.evaluate(() => {
      const main = /** @type {HTMLElement} */ (document.querySelector("#page") ?? document.querySelector("main"));
      return {
        words: main.innerText,
        charts: [...main.querySelectorAll("[data-chart]")].map((chart) => /** @type {HTMLElement} */ (chart).innerText),
        // Numbered, to distinguish two pictures of a page.
        pictures: [...main.querySelectorAll("svg.scatter, .report-document svg, .film-curve svg")].map((svg) =>
          svg.outerHTML.replace(/plot\d+/g, "plot"),
        ),
        canvases: [...main.querySelectorAll("canvas")]
          .filter((canvas) => canvas.width > 0 && canvas.offsetParent !== null)
          .map((canvas) => canvas.toDataURL()),
      };
    });
  const axes = page.getByRole("radiogroup", { name: "Horizontal axis" });
  const names = (await axes.count()) > 0 ? ["Samples", "Epochs", "Time", "Steps"] : [""];
  /** @type {{ [axis: string]: { words: string, charts: string[], pictures: string[], canvases: string[] } }} */
  const found = {};
  for (const name of names) {
    if (name) await axes.getByRole("radio", { name }).evaluate((radio) => /** @type {HTMLElement} */ (radio).click());
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    const of = await read();
    found[name] = { ...of, words: of.words.replace(PASSING, "…") };
  }
  return found;
}

/** @param {Browser} browser @param {string} url */
async function open(browser, url) {
  // Each page in its own browser context, like several users.
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/**
 * Waits until each page shows the same as a newly opened one.
 * @param {Browser} browser
 * @param {Map<string, Page>} pages
 */
async function alike(browser, pages) {
  for (const [url, page] of pages) {
    const fresh = await open(browser, url);
    await expect(async () => expect(await shown(page), url).toEqual(await shown(fresh))).toPass({
      timeout: 60_000,
      intervals: [500, 1000, 2000],
    });
    await fresh.context().close();
  }
}

test("a page opened before its run shows the same as one opened later, on every axis", async ({
  browser,
  vivarium,
  server,
}) => {
  test.setTimeout(300_000);
  // Two active runs occupy both slots; later runs are queued.
  const held = await Promise.all([vivarium.create(LONG), vivarium.create(LONG)]);
  /** @type {Map<string, Page>} */
  const pages = new Map();
  const see = async (/** @type {string} */ path) =>
    pages.set(`${server.url}${path}`, await open(browser, `${server.url}${path}`));
  await see("/");
  await see("/data");
  await see("/compare?tag=early");
  const { id, url } = await vivarium.call("POST", "/sweeps", SWEEP);
  const { runs } = await vivarium.call("GET", `/sweeps/${id}`);
  const [first, second] = runs;
  const report = await vivarium.call("POST", "/reports", { text: REPORT(id) });
  await see(url);
  await see(`/compare?run=${first.id}&run=${second.id}`);
  await see(`/runs/${first.id}`);
  await see(`/runs/${first.id}/inside`);
  await see(`/new?copy=${first.id}`);
  await see(report.url);
  for (const run of runs) await vivarium.call("PATCH", `/runs/${run.id}`, { tags: ["early"] });
  for (const page of pages.values()) await page.waitForLoadState("load");

  // Midway: each run trains for a while and is stopped.
  for (const { id: of } of held) await vivarium.call("POST", `/runs/${of}/stop`);
  for (const { id: of } of held) await expect.poll(async () => (await vivarium.get(of)).status).toBe("stopped");
  for (const { id: of } of held) await vivarium.call("DELETE", `/runs/${of}`);
  for (const run of runs) {
    await expect
      .poll(async () => (await vivarium.get(run.id)).summary.step ?? 0, { intervals: [20] })
      .toBeGreaterThan(5);
    await vivarium.call("POST", `/runs/${run.id}/stop`).catch(() => {});
  }
  const over = async () =>
    (await vivarium.call("GET", `/sweeps/${id}`)).runs.every((/** @type {any} */ run) =>
      ["stopped", "finished"].includes(run.status),
    );
  await expect.poll(over, { timeout: 60_000 }).toBe(true);
  await alike(browser, pages);

  for (const run of runs) await vivarium.call("POST", `/runs/${run.id}/resume`).catch(() => {});
  await expect
    .poll(
      async () =>
        (await vivarium.call("GET", `/sweeps/${id}`)).runs.every((/** @type {any} */ run) => run.status === "finished"),
      { timeout: 60_000 },
    )
    .toBe(true);
  await alike(browser, pages);
  for (const page of pages.values()) await page.context().close();
});
