// Sweeps in the table of runs: one row that opens.

import { violations } from "./axe.js";
import { expect, overflow, SHORT, test } from "./vivarium.js";

const BATCHES = { base: SHORT, grid: { "training.batch_size": [16, 32, 64] } };

/** @param {any} vivarium @param {any} [spec] */
async function sweep(vivarium, spec = BATCHES) {
  const made = await vivarium.call("POST", "/sweeps", spec);
  for (const { id } of made.runs) {
    const status = async () => (await vivarium.get(id)).status;
    await expect.poll(status, { timeout: 30_000 }).toBe("finished");
  }
  return made;
}

/** @param {import("@playwright/test").Page} page */
const names = (page) => page.locator("tr[data-run] .cell-name a");

test("a sweep is one row that says what it is, and opens by keyboard", async ({ page, vivarium }) => {
  const { id } = await sweep(vivarium);
  await vivarium.create({ ...SHORT, name: "alone" });
  await page.goto("/");
  const row = page.locator(`tr[data-sweep="${id}"]`);
  await expect(row).toContainText("short");
  await expect(row.locator(".note")).toHaveText("3 runs · MLP on digits, batch size 16 to 64");
  await expect(row).toContainText("3 of 3 done");
  await expect(row.locator(".cell-result")).toHaveText(/\d%mean \d.*%/);
  await expect(row.locator(".badge")).toHaveText("finished");
  await expect(names(page)).toHaveText(["alone"]);
  const toggle = row.getByRole("button", { name: "Open short" });
  await expect(toggle).toHaveAttribute("aria-expanded", "false");
  await toggle.focus();
  await page.keyboard.press("Enter");
  await expect(names(page)).toHaveText(["alone", "Batch size 64", "Batch size 32", "Batch size 16"]);
  const close = row.getByRole("button", { name: "Close short" });
  await expect(close).toBeFocused();
  // What comes does not close it.
  await vivarium.create({ ...SHORT, name: "newcomer" });
  await expect(names(page)).toHaveCount(5);
  await page.keyboard.press("ArrowLeft");
  await expect(names(page)).toHaveText(["newcomer", "alone"]);
});

test("axe finds nothing in an open sweep, in wide and narrow windows", async ({ page, vivarium }) => {
  await sweep(vivarium);
  await page.goto("/");
  await page.getByRole("button", { name: "Open short" }).click();
  await expect(page.locator("tr[data-run] .spark svg").first()).toBeVisible();
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await violations(page, "main")).toEqual([]);
  }
  await page.locator(".row-more").first().click();
  await expect(page.locator(".row-menu")).toBeVisible();
  expect(await violations(page, "main")).toEqual([]);
});

