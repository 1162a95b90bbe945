// The run page: live curves, zoom, actions.

import { readFileSync } from "node:fs";
import { chooseMore, DIVERGES, drawn, expect, LONG, SHORT, test, trained } from "./vivarium.js";

/** @param {import("@playwright/test").Page} page @param {string} id */
const layer = (page, id) => page.locator(`[data-chart="${id}"] .chart-layer`);

/**
 * Drags over a part of a chart, given as fractions of its width.
 * @param {import("@playwright/test").Page} page
 * @param {string} id
 * @param {number} from
 * @param {number} to
 * @param {{ shift?: boolean }} [keys]
 */
async function drag(page, id, from, to, { shift = false } = {}) {
  const box = await layer(page, id).boundingBox();
  if (!box) throw new Error("the chart has no box");
  const y = box.y + box.height / 2;
  if (shift) await page.keyboard.down("Shift");
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, y, { steps: 4 });
  await page.mouse.up();
  if (shift) await page.keyboard.up("Shift");
}

/** The zoom in the URL. @param {import("@playwright/test").Page} page */
const range = (page) => new URL(page.url()).searchParams.get("range");

test("points arrive by themselves, and stop and resume work", async ({ page, vivarium }) => {
  const { url } = await vivarium.create(LONG);
  await page.goto(url);
  await expect.poll(() => drawn(page)).toBeGreaterThan(3);
  const seen = await drawn(page);
  await expect.poll(() => drawn(page)).toBeGreaterThan(seen + 2);
  // Stop comes first while the run trains, but it is no action that one wants next.
  const first = page.locator(".run-actions > .primary");
  await expect(page.locator(".run-actions > :first-child")).toHaveText("Stop");
  await expect(first).toHaveCount(0);
  await expect(page.locator(".run-hint")).toContainText(/Look for: (losses that fall together|whether the validation)/);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".run-head .badge")).toHaveText("stopped");
  await expect(first).toHaveText("Resume");
  const stopped = await drawn(page);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.locator(".run-head .badge")).toHaveText("running");
  await expect.poll(() => drawn(page)).toBeGreaterThan(stopped);
  await chooseMore(page, "Delete run");
  await page.getByRole("dialog").getByRole("button", { name: "Delete run" }).click();
  await page.waitForURL((address) => address.pathname === "/");
});

test("rare actions are in a menu that the keyboard opens, walks and closes", async ({ page, vivarium }) => {
  const { id, url } = await vivarium.create(SHORT);
  await page.goto(url);
  // The run ends while the page is open.
  await expect(page.locator(".run-actions > .primary")).toHaveText("Look inside");
  expect((await vivarium.get(id)).status).toBe("finished");
  const more = page.locator(".run-actions summary", { hasText: "More" });
  const focused = () => page.evaluate(() => document.activeElement?.textContent);
  await more.focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.locator(".run-actions details")).toHaveAttribute("open");
  expect(await focused()).toBe("Start from its weights");
  await page.keyboard.press("ArrowUp");
  expect(await focused()).toBe("Delete run…");
  await page.keyboard.press("Escape");
  await expect(page.locator(".run-actions .menu-list")).toBeHidden();
  await expect(more).toBeFocused();
});

test("a response older than the latest event changes nothing", async ({ page, vivarium }) => {
  const { url } = await vivarium.create(LONG);
  const badge = page.locator(".run-head .badge");
  await page.route("**/stop", async (route) => {
    const response = await route.fetch();
    await expect(badge).toHaveText("stopped");
    await route.fulfill({ response });
  });
  await page.goto(url);
  await expect(badge).toHaveText("running");
  const answered = page.waitForResponse("**/stop");
  await page.getByRole("button", { name: "Stop" }).click();
  const answer = await (await answered).json();
  expect(answer.stopping).toBe(true);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
  await expect(badge).toHaveText("stopped");
  await expect(page.getByRole("button", { name: "Resume" })).toBeEnabled();
});

