// The page of a network's inside: every control, in a wide window and on a phone.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DIVERGES, LONG, expect, overflow, test, trained } from "./vivarium.js";

/** A small network of depthwise and 1x1 convolutions on digits in colour. */
const CONV = {
  name: "residual on digits",
  data: { set: "digits", size: 32, channels: 3, limit: 200 },
  network: { kind: "residual-small", plan: [8, 12], depth: [2], hidden: 8 },
  training: { epochs: 3, batch_size: 32, seed: 7, optimizer: { kind: "sgd", lr: 0.05 } },
};
const DEEP = { ...CONV, name: "vgg on digits", network: { kind: "vgg16", head: "compact", width: 0.125 } };
const PHOTO = fileURLToPath(new URL("../../../models/tests/golden/photos/rgb.jpg", import.meta.url));

/**
 * The pixels of a panel's picture.
 * @param {import("@playwright/test").Page} page
 * @param {"filters" | "features"} what
 */
const picture = (page, what) =>
  page.evaluate((of) => {
    const canvas = /** @type {HTMLCanvasElement | null} */ (
      document.querySelector(`.panel-${of} .sheet:not([hidden]) canvas`)
    );
    return canvas?.toDataURL() ?? "";
  }, what);

/**
 * Clicks in the middle of a tile.
 * @param {import("@playwright/test").Page} page
 * @param {"filters" | "features"} what
 * @param {number} [share]
 */
async function clickTile(page, what, share = 0.1) {
  const canvas = page.locator(`.panel-${what} .sheet:not([hidden]) canvas`).first();
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  if (!box) throw new Error("no picture");
  await canvas.click({ position: { x: box.width * share, y: box.height * share } });
}

const words = (/** @type {import("@playwright/test").Page} */ page) => new URL(page.url()).searchParams;

test("layers, filters, kernels, maps and the numbers behind a pixel", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, DEEP);
  await page.goto(url);
  await page.getByRole("link", { name: "Look inside" }).click();
  await page.waitForURL(`**${url}/inside*`);
  const layers = (await vivarium.call("GET", `/runs/${id}/layers`)).layers;
  await expect(page.locator(".net").getByRole("option")).toHaveCount(layers.length);

  await expect(page.locator(".layer-title")).toContainText("features.0");
  await expect(page.locator(".panel-filters")).toContainText("Grey is 0");
  await page
    .locator(".net")
    .getByRole("option", { name: /\(features\.14\)/ })
    .click();
  await expect(page.locator(".layer-title")).toContainText("features.14");
  await expect(page.locator(".panel-filters .pages")).toContainText("All 32");
  await expect(page.locator(".panel-features .facts")).toContainText("dead maps");
  const norms = await picture(page, "filters");
  await clickTile(page, "filters");
  await expect(page.locator(".panel-filters")).toContainText(/The kernels of filter \d+: one for each of 16 channels/);
  expect(await picture(page, "filters")).not.toBe(norms);
  await clickTile(page, "filters");
  await expect(page.locator(".closeup h2")).toHaveText(/^Filter \d+, channel \d+$/);
  await page.getByRole("button", { name: "‹ All filters" }).click();
  await expect(page.locator(".closeup")).toBeHidden();
  await expect.poll(() => picture(page, "filters")).toBe(norms);

  const each = await picture(page, "features");
  await page.getByLabel("network", { exact: true }).check();
  await expect.poll(() => picture(page, "features")).not.toBe(each);
  await clickTile(page, "features", 0.15);
  await expect(page.locator(".closeup h2")).toHaveText(/^Map \d+ of stage 3, convolution 1$/);
  // It lies below the tiles, and comes into view.
  await expect(page.locator(".closeup h2")).toBeInViewport();
  const [map, y, x] = ["tile", "y", "x"].map((name) => words(page).get(name));
  const told = await vivarium.call("GET", `/runs/${id}/layers/features.14/arithmetic?map=${map}&y=${y}&x=${x}`);
  await expect(page.locator(".window-view > .chain .result b")).toHaveText(await figureOf(page, told.value));
  await page.getByText("Every channel's numbers at this position").click();
  await expect(page.locator(".window-view .window-more .result b")).toHaveText(await figureOf(page, told.value));
  await expect(page.locator(".sum-row")).toHaveCount(told.shown);
  await page.getByLabel("Backward").check();
  await page.getByText("What the output above this position passes on").click();
  await expect(page.locator(".window-panel h3")).toHaveText("What arrives");
  const back = await vivarium.call("GET", `/runs/${id}/layers/features.14/gradient?map=${map}&y=${y}&x=${x}`);
  await expect(page.locator(".window-panel > .window-more .result b")).toHaveText(
    await figureOf(page, back.arrives.value),
  );

  await page.reload();
  await expect(page.locator(".closeup h2")).toHaveText(`Map ${map} of stage 3, convolution 1`);
  await expect(page.getByLabel("Backward")).toBeChecked();
  await page
    .locator(".net")
    .getByRole("option", { name: /\(features\.16\)/ })
    .click();
  await clickTile(page, "features");
  await page.getByRole("button", { name: "Show the arithmetic of stage 3, convolution 1" }).click();
  await expect(page.locator(".layer-title")).toContainText("features.14");
});

