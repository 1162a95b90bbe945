// The form's forecasts: learning rate over the run, time, and memory.

import { expect, overflow, test, unfold } from "./vivarium.js";

/** @param {import("@playwright/test").Page} page @param {string} name */
const box = (page, name) => page.getByRole("textbox", { name, exact: true });

test("the learning rate is drawn while settings are typed, and stays while they are invalid", async ({ page }) => {
  await page.goto("/new");
  await unfold(page, "Schedule and early stopping");
  const group = page.locator('[data-path="training.schedule"]');
  const chart = group.getByRole("img");
  await expect(chart).toHaveAccessibleName("Learning rate 0.01 at every step");
  await group.getByRole("radio", { name: "Cosine" }).check();
  await expect(chart).toHaveAccessibleName(/^Learning rate from 0.01 at step 1, to .* at step/);
  await box(page, "Warm-up").fill("2");
  await expect(chart).toHaveAccessibleName(/, 0\.01 at step/);
  const line = await chart.locator(".rate-line").getAttribute("d");

  await box(page, "Warm-up").fill("200");
  await expect(page.locator('[data-path="training.schedule.warmup_epochs"] .field-error')).toContainText(
    "must be less than the run's epochs",
  );
  await expect(chart.locator(".rate-line")).toHaveAttribute("d", String(line));
  await group.getByRole("radio", { name: "One cycle" }).check();
  await expect(page.locator('[data-path="training.schedule.warmup_epochs"]')).toHaveCount(0);
  await expect(chart).toHaveAccessibleName(/^Learning rate from 0.0004 at step 1, 0.01 at step/);
});

test("the run's time and memory are measured before it starts", async ({ page }) => {
  await page.goto("/new");
  const estimate = page.locator(".estimate");
  await expect(estimate.locator(".estimate-time")).toHaveText(/^(about|less than) \d+ (s|min)$/);
  await expect(estimate).toContainText(/ · [\d.]+ MiB/);
  await expect(estimate).toContainText(/Measured on \d+ steps? with/);
  await box(page, "Epochs").fill("100000");
  await expect(estimate.locator(".estimate-time")).toHaveText(/^about \d+ (min|h|d)( \d+ \w+)?$/);
  await page.getByLabel("Setting to compare").selectOption({ label: "Batch size" });
  await box(page, "Batch size").last().fill("32, 64");
  await expect(estimate.locator(".estimate-time")).toHaveText(/^(about|less than) .+ for all 2$/);
});

test("no estimate of other settings is shown, and none for invalid settings", async ({ page }) => {
  await page.goto("/new");
  const time = page.locator(".estimate-time");
  await expect(time).toHaveText(/^(about|less than) \d+ (s|min)$/);
  await box(page, "Batch size").fill("128");
  await expect(time).toHaveText("Measuring time and memory…");
  await expect(page.locator(".estimate")).not.toContainText("MiB");
  await expect(time).toHaveText(/^(about|less than) \d+ (s|min)$/);
  await box(page, "Batch size").fill("0");
  await expect(time).toHaveText("");
});

test("a network shows what it uses: the perceptron has no labels to smooth", async ({ page }) => {
  await page.goto("/new");
  await unfold(page, "Regularisation");
  await expect(box(page, "Label smoothing")).toBeVisible();
  await box(page, "Label smoothing").fill("0.1");
  await page.locator("#c-kind-perceptron").check();
  await expect(box(page, "Label smoothing")).toHaveCount(0);
  await expect(page.locator(".plan-line")).toContainText("parameters");
  await page.setViewportSize({ width: 400, height: 800 });
  expect(await overflow(page)).toBe(0);
});
