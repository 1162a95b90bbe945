// The page of a run's evaluation: alone, beside another run, and where there is nothing to evaluate.

import { readFileSync } from "node:fs";
import { DIVERGES, LONG, expect, overflow, test, trained } from "./vivarium.js";

/** @param {number} seed */
const digits = (seed) => ({
  name: `digits ${seed}`,
  data: { set: "digits", size: 16, channels: 1 },
  network: { kind: "mlp", hidden: [24] },
  training: { epochs: 2, batch_size: 32, seed, threads: 1 },
});

test("figures, classes, curves, reliability, thresholds and mistakes of a run", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, digits(1));
  await page.goto(url);
  await page.getByRole("link", { name: "Evaluation" }).click();
  await page.waitForURL(`**${url}/evaluation`);
  const glance = page.getByRole("region", { name: "At a glance" });
  await expect(glance).toContainText("95% interval");
  const of = await vivarium.call("GET", `/runs/${id}/evaluation`);
  const percent = (/** @type {number} */ value) => `${(value * 100).toFixed(1)}%`;
  await expect(glance).toContainText(percent(of.accuracy.value));
  await expect(glance).toContainText(percent(of.macro_average.f1.value));
  await expect(glance).toContainText(percent(of.calibration.plain.ece.value));

  // A sentence says the result, and links lead to the parts.
  await expect(glance.locator(".summary-first")).toHaveText(
    new RegExp(`^${percent(of.accuracy.value)} of the ${of.samples} test samples are predicted correctly`),
  );
  const contents = page.getByRole("navigation", { name: "On this page" });
  await contents.getByRole("link", { name: "Most confident mistakes", exact: true }).click();
  await expect(page.getByRole("region", { name: "Most confident mistakes" })).toBeInViewport();
  await expect(page.getByLabel("Compare with")).toHaveValue("");
  await expect(page.getByLabel("Compare with").locator("option")).toHaveText("no other run");

  // The table sorts by any column.
  const table = page.getByRole("region", { name: "Figures of each class" });
  await expect(table.locator("tbody tr")).toHaveCount(10);
  await table.getByRole("button", { name: "Recall" }).click();
  const recalls = of.per_class.map((/** @type {any} */ figures) => figures.recall.value);
  const best = percent(Math.max(...recalls));
  await expect(table.locator("tbody tr").first().locator("td").nth(2)).toHaveText(best);
  await table.getByRole("button", { name: "Recall" }).click();
  await expect(table.locator("tbody tr").first().locator("td").nth(2)).toHaveText(percent(Math.min(...recalls)));

  // Curves of chosen classes.
  const curves = page.getByRole("region", { name: "Curves", exact: true });
  await expect(curves.locator(".unit-line:not(.dashed)")).toHaveCount(6);
  await curves.getByLabel("Add a class").selectOption("7");
  if ((await curves.locator(".curve-class").count()) === 4)
    await expect(curves.locator(".unit-line:not(.dashed)")).toHaveCount(8);
  await curves.locator(".curve-class").first().click();
  await expect(curves.locator(".unit-line:not(.dashed)")).toHaveCount(6);

  // The temperature changes the diagram.
  const reliability = page.getByRole("region", { name: "Reliability" });
  const error = reliability.locator("b").first();
  await expect(error).toContainText(percent(of.calibration.plain.ece.value));
  await reliability.getByRole("radio", { name: /^with temperature/ }).check();
  await expect(error).toContainText(percent(of.calibration.temperature.calibrated.ece.value));

  // The slider declines the least certain.
  const threshold = page.getByRole("region", { name: "None of these" });
  await expect(threshold).toContainText("It always answers");
  await threshold.getByRole("slider").fill("500");
  await expect(threshold).toContainText(/Answer from .* sure on, else “none of these”/);

  // A cell shows its images, and a mistake opens inside.
  const first = of.confusions[0];
  const confusion = page.getByRole("region", { name: "Confusion matrix" });
  // That of the most frequent mistake is open.
  await expect(confusion.locator("h3")).toContainText(
    `predicted as ${of.classes[first.predicted]}: ${first.count} image`,
  );
  await expect(confusion.locator(".thumb")).toHaveCount(Math.min(12, first.count));
  const second = of.confusions[1];
  await confusion.locator("ol.frequent button").nth(1).click();
  await expect(confusion.locator("h3")).toContainText(
    `${of.classes[second.truth]} predicted as ${of.classes[second.predicted]}`,
  );
  await expect(confusion.locator(".thumb")).toHaveCount(Math.min(12, second.count));
  const confident = page.getByRole("region", { name: "Most confident mistakes" });
  await expect(confident.locator(".thumb")).toHaveCount(Math.min(12, of.mistakes.length));
  if (of.mistakes.length > 12) {
    await confident.getByRole("button", { name: /^Show \d+ more$/ }).click();
    await expect(confident.locator(".thumb")).toHaveCount(Math.min(60, of.mistakes.length));
    await expect(confident.locator(".thumb").nth(12)).toBeFocused();
  }
  const mistake = of.mistakes[0];
  await page.getByRole("region", { name: "Most confident mistakes" }).locator(".thumb").first().click();
  await page.waitForURL(`**/inside?image=test*${mistake.index}*`);
  await expect(page.locator(".predictions")).toBeVisible();
});

