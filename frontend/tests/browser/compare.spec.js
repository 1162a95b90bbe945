// Sweeps and comparisons: many runs on one page, live.

import { readFile } from "node:fs/promises";
import { DIVERGES, expect, overflow, SHORT, test, trained } from "./vivarium.js";

/** @import { Page } from "@playwright/test" */

/** @typedef {ReturnType<typeof import("../server.js").api>} Api */

const BASE = {
  name: "rates",
  data: { set: "digits" },
  network: { kind: "mlp" },
  training: { epochs: 3, batch_size: 64 },
};

/** @param {Api} vivarium @param {unknown} sweep */
async function finished(vivarium, sweep) {
  const { id, url } = await vivarium.call("POST", "/sweeps", sweep);
  await expect
    .poll(
      async () =>
        (await vivarium.call("GET", `/sweeps/${id}`)).runs.every((/** @type {any} */ run) => run.status === "finished"),
      { timeout: 30_000 },
    )
    .toBe(true);
  return { id, url };
}

/** @param {Page} page @param {string} name */
const card = (page, name) => page.getByRole("region", { name, exact: true });

test("a preset's sweep is shown live and ends in a ranking", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Start Batch size" }).click();
  await page.waitForURL(/\/sweeps\//);
  await expect(page.locator(".members li")).toHaveCount(4);
  await expect(page.locator(".members li").first()).toContainText("batch size 16");
  // The default axis for runs of different batch sizes.
  await expect(page.getByRole("radio", { name: "Samples" })).toBeChecked();
  const ranking = card(page, "Ranking");
  await expect(ranking.locator("tbody tr")).toHaveCount(4, { timeout: 30_000 });
  await expect(ranking.locator("tbody tr").first()).toContainText("Not tested");
  // The note says once that nothing is tested, and what would.
  await expect(ranking).toContainText("One seed each, so no difference is tested: “One more seed for each” above");
  await expect(ranking.locator("tbody tr").nth(1).locator("td").last()).toHaveText(/^(–|Tie)$/);
  // The course of accuracy over the setting.
  const course = card(page, "Accuracy by batch size");
  await expect(course.getByRole("link")).toHaveCount(4);
  await expect(course.getByRole("group")).toHaveAccessibleName(/accuracy by batch size\. 16: [\d.]+%; 32: /);
  await expect(course).toContainText("The axis of the batch size is logarithmic.");
  // The labels say the only setting that differs.
  await expect(card(page, "Settings that differ")).toHaveCount(0);
  await expect(page.locator(".compare-head")).toContainText("4 runs · they differ in batch size");
  await page.getByRole("button", { name: "Means over epochs" }).click();
  await expect(card(page, "Figures").locator("tbody tr").first()).toContainText(/±/);
  // The last epoch comes first, and the mean over all, which a leap of the first decides, under it.
  const first = card(page, "Figures").locator("tbody tr").first().locator("td").first().locator(".cell-lines > *");
  await expect(first).toHaveText([/^\d\.\d{3,}$/, /^\d\.\d+ ± \d\.\d+$/]);
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Figures as CSV" }).click();
  const rows = (await readFile(await (await saved).path(), "utf8")).trim().split("\n");
  expect(rows[0]).toMatch(/^Run,Training loss last epoch,Training loss mean over epochs,Training accuracy last epoch,/);
  expect(new Set(rows.map((row) => row.replace(/"[^"]*"/g, "").split(",").length)).size).toBe(1);
  // One setting through four runs is no picture that the tables are not.
  await expect(card(page, "From settings to outcome")).toBeHidden();
  await page.setViewportSize({ width: 400, height: 900 });
  // Costs that are the same are said, not drawn.
  await expect(page.locator(".compare-tables")).toContainText("Parameters: the same in all 4 runs.");
  await expect(page.locator(".scatters figure")).not.toHaveCount(3);
  expect(await overflow(page)).toBe(0);
});

test("the noise of a batch of 16 is greater than that of 128", async ({ page, vivarium }) => {
  const { id } = await finished(vivarium, {
    base: { ...BASE, training: { epochs: 20 } },
    grid: { "training.batch_size": [16, 128] },
    repeats: 1,
  });
  await page.goto(`/sweeps/${id}`);
  await expect(page.locator(".members li")).toHaveCount(2);
  const { runs } = await vivarium.call("GET", `/sweeps/${id}`);
  const noise = await Promise.all(
    runs.map(async (/** @type {any} */ run) => {
      const { series } = await vivarium.call("GET", `/runs/${run.id}/metrics?series=train_loss&points=100000`);
      const late = series.train_loss.y.slice(Math.floor(series.train_loss.y.length / 2));
      const mean =
        late.reduce((/** @type {number} */ sum, /** @type {number} */ value) => sum + value, 0) / late.length;
      return (
        Math.sqrt(
          late.reduce((/** @type {number} */ sum, /** @type {number} */ value) => sum + (value - mean) ** 2, 0) /
            late.length,
        ) / mean
      );
    }),
  );
  expect(noise[0]).toBeGreaterThan(noise[1] * 1.3);
});

test("seeds are averaged into one line, and tested for significance", async ({ page, vivarium }) => {
  const { id } = await finished(vivarium, {
    base: BASE,
    grid: { "training.optimizer.lr": [0.05, 0.0001] },
    repeats: 3,
  });
  await page.goto(`/sweeps/${id}`);
  await expect(page.locator(".members li")).toHaveCount(2);
  const ranking = card(page, "Ranking");
  await expect(ranking.locator("tbody tr").nth(0)).toContainText(/learning rate 0\.05\s*3 seeds/);
  await expect(ranking.locator("tbody tr").nth(0)).toContainText(/±/);
  await expect(ranking.locator("tbody tr").nth(1)).toContainText(/Yes, p/);
  await expect(ranking).toContainText("Welch's t-test");
  await page.getByRole("button", { name: "Mean over seeds" }).click();
  await expect(page.locator(".members li")).toHaveCount(6);
  await page.reload();
  await expect(page.locator(".members li")).toHaveCount(6);
  await page.getByRole("button", { name: "Mean over seeds" }).click();
  await page.getByRole("button", { name: "One more seed for each" }).click();
  await expect(page.locator(".compare-head")).toContainText("8 runs");
});

test("parallel coordinates are brushed by pointer and keyboard, and hide the rest", async ({ page, vivarium }) => {
  const { id } = await finished(vivarium, {
    base: BASE,
    grid: { "training.optimizer.lr": { from: 0.001, to: 0.1, scale: "log" }, "training.batch_size": [32, 64] },
    search: { kind: "random", trials: 6 },
  });
  await page.goto(`/sweeps/${id}`);
  const coordinates = card(page, "From settings to outcome");
  await expect(coordinates.locator(".parallel-run")).toHaveCount(6);
  await expect(coordinates.locator(".parallel-title").last()).toContainText("accuracy");
  const batch = coordinates.locator('[data-axis="training.batch_size"]');
  // The card may be redrawn meanwhile, when the last results arrive.
  await expect(() => batch.scrollIntoViewIfNeeded({ timeout: 1000 })).toPass();
  const box = await batch.boundingBox();
  if (!box) throw new Error("the axis is not there");
  await page.mouse.move(box.x + box.width / 2, box.y + 4);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.3, { steps: 4 });
  await page.mouse.up();
  const of64 = (await vivarium.call("GET", `/sweeps/${id}`)).runs.filter(
    (/** @type {any} */ run) => run.spec.training.batch_size === 64,
  ).length;
  await expect(coordinates.locator(".parallel-run:not(.is-out)")).toHaveCount(of64);
  await expect(coordinates.getByRole("status")).toHaveText(`${of64} of 6 lines`);
  await batch.focus();
  await page.keyboard.press("Escape");
  await expect(coordinates.locator(".parallel-run.is-out")).toHaveCount(0);
  await expect(batch).toBeFocused();
  // A brush from the top of the last axis downwards.
  await coordinates.locator('[data-axis="gain"]').focus();
  for (let i = 0; i < 9; i += 1) await page.keyboard.press("ArrowUp");
  const left = await coordinates.locator(".parallel-run:not(.is-out)").count();
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(6);
  await coordinates.getByRole("button", { name: "Show only these" }).click();
  await expect(page.locator('.member-toggle[aria-pressed="true"]')).toHaveCount(left);
  await expect(page).toHaveURL(/hide=/);
});

test("an active sweep is stopped", async ({ page, vivarium }) => {
  const { id } = await vivarium.call("POST", "/sweeps", {
    base: { ...BASE, training: { epochs: 100_000 } },
    grid: { "training.batch_size": [16, 32, 64] },
    repeats: 1,
  });
  await page.goto(`/sweeps/${id}`);
  await expect(page.locator(".compare-head")).toContainText(/3 runs, 3 of them active/);
  await page.getByRole("button", { name: "Stop the rest" }).click();
  await expect
    .poll(async () => (await vivarium.call("GET", `/sweeps/${id}`)).runs.map((/** @type {any} */ run) => run.status))
    .toEqual(["stopped", "stopped", "stopped"]);
  await expect(page.locator(".compare-head")).not.toContainText("of them active");
  await expect(page.getByRole("button", { name: "Stop the rest" })).toBeHidden();
});

test("a run that diverged flattens no other, and is best at nothing", async ({ page, vivarium }) => {
  const { id: bad } = await vivarium.create({ ...DIVERGES, name: "fast" });
  const { id: good } = await vivarium.create({ ...SHORT, name: "sound" });
  for (const id of [bad, good])
    await expect.poll(async () => (await vivarium.get(id)).status, { timeout: 30_000 }).toBe("finished");
  expect((await vivarium.get(bad)).reason).toBe("diverged");
  await page.goto(`/compare?run=${bad}&run=${good}`);
  const note = page.locator('[data-chart="train_loss"] .chart-note');
  await expect(note).toContainText(/1 run leaves the chart: fast, learning rate 90 \(up to [\d.]+e\d+\)\. Show all/);
  await note.getByRole("button", { name: "Show all" }).click();
  await expect(note).not.toContainText("leaves the chart");
  const figures = card(page, "Figures");
  await expect(figures.locator("tbody tr")).toHaveCount(2);
  await expect(figures.locator("tbody tr", { hasText: "fast" }).locator(".is-best")).toHaveCount(0);
  await expect(page.locator(".compare-line")).toContainText("drawn once three runs have both");
});

test("a name in the list leads to its run, and wide tables say that they go on", async ({ page, vivarium }) => {
  const { id: one } = await vivarium.create({ ...SHORT, name: "one" });
  const { id: two } = await vivarium.create({
    name: "two",
    data: { set: "blobs" },
    network: { kind: "perceptron" },
    training: { epochs: 1 },
  });
  for (const id of [one, two]) await expect.poll(async () => (await vivarium.get(id)).status).toBe("finished");
  await page.setViewportSize({ width: 768, height: 900 });
  await page.goto(`/compare?run=${one}&run=${two}`);
  const figures = card(page, "Figures");
  const further = figures.getByRole("button", { name: "Scroll to further columns" });
  await expect(further).toBeVisible();
  const name = figures.locator("tbody th").first();
  const left = async () => (await name.boundingBox())?.x;
  const before = await left();
  await further.click();
  await expect.poll(() => figures.locator(".compare-scroll").evaluate((box) => box.scrollLeft)).toBeGreaterThan(50);
  expect(await left()).toBe(before);
  expect(await overflow(page)).toBe(0);
  await page.locator(".members").getByRole("link", { name: "one" }).click();
  await page.waitForURL(`**/runs/${one}`);
});

test("two runs that were not trained alike are said to be, lead to a test, and show their common part", async ({
  page,
  vivarium,
}) => {
  const { id: long } = await vivarium.create({ ...SHORT, name: "long", training: { epochs: 30, batch_size: 64 } });
  const { id: short } = await vivarium.create({
    ...SHORT,
    name: "short",
    data: { set: "digits", limit: 128 },
    training: { epochs: 2, batch_size: 64 },
  });
  for (const id of [long, short]) await expect.poll(async () => (await vivarium.get(id)).status).toBe("finished");
  await page.goto(`/compare?run=${long}&run=${short}`);
  await expect(page.getByRole("note")).toContainText(
    /not trained alike: 128 training samples \(short\) against 1,\d+ \(long\), and 2 epochs \(short\) against 30 \(long\)/,
  );
  const common = page.getByRole("button", { name: "Common part" });
  // Two epochs beside thirty are a sliver: the part that both have comes first.
  await expect(common).toHaveAttribute("aria-pressed", "true");
  await common.click();
  await expect(common).toHaveAttribute("aria-pressed", "false");
  await expect(page).not.toHaveURL(/range=/);
  await common.click();
  await expect(page).toHaveURL(/range=0:2(&|$)/);
  await card(page, "Ranking").getByRole("link", { name: "evaluate side by side" }).click();
  await page.waitForURL(`**/runs/${long}/evaluation?with=${short}`);
});

test("figures are whole at 1280 pixels", async ({ page, vivarium }) => {
  const { id } = await finished(vivarium, { base: BASE, grid: { "training.batch_size": [16, 32, 64] }, repeats: 1 });
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(`/sweeps/${id}`);
  const figures = card(page, "Figures");
  await expect(figures.locator("tbody tr")).toHaveCount(3);
  expect(await figures.locator(".compare-scroll").evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  expect((await figures.locator("thead").boundingBox())?.height).toBeLessThan(50);
});

test("many settings of few runs are rows, which fit a phone, each by the name of its network", async ({
  page,
  vivarium,
}) => {
  const { id: one } = await vivarium.create({ ...SHORT, name: "one" });
  const { id: two } = await vivarium.create({
    name: "two",
    data: { set: "digits", size: 32, channels: 3, limit: 64 },
    network: { kind: "vgg16", width: 0.0625 },
    training: { epochs: 1 },
  });
  await page.setViewportSize({ width: 400, height: 900 });
  await page.goto(`/compare?run=${one}&run=${two}`);
  const settings = card(page, "Settings that differ");
  await expect(settings.locator("thead th")).toHaveText(["Setting", "one", "two"]);
  await expect(settings.locator("thead .swatch")).toHaveCount(2);
  const row = (/** @type {string} */ label) =>
    settings.locator("tbody tr", { has: page.getByRole("rowheader", { name: label, exact: true }) }).locator("td");
  await expect(row("Network")).toHaveText([/MLP/, "VGG16"]);
  // What only one of them has comes last, in one row.
  const lack = row("Settings that others lack");
  await expect(lack.first()).toContainText(/Hidden widths: \d/);
  await expect(lack.last()).toContainText(/Widths of the head: \d/);
  await expect(settings.locator("tbody")).not.toContainText("–");
  expect(await settings.locator(".compare-scroll").evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  // Other samples and epochs: none is the best. Two points are no chart.
  await expect(card(page, "Ranking").locator("tbody tr").first()).toContainText("Not tested", { timeout: 30_000 });
  await expect(card(page, "Ranking").locator(".is-best")).toHaveCount(0);
  await expect(card(page, "Accuracy against cost")).toHaveCount(0);
  // With three the chart has a legend on a phone.
  const { id: three } = await trained(vivarium, { ...SHORT, name: "three", network: { kind: "mlp", hidden: [8] } });
  await page.goto(`/compare?run=${one}&run=${two}&run=${three}`);
  await expect(page.locator(".scatter-legend li")).toHaveText(["one", "two", "three"], { timeout: 30_000 });
  expect(await overflow(page)).toBe(0);
});

test("a sweep has one name on every page", async ({ page, vivarium }) => {
  const sweep = { base: { ...BASE, name: undefined }, grid: { "training.batch_size": [16, 64] }, repeats: 1 };
  const { id } = await finished(vivarium, sweep);
  const name = "MLP on digits, batch size 16 and 64";
  await page.goto("/");
  await expect(page.locator(".sweep-row .name-line")).toHaveText(name);
  for (const path of [`/sweeps/${id}`, `/compare?sweep=${id}`]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    await expect(page).toHaveTitle(`${name} · Vivarium`);
  }
});

test("runs of a tag are compared, hidden and removed, and the URL keeps it", async ({ page, vivarium }) => {
  const ids = [];
  for (const name of ["alpha", "beta", "gamma"]) {
    const { id } = await vivarium.create({ ...SHORT, name, training: { epochs: 2, batch_size: 16 * 2 ** ids.length } });
    await vivarium.call("PATCH", `/runs/${id}`, { tags: ["final"] });
    ids.push(id);
  }
  await page.goto("/compare?tag=final");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Runs tagged “final”");
  const members = page.locator(".members li");
  await expect(members).toHaveCount(3);
  await expect(card(page, "Figures").locator("tbody tr")).toHaveCount(3);
  await members.nth(1).locator(".member-toggle").click();
  await expect(members.nth(1).locator(".member-toggle")).toHaveAttribute("aria-pressed", "false");
  await page.reload();
  await expect(members.nth(1).locator(".member-toggle")).toHaveAttribute("aria-pressed", "false");
  await page.goto(`/compare?${ids.map((id) => `run=${id}`).join("&")}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("alpha, beta and gamma");
  await members.nth(0).hover();
  await members
    .nth(0)
    .getByRole("button", { name: /from the comparison/ })
    .click();
  await expect(members).toHaveCount(2);
  await expect(page).not.toHaveURL(new RegExp(ids[0]));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("beta and gamma");
  await expect(page).toHaveTitle("beta and gamma · Vivarium");
  await page.goto("/compare?tag=nothing");
  await expect(page.getByRole("heading", { name: "Nothing to compare" })).toBeVisible();
});

/** The custom property of each line's colour in an element, in order. @param {import("@playwright/test").Locator} within */
const colours = (within) =>
  within
    .locator("svg.swatch line")
    .evaluateAll((lines) =>
      lines.map((line) => /** @type {SVGElement} */ (line).style.stroke.replace(/var\((.*)\)/, "$1")),
    );

test("runs that differ in one number have its order in colours and legend, in every part of the page", async ({
  page,
  vivarium,
}) => {
  const { id } = await finished(vivarium, { base: BASE, grid: { "training.batch_size": [128, 16, 64] }, repeats: 1 });
  await page.goto(`/sweeps/${id}`);
  await expect(page.locator(".member-name")).toHaveText(["batch size 16", "batch size 64", "batch size 128"]);
  const ramp = ["--order-1", "--order-7", "--order-13"];
  expect(await colours(page.locator(".members"))).toEqual(ramp);
  expect(await colours(card(page, "Figures"))).toEqual(ramp);
  expect((await colours(card(page, "Ranking"))).sort()).toEqual([...ramp].sort());
  // A run that is removed leaves the others their colours.
  const first = page.locator(".members li").first();
  await first.hover();
  await first.getByRole("button", { name: /from the comparison/ }).click();
  await expect(page.locator(".members li")).toHaveCount(2);
  expect(await colours(page.locator(".members"))).toEqual(ramp.slice(1));
});

test("a chart has its lines in words", async ({ page, vivarium }) => {
  const { id } = await finished(vivarium, { base: BASE, grid: { "training.batch_size": [16, 64] }, repeats: 1 });
  await page.goto(`/sweeps/${id}`);
  const chart = page.getByRole("group", { name: /^Training loss\./ });
  await expect(chart).toHaveAccessibleDescription(
    /^Training loss by samples seen, 2 runs\. batch size 16: [\d.]+ to [\d.]+\. batch size 64: [\d.]+ to [\d.]+\.$/,
  );
  await page.getByRole("radio", { name: "Epochs" }).check();
  await expect(chart).toHaveAccessibleDescription(/^Training loss by epoch/);
});

test("runs of different data are said to be, and are ranked apart", async ({ page, vivarium }) => {
  /** @type {string[]} */
  const ids = [];
  for (const [name, set, kind] of [
    ["digits one", "digits", "mlp"],
    ["digits two", "digits", "mlp"],
    ["points", "moons", "perceptron"],
  ]) {
    const training = { epochs: 2, batch_size: 16 * 2 ** ids.length };
    ids.push((await vivarium.create({ name, data: { set }, network: { kind }, training })).id);
  }
  await expect
    .poll(async () => (await Promise.all(ids.map(vivarium.get))).every(({ status }) => status === "finished"))
    .toBe(true);
  await page.goto(`/compare?${ids.map((id) => `run=${id}`).join("&")}`);
  await expect(page.getByRole("note")).toContainText(
    "These runs learned different data: digits (2 runs), moons (1 run); their accuracies do not compare.",
  );
  const ranking = card(page, "Ranking");
  await expect(ranking.locator(".ranking-set")).toHaveText(["digits", "moons"]);
  await expect(ranking).toContainText("Alone on its data");
  await expect(ranking.getByText("Not tested: one seed")).toHaveCount(2);
  await expect(ranking.locator(".is-first")).toHaveCount(0);
});

test("no chart is lower than 160 pixels, and the charts fill the page's width", async ({ page, vivarium }) => {
  const { id } = await finished(vivarium, {
    base: { ...BASE, data: { set: "digits", validation: 0 } },
    grid: { "training.batch_size": [16, 64] },
    repeats: 1,
  });
  for (const width of [1440, 768, 400]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(`/sweeps/${id}`);
    await expect(page.locator(".chart:visible")).toHaveCount(2);
    for (const chart of await page.locator(".chart:visible .plot").all())
      expect((await chart.boundingBox())?.height).toBeGreaterThanOrEqual(160);
    const right = await page
      .locator(".chart:visible")
      .evaluateAll((charts) => Math.max(...charts.map((chart) => chart.getBoundingClientRect().right)));
    expect(right).toBeGreaterThan(width - 60);
    expect(await overflow(page)).toBe(0);
  }
});
