// The layers of a network's inside: the ways to them, what their colours mean, and what stays in its place.

import { DIVERGES, expect, test, trained } from "./vivarium.js";

const CONV = {
  name: "vgg on digits",
  data: { set: "digits", size: 32, channels: 3, limit: 200 },
  network: { kind: "vgg16", head: "compact", width: 0.25 },
  training: { epochs: 2, batch_size: 32, seed: 7 },
};
const MLP = {
  name: "mlp on digits",
  data: { set: "digits", size: 8, channels: 1, limit: 200 },
  network: { kind: "mlp", hidden: [24, 16] },
  training: { epochs: 3, batch_size: 32, seed: 7 },
};

/** The requests that are refused from now on. @param {import("@playwright/test").Page} page */
function refusals(page) {
  /** @type {string[]} */
  const all = [];
  page.on("response", (response) => response.status() >= 400 && all.push(`${response.status()} ${response.url()}`));
  return all;
}

test("a part of the network leads to its first layer, by its name and by the page keys", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, CONV);
  await page.goto(`${url}/inside`);
  const title = page.locator(".layer-title h2");
  await page.locator(".net-name", { hasText: "Stage 3" }).click();
  await expect(title).toHaveText("Stage 3, convolution 1");
  await page.locator(".net-layer[aria-selected=true]").focus();
  await page.keyboard.press("PageDown");
  await expect(title).toHaveText("Stage 4, convolution 1");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("PageUp");
  await expect(title).toHaveText("Stage 4, convolution 1");
});

test("filters of colour pictures say what their colours mean, and fill the card", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, CONV);
  for (const width of [1440, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(`${url}/inside`);
    const filters = page.locator(".panel-filters");
    await expect(filters.locator(".legend-channel")).toHaveText(["red", "green", "blue"]);
    for (const panel of [filters, page.locator(".panel-features")]) {
      const sheet = panel.locator(".sheet:not([hidden])");
      const room = (await sheet.boundingBox())?.width ?? 0;
      await expect
        .poll(async () => (await sheet.locator("canvas").boundingBox())?.width ?? 0)
        .toBeGreaterThan(room - 1.5);
    }
  }
});

test("pinning an image moves nothing, and the pinned sample is marked", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, MLP);
  await page.goto(`${url}/inside`);
  const card = page.locator(".image-card");
  const pressed = card.locator(".thumb[aria-pressed=true]");
  await expect(pressed).toHaveCount(1);
  await card.locator(".thumb").nth(3).click();
  await expect(card.locator(".image-now img")).toHaveAttribute("src", /test%3A/);
  const image = card.locator(".image-now img");
  await expect.poll(() => image.evaluate((/** @type {HTMLImageElement} */ { complete }) => complete)).toBe(true);
  const before = await card.boundingBox();
  await page.getByRole("button", { name: "Pin for the film" }).click();
  const pinned = page.getByRole("button", { name: "Pinned for the film" });
  await expect(pinned).toHaveAttribute("aria-pressed", "true");
  expect(await card.boundingBox()).toEqual(before);
  const { pinned: followed } = await vivarium.call("GET", `/runs/${id}/film`);
  // Without a choice of one's own, the pinned image is shown.
  await page.goto(`${url}/inside`);
  await expect(pressed).toHaveAttribute("title", new RegExp(`^${followed.image},`));
  await pinned.click();
  await expect.poll(async () => (await vivarium.call("GET", `/runs/${id}/film`)).pinned.image).toBe("test:0");
});

test("a hidden layer's computation begins with the neuron that answers most, and neurons show their weights", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, MLP);
  await page.goto(`${url}/inside`);
  await expect(page.locator(".strongest canvas")).toHaveCount(20);
  const strongest = await page
    .locator(".strongest li.above")
    .first()
    .evaluate((row) => row.querySelector(".name")?.textContent?.toLowerCase());
  await page.getByLabel("Order of weights").selectOption("strongest on the image first");
  const canvas = page.locator(".panel-filters .sheet:not([hidden]) canvas");
  await canvas.focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".panel-filters .sheet-words").first()).toContainText(`${strongest}:`);
  await page.getByRole("button", { name: "Watch it compute" }).click();
  await expect(page.locator(".closeup .chain .result small")).toHaveText(`the value of ${strongest}`);
  // What is scrolled to ends below the film's bar.
  const bottom = async () => {
    const bar = await page.locator(".film-bar").boundingBox();
    return (bar?.y ?? 0) + (bar?.height ?? 0);
  };
  await expect
    .poll(async () => ((await page.locator(".closeup").boundingBox())?.y ?? 0) - (await bottom()))
    .toBeGreaterThan(0);
});

test("while the film plays, the tiles keep their order and the layer's tools their place", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, MLP);
  await page.goto(`${url}/inside`);
  const first = page.locator(".panel-filters .sheet-words").first();
  const nameOf = async () => /^neuron \d+/.exec((await first.textContent()) ?? "")?.[0];
  await expect.poll(nameOf).toBeTruthy();
  const name = await nameOf();
  const place = await page.locator(".layer-tools").boundingBox();
  const slider = page.getByLabel("Frame of the film");
  for (const frame of ["0", "1", "2"]) {
    await slider.fill(frame);
    await expect(slider).toHaveValue(frame);
    await expect(page.locator(".film-line output")).not.toContainText("film of");
    expect(await nameOf()).toBe(name);
    await expect(page.getByRole("button", { name: "Watch it compute" })).toBeDisabled();
    await expect(page.locator(".training-note")).toBeVisible();
  }
  expect((await page.locator(".layer-tools").boundingBox())?.x).toBe(place?.x);
});

test("nothing is asked for that the film does not keep, or that needs a checkpoint", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, CONV);
  const refused = refusals(page);
  const { layers } = await vivarium.call("GET", `/runs/${id}/film/0`);
  const { reduced } = await vivarium.call("GET", `/runs/${id}/layers/classifier/filters?checkpoint=0`);
  // Else this test shows nothing.
  expect(layers.filters).toContain("classifier");
  expect(reduced).not.toBeNull();
  await page.goto(`${url}/inside?layer=classifier`);
  const weights = page.locator(".panel-filters");
  await expect(weights.locator(".sheet:not([hidden])")).toHaveCount(1);
  await expect(weights).toHaveAttribute("data-settled", /\d/);
  await expect(weights.locator(".training-note")).toBeHidden();
  await page.goto(`${url}/inside?layer=classifier&beside=0&compared=change`);
  await expect(weights.locator(".refused")).toContainText("The film keeps only a part of this layer");

  const diverged = await trained(vivarium, DIVERGES);
  await page.goto(`${diverged.url}/inside`);
  await expect(page.locator(".predictions")).toContainText("the network has diverged");
  // All frames are fetched.
  await expect(page.locator(".film-bar")).toHaveAttribute("data-warm", /\d/);
  expect(refused).toEqual([]);
});