/** A number as formatted by the page. @param {import("@playwright/test").Page} page @param {number} value */
const figureOf = (page, value) =>
  page.evaluate(async (of) => (await import(/** @type {any} */ ("/frontend/lib/format.js"))).formatNumber(of), value);

test("layers say what they are, and the first and the last convolution are a button away", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, DEEP);
  await page.goto(`${url}/inside`);
  const title = page.locator(".layer-title");
  await expect(title.locator("h2")).toHaveText("Stage 1, convolution 1");
  await expect(title.locator(".chip")).toHaveText("First convolution");
  await page.getByRole("button", { name: "Last convolution" }).click();
  await expect(title.locator("h2")).toHaveText("Stage 5, convolution 3");
  await expect(title.locator(".chip")).toHaveText("Last convolution");
  await expect(title.locator(".layer-path")).toHaveText("features.40");
  await expect(page.locator(".net .net-layer[aria-selected=true]")).toBeInViewport();
  await page.getByRole("button", { name: "Output layer" }).click();
  await expect(title.locator("h2")).toHaveText("Output layer");
  await expect(title.locator(".chip")).toBeHidden();
  await expect(page.locator(".net-name")).toHaveText([
    "Input image",
    ...[1, 2, 3, 4, 5].map((stage) => `Stage ${stage}`),
    "Pool",
    "Output layer",
  ]);
});

test("weights of neurons have one scale, an order, and what training changed", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, {
    name: "mlp on digits",
    data: { set: "digits", size: 8, channels: 1, limit: 200 },
    network: { kind: "mlp", hidden: [24] },
    training: { epochs: 1, batch_size: 32, seed: 7, optimizer: { kind: "sgd", lr: 0.001 } },
  });
  await page.goto(`${url}/inside`);
  // The only epoch is both the best and the last one.
  await expect(page.locator(".film-line .segments label")).toHaveText(["Epoch 1 (best and last)"]);
  const weights = page.locator(".panel-filters");
  await expect(weights).toContainText("A tile for each of 24 neurons");
  await expect(page.getByRole("radio", { name: "layer" })).toBeChecked();
  await expect(weights.locator(".training-note")).toContainText("Training has hardly moved these weights");
  const ordered = await picture(page, "filters");
  await page.getByLabel("Order of weights").selectOption("in order");
  await expect.poll(() => picture(page, "filters")).not.toBe(ordered);
  await page.getByRole("button", { name: "Show the difference from the start" }).click();
  await expect(weights).toContainText("From “before training”");
  await expect(weights.locator(".facts")).toContainText("root mean square");
  await expect(page.locator(".panel-features")).toContainText("These are the values themselves");
  await page.getByRole("button", { name: "Show the weights" }).click();
  await expect(weights).toContainText("A tile for each of 24 neurons");
  // The strongest values lead to their sum.
  const strongest = page.locator(".strongest li");
  await expect(strongest).toHaveCount(20);
  const name = await strongest.first().getByRole("button").textContent();
  const value = await strongest.first().locator(".value").textContent();
  await strongest.first().getByRole("button").click();
  await expect(page.locator(".closeup .chain .result")).toHaveText(`the value of ${name?.toLowerCase()}${value}`);
});

