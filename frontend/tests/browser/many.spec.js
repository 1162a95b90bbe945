// More runs than fit into a URL: a thousand runs compared, exported and reported on, and a sweep of hundreds.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeRun } from "../measure/synthetic.js";
import { api, expect, SHORT, startServer, test } from "./vivarium.js";

/** @import { Server } from "../server.js" */

const RUNS = 1000;
const OF_SWEEP = 450;
const SWEEP = "0199d3a0-0000-7000-8000-000000000001";
/** A busy machine takes long for a thousand runs. */
const PATIENCE = { timeout: 90_000 };

// No trace: for a thousand rows it takes longer than the test.
test.use({ trace: "off" });
test.describe.configure({ mode: "serial", timeout: 300_000 });

/** @type {Server} */
let many;
/** @type {string[]} */
let ids;

test.beforeAll(async () => {
  test.setTimeout(300_000);
  const dataDir = mkdtempSync(join(tmpdir(), "vivarium-many-"));
  ids = Array.from({ length: RUNS }, (_, place) =>
    writeRun(dataDir, {
      place,
      name: `run ${place}`,
      steps: 40,
      stepsPerEpoch: 20,
      lr: Number((0.0001 * (place + 1)).toFixed(5)),
    }),
  );
  mkdirSync(join(dataDir, "sweeps"));
  writeFileSync(
    join(dataDir, "sweeps", `${SWEEP}.json`),
    JSON.stringify({
      base: { name: "many rates", data: { set: "digits" }, network: { kind: "mlp" } },
      grid: { "training.optimizer.lr": [0.1, 0.2] },
      repeats: 1,
      runs: ids.slice(0, OF_SWEEP),
    }),
  );
  many = await startServer({ dataDir });
  // The server indexes the runs while it is up.
  await expect
    .poll(async () => (await api(many.url).call("GET", "/runs?status=finished&limit=1")).total, PATIENCE)
    .toBe(RUNS);
});

test.afterAll(async () => many?.stop());

const names = (/** @type {import("@playwright/test").Page} */ page) => page.locator("tbody .cell-name a");

test("further runs are loaded as one scrolls, and by keyboard", async ({ page }) => {
  await page.goto(`${many.url}/`);
  await expect(names(page)).toHaveCount(100);
  await expect(page.locator(".runs-head .counts")).toHaveText("1,000 runs");
  await expect(names(page).first()).toHaveText("run 999");
  const more = page.getByRole("button", { name: /^Show more/ });
  await expect(more).toHaveText("Show more: these are 100 of 1,000 runs");
  await more.scrollIntoViewIfNeeded();
  await expect.poll(() => names(page).count()).toBeGreaterThan(100);
  await expect(names(page).nth(150)).toHaveText("run 849");
  const count = await names(page).count();
  await more.focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => names(page).count()).toBeGreaterThan(count);
  const all = await names(page).allTextContents();
  expect(new Set(all).size).toBe(all.length);
});

test("all runs are searched and sorted, not those on the page alone", async ({ page }) => {
  await page.goto(`${many.url}/?group=none&sort=training.optimizer.lr:up`);
  await expect(names(page).first()).toHaveText("run 0");
  await expect(names(page)).toHaveCount(100);
  await page.getByRole("combobox", { name: "Filter runs" }).fill("lr<=0.0021 lr>0.0001");
  await expect(names(page)).toHaveCount(20);
  await expect(page.locator(".runs-head .counts")).toHaveText("20 of 1,000 runs");
  await expect(names(page).first()).toHaveText("run 1");
  await expect(page).toHaveURL(/q=lr/);
  await page.reload();
  await expect(names(page)).toHaveCount(20);
  await page.getByRole("button", { name: "Learning rate", exact: true }).click();
  await expect(names(page).first()).toHaveText("run 20");
});

test("runs stay chosen while others are shown, and are compared together", async ({ page }) => {
  await page.goto(`${many.url}/`);
  await page.getByRole("checkbox", { name: "Choose run 990", exact: true }).check();
  const field = page.getByRole("combobox", { name: "Filter runs" });
  const bar = page.getByRole("toolbar", { name: "Chosen runs" });
  await field.fill('name="run 3"');
  await expect(names(page)).toHaveText(["run 3"]);
  await page.getByRole("checkbox", { name: "Choose run 3", exact: true }).check();
  await expect(bar).toContainText("2 runs chosen, 1 not visible");
  await field.fill('name:"run 9"');
  await expect(page.locator(".runs-head .counts")).toHaveText("111 of 1,000 runs");
  // One of them is on the page or on a later one.
  await expect(bar).toContainText("2 runs chosen, 1 not visible");
  await page.getByRole("checkbox", { name: "Choose all visible runs" }).check();
  await expect(bar).toContainText("111 runs chosen");
  await page.getByRole("checkbox", { name: "Choose run 990", exact: true }).uncheck();
  await expect(bar).toContainText("110 runs chosen");
  await bar.getByRole("button", { name: "Clear" }).click();
  await field.fill('name="run 3"');
  await page.getByRole("checkbox", { name: "Choose run 3", exact: true }).check();
  await field.fill("");
  await expect(names(page)).toHaveCount(100);
  await page.getByRole("checkbox", { name: "Choose run 999", exact: true }).check();
  // Tags are given to runs that are not on the page, too.
  await bar.getByRole("button", { name: "Tag" }).click();
  await page
    .getByRole("dialog")
    .getByLabel(/^Add tags/)
    .fill("far apart");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.locator("tbody .chip", { hasText: "far apart" })).toHaveCount(1);
  await field.fill('tag:"far apart"');
  await expect(names(page)).toHaveText(["run 999", "run 3"]);
  await bar.getByRole("link", { name: "Compare" }).click();
  await expect(page.locator(".members li")).toHaveCount(2);
  for (const id of [ids[3], ids[999]]) await api(many.url).call("PATCH", `/runs/${id}`, { tags: [] });
});

