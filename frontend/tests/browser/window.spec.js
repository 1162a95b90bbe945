// The window of a layer: its sums are those of the API, for every kind of layer, forward and backward; by clock, keys
// and pointer; in both themes and on a phone.

import { fileURLToPath } from "node:url";
import { violations } from "./axe.js";
import { expect, overflow, test, trained } from "./vivarium.js";

/** @import { Page } from "@playwright/test" */

const PHOTO = fileURLToPath(new URL("../../../models/tests/golden/photos/rgb.jpg", import.meta.url));

/** Strides, padding, dilation, groups, both pools and two fully connected layers. */
const SOURCE = `
def network(classes):
    return Sequential(
        features=Sequential(
            Conv2d(8, 3, stride=2, padding=1),
            BatchNorm2d(),
            ReLU(),
            Conv2d(8, 3, padding=2, dilation=2, groups=2),
            ReLU(),
            MaxPool2d(3, stride=2, padding=1),
            Conv2d(12, 3, stride=2, padding=1, bias=False),
            ReLU(),
            AvgPool2d(2),
        ),
        classifier=Sequential(Flatten(), Linear(16), ReLU(), Linear(classes)),
    )
`;
const DATA = { set: "digits", size: 32, channels: 3, limit: 100 };
const TRAINING = { epochs: 1, batch_size: 32, seed: 7, optimizer: { kind: "sgd", lr: 0.05 } };
const SPEC = { name: "windows", data: DATA, network: { kind: "custom", source: SOURCE }, training: TRAINING };

/** What the page has computed at its position, and what the network has there. @param {Page} page */
const computed = (page) =>
  page.locator(".window-view").evaluate((view) => {
    const { sum, value, position } = /** @type {HTMLElement} */ (view).dataset;
    return { sum: Number(sum), value: Number(value), position: Number(position) };
  });

/** Waits until the window is at a position. @param {Page} page @param {number} position */
const isAt = (page, position) => expect.poll(async () => (await computed(page)).position).toBe(position);

/** @param {number} a @param {number} b @param {string} what @param {number} [size] of the largest value */
function close(a, b, what, size = 1) {
  expect(Math.abs(a - b), `${what}: ${a} and ${b}`).toBeLessThanOrEqual(1e-4 * Math.max(Math.abs(b), size));
}

/** @param {number[]} values */
const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);

test("a convolution's sums are the API's at every position, with stride, padding, dilation and groups", async ({
  page,
  vivarium,
}) => {
  const { id, url } = await trained(vivarium, SPEC);
  for (const [layer, map, width] of /** @type {[string, number, number][]} */ ([
    ["features.0", 3, 16],
    ["features.3", 6, 16],
    ["features.6", 11, 4],
  ])) {
    await page.goto(`${url}/inside?layer=${layer}&of=map&tile=${map}&y=0&x=0`);
    await isAt(page, 0);
    const slider = page.getByLabel("Position", { exact: true });
    for (const position of [0, 1, width, width + 3, width * width - 1]) {
      await slider.fill(String(position));
      await isAt(page, position);
      const [y, x] = [Math.floor(position / width), position % width];
      const told = await vivarium.call("GET", `/runs/${id}/layers/${layer}/arithmetic?map=${map}&y=${y}&x=${x}`);
      const { sum, value } = await computed(page);
      // The last of the three has no bias.
      await expect(page.locator(".window-sum")).toContainText(
        layer === "features.6" ? "Sum over 8 channels" : "channels and the bias",
      );
      close(sum, told.sum, `${layer} ${position}`);
      expect(value).toBe(told.value);
      await expect(page.locator(".window-view > .chain .result b")).toHaveText(await figureOf(page, told.value));
      // The links show each channel's part.
      const shown = await page.locator(".links-list .link-source").allTextContents();
      for (const { input, sum: part } of told.channels.slice(0, 2)) {
        const text = `channel ${input}${await figureOf(page, part)}`;
        if (shown.some((entry) => entry.startsWith(`channel ${input}-`) || entry === text))
          expect(shown).toContain(text);
      }
    }
  }
  // The second convolution has two groups: its last maps read the last four channels.
  await page.goto(`${url}/inside?layer=features.3&of=map&tile=6&y=1&x=1`);
  await expect(page.locator(".window-view")).toContainText(
    "dilation 2, 2 groups, so that this map reads channels 4 to 7 of 8",
  );
  await expect(page.locator(".link-source")).toHaveCount(4);
  // A map of the other group reads the other channels, also after a channel was chosen.
  await page.getByRole("button", { name: /^channel 5/ }).click();
  await expect(page.getByLabel("Input channel", { exact: true })).toHaveValue("5");
  await page.getByLabel("Map", { exact: true }).fill("1");
  await page.getByLabel("Map", { exact: true }).press("Enter");
  await expect(page.locator(".window-view")).toContainText("channels 0 to 3 of 8");
  await page.getByRole("button", { name: /^channel 3/ }).click();
  await page.getByLabel("Order of feature maps").selectOption("index");
  await page.locator(".panel-features .sheet-picture").first().focus();
  for (let map = 0; map < 8; map += 1) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Map", { exact: true })).toHaveValue("7");
  await expect(page.locator(".window-view")).toContainText("channels 4 to 7 of 8");
});

