// The playground: training in the browser, settings in the address, and the run that it leads to.

import { violations } from "./axe.js";
import { expect, overflow, test } from "./vivarium.js";

/** @param {import("@playwright/test").Page} page @param {string} label */
async function figure(page, label) {
  const text = await page.locator(".transport-figures div", { hasText: label }).locator("dd").textContent();
  return Number((text ?? "").replace(/[^\d.e-]/g, ""));
}

/** @param {import("@playwright/test").Page} page @param {string} name */
const button = (page, name) => page.getByRole("button", { name, exact: true });

test("a step is one batch, an epoch goes on to its end, and Reset brings the first weights back", async ({ page }) => {
  await page.goto("/playground");
  await expect(page.getByText("The weights are random, and nothing is learnt yet.")).toBeVisible();
  const first = await figure(page, "Training loss");
  await button(page, "Step").click();
  expect([await figure(page, "Epoch"), await figure(page, "Step")]).toEqual([0, 1]);
  expect(await figure(page, "Training loss")).not.toBe(first);
  await button(page, "Epoch").click();
  // 320 training points in batches of 32.
  expect([await figure(page, "Epoch"), await figure(page, "Step")]).toEqual([1, 10]);
  await button(page, "Reset").click();
  await expect.poll(() => figure(page, "Step")).toBe(0);
  expect(await figure(page, "Training loss")).toBe(first);
});

test("it runs until it is paused, by the space bar too, and tells circles apart", async ({ page }) => {
  await page.goto("/playground");
  await page.getByRole("radio", { name: "Fast" }).check();
  await page.getByRole("heading", { name: "Playground" }).click();
  await page.keyboard.press("Space");
  await expect(button(page, "Pause")).toBeVisible();
  await expect.poll(() => figure(page, "Test accuracy")).toBeGreaterThan(95);
  await page.keyboard.press("Space");
  await expect(button(page, "Run")).toBeVisible();
  const steps = await figure(page, "Step");
  await page.waitForFunction(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))),
  );
  expect(await figure(page, "Step")).toBe(steps);
  await expect(page.locator(".findings")).toContainText("Both training and test points are told apart");
  await expect(page.locator("#announce")).toContainText("of the test points are right");
});

test("another activation begins anew and changes the gradients; another rate goes on", async ({ page }) => {
  await page.goto("/playground?hidden=8,8,8,8");
  await button(page, "Epoch").click();
  await page.getByLabel("Learning rate").selectOption("0.1");
  expect(await figure(page, "Epoch")).toBe(1);
  await page.getByRole("radio", { name: "Sigmoid" }).check();
  await expect.poll(() => figure(page, "Epoch")).toBe(0);
  await expect(page.locator(".findings")).toContainText(
    /^Sigmoid in 4 layers: the gradient of the first layer is [\d,]+ times smaller/,
  );
  const gradients = (await page.locator(".net-gradient").allTextContents()).map(Number);
  expect(gradients).toHaveLength(5);
  expect(gradients[0]).toBeLessThan(gradients[4] / 100);
});

test("layers and neurons are added and removed, within their limits", async ({ page }) => {
  await page.goto("/playground?hidden=7");
  await expect(page.locator(".net-neuron")).toHaveCount(2 + 7 + 2);
  await button(page, "Add a neuron to layer 1").click();
  await expect(button(page, "Add a neuron to layer 1")).toBeDisabled();
  await expect(page).toHaveURL(/hidden=8/);
  for (let layer = 2; layer <= 5; layer += 1) await button(page, "Add a hidden layer").click();
  await expect(button(page, "Add a hidden layer")).toBeDisabled();
  await expect(button(page, "Remove the last hidden layer")).toBeFocused();
  await expect(page.locator(".net-neuron")).toHaveCount(2 + 5 * 8 + 2);
  await expect(
    page.getByRole("group", {
      name: "Network: 2 inputs, 5 hidden layers of 8, 8, 8, 8 and 8 neurons with Tanh, 2 outputs",
    }),
  ).toBeVisible();
  for (let layer = 5; layer >= 1; layer -= 1) await button(page, "Remove the last hidden layer").click();
  await expect(page.getByText("Without a hidden layer this is a linear classifier with softmax")).toBeVisible();
});

test("a neuron shows its picture and its weights by keyboard, and a weight that is changed changes the loss", async ({
  page,
}) => {
  await page.goto("/playground?hidden=3,2");
  const output = page.getByRole("region", { name: "Output" });
  await expect(output.getByRole("heading")).toHaveText("Output");
  await page.getByRole("button", { name: "Layer 1, neuron 1" }).focus();
  await page.keyboard.press("ArrowDown");
  await expect(output.getByRole("heading")).toHaveText("Layer 1, neuron 2");
  await page.keyboard.press("ArrowRight");
  await expect(output.getByRole("heading")).toHaveText("Layer 2, neuron 2");
  await page.keyboard.press("Enter");
  const weights = page.getByRole("region", { name: "Weights of a neuron" });
  await expect(weights.getByRole("spinbutton")).toHaveCount(1 + 3);
  await expect(weights.getByRole("spinbutton", { name: "Bias" })).toBeFocused();
  const before = await figure(page, "Training loss");
  await weights.getByRole("spinbutton", { name: "From neuron 3" }).fill("2.5");
  await expect.poll(() => figure(page, "Training loss")).not.toBe(before);
  await page.keyboard.press("Escape");
  await expect(weights).toBeHidden();
  await expect(page.getByRole("button", { name: "Layer 2, neuron 2" })).toBeFocused();
  await button(page, "Reset").click();
  await expect.poll(() => figure(page, "Training loss")).toBe(before);
});

