// More runs than fit into a URL: a thousand runs compared, exported and reported on, and a sweep of hundreds.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeRun } from "../measure/synthetic.js";
import { api, expect, startServer, test } from "./vivarium.js";

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
    .poll(
      async () =>
        (await api(many.url).call("GET", "/runs")).runs.filter((/** @type {any} */ { status }) => status === "finished")
          .length,
      PATIENCE,
    )
    .toBe(RUNS);
});

test.afterAll(async () => many?.stop());

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
