// What moves: the mistakes of a perceptron one at a time, what changed between two frames, and a large network that
// opens.

import { expect, overflow, test, trained } from "./vivarium.js";

/** @import { Page } from "@playwright/test" */

const PERCEPTRON = {
  name: "perceptron on moons",
  data: { set: "moons", samples: 120, noise: 0.3 },
  network: { kind: "perceptron" },
  training: { epochs: 2, seed: 3 },
};
const MLP = { name: "mlp", data: { set: "digits", limit: 200 }, network: { kind: "mlp" }, training: { epochs: 2 } };

/** The numbers of a column of the table. @param {Page} page @param {"before" | "after"} name */
const numbers = (page, name) =>
  page
    .locator(`.update-table [data-${name}]`)
    .evaluateAll((cells, of) => cells.map((cell) => Number(/** @type {HTMLElement} */ (cell).dataset[of])), name);

/** Four significant digits, as the page writes numbers. @param {number} value */
const shown = (value) => (Math.abs(value) < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(4))));

test("a perceptron's mistakes are shown one at a time with the numbers that the API tells", async ({
  page,
  vivarium,
}) => {
  const { id, url } = await trained(vivarium, PERCEPTRON);
  const epochs = await Promise.all([1, 2].map((epoch) => vivarium.call("GET", `/runs/${id}/updates?epoch=${epoch}`)));
  const [first, second] = epochs;
  expect(first.exact && second.exact).toBe(true);
  expect(first.total).toBeGreaterThan(2);
  await page.goto(url);
  await page.getByLabel("Mistake by mistake").check();
  const where = page.locator(".mistake-where");
  const check = async (/** @type {any} */ about, /** @type {number} */ at) => {
    const update = about.updates[at];
    await expect(where).toContainText(`Epoch ${about.epoch}, mistake ${at + 1} of ${about.total}`);
    await expect(where).toContainText(`step ${update.step}`);
    await expect.poll(() => numbers(page, "before")).toEqual(update.before[0]);
    expect(await numbers(page, "after")).toEqual(update.after[0]);
    // The terms are those of the rule: the rate, the sign, the point.
    const [{ target, x }] = update.mistakes;
    const sign = target === 1 ? 1 : -1;
    const terms = await page.locator(".update-term").allTextContents();
    for (const [column, factor] of [x[0], x[1], 1].entries()) {
      const parts = terms[column].replace(/[+()]/g, "").split("·");
      expect(parts.map((part) => part.trim())).toEqual(["0.001", String(sign), shown(factor)]);
      expect(update.before[0][column] + 0.001 * sign * factor).toBeCloseTo(update.after[0][column], 6);
    }
  };
  await check(first, 0);
  const canvas = page.locator("canvas.boundary");
  const picture = () => canvas.evaluate((of) => /** @type {HTMLCanvasElement} */ (of).toDataURL());
  const before = await picture();
  await canvas.focus();
  await page.keyboard.press("ArrowRight");
  await check(first, 1);
  await expect.poll(picture).not.toBe(before);
  await page.keyboard.press("End");
  await check(first, first.total - 1);
  // The next mistake is the first of the next epoch, and back again.
  await page.getByRole("button", { name: "Next mistake" }).click();
  await check(second, 0);
  await page.getByRole("button", { name: "Previous mistake" }).click();
  await check(first, first.total - 1);
  await page.getByRole("button", { name: new RegExp(`^epoch 2 ${second.mistakes} mistakes?$`) }).click();
  await check(second, 0);
  await page.getByLabel("Speed").selectOption("20 a second");
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await check(second, second.total - 1);
  await expect(page.getByRole("button", { name: "Next mistake" })).toBeDisabled();
  // The epochs are as they were.
  await page.getByLabel("After each epoch").check();
  await expect(page.locator(".mistake-film")).toBeHidden();
  await expect(page.locator(".boundary-panel output")).toHaveText("after epoch 2");
  await page.setViewportSize({ width: 400, height: 800 });
  await page.getByLabel("Mistake by mistake").check();
  await check(second, second.total - 1);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

/** Two groups that a line divides in the first epoch. */
const BLOBS = {
  name: "perceptron on blobs",
  data: { set: "blobs", samples: 400, noise: 0.5, classes: 2 },
  network: { kind: "perceptron" },
  training: { epochs: 3, batch_size: 1, optimizer: { kind: "sgd", lr: 0.001, momentum: 0 } },
};

test("a mistake is told with the names of the classes, though they come after it", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, BLOBS);
  let release = () => {};
  const released = new Promise((resolve) => (release = () => resolve(undefined)));
  await page.route("**/api/v1/runs/*/points*", async (route) => {
    await released;
    const response = await route.fetch();
    await route.fulfill({ json: { ...(await response.json()), classes: ["quince", "medlar"] } });
  });
  // A log of an earlier version does not name them either.
  await page.route(`**${url}`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace('["class 1","class 2"]', "null") });
  });
  await page.goto(url);
  const film = page.locator(".mistake-film");
  await expect(film).toContainText("but the weights say");
  await expect(film).not.toContainText("quince");
  release();
  await expect(film).toContainText(/The point is “(quince|medlar)”, but the weights say “(quince|medlar)”/);
});