test("the table of classes and all figures are downloaded", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, digits(1));
  await page.goto(`${url}/evaluation`);
  await expect(page.getByRole("region", { name: "At a glance" })).toBeVisible();
  const save = async (/** @type {string} */ name) => {
    await page.locator("summary", { hasText: "Download" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
    return readFileSync(await file.path(), "utf8");
  };
  const csv = (await save("Classes, CSV")).trim().split("\r\n");
  expect(csv).toHaveLength(1 + 10 + 3);
  expect(csv[0]).toContain("average_precision_low");
  expect(csv[11]).toMatch(/^macro average,/);
  expect(JSON.parse(await save("Everything, JSON")).per_class).toHaveLength(10);
});

test("two runs stand side by side, and others are refused with a reason", async ({ page, vivarium }) => {
  const [a, b] = [await trained(vivarium, digits(1)), await trained(vivarium, { ...digits(2), name: "second" })];
  const moons = await trained(vivarium, {
    name: "moons",
    data: { set: "moons" },
    network: { kind: "mlp" },
    training: { epochs: 1 },
  });
  await page.goto(`/compare?run=${a.id}&run=${b.id}`);
  await page.getByRole("link", { name: "Evaluate side by side" }).click();
  await page.waitForURL(`**/evaluation?with=*`);
  const comparison = page.getByRole("region", { name: "Comparison" });
  await expect(comparison).toContainText("McNemar's test");
  await expect(comparison).toContainText(/p [=<] 0\.\d+|p = 1\.000/);
  await expect(page.getByRole("region", { name: "Figures of each class" })).toContainText("Recall against second");
  await page.goto(`${a.url}/evaluation?with=${moons.id}`);
  await expect(page.locator(".notice.warn")).toContainText("not evaluated on the same test samples");
  await expect(page.getByRole("region", { name: "At a glance" })).toBeVisible();
});

test("a run that trains says why it has no test figures, and has those of its validation split", async ({
  page,
  vivarium,
}) => {
  const { id, url } = await vivarium.create(LONG);
  await expect.poll(async () => (await vivarium.get(id)).summary.epoch, { timeout: 45_000 }).toBeGreaterThan(0);
  await page.goto(`${url}/evaluation`);
  await expect(page.getByText("The run is not over.")).toBeVisible();
  await expect
    .poll(async () => (await vivarium.call("GET", `/runs/${id}/layers`).catch(() => null)) !== null, {
      timeout: 45_000,
    })
    .toBe(true);
  await page.getByRole("button", { name: "Validation split" }).click();
  await expect(page.getByRole("region", { name: "At a glance" })).toBeVisible({ timeout: 30_000 });
  await expect(page).toHaveURL(/split=validation/);
  await vivarium.call("POST", `/runs/${id}/stop`);
});

test("a run that diverged before its first checkpoint says so, and gives no hope of one", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, DIVERGES);
  await page.goto(`${url}/evaluation`);
  await expect(page.locator(".empty")).toContainText("The run diverged before its first checkpoint: the loss of step");
  await expect(page.locator(".empty")).toContainText("a lower learning rate");
  await expect(page.getByRole("button", { name: "Try again" })).toBeHidden();
  await page.goto(`${url}/predict`);
  await expect(page.locator(".empty")).toContainText("The run diverged before its first checkpoint");
});

