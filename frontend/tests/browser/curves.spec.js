// Charts of imported curves, which may begin at a late step.

import { eventFile } from "./events.js";
import { expect, test } from "./vivarium.js";

/** @import { Page } from "@playwright/test" */

/**
 * @param {string} base
 * @param {{ [tag: string]: [step: number, value: number][] }} scalars
 * @returns {Promise<string>} the id of the run
 */
async function imported(base, scalars) {
  const form = new FormData();
  form.append(
    "file",
    new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (eventFile(scalars))]),
    "events.out.tfevents.1700000000.host",
  );
  const answer = await fetch(`${base}/api/v1/tensorboard`, { method: "POST", body: form });
  const text = await answer.text();
  expect(answer.ok, text).toBe(true);
  return JSON.parse(text).runs[0].id;
}

/**
 * Where a chart has pixels of a line's colour, as fractions of its width: first, last, and number of segments.
 * @param {Page} page
 * @param {string} chart
 * @param {string} [token]
 */
const ink = (page, chart, token = "--data-1") =>
  page.evaluate(
    ([name, colour]) => {
      const root = document.querySelector(`[data-chart="${name}"]`);
      const canvas = /** @type {HTMLCanvasElement} */ (root?.querySelector("canvas"));
      const layer = /** @type {HTMLElement} */ (root?.querySelector(".chart-layer"));
      const probe = document.createElement("canvas").getContext("2d");
      const own = canvas.getContext("2d");
      if (!probe || !own) throw new Error("no canvas");
      const coloured = document.body.appendChild(document.createElement("i"));
      coloured.style.color = `var(${colour})`;
      probe.fillStyle = getComputedStyle(coloured).color;
      coloured.remove();
      probe.fillRect(0, 0, 1, 1);
      const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
      const [x0, y0] = [layer.offsetLeft * devicePixelRatio, layer.offsetTop * devicePixelRatio];
      const [width, height] = [layer.clientWidth * devicePixelRatio, layer.clientHeight * devicePixelRatio];
      const { data } = own.getImageData(x0, y0, width, height);
      const columns = new Set();
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] > 200 && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 40)
          columns.add((i / 4) % width);
      }
      const found = [...columns].sort((a, c) => a - c);
      return {
        from: found[0] / width,
        to: found[found.length - 1] / width,
        pieces: found.filter((at, i) => i === 0 || at > found[i - 1] + 1).length,
      };
    },
    [chart, token],
  );

/** @param {Page} page @param {string} url */
async function look(page, url) {
  await page.goto(url);
  await expect(page.locator(".chart-empty").first()).toBeHidden();
}

test("a leap of the first steps is cut off and told, and a click shows it", async ({ page, server }) => {
  const loss = Array.from({ length: 200 }, (_, i) => [i + 1, i < 3 ? 24 - i : 0.1 + 2 * Math.exp(-i / 30)]);
  const id = await imported(server.url, { loss: /** @type {[number, number][]} */ (loss) });
  await look(page, `/runs/${id}`);
  const chart = page.locator('[data-chart="loss"]');
  const outliers = page.getByRole("button", { name: "Cut outliers" });
  await expect(chart.locator(".chart-note")).toContainText(/Cut off: 3 values above [\d.]+, up to 24\. Show all/);
  await expect(outliers).toHaveAttribute("aria-pressed", "true");
  await chart.getByRole("button", { name: "Show all" }).click();
  await expect(chart.getByRole("button", { name: "Show all" })).toBeHidden();
  await expect(outliers).toHaveAttribute("aria-pressed", "false");
  await expect(page).toHaveURL(/outliers=in/);
  await page.reload();
  await expect(outliers).toHaveAttribute("aria-pressed", "false");
  await outliers.click();
  await expect(chart.locator(".chart-note")).toContainText("Cut off: ");
});

test("a curve of one point is seen", async ({ page, server }) => {
  const id = await imported(server.url, { loss: [[7, 0.5]] });
  await look(page, `/runs/${id}`);
  await expect.poll(async () => (await ink(page, "loss")).pieces).toBe(1);
});

for (const first of [1_000_000, 700]) {
  test(`a curve whose first step is ${first} uses the whole width`, async ({ page, server }) => {
    const id = await imported(server.url, { loss: Array.from({ length: 100 }, (_, i) => [first + i, 1 / (i + 1)]) });
    await look(page, `/runs/${id}`);
    for (const axis of ["Steps", "Time"]) {
      await page.getByRole("radio", { name: axis }).check();
      await expect.poll(async () => (await ink(page, "loss")).from).toBeLessThan(0.05);
      expect((await ink(page, "loss")).to).toBeGreaterThan(0.95);
    }
    await page.getByRole("radio", { name: "Steps" }).check();
    // Tick labels have all digits.
    await page.getByRole("group", { name: /^Loss\./ }).press("End");
    await expect(page.locator("#announce")).toContainText(`step ${(first + 99).toLocaleString("en-US")}`);
  });
}