test("the film of mistakes runs on through the epochs and ends where the line rests", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, BLOBS);
  const of = (/** @type {number} */ epoch) => vivarium.call("GET", `/runs/${id}/updates?epoch=${epoch}`);
  const epochs = await Promise.all([1, 2, 3].map(of));
  const rest = epochs.findIndex(({ total }) => total === 0) + 1;
  expect(rest).toBeGreaterThan(1);
  await page.goto(url);
  await expect(page.locator(".boundary-legends")).toContainText("background: what the weights say");
  const slider = page.getByRole("slider", { name: "Mistake", exact: true });
  // It has a place for every mistake, and one for each epoch without any.
  const places = epochs.reduce((all, { total }) => all + Math.max(1, total), 0);
  await expect(slider).toHaveAttribute("max", String(places - 1));
  await page.getByLabel("Speed").selectOption("20 a second");
  await page.getByRole("button", { name: "Play", exact: true }).click();
  const where = page.locator(".mistake-where");
  await expect(where).toHaveText(
    `Epoch ${rest}: no mistake in ${epochs[0].samples} points. The line stays where it is.`,
  );
  await expect(page.getByRole("button", { name: "Play", exact: true })).toBeVisible();
  await expect(page.locator(".mistake-film")).toContainText("more training changes nothing");
  await expect(page.getByRole("button", { name: `epoch ${rest} 0 mistakes` })).toHaveAttribute("aria-current", "step");
  // The slider goes back into the first epoch.
  await slider.fill("1");
  await expect(where).toContainText(`Epoch 1, mistake 2 of ${epochs[0].total}`);
});

test("plot, controls and formula of a mistake are seen at once", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, BLOBS);
  await page.goto(url);
  const plot = page.locator("canvas.boundary");
  const parts = [plot, page.locator(".mistake-film .film"), page.locator(".mistake-film .update-numbers")];
  for (const [width, height] of [
    [1440, 900],
    [1280, 800],
    [768, 900],
  ]) {
    await page.setViewportSize({ width, height });
    await page.locator(".boundary-panel").evaluate((panel) => panel.scrollIntoView());
    for (const part of parts) await expect(part, `${width} × ${height}`).toBeInViewport({ ratio: 1 });
    const [left, right] = await Promise.all(parts.slice(0, 2).map((part) => part.boundingBox()));
    expect((left?.x ?? 0) + (left?.width ?? 0)).toBeLessThan(right?.x ?? 0);
  }
  // On a phone the controls are below the plot, before anything else.
  await page.setViewportSize({ width: 400, height: 800 });
  const [above, below, legend] = await Promise.all(
    [plot, page.locator(".boundary-controls"), page.locator(".boundary-legends")].map((part) => part.boundingBox()),
  );
  const gap = (below?.y ?? 0) - ((above?.y ?? 0) + (above?.height ?? 0));
  expect(gap).toBeGreaterThanOrEqual(0);
  expect(gap).toBeLessThan(24);
  expect(legend?.y ?? 0).toBeGreaterThan(below?.y ?? 0);
});

