// Measures how long the picture of a network follows a keystroke: in Chromium against the real binary, from the key to
// the frame that shows the change. Each key changes the shape of all 200 layers.
//
//     npm run --prefix frontend measure:network
//
// Exits with 1 if the 95th percentile exceeds its bound. Leave the machine idle meanwhile.

import { chromium } from "@playwright/test";
import config from "../../playwright.config.js";
import { api, startServer } from "../server.js";

const BOUND_MS = 100;
const BLOCKS = 40;
const KEYS = 60;

const TEXT = `"""Measured network"""

width = 8


def measured(classes):
    return Sequential(
        stem=Conv2d(width, 3, padding=1),
${Array.from({ length: BLOCKS }, (_, i) => `        block${i}=Sum(Sequential(Conv2d(width, 3, padding=1, bias=False), BatchNorm2d(), ReLU(), Conv2d(width, ${2 * (i % 3) + 1}, padding="same")), Identity()),`).join("\n")}
        mean=Mean(),
        classifier=Linear(classes),
    )
`;

const server = await startServer();
const browser = await chromium.launch(config.use?.launchOptions);
try {
  await api(server.url).call("PUT", "/networks/measured", { source: TEXT });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  for (const open of ["Expand", "Collapse"]) {
    await page.goto(`${server.url}/networks/measured`);
    await page.locator(".layer-row").first().waitFor();
    await page.getByRole("button", { name: open }).click();
    await page.locator(".cm-line", { hasText: "width = 8" }).click();
    await page.keyboard.press("End");
    await page.evaluate(() => {
      const figures = /** @type {any} */ (globalThis);
      figures.waits = [];
      let pressed = 0;
      addEventListener("keydown", (event) => (pressed = event.timeStamp), { capture: true });
      new MutationObserver(() =>
        requestAnimationFrame(() => setTimeout(() => figures.waits.push(performance.now() - pressed))),
      ).observe(/** @type {Element} */ (document.querySelector(".totals dd")), {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    for (let key = 0; key < KEYS; key += 1) {
      await page.keyboard.press(key % 2 === 0 ? "0" : "Backspace");
      await page.waitForFunction((count) => /** @type {any} */ (globalThis).waits.length > count, key);
    }
    /** @type {number[]} */
    const waits = (await page.evaluate(() => /** @type {any} */ (globalThis).waits)).sort(
      (/** @type {number} */ a, /** @type {number} */ b) => a - b,
    );
    const at = (/** @type {number} */ share) => Math.round(waits[Math.ceil(share * waits.length) - 1]);
    const rows = await page.locator(".layer-row").count();
    const isGood = at(0.95) <= BOUND_MS;
    console.log(
      `${isGood ? "ok" : "TOO SLOW"}: from a key to the picture, ${rows} rows: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms (bound ${BOUND_MS} ms)`,
    );
    if (!isGood) process.exitCode = 1;
  }
} finally {
  await browser.close();
  await server.stop();
}
