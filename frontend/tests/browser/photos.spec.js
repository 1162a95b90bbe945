// Sets of photos on the data page: warnings with their files, the ways to make photos square, folders of thousands, the
// webcam; and the preparation on the page of a run.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { expect, overflow, startServer, test as base } from "./vivarium.js";
import { pngOf, zip } from "./zip.js";

/** Chromium with a camera that shows a clock-like test picture, and asks nobody. */
const test = base.extend(
  /** @type {any} */ ({
    launchOptions: async (/** @type {any} */ { launchOptions }, /** @type {any} */ use) =>
      use({
        ...launchOptions,
        args: [...(launchOptions.args ?? []), "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
      }),
  }),
);

/** A PNG of waves that depend on a number. @param {number} width @param {number} height @param {number} number */
const png = (width, height, number) =>
  pngOf(
    width,
    height,
    (x, y, c) =>
      127 + 60 * Math.sin(x / (3 + (number % 5)) + c + number) + 60 * Math.cos(y / (2 + (number % 7)) + number),
  );

/** Photos of two classes, wider than high. @param {number} count */
const pets = (count) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`pets/${i % 4 === 0 ? "dogs" : "cats"}/${i}.png`, png(48, 24, i)]),
  );

test.afterEach(async ({ vivarium }) => {
  const { datasets } = await vivarium.call("GET", "/datasets");
  for (const { set, state } of datasets)
    if (state.kind === "present") await vivarium.call("DELETE", `/datasets/${set}`);
});

test("the report names what is wrong, and the set's card shows its photos in every fit", async ({ page }) => {
  const files = { ...pets(30), "pets/cats/again.png": png(48, 24, 4) };
  await page.goto("/data");
  await page.setInputFiles("#upload-file", { name: "Pets.zip", mimeType: "", buffer: zip(files) });
  await expect(page.getByRole("heading", { name: "Pets.zip: 31 images in 2 classes" })).toBeVisible();
  await expect(page.getByText("They are kept as they are; runs take them at 24×24 in colour")).toBeVisible();
  const notes = page.locator(".report-notes");
  await expect(notes).toContainText("1 class has fewer than 20 images");
  const alike = notes.getByRole("listitem").filter({ hasText: "identical to an image of another class" });
  await expect(alike).toHaveCount(1);
  const long = notes.getByRole("listitem").filter({ hasText: "31 of 31 images are much longer than wide" }).first();
  await long.getByText("Which ones (31)").click();
  await expect(long.getByText("pets/dogs/0.png (48×24)")).toBeVisible();
  await page.getByRole("button", { name: "Accept" }).click();
  const card = page.locator('[data-set="pets"]');
  await expect(card).toContainText("31 photos · 2 classes · 48×24 colour");
  const fits = card.getByRole("region", { name: "Photos that are not square" });
  await expect(fits.getByRole("img", { name: /, padded$/ })).toHaveCount(3);
  const url = await fits
    .locator(".fit-grid")
    .evaluate((grid) => getComputedStyle(grid).getPropertyValue("--picture").slice(5, -2));
  expect((await page.request.get(url)).headers()["content-type"]).toBe("image/png");
  // The form has the setting for sets of photos alone.
  await page.goto("/new");
  await page.getByRole("radio", { name: /^Pets/ }).check({ force: true });
  await expect(page.locator('label[for="f-data-fit"]')).toBeVisible();
  await page.getByRole("radio", { name: /^Digits/ }).check({ force: true });
  await expect(page.locator('label[for="f-data-fit"]')).toBeHidden();
});

test("a folder of thousands of photos is sent without filling the tab", async ({ page }, info) => {
  test.setTimeout(180_000);
  const folder = info.outputPath("Many");
  const pictures = Array.from({ length: 20 }, (_, i) => png(40, 40, i));
  for (let i = 0; i < 3000; i += 1) {
    const place = join(folder, ["cats", "dogs"][i % 2], `${i}.png`);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, pictures[i % 20]);
  }
  await page.goto("/data");
  await page.setInputFiles("#upload-folder", folder);
  await expect(page.getByRole("heading", { name: "Many: 3,000 images in 2 classes" })).toBeVisible({
    timeout: 120_000,
  });
  const used = await page.evaluate(() => /** @type {any} */ (performance).memory.usedJSHeapSize);
  expect(used).toBeLessThan(64 << 20);
  await page.getByRole("button", { name: "Discard" }).click();
});