test("the matrix begins with the images of the most frequent mistake", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, CONV);
  await page.goto(`${url}/inside?checkpoint=1`);
  const { confusion } = await vivarium.call("GET", `/runs/${id}/film/1`);
  const wrong = confusion.flatMap((/** @type {number[]} */ row, /** @type {number} */ truth) =>
    row.filter((_, predicted) => predicted !== truth),
  );
  const most = Math.max(...wrong);
  await expect(page.locator(".mistakes h3")).toContainText(`predicted as`);
  await expect(page.locator(".mistakes h3")).toContainText(`: ${most} image`);
  await expect(page.locator(".confusion td[aria-current]")).toContainText(String(most));
  await expect(page.locator(".mistakes .thumb")).toHaveCount(most);
});

test("the axes of the matrix are named at any width, and mistakes stand out in both themes", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, CONV);
  await page.goto(`${url}/inside?checkpoint=1`);
  const matrix = page.locator(".confusion");
  for (const width of [1440, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await expect(matrix.getByText("predicted", { exact: true })).toBeVisible();
    await expect(matrix.getByText("true class", { exact: true })).toBeVisible();
    // All at once: what loads above may move the matrix between two measurements.
    const { columns, rows, first, name } = await matrix.evaluate((table) => {
      const box = (/** @type {Element | undefined} */ element) => {
        if (!element) throw new Error("not shown");
        return element.getBoundingClientRect();
      };
      const said = (/** @type {string} */ words) =>
        [...table.querySelectorAll("th, th *")].findLast((of) => of.textContent === words);
      return {
        columns: box(said("predicted")),
        rows: box(said("true class")),
        first: box(table.querySelector("td[data-truth='0'][data-predicted='0']") ?? undefined),
        name: box(table.querySelector("tbody th[scope=row]") ?? undefined),
      };
    });
    expect(columns.bottom, `${width}`).toBeLessThanOrEqual(first.top);
    expect(rows.right, `${width}`).toBeLessThanOrEqual(name.left + 1);
    expect(rows.height, `${width}`).toBeGreaterThan(2 * rows.width);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  }
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMedia({ colorScheme });
    const contrasts = await page.evaluate(async () => {
      const { confusionMatrix } = await import(/** @type {any} */ ("/frontend/lib/confusion-matrix.js"));
      const shares = [1, 3, 10, 20, 25, 30, 40, 45, 46, 60, 80, 100];
      const names = shares.map(String);
      // In each row one class is taken for the next.
      const counts = shares.map((share, row) =>
        names.map((_, column) => (column === row ? 100 - share : column === (row + 1) % names.length ? share : 0)),
      );
      const table = confusionMatrix(counts, names);
      document.querySelector(".confusion-frame")?.replaceChildren(table);
      const luminance = (/** @type {string} */ colour) => {
        const [r, g, b] = (colour.match(/[\d.]+/g) ?? [])
          .slice(0, 3)
          .map((part) => (colour.startsWith("rgb") ? Number(part) / 255 : Number(part)))
          .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const between = (/** @type {string} */ a, /** @type {string} */ b) => {
        const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
      };
      const empty = getComputedStyle(table.querySelector("td.zero")).backgroundColor;
      return [...table.querySelectorAll("td.wrong:not(.zero)")].map((cell, i) => {
        const { color, backgroundColor } = getComputedStyle(cell);
        return { share: shares[i], text: between(color, backgroundColor), out: between(backgroundColor, empty) };
      });
    });
    for (const { share, text, out } of contrasts) {
      expect(text, `${colorScheme} ${share} %`).toBeGreaterThanOrEqual(4.5);
      if (colorScheme === "dark" && share >= 25) expect(out, `${share} %`).toBeGreaterThanOrEqual(3);
    }
    expect(contrasts).toHaveLength(12);
  }
});

