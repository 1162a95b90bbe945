// Fixtures: every test gets the real binary on an empty data folder, and a page without script errors or violations of
// the content security policy.

import { expect, test as base } from "@playwright/test";
import { api, startServer } from "../server.js";

/** @import { Server } from "../server.js" */

/** A RunSpec that trains for hours unless stopped. */
export const LONG = {
  name: "long",
  data: { set: "digits" },
  network: { kind: "mlp" },
  training: { epochs: 100_000, batch_size: 4 },
};
export const SHORT = { name: "short", data: { set: "digits" }, network: { kind: "mlp" }, training: { epochs: 3 } };

/** A run that diverges before its first checkpoint. */
export const DIVERGES = {
  ...SHORT,
  name: "too fast",
  training: { epochs: 3, optimizer: { kind: "sgd", lr: 90, momentum: 0.9 } },
};

/** @typedef {ReturnType<typeof api>} Api */

/** Waits until a run is over. @param {Api} vivarium @param {string} id */
export const finished = (vivarium, id, timeout = 30_000) =>
  expect.poll(async () => (await vivarium.get(id)).status, { timeout }).toBe("finished");

/** A run that is trained to its end. @param {Api} vivarium @param {unknown} spec */
export async function trained(vivarium, spec, timeout = 45_000) {
  const { id, url } = await vivarium.create(spec);
  await finished(vivarium, id, timeout);
  return { id, url };
}

/** Browser errors that tests may cause on purpose. @type {RegExp[]} */
const EXPECTED = [
  /status of 4(09|12|22)/,
  /ERR_CONNECTION_REFUSED/,
  /ERR_INCOMPLETE_CHUNKED_ENCODING/,
  /status of 404 \(Not Found\)/,
];

export const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{ vivarium: ReturnType<typeof api>, clean: void }, { server: Server }, import("@playwright/test").PlaywrightTestArgs & import("@playwright/test").PlaywrightTestOptions>} */ ({
    server: [
      // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the fixtures destructured
      async ({}, use) => {
        const server = await startServer();
        await use(server);
        await server.stop();
      },
      { scope: "worker" },
    ],
    baseURL: async ({ server }, use) => use(server.url),
    // Runs for every test, also those that do not use `vivarium`, since all share a server.
    vivarium: [
      async ({ server }, use) => {
        const client = api(server.url);
        await use(client);
        await client.clear();
      },
      { auto: true },
    ],
    clean: [
      async ({ page }, use) => {
        /** @type {string[]} */
        const complaints = [];
        page.on("pageerror", (error) => complaints.push(String(error.stack)));
        page.on("console", (message) => {
          if (message.type() === "error" && !EXPECTED.some((known) => known.test(message.text())))
            complaints.push(message.text());
        });
        await use();
        expect(complaints).toEqual([]);
      },
      { auto: true },
    ],
  }),
);

export { api, expect, startServer };

/** The sequence number of the last drawn event. @param {import("@playwright/test").Page} page */
export const drawn = (page) => page.evaluate(() => Number(document.documentElement.dataset.lastSeqDrawn ?? 0));

/** Opens the folded settings of a topic in the form. @param {import("@playwright/test").Page} page @param {string} topic */
export async function unfold(page, topic) {
  const fold = page.locator("details.topic", { has: page.getByText(topic, { exact: true }) });
  if ((await fold.getAttribute("open")) === null) await fold.locator("summary").click();
  return fold;
}

/** Chooses from the menu “More” of a run's page. @param {import("@playwright/test").Page} page @param {string} name */
export async function chooseMore(page, name) {
  await page.locator(".run-actions summary", { hasText: "More" }).click();
  await page.locator(".run-actions .menu-list").getByText(name).click();
}

/** @param {import("@playwright/test").Page} page */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