test("the box of a sweep chooses its runs, and Undo brings them back", async ({ page, vivarium }) => {
  const { id } = await sweep(vivarium);
  await page.goto("/");
  const row = page.locator(`tr[data-sweep="${id}"]`);
  await row.getByRole("checkbox", { name: "Choose all runs of short" }).check();
  const bar = page.getByRole("toolbar", { name: "Chosen runs" });
  await expect(bar).toContainText("3 runs chosen");
  await row.getByRole("button", { name: "Open short" }).click();
  await expect(page.locator("tr[data-run].chosen")).toHaveCount(3);
  await page.getByRole("checkbox", { name: /batch size 32/i }).uncheck();
  await expect(bar).toContainText("2 runs chosen");
  expect(await row.getByRole("checkbox").evaluate((box) => /** @type {any} */ (box).indeterminate)).toBe(true);
  await row.getByRole("button", { name: "Delete the runs of short" }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toContainText("3 runs");
});

test("a search opens the sweeps that have what it finds, and a sort orders them", async ({ page, vivarium }) => {
  const { id } = await sweep(vivarium);
  const other = await sweep(vivarium, { base: { ...SHORT, name: "another" }, grid: { "training.seed": [1, 2] } });
  await page.goto("/");
  const row = page.locator(`tr[data-sweep="${id}"]`);
  await expect(page.locator("tr[data-sweep]")).toHaveCount(2);
  await page.getByRole("combobox", { name: "Filter runs" }).fill("batch_size<64");
  await expect(page.locator("tr[data-sweep]")).toHaveCount(1);
  await expect(names(page)).toHaveText(["Batch size 32", "Batch size 16"]);
  await page.getByRole("combobox", { name: "Filter runs" }).fill("");
  await page.getByRole("button", { name: "Name" }).click();
  await expect(page.locator("tr[data-sweep]").first()).toHaveAttribute("data-sweep", other.id);
  await page.getByRole("combobox", { name: "Group runs by" }).selectOption("none");
  await expect(names(page)).toHaveCount(5);
  await expect(row).toHaveCount(0);
  await page.reload();
  await expect(names(page)).toHaveCount(5);
});

test("rows show their curves, which say their course in words", async ({ page, vivarium }) => {
  await sweep(vivarium);
  await page.goto("/");
  await expect(page.locator("tr[data-sweep]").getByRole("img")).toHaveAccessibleName(
    /^best run, validation accuracy [\d.]+% to [\d.]+%$/,
  );
  await expect(page.locator("tr[data-sweep] .spark small")).toHaveText("accuracy");
});

test("the usual columns fit into every window", async ({ page, vivarium }) => {
  await sweep(vivarium);
  await page.goto("/");
  await expect(page.locator("tr[data-sweep]")).toContainText("3 of 3 done");
  const frame = page.locator(".runs-table");
  for (const width of [1200, 1280, 1440, 1600, 1900, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    const beyond = () => frame.evaluate((element) => element.scrollWidth - element.clientWidth);
    await expect.poll(beyond, `${width} px`).toBeLessThanOrEqual(1);
  }
});

test("name and actions stay in sight whatever the columns", async ({ page, vivarium }) => {
  await vivarium.create({ ...SHORT, name: "a name that is as long as users make them, with all that matters of it" });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto("/");
  await page.getByLabel("Columns", { exact: true }).click();
  for (const box of await page.locator(".runs-head .menu-list input").all()) await box.check();
  const frame = page.locator(".runs-table");
  for (const left of [0, 10_000]) {
    await frame.evaluate((element, to) => element.scrollTo(to, 0), left);
    const bounds = await frame.boundingBox();
    for (const inside of [page.locator("tbody .cell-name a"), page.locator("tbody .cell-actions")]) {
      const box = await inside.boundingBox();
      expect(box?.x).toBeGreaterThanOrEqual(bounds?.x ?? 0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual((bounds?.x ?? 0) + (bounds?.width ?? 0) + 1);
    }
  }
  const row = await page.locator("tbody tr").boundingBox();
  expect(row?.height).toBeLessThanOrEqual(56);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

test("in a narrow window a run is two lines with a menu", async ({ page, vivarium }) => {
  for (let i = 0; i < 6; i += 1)
    await vivarium.create({ ...SHORT, name: `run ${i} with a name that is too long for a line of a phone` });
  const finished = async () => (await vivarium.call("GET", "/runs?status=finished")).total;
  await expect.poll(finished, { timeout: 30_000 }).toBe(6);
  await page.goto("/");
  for (const width of [768, 400]) {
    await page.setViewportSize({ width, height: 800 });
    await expect(page.locator("tbody tr")).toHaveCount(6);
    for (const row of await page.locator("tbody tr").all())
      expect((await row.boundingBox())?.height).toBeLessThanOrEqual(72);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  }
  await page.getByRole("button", { name: /^Actions of run 5/ }).click();
  await expect(page.getByRole("button", { name: "Name, tags and notes" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Name, tags and notes" })).toBeHidden();
  await page.getByRole("button", { name: /^Actions of run 5/ }).click();
  await page.locator(".row-menu").getByRole("button", { name: "Delete" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(5);
});

test("experiments are cards until there are runs, then lines of names that open", async ({ page, vivarium }) => {
  await page.goto("/");
  const cards = page.getByRole("region", { name: "Experiments" });
  const toggle = cards.getByRole("button", { name: "Experiments" });
  await expect(toggle).toHaveAttribute("aria-expanded", "true");
  const tall = (await cards.boundingBox())?.height ?? 0;
  await vivarium.create(SHORT);
  await expect(toggle).toHaveAttribute("aria-expanded", "false");
  // Two lines of names at this width.
  expect((await cards.boundingBox())?.height).toBeLessThan(Math.min(80, tall));
  await expect(cards.getByRole("button", { name: "Start Batch size" })).toBeVisible();
  await toggle.click();
  await expect(cards.getByRole("link", { name: "Adjust Batch size" })).toBeVisible();
  await page.reload();
  await expect(toggle).toHaveAttribute("aria-expanded", "true");
});