/** A number as formatted by the page. @param {Page} page @param {number} value */
const figureOf = (page, value) =>
  page.evaluate(async (of) => (await import(/** @type {any} */ ("/frontend/lib/format.js"))).formatNumber(of), value);

test("backward, each pixel of the input gathers the gradient that the network computed", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, SPEC);
  for (const [layer, side] of /** @type {[string, number][]} */ ([
    ["features.0", 32],
    ["features.3", 16],
    ["features.5", 16],
    ["features.6", 8],
    ["features.8", 4],
  ])) {
    await page.goto(`${url}/inside?layer=${layer}&of=map&tile=1&y=0&x=0&way=backward&class=3&input=1`);
    await isAt(page, 0);
    const told = await vivarium.call(
      "GET",
      `/runs/${id}/layers/${layer}/window?direction=backward&map=1&input=1&class=3`,
    );
    const size = largest(told.values);
    for (const position of [0, 1, side + 2, side * side - 1]) {
      await page.getByLabel("Position", { exact: true }).fill(String(position));
      await isAt(page, position);
      const { sum, value } = await computed(page);
      expect(value).toBe(told.values[position]);
      close(sum, value, `${layer} ${position}`, size);
    }
  }
  // What arrives at a pixel is what the API says of it alone.
  const at = await vivarium.call("GET", `/runs/${id}/layers/features.0/gradient?map=1&y=4&x=5&class=3&input=1`);
  await page.goto(
    `${url}/inside?layer=features.0&of=map&tile=1&way=backward&class=3&input=1&y=${at.arrives.y}&x=${at.arrives.x}`,
  );
  await isAt(page, at.arrives.y * 32 + at.arrives.x);
  const { sum, value } = await computed(page);
  expect(value).toBe(at.arrives.value);
  close(sum, at.arrives.sum, "arrives");
  await page.getByText("The largest terms at this position").click();
  await expect(page.locator(".window-more .terms tbody tr").first()).toBeVisible();
  // Another class has other gradients.
  await page.getByLabel("Score of").selectOption("5");
  await expect.poll(async () => (await computed(page)).value).not.toBe(value);
});

