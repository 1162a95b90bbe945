// Themes and widths, on every page.

import { expect, overflow, SHORT, test, trained } from "./vivarium.js";

test("the theme is the system's until one is chosen, and stays over a reload", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto("/");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.getByRole("button", { name: "Use the light theme" }).click();
  expect(await background()).not.toBe(dark);
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  expect(await background()).not.toBe(dark);
  await page.getByRole("button", { name: "Use the dark theme" }).click();
  expect(await background()).toBe(dark);
});

test("weights have 0 in the colour of the page, and follow the theme", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, SHORT);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${url}/inside`);
  const sheet = page.getByRole("region", { name: "Weights" }).locator("canvas.sheet-picture").first();
  /** The colour in the middle of the legend, and the mean of the red of all pixels: most weights are near 0. */
  const seen = () =>
    sheet.evaluate((canvas) => {
      const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
      const { data } = /** @type {any} */ (canvas).getContext("2d").getImageData(0, 0, width, height);
      let [sum, count] = [0, 0];
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] === 0) continue;
        sum += data[at];
        count += 1;
      }
      const legend = canvas.closest(".sheet")?.querySelector(".legend-colours");
      return { red: sum / count, legend: /** @type {HTMLElement | null | undefined} */ (legend)?.style.background };
    });
  await expect.poll(async () => (await seen()).red).toBeLessThan(120);
  await expect.poll(async () => (await seen()).legend).toContain("rgb(27, 32, 30)");
  await page.getByRole("button", { name: "Use the light theme" }).click();
  await expect.poll(async () => (await seen()).red).toBeGreaterThan(180);
  await expect.poll(async () => (await seen()).legend).toContain("rgb(247, 247, 247)");
});

test("no page scrolls sideways on a tablet or a phone", async ({ page, vivarium }) => {
  const name = "a long name without any end ".repeat(4) + "W".repeat(60);
  const { id, url } = await vivarium.create({ ...SHORT, name });
  const { url: toy2d } = await vivarium.create({
    name: "toy2d",
    data: { set: "moons" },
    network: { kind: "mlp" },
    training: { epochs: 2 },
  });
  await expect.poll(async () => (await vivarium.get(id)).status).toBe("finished");
  for (const width of [1100, 768, 400, 320]) {
    await page.setViewportSize({ width, height: 800 });
    for (const path of [
      "/",
      "/new",
      "/data",
      "/networks",
      "/playground",
      "/networks/residual-deep",
      "/networks/new?copy=vgg16",
      "/new?preset=batch-size",
      url,
      toy2d,
      "/nowhere",
    ]) {
      await page.goto(path);
      await expect(page.locator("main")).not.toBeEmpty();
      if (path.startsWith("/networks/")) await expect(page.locator(".layer-row").first()).toBeVisible();
      if (path === url) await expect(page.getByRole("table", { name: /Confusion/ })).toBeVisible();
      expect(await overflow(page), `${path} at ${width}`).toBeLessThanOrEqual(0);
    }
  }
});

test("touch targets on a phone are large enough", async ({ browser, server, vivarium }) => {
  await vivarium.create(SHORT);
  const context = await browser.newContext({ viewport: { width: 400, height: 800 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  await page.goto(`${server.url}/`);
  await expect(page.locator("tbody tr")).toHaveCount(1);
  for (const button of await page.locator("tbody .button:visible, .preset .button:visible").all()) {
    const box = await button.boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(36);
  }
  await context.close();
});