test("photos from the webcam become a set", async ({ page }) => {
  await page.goto("/data");
  await page.getByRole("button", { name: "Use the webcam" }).click();
  const webcam = page.getByRole("region", { name: "Webcam" });
  const make = webcam.getByRole("button", { name: "Make a data set" });
  await expect(make).toBeDisabled();
  await expect
    .poll(() => page.locator("video").evaluate((/** @type {any} */ video) => video.videoWidth))
    .toBeGreaterThan(0);
  const classes = webcam.getByRole("group", { name: "Class", exact: true });
  const record = async (/** @type {number} */ index, /** @type {number} */ least) => {
    const button = classes.nth(index).getByRole("button", { name: "Hold to record" });
    await button.hover();
    await page.mouse.down();
    await expect.poll(() => classes.nth(index).locator(".frame").count()).toBeGreaterThanOrEqual(least);
    await page.mouse.up();
    await expect(classes.nth(index)).not.toHaveClass(/recording/);
    return classes.nth(index).locator(".frame").count();
  };
  const first = await record(0, 6);
  await expect(webcam.getByText("“Class 2” has no images yet.")).toBeVisible();
  // By keyboard, too.
  await classes.nth(1).getByRole("button", { name: "Hold to record" }).focus();
  await page.keyboard.down("Space");
  await expect.poll(() => classes.nth(1).locator(".frame").count()).toBeGreaterThanOrEqual(4);
  await page.keyboard.up("Space");
  await expect(classes.nth(1)).not.toHaveClass(/recording/);
  const second = await classes.nth(1).locator(".frame").count();
  // A thumbnail is removed, a class is renamed, and a name is not taken twice.
  await classes.nth(0).locator(".frame").first().click();
  await expect(classes.nth(0).locator(".frame")).toHaveCount(first - 1);
  await expect(classes.nth(0)).toContainText(`${first - 1} images`);
  const name = classes.nth(0).getByRole("textbox", { name: "Name of the class" });
  await name.fill("class 2");
  await expect(webcam.getByText("Two classes are called “Class 2”.")).toBeVisible();
  await name.fill("hand/left");
  await expect(
    webcam.getByText("“hand/left” cannot be a name: it must be without slashes and control characters."),
  ).toBeVisible();
  await name.fill("Hand");
  await make.click();
  const heading = page.getByRole("heading", { name: `Webcam: ${first - 1 + second} images in 2 classes` });
  await expect(heading).toBeVisible();
  await expect(page.locator("video")).toBeHidden();
  // Discarding the report leads back to what was recorded.
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(classes.nth(0).locator(".frame")).toHaveCount(first - 1);
  await make.click();
  await expect(heading).toBeVisible();
  await page.getByRole("textbox", { name: "Title" }).fill("My hand");
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page.locator('[data-set="webcam"]')).toContainText(`${first - 1 + second} photos · 2 classes`);
  await expect(page.getByRole("button", { name: "Use the webcam" })).toBeVisible();
});

test("the camera is closed when the webcam is left", async ({ page }) => {
  await page.addInitScript(() => {
    const { mediaDevices } = navigator;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wish) => {
      const stream = await open(wish);
      /** @type {any} */ (window).opened = stream;
      return stream;
    };
  });
  await page.goto("/data");
  await page.getByRole("button", { name: "Use the webcam" }).click();
  const state = () => page.evaluate(() => /** @type {any} */ (window).opened?.getVideoTracks()[0].readyState);
  await expect.poll(state).toBe("live");
  await page.getByRole("button", { name: "Close" }).click();
  await expect.poll(state).toBe("ended");
  await expect(page.getByText("Drop a folder, an archive or files here, or choose files")).toBeVisible();
});

for (const [error, words] of [
  ["NotFoundError", "No camera was found."],
  ["NotAllowedError", "The camera is not allowed."],
  ["", "The browser gives no camera to this page."],
]) {
  test(`a page without a camera says why: ${error || "not secure"}`, async ({ page }) => {
    await page.addInitScript((name) => {
      if (name) navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("none", name));
      else Object.defineProperty(navigator, "mediaDevices", { value: undefined });
    }, error);
    await page.goto("/data");
    await page.getByRole("button", { name: "Use the webcam" }).click();
    await expect(page.getByRole("alert").filter({ hasText: words })).toBeVisible();
    await page.getByRole("button", { name: "Close" }).click();
    await expect(page.getByRole("button", { name: "Use the webcam" })).toBeFocused();
  });
}

test("webcam, report and fits fit a phone", async ({ page }) => {
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto("/data");
  await page.getByRole("button", { name: "Use the webcam" }).click();
  await expect
    .poll(() => page.locator("video").evaluate((/** @type {any} */ video) => video.videoWidth))
    .toBeGreaterThan(0);
  const one = page.getByRole("group", { name: "Class", exact: true }).first();
  await one.getByRole("textbox").fill("a class with a very long name that does not end so soon");
  await one.getByRole("button", { name: "Hold to record" }).hover();
  await page.mouse.down();
  await expect.poll(() => one.locator(".frame").count()).toBeGreaterThanOrEqual(12);
  await page.mouse.up();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Keep" }).click();
  await expect(one.locator(".frame").first()).toBeVisible();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Discard" }).click();
  const files = { ...pets(12), [`pets/cats/${"x".repeat(90)}.png`]: png(90, 20, 3) };
  await page.setInputFiles("#upload-file", { name: "pets.zip", mimeType: "", buffer: zip(files) });
  for (const summary of await page.locator(".report-named > summary").all()) await summary.click();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page.getByRole("region", { name: "Photos that are not square" })).toContainText("90×20");
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

test("a run's page tells how far its photos are prepared", async ({ page, vivarium }) => {
  // The worker must be seen at it: photos that take some seconds.
  const server = await startServer();
  const body = new FormData();
  const large = Array.from({ length: 8 }, (_, i) => png(900, 700, i));
  const files = Object.fromEntries(
    Array.from({ length: 400 }, (_, i) => [`pets/${["cats", "dogs"][i % 2]}/${i}.png`, large[i % 8]]),
  );
  body.set("file", new Blob([new Uint8Array(zip(files))]), "pets.zip");
  const draft = await (await fetch(`${server.url}/api/v1/datasets`, { method: "POST", body })).json();
  const send = async (/** @type {string} */ path, /** @type {unknown} */ content) =>
    (
      await fetch(`${server.url}/api/v1${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(content),
      })
    ).json();
  await send(`/datasets/drafts/${draft.id}`, { set: "pets" });
  const { id } = await send("/runs", {
    data: { set: "pets", size: 64 },
    network: { kind: "mlp", hidden: [4] },
    training: { epochs: 1 },
  });
  await page.goto(`${server.url}/runs/${id}`);
  await expect(
    page.getByText(/Preparing photos at the size of this run, once for all runs: [\d,]+ of 400\./),
  ).toBeVisible();
  await expect(page.locator(".badge").filter({ hasText: "finished" }).first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/Preparing photos/)).toBeHidden();
  await page.goto("about:blank");
  await server.stop();
  expect(vivarium).toBeDefined();
});
