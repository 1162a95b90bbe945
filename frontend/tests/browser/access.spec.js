// Every page is checked by axe, in both colour schemes: names of controls, order of headings, contrast, nesting.

import { violations } from "./axe.js";
import { expect, test, trained } from "./vivarium.js";

const IMAGES = {
  name: "images",
  data: { set: "digits", size: 32, channels: 1 },
  network: { kind: "vgg16", head: "compact", width: 0.0625 },
  training: { epochs: 1, batch_size: 64, threads: 1 },
};
const POINTS = {
  name: "points",
  data: { set: "moons" },
  network: { kind: "mlp", hidden: [8] },
  training: { epochs: 2, threads: 1 },
};

const PERCEPTRON = {
  name: "perceptron",
  data: { set: "blobs" },
  network: { kind: "perceptron" },
  training: { epochs: 2 },
};

/**
 * What axe finds on a page in both schemes.
 * @param {import("@playwright/test").Page} page
 */
async function found(page) {
  const all = [];
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const one of await violations(page, "html")) all.push(`${colorScheme}: ${one}`);
  }
  return all;
}

/** The text of a network of one's own. */
const TEXT = `def small(classes, hidden=option(16, min=1, max=64, label="Hidden width")):
    return Sequential(Flatten(), Linear(hidden), ReLU(), Linear(classes))
`;

test("pages without a run", async ({ page }) => {
  for (const path of [
    "/",
    "/new",
    "/new?preset=learning-rate",
    "/networks",
    "/networks/vgg16",
    "/playground",
    "/playground?lesson=sigmoid",
    "/reports",
    "/data",
    "/data/digits",
    "/data/spiral",
    "/runs/none",
  ]) {
    await page.goto(path);
    await page.locator("main h1").first().waitFor();
    expect.soft(await found(page), path).toEqual([]);
  }
});

test("pages of a run on images", async ({ page, vivarium }) => {
  test.setTimeout(180_000);
  const { url } = await trained(vivarium, IMAGES, 60_000);
  /** @type {[string, string][]} */
  const pages = [
    ["/", "table"],
    [url, ".chart"],
    [`${url}/inside?layer=features.0`, ".net-scroll"],
    [`${url}/evaluation`, ".class-table"],
    [`${url}/predict`, ".photo-drop"],
  ];
  for (const [path, shown] of pages) {
    await page.goto(path);
    await page.locator(shown).first().waitFor({ timeout: 60_000 });
    expect.soft(await found(page), path).toEqual([]);
  }
});

test("pages of points, of several runs and of a report", async ({ page, vivarium }) => {
  test.setTimeout(180_000);
  const { id, url } = await trained(vivarium, POINTS, 60_000);
  const sweep = await vivarium.call("POST", "/sweeps", {
    base: POINTS,
    grid: { "training.optimizer.lr": [0.1, 0.01, 0.001] },
  });
  for (const run of sweep.runs)
    await expect.poll(async () => (await vivarium.get(run.id)).status, { timeout: 60_000 }).toBe("finished");
  const perceptron = await trained(vivarium, PERCEPTRON, 60_000);
  const pages = [url, perceptron.url, `${url}/evaluation`, sweep.url, `/compare?run=${id}&run=${sweep.runs[0].id}`];
  for (const path of pages) {
    await page.goto(path);
    await page.locator(".card").first().waitFor();
    expect.soft(await found(page), path).toEqual([]);
  }
  await page.goto(sweep.url);
  await page.getByRole("button", { name: "Report" }).click();
  await page.waitForURL("**/reports/*");
  await expect(page.locator(".figure-wait")).toHaveCount(0);
  expect.soft(await found(page), "report").toEqual([]);
  for (const name of ["Figure", "Reference"]) {
    await page.getByRole("button", { name, exact: true }).click();
    await page.getByRole("dialog").waitFor();
    expect.soft(await found(page), name).toEqual([]);
    await page.keyboard.press("Escape");
  }
});

test("the editor of a network", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/small", { source: TEXT });
  await page.goto("/networks/small");
  await page.locator(".cm-content").waitFor();
  expect(await found(page)).toEqual([]);
  await vivarium.call("DELETE", "/networks/small");
});