test("a photo is uploaded by button, drop and paste, and an invalid file is refused with a message", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, CONV);
  await page.goto(`${url}/inside`);
  await expect(page.locator(".predictions .class-bars li")).not.toHaveCount(0);
  const before = await picture(page, "features");
  await page.locator(".image-card input[type=file]").setInputFiles(PHOTO);
  await expect(page.locator(".image-now p")).toHaveText("Uploaded photo");
  await expect.poll(() => picture(page, "features")).not.toBe(before);
  const bytes = [...readFileSync(PHOTO)];
  /** @param {string} kind */
  const give = (kind) =>
    page.evaluate(
      ([event, content]) => {
        const data = new DataTransfer();
        data.items.add(
          new File([new Uint8Array(/** @type {number[]} */ (content))], "photo.jpg", { type: "image/jpeg" }),
        );
        if (event === "drop")
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        else document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
      },
      /** @type {const} */ ([kind, bytes]),
    );
  await give("drop");
  await expect(page.locator(".image-more .thumb-place")).toHaveCount(2);
  await give("paste");
  await expect(page.locator(".image-more .thumb-place")).toHaveCount(3);
  await page
    .locator(".image-card input[type=file]")
    .setInputFiles({ name: "notes.png", mimeType: "image/png", buffer: Buffer.from("not a picture") });
  await expect(page.locator(".image-card [role=alert]")).toContainText(/PNG|JPEG|WebP/);
  await page.locator(".thumb-place").first().hover();
  await page.locator(".thumb-delete").first().click();
  await expect(page.locator(".image-more .thumb-place")).toHaveCount(2);
  await page.locator(".image-more .thumb[title^='test:']").first().click();
  await expect(page.locator(".image-now p")).toHaveText(/^test sample \d+$/);
  await expect(page.locator(".predictions .truth")).toHaveCount(1);
  const attention = page.locator(".attention img");
  await expect(attention).toBeVisible();
  const cam = await attention.getAttribute("src");
  await page.getByLabel("Method").selectOption("gradient");
  await expect(attention).not.toHaveAttribute("src", String(cam));
});

test("the film drives the whole page, a cell of the matrix opens its images, and two epochs are compared", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, CONV);
  await page.goto(`${url}/inside?layer=stem.0`);
  const slider = page.getByLabel("Frame of the film");
  // Before training, after steps 1, 2 and 4 of the first epoch, then after each of three epochs.
  await expect(slider).toHaveAttribute("max", "6");
  await slider.focus();
  await page.keyboard.press("Home");
  await expect(page.locator(".film-line output")).toHaveText("before training");
  await expect(page.locator(".mistakes-card")).toContainText("Nothing is evaluated before the end of the first epoch");
  const untrained = await picture(page, "filters");
  for (const moment of ["step 1", "step 2", "step 4"]) {
    await page.keyboard.press("ArrowRight");
    await expect(page.locator(".film-line output")).toHaveText(moment);
  }
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".film-line output")).toHaveText(/^epoch 1,/);
  await expect.poll(() => picture(page, "filters")).not.toBe(untrained);
  await expect(page.locator(".mistakes-card .card-head")).toContainText("validation after epoch 1");
  const [filters, features] = [await picture(page, "filters"), await picture(page, "features")];
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".film-line output")).toHaveText(/^epoch 2,/);
  await expect.poll(() => picture(page, "filters")).not.toBe(filters);
  await expect.poll(() => picture(page, "features")).not.toBe(features);
  await page.keyboard.press("Home");
  await page.getByLabel("Speed of the film").selectOption("double speed");
  // The class of the image is known all the way.
  await expect(page.locator(".predictions .truth")).toHaveCount(1);
  await expect(page.locator(".predictions")).toContainText(/The prediction is (correct|wrong)/);
  await expect(page.getByRole("button", { name: "Watch it compute" })).toBeDisabled();
  await page.getByRole("button", { name: "Play the film" }).click();
  await expect(page.locator(".film-line output")).toHaveText(/^epoch 3,/);
  // The film ends at the last checkpoint, which has weights to compute with.
  await expect(page.getByRole("button", { name: "Play the film" })).toBeVisible();
  await expect(page.getByLabel(/^Epoch 3 \(.*last\)/)).toBeChecked();
  await expect(page.getByRole("button", { name: "Watch it compute" })).toBeEnabled();
  await expect(page.locator(".attention")).toContainText("Bright where");
  await expect(page.locator(".attention img")).not.toHaveClass(/of-before/);
  await slider.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator(".film-line output")).toHaveText(/^epoch 2,/);

  await page.locator(".confusion .cell").first().click();
  await expect(page.locator(".mistakes h3")).toContainText("predicted as");
  await page.locator(".mistakes .thumb").first().click();
  await expect(page.locator(".image-now p")).toHaveText(/^validation sample \d+$/);
  await expect(page.getByLabel(/\(best/)).toBeChecked();

  await page.getByLabel("Compare with", { exact: true }).selectOption({ label: "another checkpoint of this run" });
  await page.getByLabel("Checkpoint to compare with").selectOption("1");
  await expect(page.locator(".panel-features .sheet:not([hidden])")).toHaveCount(2);
  const legends = await page.locator(".panel-features .legend-bar").allTextContents();
  expect(legends[0]).toBe(legends[1]);
  await expect(page.locator(".panel-features .beside-name").first()).toContainText("best");
});

