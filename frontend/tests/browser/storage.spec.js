// Browsers without storage: site data blocked, no space left, missing features.

import { chooseMore, expect, SHORT, test } from "./vivarium.js";

/** @param {import("@playwright/test").Page} page */
const choose = (page) => chooseMore(page, "Delete run");

/** @type {[string, () => void][]} */
const REFUSALS = [
  [
    "site data is blocked",
    () => {
      const get = () => {
        throw new DOMException("denied", "SecurityError");
      };
      for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get });
    },
  ],
  [
    "there is no space left",
    () => {
      Storage.prototype.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    },
  ],
  [
    "nothing is there, and workers, locks and channels are forbidden",
    () => {
      const get = () => {
        throw new DOMException("denied", "SecurityError");
      };
      for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { value: null });
      for (const name of ["SharedWorker", "BroadcastChannel"]) Object.defineProperty(window, name, { get });
      for (const name of ["locks", "clipboard"]) Object.defineProperty(Navigator.prototype, name, { get });
    },
  ],
];

for (const [name, refuse] of REFUSALS) {
  test(`Undo is offered and every page works where ${name}`, async ({ page, vivarium, context }) => {
    test.setTimeout(180_000);
    await context.addInitScript(refuse);
    const { id, url } = await vivarium.create(SHORT);
    await expect.poll(async () => (await vivarium.get(id)).status).toBe("finished");
    const report = await vivarium.call("POST", "/reports", { text: "# Kept" });
    // An uncaught error fails the test.
    for (const address of [
      "/",
      url,
      `${url}/inside`,
      `/compare?run=${id}`,
      "/new",
      "/data",
      "/networks",
      "/playground",
      "/networks/new",
      "/reports",
      report.url,
    ]) {
      await page.goto(address);
      await expect(page.locator("main")).not.toBeEmpty();
      const theme = page.getByRole("button", { name: /^Use the (dark|light) theme$/ });
      await theme.click();
    }
    await page.goto(url);
    await choose(page);
    await page.waitForURL(/\/$|\/#deleted=/);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(page.locator("tr[data-run]", { hasText: "short" })).toBeVisible();
    expect((await vivarium.get(id)).status).toBe("finished");
    expect(new URL(page.url()).hash).toBe("");
    // Only runs in the trash are offered, whatever the URL says.
    await page.goto("/data");
    await page.goto(`/#deleted=${id},x`);
    await expect(page.locator("tr[data-run]", { hasText: "short" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Undo" })).toHaveCount(0);
  });

  test(`a run that is started from the form is not said to have failed where ${name}`, async ({ page, context }) => {
    await context.addInitScript(refuse);
    await page.goto("/new");
    await page
      .getByRole("button", { name: /^Start/ })
      .first()
      .click();
    await page.waitForURL(/\/runs\//);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  });
}
