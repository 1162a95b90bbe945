// The form's learning-rate finder, and a recipe that is switched on, trained and copied.

import { expect, overflow, test, unfold } from "./vivarium.js";

/** @param {import("@playwright/test").Page} page @param {string} name */
const box = (page, name) => page.getByRole("textbox", { name, exact: true });

/** @param {import("@playwright/test").Page} page @param {string} path */
const group = (page, path) => page.locator(`.group[data-path="${path}"]`);

test("a learning rate is found, drawn, suggested and taken with a click", async ({ page }) => {
  await page.goto("/new");
  const optimizer = group(page, "training.optimizer");
  await optimizer.getByRole("button", { name: "Find a learning rate" }).click();
  const take = optimizer.getByRole("button", { name: /^Use / });
  await expect(take).toBeVisible();
  await expect(optimizer.locator(".finder-words")).toContainText("longest fall of the loss");
  const suggested = ((await take.textContent()) ?? "").replace("Use ", "");
  await expect(optimizer.getByRole("img")).toHaveAccessibleName(
    `Loss at rising learning rates; suggested: ${suggested}`,
  );
  await expect(optimizer.locator(".finder .rate-line")).toHaveAttribute("d", /^M0\.00 .*L/);
  await take.click();
  await expect(box(page, "Learning rate")).toHaveValue(suggested);
  await expect(box(page, "Learning rate")).toBeFocused();
  // The rate is not what the search depends on; the batch size is.
  await expect(optimizer.locator(".finder")).not.toHaveClass(/stale/);
  await expect(page.locator(".plan-line")).toContainText("parameters");
  await box(page, "Batch size").fill("32");
  await expect(optimizer.locator(".finder")).toHaveClass(/stale/);
  await expect(take).toBeHidden();
  await page.setViewportSize({ width: 400, height: 800 });
  expect(await overflow(page)).toBe(0);
});

test("a search is cancelled, and one that cannot begin says why", async ({ page }) => {
  await page.goto("/new");
  const optimizer = group(page, "training.optimizer");
  await box(page, "Hidden widths").fill("2048, 2048");
  await optimizer.getByRole("button", { name: "Find a learning rate" }).click();
  await expect(optimizer.locator(".finder-words")).toContainText(/Step \d+ of/);
  await optimizer.getByRole("button", { name: "Cancel" }).click();
  await expect(optimizer.locator(".finder-words")).toHaveText("Cancelled.");
  await expect(optimizer.getByRole("button", { name: "Find a learning rate" })).toBeVisible();
  await box(page, "Batch size").fill("0");
  await optimizer.getByRole("button", { name: "Find a learning rate" }).click();
  await expect(optimizer.locator(".finder-words")).toContainText("must be between 1 and 65536");
  await page.locator("#c-kind-perceptron").check();
  await box(page, "Batch size").fill("8");
  await optimizer.getByRole("button", { name: "Find a learning rate" }).click();
  await expect(optimizer.locator(".finder-words")).toContainText("every rate learns the same");
  await expect(optimizer.getByRole("button", { name: /^Use / })).toBeHidden();
});

test("a recipe is switched on in the form, trains, and is copied", async ({ page, vivarium }) => {
  await page.goto("/new");
  await box(page, "Epochs").fill("2");
  const augmentation = await unfold(page, "Augmentation and normalisation");
  const regularisation = await unfold(page, "Regularisation");
  const samples = await unfold(page, "Samples and splits");
  for (const path of ["data.randaugment", "data.color_jitter", "training.mixup", "training.cutmix", "training.ema"])
    await group(page, path).getByRole("radio", { name: "On" }).check();
  await box(page, "Decay").fill("0.9");
  await page.getByRole("switch", { name: "Test-time flip" }).check();
  await page.getByRole("radio", { name: "Each class equally often" }).check();
  await expect(augmentation.locator(".fold-note")).toHaveText("5 changed");
  await expect(regularisation.locator(".fold-note")).toHaveText("Averaged weights (EMA): On · Decay: 0.9");
  await expect(samples.locator(".fold-note")).toHaveText("Sampling: Each class equally often");
  // Weights beside even classes are one correction too many.
  const weights = page.locator('.field[data-path="training.class_weights"]');
  await weights.getByRole("radio", { name: "Balanced" }).check();
  await expect(weights.locator(".field-error")).toContainText("must be none with balanced sampling");
  await weights.getByRole("radio", { name: "None" }).check();
  await expect(weights.locator(".field-error")).toBeHidden();
  await page.getByRole("button", { name: "Start run" }).click();
  await page.waitForURL("**/runs/*");
  await expect(page.locator(".run-head .badge")).toHaveAttribute("data-status", "finished");
  await expect(page.locator("main")).toContainText("mean over each image and its mirror");
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const { spec } = await vivarium.get(id);
  expect(spec.training).toMatchObject({ mixup: { alpha: 0.2 }, ema: { decay: 0.9 }, sampling: "balanced" });
  expect(spec.data).toMatchObject({ randaugment: { num_ops: 2, magnitude: 9 }, test_time_flip: true });

  // What a copy has changed is unfolded.
  await page.goto(`/new?copy=${id}`);
  await expect(group(page, "training.mixup").getByRole("radio", { name: "On" })).toBeChecked();
  await expect(group(page, "data.random_resized_crop").getByRole("radio", { name: "Off" })).toBeChecked();
  await expect(box(page, "Decay")).toHaveValue("0.9");
});

test("what makes no sense for points or the perceptron is not offered", async ({ page }) => {
  await page.goto("/new");
  for (const topic of ["Augmentation and normalisation", "Regularisation", "Samples and splits"])
    await unfold(page, topic);
  await expect(group(page, "data.randaugment")).toBeVisible();
  await page.locator("#c-set-moons").check();
  for (const path of ["data.randaugment", "data.color_jitter", "data.random_resized_crop", "training.cutmix"])
    await expect(group(page, path)).toBeHidden();
  await expect(group(page, "training.mixup")).toBeVisible();
  await page.locator("#c-kind-perceptron").check();
  await expect(group(page, "training.mixup")).toBeHidden();
  await expect(page.locator('.field[data-path="training.class_weights"]')).toHaveCount(0);
  await expect(group(page, "training.ema")).toBeVisible();
  await expect(page.locator(".plan-line")).toContainText("parameters");
});