test("a zoom stays while points arrive, is shared by both charts, and is reset by a double-click", async ({
  page,
  vivarium,
}) => {
  const { url } = await vivarium.create(LONG);
  await page.goto(url);
  await expect.poll(() => drawn(page)).toBeGreaterThan(5);
  await drag(page, "loss", 0.2, 0.6);
  await expect.poll(() => range(page)).toMatch(/^[\d.]+:[\d.]+$/);
  const zoomed = range(page);
  const seen = await drawn(page);
  await expect.poll(() => drawn(page)).toBeGreaterThan(seen + 5);
  expect(range(page)).toBe(zoomed);
  await drag(page, "accuracy", 0.5, 0.4, { shift: true });
  await expect.poll(() => range(page)).not.toBe(zoomed);
  const [from, to] = String(range(page)).split(":").map(Number);
  const [from0, to0] = String(zoomed).split(":").map(Number);
  expect(from).toBeGreaterThan(from0);
  expect((to - from) / (to0 - from0)).toBeCloseTo(1, 3);
  await layer(page, "loss").dblclick();
  await expect.poll(() => range(page)).toBe(null);
});

test("the view is stored in the URL", async ({ page, vivarium }) => {
  const { url } = await vivarium.create(SHORT);
  await page.goto(url);
  await expect(page.locator(".run-head .badge")).toHaveText("finished");
  await page.getByRole("radio", { name: "Samples" }).check();
  await page.locator('[data-chart="loss"]').getByRole("button", { name: "Log y" }).click();
  await page
    .locator('[data-chart="loss"]')
    .getByRole("button", { name: /^validation/ })
    .click();
  await page.getByRole("slider", { name: "Smoothing" }).fill("0");
  await expect.poll(() => new URL(page.url()).search).toBe("?x=samples&smooth=0&loss.scale=log&loss.hide=validation");
  await page.reload();
  await expect(page.getByRole("radio", { name: "Samples" })).toBeChecked();
  await expect(page.locator('[data-chart="loss"]').getByRole("button", { name: "Log y" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  await expect(page.locator('[data-chart="loss"]').getByRole("button", { name: /^validation/ })).toHaveAttribute(
    "aria-pressed",
    "false",
  );
});

test("hovering names the nearest lines and moves a crosshair in both charts", async ({ page, vivarium }) => {
  const { url } = await vivarium.create(SHORT);
  await page.goto(url);
  await expect(page.locator(".run-head .badge")).toHaveText("finished");
  await layer(page, "loss").hover();
  await expect(page.locator('[data-chart="loss"] .chart-card')).toContainText(/step \d+/);
  await expect(page.locator('[data-chart="loss"] .chart-card-row')).toHaveCount(3);
  await expect(page.locator('[data-chart="accuracy"] .chart-rule')).toBeVisible();
  await page.mouse.move(5, 5);
  await expect(page.locator('[data-chart="accuracy"] .chart-rule')).toBeHidden();
});

test("a chart is read and zoomed by keyboard", async ({ page, vivarium }) => {
  const { url } = await vivarium.create(SHORT);
  await page.goto(url);
  await expect(page.locator(".run-head .badge")).toHaveText("finished");
  const stage = page.locator('[data-chart="loss"] .chart-stage');
  await stage.focus();
  await page.keyboard.press("Home");
  await expect(page.locator("#announce")).toContainText(/^step 1: .*each step/);
  await page.keyboard.press("ArrowRight");
  await expect(page.locator("#announce")).toContainText(/^step 2:/);
  await page.keyboard.press("+");
  await expect.poll(() => range(page)).not.toBe(null);
  await page.keyboard.press("0");
  await expect.poll(() => range(page)).toBe(null);
});

test("a chart and its data are exported", async ({ page, vivarium }) => {
  const { url } = await vivarium.create({ ...SHORT, name: "=1+1, taken" });
  await page.goto(url);
  await expect(page.locator(".run-head .badge")).toHaveText("finished");
  /** @param {string} what */
  const take = async (what) => {
    await page.locator('[data-chart="loss"]').getByLabel("Export this chart").click();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.locator('[data-chart="loss"]').getByRole("button", { name: what }).click(),
    ]);
    return readFileSync(await file.path());
  };
  const lines = (await take("Numbers, CSV")).toString().trim().split("\r\n");
  expect(lines[0]).toBe("run,step,samples_seen,epoch,seconds,train_loss,validation_loss");
  expect(lines[1]).toMatch(/^"'=1\+1, taken",1,64,/);
  // 1,294 samples in batches of 64: the 21st holds 14.
  expect(lines[21]).toMatch(/^"'=1\+1, taken",21,1294,1,[\d.e-]+,[\d.e-]+,[\d.e-]+$/);
  expect(lines.length).toBe(1 + 63);
  expect(JSON.parse((await take("Numbers, JSON")).toString()).rows.length).toBe(63);
  expect((await take("Picture, SVG")).toString()).toContain("<svg xmlns");
  expect((await take("Picture, PNG")).subarray(1, 4).toString()).toBe("PNG");
});

test("a run is renamed in place, and an invalid name is refused with a message", async ({ page, vivarium }) => {
  const { id, url } = await vivarium.create(SHORT);
  await page.goto(url);
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByLabel("Name of the run").fill("   ");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("1 to 200 characters");
  await page.getByLabel("Name of the run").fill("a better name");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("a better name");
  expect((await vivarium.get(id)).name).toBe("a better name");
});

test("a run that diverges says so, and marks where", async ({ page, vivarium }) => {
  const { url } = await vivarium.create({ ...SHORT, training: { epochs: 20, optimizer: { kind: "sgd", lr: 100 } } });
  await page.goto(url);
  await expect(page.locator(".run-head .badge")).toHaveText("diverged");
  await expect(page.locator(".run-head .notice")).toContainText(/\d/);
  await expect(page.locator('[data-chart="loss"] .chart-note')).toContainText(/▲ (not a finite number|infinite) at/);
  // A few batches have no accuracy worth a chart, and clipping at such a rate helps nothing.
  await expect(page.locator('[data-chart="accuracy"]')).toBeHidden();
  await expect(page.getByRole("link", { name: "New run with learning rate 0.01" })).toBeVisible();
  await expect(page.getByRole("link", { name: /clipped/ })).toHaveCount(0);
});

test("a run that leapt to infinity has a logarithmic loss, and no pages that need a checkpoint", async ({
  page,
  vivarium,
}) => {
  const { url } = await vivarium.create(DIVERGES);
  await page.goto(url);
  await expect(page.locator(".run-head .badge")).toHaveText("diverged");
  const log = page.locator('[data-chart="loss"]').getByRole("button", { name: "Log y" });
  await expect(log).toHaveAttribute("aria-pressed", "true");
  await expect(page).not.toHaveURL(/scale/);
  await log.click();
  await expect(log).toHaveAttribute("aria-pressed", "false");
  await expect(page).toHaveURL(/loss\.scale=linear/);
  await page.reload();
  await expect(page.locator(".run-head .badge")).toHaveText("diverged");
  await expect(log).toHaveAttribute("aria-pressed", "false");
  await log.click();
  await expect(page).not.toHaveURL(/scale/);
  await expect(page.getByRole("link", { name: "Adjust and run again" })).toBeVisible();
  for (const name of ["Evaluation", "Predict"]) await expect(page.getByRole("link", { name })).toBeHidden();
});

test("accuracy and loss come first and larger, and points are counted as samples", async ({ page, vivarium }) => {
  const { url } = await vivarium.create({
    name: "perceptron",
    data: { set: "blobs" },
    network: { kind: "perceptron" },
    training: { epochs: 2 },
  });
  await page.goto(url);
  const figures = page.locator(".progress .figures > div:visible");
  await expect(figures.first()).toHaveText(/^Test accuracy\d/, { timeout: 30_000 });
  await expect(page.locator(".progress .is-main dt")).toHaveText(["Test accuracy", "Best validation", "Training loss"]);
  await expect(figures.filter({ hasText: "Samples/s" })).toBeVisible();
  const size = (/** @type {import("@playwright/test").Locator} */ of) =>
    of.locator("dd").evaluate((value) => Number.parseFloat(getComputedStyle(value).fontSize));
  expect(await size(figures.first())).toBeGreaterThan((await size(figures.last())) * 1.5);
});

test("a run that is named like what it trains says it once", async ({ page, vivarium }) => {
  const { url } = await vivarium.create({ ...SHORT, name: "MLP on digits" });
  await page.goto(url);
  await expect(page.locator(".run-about")).toHaveText(/^Started /);
  const other = await vivarium.create(SHORT);
  await page.goto(other.url);
  await expect(page.locator(".run-about")).toHaveText(/^MLP on digits · started /);
});

test("both plots are at one height, whatever their legends take", async ({ page, vivarium }) => {
  const { url } = await vivarium.create(SHORT);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(url);
  await expect(page.locator(".run-head .badge")).toHaveText("finished");
  const plots = page.locator(".chart-plot");
  await expect(plots).toHaveCount(2);
  await page.locator('[data-chart="loss"] .legend-item b').evaluateAll((values) => {
    for (const value of values) value.textContent = "0.000000000000000001";
  });
  const [loss, accuracy] = await plots.evaluateAll((all) => all.map((plot) => plot.getBoundingClientRect()));
  expect(loss.right).toBeLessThan(accuracy.left);
  expect(loss.top).toBeCloseTo(accuracy.top, 0);
});

test("the log opens and follows", async ({ page, vivarium }) => {
  const { url } = await vivarium.create(SHORT);
  await page.goto(url);
  await page.locator(".log summary").click();
  await expect(page.getByLabel("Worker log")).not.toBeEmpty();
});

test("images end in a confusion matrix", async ({ page, vivarium }) => {
  const { url } = await vivarium.create(SHORT);
  await page.goto(url);
  const table = page.getByRole("table", { name: /Confusion matrix/ });
  await expect(table.locator("tbody tr")).toHaveCount(10);
  await page.reload();
  await expect(table.locator("tbody tr")).toHaveCount(10);
});

test("an unknown run gives an error page with a link home", async ({ page }) => {
  const response = await page.goto("/runs/0199ffff-0000-7000-8000-000000000000");
  expect(response?.status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This run does not exist");
  await expect(page.getByText("There is no run 0199ffff-0000-7000-8000-000000000000.")).toBeVisible();
  await page.getByRole("link", { name: "All runs", exact: true }).click();
  await expect(page).toHaveURL(/\/$/);
  // A path that leads nowhere says nothing of the run in it.
  await page.goto("/runs/0199ffff-0000-7000-8000-000000000000/nothing");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("No such page");
  // Elsewhere it leads to what is listed there.
  await page.goto("/networks/nothing");
  await page.getByRole("link", { name: "All networks", exact: true }).click();
  await expect(page).toHaveURL(/\/networks$/);
});

test("the address of a deleted run offers to restore it", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, SHORT);
  await vivarium.call("DELETE", `/runs/${id}`);
  await page.goto(url);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This run was deleted");
  await expect(page.getByText(/^“short” was deleted .* It can be restored until /)).toBeVisible();
  await page.getByRole("button", { name: "Restore it" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("short");
});

test("a run that is deleted elsewhere shows a notice", async ({ page, vivarium }) => {
  const { id, url } = await vivarium.create(LONG);
  await page.goto(url);
  await expect.poll(() => drawn(page)).toBeGreaterThan(0);
  await vivarium.call("DELETE", `/runs/${id}`);
  await expect(page.getByText("This run has been deleted.")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(/^Connection lost/)).toBeHidden();
});

test("on a touch screen a chart shows values and zooms by buttons", async ({ browser, server, vivarium }) => {
  const { url } = await vivarium.create(SHORT);
  const context = await browser.newContext({ viewport: { width: 400, height: 800 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  await page.goto(server.url + url);
  await expect(page.locator(".run-head .badge")).toHaveText("finished");
  await layer(page, "loss").tap();
  await expect(page.locator('[data-chart="loss"] .chart-card')).toContainText(/step \d+/);
  await page.getByRole("button", { name: "Zoom in" }).tap();
  await expect.poll(() => range(page)).not.toBe(null);
  await page.getByRole("button", { name: "Reset zoom" }).tap();
  await expect.poll(() => range(page)).toBe(null);
  await context.close();
});