test("charts fill their cards, colours have a legend, and no column is cut off", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, digits(1));
  await page.goto(`${url}/evaluation`);
  for (const width of [1440, 768, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await expect(page.locator(".unit-line").first()).toBeVisible();
    for (const card of [".reliability-card", ".threshold-card"]) {
      const room = await page.locator(`${card} .card-body`).evaluate((body) => {
        const { paddingLeft, paddingRight } = getComputedStyle(body);
        return body.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
      });
      const svg = page.locator(`${card} .unit-chart`).first();
      // Drawn for the width that it has, so its text has the size that it says.
      await expect
        .poll(() => svg.evaluate((of) => Number(of.getAttribute("viewBox")?.split(" ")[2])))
        .toBeCloseTo(room, -1);
      expect((await svg.boundingBox())?.width).toBeCloseTo(room, -1);
      expect(
        await svg
          .locator("text")
          .first()
          .evaluate((of) => getComputedStyle(of).fontSize),
      ).toBe("12px");
    }
    await expect(page.getByRole("list", { name: "Colours of the diagram" })).toContainText("too sure by so much");
    if (width < 700) continue;
    const table = page.getByRole("group", { name: "Table of classes" });
    expect(await table.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
  }
});

test("classes are told apart on scales that are said, parts have one name, and a phone's table says that it goes on", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, digits(1));
  await page.goto(`${url}/evaluation`);
  const links = page.getByRole("navigation", { name: "On this page" }).getByRole("link");
  await expect(links.first()).toBeVisible();
  for (const link of await links.all()) {
    const part = page.locator((await link.getAttribute("href")) ?? "");
    await expect(part.getByRole("heading", { level: 2 })).toHaveText((await link.textContent()) ?? "");
    expect(await link.evaluate((element) => getComputedStyle(element).textDecorationLine)).toBe("underline");
  }
  const table = page.getByRole("region", { name: "Figures of each class" });
  await expect(table.locator("thead .class-scale")).toHaveText(Array(5).fill(/^[\d.]+ to 100%$/));
  await expect(table).toContainText("AUC: how often a sample of the class ranks above one of another");
  await expect(page.getByRole("region", { name: "At a glance" })).toContainText("Brier score: the squared distance");
  await page.setViewportSize({ width: 400, height: 900 });
  const further = table.getByRole("button", { name: "Scroll to further columns" });
  await expect(further).toBeVisible();
  await further.click();
  await expect(table.getByRole("columnheader", { name: "AUC" })).toBeInViewport();
  expect(await overflow(page)).toBe(0);
});

test("nothing is asked of a run without a checkpoint", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, DIVERGES);
  /** @type {string[]} */
  const refused = [];
  page.on("response", (response) => response.status() >= 400 && refused.push(response.url()));
  await page.goto(`${url}/evaluation`);
  await expect(page.locator(".empty")).toContainText("There is no checkpoint");
  expect(refused).toEqual([]);
});

test("points in the plane and a perceptron, whose scores are no probabilities", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, {
    name: "perceptron",
    data: { set: "blobs" },
    network: { kind: "perceptron" },
    training: { epochs: 2 },
  });
  await page.goto(url);
  await page.getByRole("link", { name: "Evaluation" }).click();
  await expect(page.getByRole("region", { name: "Reliability" })).toContainText("no probabilities");
  await expect(page.getByRole("link", { name: "Look inside" })).toBeHidden();
  await expect(page.getByRole("region", { name: "Most confident mistakes" }).locator("img")).toHaveCount(0);
});

for (const [name, width, colorScheme] of /** @type {const} */ ([
  ["phone", 400, "light"],
  ["phone in the dark", 400, "dark"],
  ["wide window in the dark", 1440, "dark"],
])) {
  test(`nothing sticks out on a ${name}`, async ({ page, vivarium }) => {
    const [a, b] = [await trained(vivarium, digits(1)), await trained(vivarium, digits(2))];
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.goto(`${a.url}/evaluation?with=${b.id}`);
    await expect(page.getByRole("region", { name: "Comparison" })).toBeVisible();
    await expect(page.locator(".unit-line:not(.dashed)").first()).toBeVisible();
    expect(await overflow(page)).toBe(0);
    // What is wider than its card scrolls within it.
    for (const box of await page.locator(".scrolls").all())
      expect(await box.evaluate((element) => getComputedStyle(element).overflowX)).toBe("auto");
    const threshold = page.getByRole("region", { name: "None of these" });
    await threshold.scrollIntoViewIfNeeded();
    await threshold.getByRole("slider").fill("300");
    await expect(threshold).toContainText("none of these");
  });
}
