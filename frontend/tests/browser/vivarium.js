// Starts the real binary on an empty data folder, and gives every test a page that must stay free
// of script errors and of anything that the content security policy forbids.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test as base } from "@playwright/test";

const BINARY = process.env.VIVARIUM_BIN ?? fileURLToPath(new URL("../../../target/release/vivarium", import.meta.url));

/** A RunSpec that trains for hours if nobody stops it. */
export const LONG = { name: "long", data: { set: "digits" }, network: { kind: "mlp" }, training: { epochs: 100_000, batch_size: 4 } };
export const SHORT = { name: "short", data: { set: "digits" }, network: { kind: "mlp" }, training: { epochs: 3 } };

/** @param {{ dataDir?: string, port?: number, more?: string[] }} [options] */
export async function startServer({ dataDir = mkdtempSync(join(tmpdir(), "vivarium-test-")), port = 0, more = [] } = {}) {
  const child = spawn(BINARY, ["serve", "--port", String(port), "--data-dir", dataDir, "--jobs", "2", ...more], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((/** @type {(url: string) => void} */ resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`vivarium ended with ${code} before it listened`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = line.match(/^Vivarium is listening on (http:\/\/\S+)/);
      if (found) resolve(found[1]);
    });
  });
  return {
    url,
    dataDir,
    async stop({ keep = false } = {}) {
      child.kill("SIGTERM");
      await exited;
      if (!keep) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/** @param {string} url */
export function api(url) {
  /** @param {string} method @param {string} path @param {unknown} [body] */
  const call = async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, { method, headers: body === undefined ? {} : { "content-type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  };
  return {
    call,
    /** @param {unknown} spec @returns {Promise<{ id: string, url: string }>} */
    create: (spec) => call("POST", "/runs", spec),
    /** @param {string} id */
    get: (id) => call("GET", `/runs/${id}`),
    /** Deletes every run. */
    async clear() {
      const { runs } = await call("GET", "/runs");
      for (const { id } of runs) await call("DELETE", `/runs/${id}`);
    },
  };
}

/** What a test may expect the browser to complain about. @type {RegExp[]} */
const EXPECTED = [/status of 4(09|22)/, /ERR_CONNECTION_REFUSED/, /ERR_INCOMPLETE_CHUNKED_ENCODING/, /status of 404 \(Not Found\)/];

export const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{ vivarium: ReturnType<typeof api>, clean: void }, { server: Server }, import("@playwright/test").PlaywrightTestArgs & import("@playwright/test").PlaywrightTestOptions>} */ ({
    server: [
      async ({}, use) => {
        const server = await startServer();
        await use(server);
        await server.stop();
      },
      { scope: "worker" },
    ],
    baseURL: async ({ server }, use) => use(server.url),
    vivarium: async ({ server }, use) => {
      const client = api(server.url);
      await use(client);
      await client.clear();
    },
    clean: [
      async ({ page }, use) => {
        /** @type {string[]} */
        const complaints = [];
        page.on("pageerror", (error) => complaints.push(String(error.stack)));
        page.on("console", (message) => {
          if (message.type() === "error" && !EXPECTED.some((known) => known.test(message.text()))) complaints.push(message.text());
        });
        await use();
        expect(complaints).toEqual([]);
      },
      { auto: true },
    ],
  }),
);

export { expect };

/** The last event that is on the screen. @param {import("@playwright/test").Page} page */
export const drawn = (page) => page.evaluate(() => Number(document.documentElement.dataset.lastSeqDrawn ?? 0));

/** @param {import("@playwright/test").Page} page */
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