test("an active run adds frames live, and a new pin is used", async ({ page, vivarium }) => {
  const { id, url } = await vivarium.create({ ...CONV, training: { ...CONV.training, epochs: 100_000 } });
  await page.goto(`${url}/inside`);
  await expect(page.getByLabel("Frame of the film")).toBeVisible();
  const last = () => page.getByLabel("Frame of the film").getAttribute("max").then(Number);
  await expect.poll(last).toBeGreaterThan(1);
  await page.locator(".image-card input[type=file]").setInputFiles(PHOTO);
  await page.getByRole("button", { name: "Pin for the film" }).click();
  await expect.poll(async () => (await vivarium.call("GET", `/runs/${id}/film`)).pinned.pending).toBe(false);
  await vivarium.call("POST", `/runs/${id}/stop`);
  await expect(page.locator(".inside-head .badge")).toHaveText("stopped");
});

test("a run that diverged before its first checkpoint says that the film is all there is", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, DIVERGES);
  await page.goto(`${url}/inside`);
  await expect(page.locator(".notice.warn").first()).toContainText("The run diverged before its first checkpoint");
  await expect(page.locator(".notice.warn").first()).toContainText("The frames of its film are all there is.");
  await expect(page.locator(".film-line .segments")).toBeHidden();
  await expect(page.locator(".predictions")).toContainText("the network has diverged");
  await expect(page.locator(".training-note")).toContainText("This run diverged");
});

test("a run without an inside shows a notice", async ({ page, vivarium }) => {
  const { url } = await vivarium.create({
    name: "toy2d",
    data: { set: "moons" },
    network: { kind: "mlp" },
    training: { epochs: 1 },
  });
  await page.goto(`${url}/inside`);
  await expect(page.locator(".empty")).toContainText("Nothing to look at");
  await expect(page.getByRole("link", { name: "See how the points are divided" })).toHaveAttribute("href", url);
});