test("pooling, fully connected layers and the softmax at the end", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, SPEC);
  for (const [layer, words, label] of [
    ["features.5", "Each value is the largest of", "the largest of"],
    ["features.8", "Each value is the mean of 2×2 values", "4 products"],
  ]) {
    await page.goto(`${url}/inside?layer=${layer}&of=map&tile=2&y=1&x=1`);
    await expect(page.locator(".window-view")).toContainText(words);
    await expect(page.locator(".window-view > .chain").first()).toContainText(label);
    const { sum, value } = await computed(page);
    close(sum, value, layer);
    const told = await vivarium.call("GET", `/runs/${id}/layers/${layer}/values?of=feature&index=2`);
    expect(value).toBe(told.values[told.shape[1] + 1]);
  }
  const { layers } = await vivarium.call("GET", `/runs/${id}/layers`);
  const last = layers.at(-1).name;
  const { top } = await vivarium.call("GET", `/runs/${id}/predict`);
  await page.goto(`${url}/inside?layer=${last}`);
  await page.getByRole("button", { name: "Watch it compute" }).click();
  // The predicted class comes first.
  await expect(page.getByLabel("Value", { exact: true })).toHaveValue(String(top[0].class));
  await expect(page.locator(".dense-terms")).toBeVisible();
  await expect.poll(async () => (await computed(page)).value).toBeCloseTo(top[0].score, 5);
  // It plays: the boxes of the sum and the probabilities have their numbers once all terms are added.
  await page.getByLabel("Speed", { exact: true }).selectOption("one");
  await page.getByLabel("Position", { exact: true }).press("Home");
  const boxes = page.locator(".dense-result .chain > span:not(.sign) > b");
  const shown = () => boxes.evaluateAll((all) => all.map((one) => getComputedStyle(one).visibility === "visible"));
  expect(await shown()).toEqual([false, false, false]);
  await expect(page.locator(".softmax")).toBeHidden();
  await page.getByLabel("Position", { exact: true }).press("End");
  await page.getByLabel("Position", { exact: true }).press("ArrowLeft");
  expect(await shown()).toEqual([true, false, false]);
  await page.getByLabel("Position", { exact: true }).press("ArrowRight");
  expect(await shown()).toEqual([true, true, true]);
  await expect(page.locator(".softmax")).toBeVisible();
  // At its end the sum is the score.
  await page.getByLabel("Position", { exact: true }).press("End");
  const { sum, value } = await computed(page);
  close(sum, value, last);
  const ratios = await page
    .locator(".softmax .share")
    .evaluateAll((cells) => cells.map((cell) => Number(/** @type {HTMLElement} */ (cell).dataset.ratio)));
  ratios.forEach((ratio, i) => expect(ratio).toBeCloseTo(top[i].probability, 5));
  expect(ratios.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  // Backward: the score's own gradient is 1, and that of the others 0.
  await page.getByLabel("Backward").check();
  await expect(page.locator(".window-view .chain")).toContainText("the input's gradient");
  const back = await computed(page);
  close(back.sum, back.value, "backward");
  // Links go to the layer before, and on from there.
  await page.getByRole("navigation", { name: "Layers before and after" }).getByRole("button").first().click();
  await expect(page.locator(".layer-title h2")).not.toHaveText("Output layer");
  // A click on another layer keeps the window open, and a second click opens it.
  const bar = (/** @type {string} */ name) => page.locator(`.net-layer[data-layer="${name}"]`);
  await page.getByLabel("Forward").check();
  await bar("features.5").click();
  await expect(page.locator(".window-view")).toContainText("Each value is the largest of");
  await expect(bar("features.4")).toHaveAttribute("data-link", "reads");
  await expect(bar("features.6")).toHaveAttribute("data-link", "feeds");
  await page.getByRole("button", { name: "Close" }).click();
  await bar("features.6").click();
  await expect(page.locator(".closeup")).toBeHidden();
  await bar("features.6").click();
  await expect(page.locator(".window-view")).toContainText("A 3×3 kernel for each of 8 channels, stride 2, padding 1");
});

test("it plays, pauses, steps by keys, and asks the server once", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, SPEC);
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => {
    if (/\/(window|arithmetic|gradient)\?/.test(request.url())) asked.push(request.url());
  });
  await page.goto(`${url}/inside?layer=features.0`);
  await page.locator(".image-card input[type=file]").setInputFiles(PHOTO);
  await expect(page.locator(".image-now p")).toHaveText("Uploaded photo");
  await page.getByRole("button", { name: "Watch it compute" }).click();
  await expect(page.locator(".window-source figcaption")).toContainText("Your photo");
  // It plays from the beginning of the map, which fills.
  await expect.poll(async () => (await computed(page)).position).toBeGreaterThan(0);
  expect((await computed(page)).position).toBeLessThan(100);
  const stage = page.locator(".window-stage");
  await stage.focus();
  await page.keyboard.press("Home");
  await isAt(page, 0);
  await page.keyboard.press("ArrowRight");
  await isAt(page, 1);
  await page.keyboard.press("ArrowDown");
  await isAt(page, 17);
  await page.keyboard.press("ArrowLeft");
  await isAt(page, 16);
  await page.keyboard.press("ArrowUp");
  await isAt(page, 0);
  await page.keyboard.press("ArrowLeft");
  await isAt(page, 0);
  await page.keyboard.press("End");
  await isAt(page, 255);
  await expect(page).toHaveURL(/y=15&x=15/);
  await page.keyboard.press("Home");
  await isAt(page, 0);

  // While a sum is added, it is not yet the value.
  await page.getByLabel("Speed", { exact: true }).selectOption("slow");
  await stage.focus();
  await page.keyboard.press("Space");
  await expect(page.getByRole("button", { name: "Pause" })).toBeVisible();
  await expect(page.locator(".window-grids td.pending").first()).toBeAttached();
  await page.keyboard.press("Space");
  await page.getByLabel("Speed", { exact: true }).selectOption("map");
  await stage.focus();
  await page.keyboard.press("Space");
  await expect.poll(async () => (await computed(page)).position).toBeGreaterThan(20);
  await page.keyboard.press("Space");
  const { position, sum, value } = await computed(page);
  close(sum, value, "paused");
  await page.waitForFunction(() => new URL(location.href).searchParams.has("x"));
  await isAt(page, position);

  // A click on the map goes there, and a channel is chosen by its picture.
  await page.locator(".window-target canvas").click();
  await expect.poll(async () => (await computed(page)).position).not.toBe(position);
  await page.getByRole("button", { name: /^channel 2/ }).click();
  await expect(page.getByLabel("Input channel", { exact: true })).toHaveValue("2");
  expect(asked.length).toBe(1);
});