test("groups are counted over all pages, and chosen whole", async ({ page }) => {
  await page.goto(`${many.url}/?group=sweep&sort=created:up`);
  await expect(page.locator(".group-head").first()).toContainText("run 0");
  await expect(page.locator(".group-head").first()).toContainText("450 runs");
  await expect(page.locator(".group-head")).toHaveCount(1);
  await page.locator(".group-head").first().getByRole("checkbox").check();
  await expect(page.getByText("450 runs chosen")).toBeVisible();
});

test("the stream of the list tells what is new alone", async ({ page }) => {
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(`${many.url}/`);
  await expect(names(page)).toHaveCount(100);
  const { id } = await api(many.url).create({ ...SHORT, name: "newcomer" });
  await expect(names(page).first()).toHaveText("newcomer");
  await expect(page.locator(`tr[data-run="${id}"]`)).toHaveAttribute("data-status", "finished");
  await expect(page.locator(".runs-head .counts")).toHaveText("1,001 runs");
  await expect(names(page)).toHaveCount(100);
  // It is asked for when it comes and as its status changes, not with each of its states.
  expect(asked.filter((url) => url.includes("/api/v1/runs?")).length).toBeLessThan(8);
  await api(many.url).call("DELETE", `/runs/${id}`);
  await expect(names(page).first()).toHaveText("run 999");
  await api(many.url).call("DELETE", `/trash/${id}`);
});

test("a thousand runs are chosen and compared under a URL that can be shared", async ({ page }) => {
  await page.goto(`${many.url}/`);
  await page.getByRole("checkbox", { name: "Choose all visible runs" }).check();
  await expect(page.getByText("1,000 runs chosen")).toBeVisible();
  await page.getByRole("link", { name: "Compare" }).click();
  await page.waitForURL(/\/compare\?selection=[0-9a-f]{32}$/);
  await expect(page.locator(".members li")).toHaveCount(RUNS, PATIENCE);
  await expect(page.locator(".compare-head")).toContainText("1,000 runs");
  await expect(page.getByText("Loading the curves")).toHaveCount(0, PATIENCE);
  const [saved] = await Promise.all([
    page.waitForEvent("download", PATIENCE),
    page
      .getByLabel("Export this chart")
      .first()
      .click()
      .then(() => page.getByRole("button", { name: "TensorBoard files" }).first().click()),
  ]);
  expect(saved.suggestedFilename()).toBe("tensorboard.zip");
  // Removing a run changes the URL, which shows the same runs in another browser.
  const before = page.url();
  await page.locator(".members li").first().hover();
  await page
    .locator(".members li")
    .first()
    .getByRole("button", { name: /^Remove/ })
    .click();
  await expect(page.locator(".members li")).toHaveCount(RUNS - 1);
  await expect.poll(() => page.url(), PATIENCE).not.toBe(before);
  await page.goto(page.url());
  await expect(page.locator(".members li")).toHaveCount(RUNS - 1, PATIENCE);
});

test("a URL with a thousand ids opens and becomes short", async ({ page }) => {
  await page.goto(`${many.url}/compare?${ids.map((id) => `run=${id}`).join("&")}`);
  await expect(page.locator(".members li")).toHaveCount(RUNS, PATIENCE);
  await page.waitForURL(/\/compare\?selection=[0-9a-f]{32}$/, PATIENCE);
});

test("a report about a thousand runs draws its figures", async ({ page }) => {
  const { id: selection } = await api(many.url).call("POST", "/selections", { runs: ids });
  const { url } = await api(many.url).call("POST", "/reports", {
    text: `# Many\n\n\`\`\`figure curve\nruns: selection ${selection}\nseries: validation_loss\n\`\`\`\n`,
  });
  await page.goto(`${many.url}${url}`);
  const figure = page.getByRole("img", { name: /Validation loss of .*1000 runs/ });
  await expect(figure).toBeVisible(PATIENCE);
  await expect(page.locator(".report-fault")).toHaveCount(0);
  // Deleted runs are left out.
  await api(many.url).call("DELETE", `/runs/${ids[7]}`);
  await page.reload();
  await expect(page.getByRole("img", { name: /Validation loss of .*999 runs/ })).toBeVisible(PATIENCE);
});

test("a sweep of hundreds of runs draws its curves", async ({ page }) => {
  await page.goto(`${many.url}/sweeps/${SWEEP}`);
  await expect(page.locator(".members li")).toHaveCount(OF_SWEEP - 1, PATIENCE);
  await expect(page.getByText("Loading the curves")).toHaveCount(0, PATIENCE);
  await expect(page.locator(".toast.bad")).toHaveCount(0);
});