test("links and biases tell their value under the pointer, and a press leads to the number", async ({ page }) => {
  await page.goto("/playground?hidden=1");
  const source = await page.getByRole("button", { name: "Input y" }).boundingBox();
  const target = await page.getByRole("button", { name: "Layer 1, neuron 1" }).boundingBox();
  if (!source || !target) throw new Error("neurons without a place");
  const x = (source.x + source.width + target.x) / 2;
  const y = (source.y + target.y) / 2 + source.height / 2;
  await page.mouse.move(x, y);
  await expect(page.locator(".net-tip")).toHaveText(/^-?\d.*: from y to layer 1, neuron 1$/);
  await page.mouse.click(x, y);
  await expect(page.getByRole("spinbutton", { name: "From y" })).toBeFocused();
  await page.keyboard.press("Escape");
  await page.mouse.move(target.x - 6, target.y + target.height - 5);
  await expect(page.locator(".net-tip")).toHaveText("0: bias of layer 1, neuron 1");
  await page.mouse.down();
  await page.mouse.up();
  await expect(page.getByRole("spinbutton", { name: "Bias" })).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await page.mouse.move(target.x - 6, target.y + target.height - 6);
  await expect(page.locator(".net-tip")).toHaveText("0.1: bias of layer 1, neuron 1");
  expect(await violations(page, ".net-card")).toEqual([]);
});

test("the address holds the settings, and the back button brings those of before", async ({ page }) => {
  await page.goto("/playground");
  await page.getByRole("radio", { name: "Spiral" }).check();
  await expect(page).toHaveURL(/\?data=spiral$/);
  await page.getByRole("slider", { name: "Classes" }).fill("3");
  await page.getByLabel("Optimizer").getByRole("radio", { name: "AdamW" }).check();
  await expect(page).toHaveURL(/\?data=spiral&classes=3&optimizer=adamw$/);
  await expect(page.getByLabel("Momentum")).toBeHidden();
  await page.reload();
  await expect(page.getByRole("radio", { name: "Spiral" })).toBeChecked();
  await expect(page.getByRole("slider", { name: "Classes" })).toHaveValue("3");
  await page.goBack();
  await expect(page.getByLabel("Momentum")).toBeVisible();
  await page.goBack();
  await page.goBack();
  await expect(page.getByRole("radio", { name: "Circles" })).toBeChecked();
  await page.goto("/playground?hidden=9&data=moons");
  await expect(page.getByRole("status").filter({ hasText: "hidden “9”: up to 5 numbers from 1 to 8" })).toBeVisible();
  await expect(page.getByRole("radio", { name: "Moons" })).toBeChecked();
});

test("a lesson brings its settings and what to look for", async ({ page }) => {
  await page.goto("/playground");
  await page.getByRole("link", { name: "A perceptron cannot do exclusive or" }).click();
  await expect(page).toHaveURL(/\?lesson=xor$/);
  await expect(page.locator(".lesson")).toContainText("One straight line");
  await expect(page.getByRole("radio", { name: "Exclusive or" })).toBeChecked();
  await button(page, "Add a hidden layer").click();
  await expect(page).toHaveURL(/\?lesson=xor&hidden=4$/);
  await page.goBack();
  await page.goBack();
  await expect(page.locator(".lesson")).toBeHidden();
});

test("a run with the same settings ends with the same test accuracy and nearly the same loss", async ({
  page,
  vivarium,
}) => {
  test.setTimeout(120_000);
  await page.goto("/playground?data=moons&noise=0.3&hidden=8,4&activation=silu&batch=16&decay=0.001&seed=3");
  for (let epoch = 0; epoch < 3; epoch += 1) await button(page, "Epoch").click();
  const accuracy = await figure(page, "Test accuracy");
  const loss = await figure(page, "Test loss");
  await page.getByRole("link", { name: "Train this as a run" }).click();
  await page.waitForURL("**/new?spec=*");
  await expect(page.getByText("With the settings of the link")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Hidden widths" })).toHaveValue("8, 4");
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForURL("**/runs/*");
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  await expect.poll(async () => (await vivarium.get(id)).status, { timeout: 60_000 }).toBe("finished");
  const { spec, summary } = await vivarium.get(id);
  expect(spec.training.epochs).toBe(3);
  expect(accuracy).toBeCloseTo(100 * summary.test_accuracy, 1);
  expect(loss).toBeCloseTo(summary.test_loss, 3);
});

test("rubbish in a link to the form is named, and the form has its defaults", async ({ page }) => {
  await page.goto(`/new?spec=${encodeURIComponent('{"data": {"set": "stars"}}')}`);
  await expect(page.getByText("has no data set of this server in data.set")).toBeVisible();
  await expect(page.getByRole("button", { name: "Start" })).toBeEnabled();
});

test("it fits a phone, with five layers too", async ({ page }) => {
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto("/playground?lesson=sigmoid&hidden=8,8,8,8,8");
  await button(page, "Step").click();
  expect(await overflow(page)).toBe(0);
});