test("with reduced motion a sum is not added step by step", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, SPEC);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.goto(`${url}/inside?layer=features.0&of=map&tile=0&y=0&x=0`);
  await isAt(page, 0);
  await page.getByLabel("Speed", { exact: true }).selectOption("four");
  await page.evaluate(() => {
    const view = /** @type {HTMLElement} */ (document.querySelector(".window-view"));
    const seen = /** @type {any} */ (window);
    seen.pending = 0;
    new MutationObserver(() => {
      seen.pending += view.querySelectorAll(".pending").length;
    }).observe(view, { subtree: true, childList: true, attributes: true });
  });
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await expect.poll(async () => (await computed(page)).position).toBeGreaterThan(2);
  await page.getByRole("button", { name: "Pause" }).click();
  expect(await page.evaluate(() => /** @type {any} */ (window).pending)).toBe(0);
});

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`axe finds nothing, in the ${colorScheme} theme and on a phone`, async ({ page, vivarium }) => {
    const { id, url } = await trained(vivarium, SPEC);
    const { layers } = await vivarium.call("GET", `/runs/${id}/layers`);
    await page.emulateMedia({ colorScheme });
    for (const width of [1440, 400]) {
      await page.setViewportSize({ width, height: 900 });
      for (const layer of ["features.0", "features.3", "features.5", layers.at(-1).name]) {
        for (const way of ["forward", "backward"]) {
          await page.goto(`${url}/inside?layer=${layer}&of=map&tile=1&y=0&x=1&way=${way}`);
          await expect(page.locator(".window-view .chain .result").first()).toBeVisible();
          for (const summary of await page.locator(".window-more:not([hidden]) > summary:visible").all())
            await summary.click();
          expect(await violations(page, ".closeup"), `${layer} ${way} ${width}`).toEqual([]);
          expect(await overflow(page), `${layer} ${way} ${width}`).toBeLessThanOrEqual(0);
        }
      }
    }
  });
}

test("on paper the controls are left out, and the pictures and sums stay", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, SPEC);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${url}/inside?layer=features.3&of=map&tile=1&y=2&x=3`);
  await expect(page.locator(".window-view .chain .result").first()).toBeVisible();
  await page.emulateMedia({ colorScheme: "dark", media: "print" });
  await expect(page.locator(".transport").first()).toBeHidden();
  await expect(page.locator(".window-tools")).toBeHidden();
  for (const part of [".window-source canvas", ".window-target canvas", ".window-grids", ".chain .result"])
    await expect(page.locator(`.window-view ${part}`).first()).toBeVisible();
});

/** The first stage of VGG16. */
const LARGE = `
def large(classes):
    return Sequential(
        features=Sequential(Conv2d(64, 3, padding=1), ReLU(), Conv2d(64, 3, padding=1), ReLU(), MaxPool2d(2)),
        mean=Mean(),
        classifier=Linear(classes),
    )
`;

test("a layer as large as VGG16's at 224 pixels answers and moves without delay", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, {
    name: "large",
    data: { ...DATA, size: 224, limit: 6 },
    network: { kind: "custom", source: LARGE },
    training: { ...TRAINING, batch_size: 2 },
  });
  // The second convolution reads 64 channels of 224×224 values.
  await page.goto(`${url}/inside?layer=features.2&of=map&tile=7&y=100&x=100`);
  await isAt(page, 100 * 224 + 100);
  const at = await vivarium.call("GET", `/runs/${id}/layers/features.2/arithmetic?map=7&y=100&x=100`);
  const told = await computed(page);
  close(told.sum, at.sum, "large");
  expect(told.value).toBe(at.value);
  const { length } = JSON.stringify(await vivarium.call("GET", `/runs/${id}/layers/features.2/window?map=7`));
  expect(length).toBeLessThan(16 << 20);
  // A hundred steps, each with all that is drawn.
  const milliseconds = await page.evaluate(() => {
    const slider = /** @type {HTMLInputElement} */ (document.querySelector(".transport input"));
    const begun = performance.now();
    for (let step = 0; step < 100; step += 1) {
      slider.value = String(20_000 + step);
      slider.dispatchEvent(new Event("input"));
    }
    return (performance.now() - begun) / 100;
  });
  expect(milliseconds).toBeLessThan(50);
});