test("no choice is cut off, at any width", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, CONV);
  for (const width of [1440, 1280, 768, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(`${url}/inside?beside=1`);
    await expect(page.locator(".attention img")).toBeVisible();
    await expect(page.getByLabel("Checkpoint to compare with")).toBeVisible();
    const selects = page.locator("select:visible");
    // Some get their options with the layer.
    await expect
      .poll(() => selects.evaluateAll((all) => all.every((one) => /** @type {any} */ (one).selectedOptions.length > 0)))
      .toBe(true);
    // What is chosen fits: a copy that is as wide as its options need is no wider.
    const cut = await selects.evaluateAll((all) =>
      all.flatMap((select) => {
        const copy = /** @type {HTMLSelectElement} */ (select.cloneNode(false));
        const chosen = /** @type {HTMLSelectElement} */ (select).selectedOptions[0];
        copy.append(new Option(chosen.text));
        copy.style.cssText = "position: absolute; width: auto; max-width: none; flex: none";
        document.body.append(copy);
        const needs = copy.getBoundingClientRect().width;
        copy.remove();
        return select.getBoundingClientRect().width + 1 < needs
          ? [`${select.getAttribute("aria-label")}: ${needs}`]
          : [];
      }),
    );
    expect(cut, `${width}`).toEqual([]);
    expect(await overflow(page), `${width}`).toBeLessThanOrEqual(0);
  }
});

test("on a phone everything is in one column, and nothing scrolls sideways", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, CONV);
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto(`${url}/inside?layer=blocks.0.convs.0.depthwise`);
  await expect(page.locator(".panel-filters")).toContainText("8 kernels of 3×3");
  // The prediction answers to the image right above it.
  const place = (/** @type {string} */ of) => page.locator(of).evaluate((element) => element.getBoundingClientRect());
  const [image, prediction] = [await place(".image-card"), await place(".predictions")];
  expect(prediction.top - image.bottom).toBeGreaterThanOrEqual(0);
  expect(prediction.top - image.bottom).toBeLessThan(40);
  await clickTile(page, "features");
  await expect(page.locator(".chain .result")).toBeVisible();
  await page
    .locator(".net")
    .getByRole("option", { name: /pointwise\)/ })
    .first()
    .click();
  await expect(page.locator(".panel-filters")).toContainText("Every weight");
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 320, height: 700 });
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

test("a frame names its image, even if another image is pinned now", async ({ page, vivarium }) => {
  const run = await vivarium.create(LONG);
  const film = () => vivarium.call("GET", `/runs/${run.id}/film`);
  await expect.poll(async () => (await vivarium.get(run.id)).summary.epoch ?? 0).toBeGreaterThan(1);
  await expect.poll(async () => (await film()).epochs.length).toBeGreaterThan(2);
  await vivarium.call("PUT", `/runs/${run.id}/pinned`, { image: "test:5" });
  await expect.poll(async () => (await film()).frames.at(-1).image).toBe("pinned");
  await vivarium.call("POST", `/runs/${run.id}/stop`);
  await expect.poll(async () => (await vivarium.get(run.id)).status).toBe("stopped");
  const { frames } = await film();
  const before = frames.find((/** @type {any} */ frame) => frame.epoch > 0);
  const after = frames.at(-1);
  expect(before.image).toBe("test:0");
  await page.goto(`${run.url}/inside?checkpoint=${before.epoch}&beside=${after.epoch}`);
  const maps = page.getByRole("region", { name: "Outputs" });
  await expect(maps.locator(".beside-name")).toHaveText([/epoch \d+\s*test sample 0/, /epoch \d+\s*test sample 5/]);
  await expect(maps.getByRole("status").filter({ hasText: "two images" })).toContainText(
    "test sample 0 and test sample 5",
  );
  const image = page.getByRole("region", { name: "Image", exact: true });
  await expect(image).toContainText(`The frame “epoch ${before.epoch}” is of test sample 0`);
  await expect(image.locator(".image-now img")).toHaveAttribute("src", /test%3A0/);
  await expect(page.getByRole("region", { name: "Checkpoint and film" })).toContainText(
    `epoch ${before.epoch}, validation accuracy`,
  );
  await expect(page.getByRole("region", { name: "Checkpoint and film" })).toContainText("of test sample 0");
  // Filters are independent of the image, so those of two epochs are comparable.
  await expect(page.getByRole("region", { name: "Weights" }).getByText("two images")).toBeHidden();
  // Frames are labelled with their pinned image.
  await page.goto(`${run.url}/inside?checkpoint=${after.epoch}`);
  await expect(image).toContainText("Pinned: test sample 5");
  await expect(page.getByText("another image")).toHaveCount(0);
});
