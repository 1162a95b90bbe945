// Gives every test the real binary on an empty data folder, and a page that must stay free of
// script errors and of anything that the content security policy forbids.

import { expect, test as base } from "@playwright/test";
import { api, startServer } from "../server.js";

/** @import { Server } from "../server.js" */

/** A RunSpec that trains for hours if nobody stops it. */
export const LONG = {
  name: "long",
  data: { set: "digits" },
  network: { kind: "mlp" },
  training: { epochs: 100_000, batch_size: 4 },
};
export const SHORT = { name: "short", data: { set: "digits" }, network: { kind: "mlp" }, training: { epochs: 3 } };

/** What a test may expect the browser to complain about. @type {RegExp[]} */
const EXPECTED = [
  /status of 4(09|22)/,
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
    // For every test: the next one finds what one leaves that does not ask for it, too.
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

/** The last event that is on the screen. @param {import("@playwright/test").Page} page */
export const drawn = (page) => page.evaluate(() => Number(document.documentElement.dataset.lastSeqDrawn ?? 0));

/** @param {import("@playwright/test").Page} page */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