test("several classes have a table for each row that a mistake changes", async ({ page, vivarium }) => {
  const spec = { ...PERCEPTRON, data: { set: "blobs", samples: 120, noise: 0.8, classes: 4 } };
  const { id, url } = await trained(vivarium, spec);
  const { updates } = await vivarium.call("GET", `/runs/${id}/updates`);
  const [{ mistakes, before, after }] = updates;
  await page.goto(url);
  await page.getByLabel("Mistake by mistake").check();
  await expect(page.locator(".update-table")).toHaveCount(2);
  const rows = [mistakes[0].target, mistakes[0].rival].sort((a, b) => a - b);
  expect(await numbers(page, "before")).toEqual(rows.flatMap((row) => before[row]));
  expect(await numbers(page, "after")).toEqual(rows.flatMap((row) => after[row]));
});

test("other networks on points have no mistakes to step through", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, { ...PERCEPTRON, network: { kind: "mlp" } });
  await page.goto(url);
  await expect(page.locator("canvas.boundary")).toBeVisible();
  await expect(page.getByText("Mistake by mistake")).toBeHidden();
});

test("what changed between two frames is shown with its numbers", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, MLP);
  await page.goto(`${url}/inside?checkpoint=2`);
  await page.getByLabel("Compare with", { exact: true }).selectOption({ label: "another checkpoint of this run" });
  await expect(page.getByLabel("Checkpoint to compare with")).toHaveValue("0");
  const weights = page.locator(".panel-filters");
  await expect(weights.locator(".sheet:not([hidden])")).toHaveCount(2);
  await page.getByLabel("what changed").check();
  await expect(weights.locator(".sheet:not([hidden])")).toHaveCount(1);
  await expect(weights).toContainText("From “before training” to “epoch 2”");
  const layer = new URL(page.url()).searchParams.get("layer");
  const { change } = await vivarium.call("GET", `/runs/${id}/layers/${layer}/filters?checkpoint=2&minus=0`);
  expect(change.rms).toBeGreaterThan(0);
  const fact = (/** @type {string} */ name) => weights.locator(".facts div", { hasText: name }).locator("dd");
  await expect(fact("largest increase")).toHaveText(shown(change.max));
  await expect(fact("largest decrease")).toHaveText(shown(change.min));
  await expect(fact("root mean square")).toHaveText(shown(change.rms));
  // Nothing changed between a frame and itself.
  await page.getByLabel("Checkpoint to compare with").selectOption({ label: "epoch 2" });
  await expect(fact("largest increase")).toHaveText("0");
});

test("a network without convolutions is spoken of as one", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, MLP);
  await page.goto(`${url}/inside`);
  await expect(page.getByRole("region", { name: "Weights" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Outputs" })).toBeVisible();
  await expect(page.locator("main")).not.toContainText(/filter|feature map|Grad-CAM/i, { useInnerText: true });
  await expect(page.locator(".predictions")).toContainText(/The prediction is (correct|wrong)/);
  await expect(page.locator(".predictions .class-bars li")).toHaveCount(10);
});

test("a network shows its layers before its weights are read", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, MLP);
  // What needs weights does not answer; the progress is what a server tells that reads them.
  let release = () => {};
  const released = new Promise((resolve) => (release = () => resolve(undefined)));
  await page.route(/\/api\/v1\/runs\/[^/]+\/(layers\/[^/]+\/(filters|features)|predict|attention)/, async (route) => {
    await released;
    await route.continue();
  });
  await page.route("**/layers/progress", (route) =>
    route.fulfill({ json: { requests: 3, reading: { done: 209_715_200, of: 537_239_848 } } }),
  );
  await page.goto(`${url}/inside`);
  const { layers } = await vivarium.call("GET", `/runs/${id}/layers`);
  await expect(page.locator(".net").getByRole("option")).toHaveCount(layers.length);
  await expect(page.locator(".layer-head")).toContainText("parameters");
  await expect(page.locator(".opening")).toContainText("Reading the weights: 200 MiB of 512 MiB");
  await expect(page.locator(".opening .bar")).toBeVisible();
  release();
  await expect(page.locator(".opening")).toBeHidden();
  await expect(page.locator(".panel-filters .sheet:not([hidden])")).toHaveCount(1);
});
