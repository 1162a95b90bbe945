// Starts the real binary on its own data folder, and calls its API.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BINARY = process.env.VIVARIUM_BIN ?? fileURLToPath(new URL("../../target/release/vivarium", import.meta.url));

/**
 * Starts a server; with `VIVARIUM_TEST_LOG=1` its log appears in the tests' output.
 * @param {{ dataDir?: string, port?: number, jobs?: number, more?: string[] }} [options]
 */
export async function startServer({
  dataDir = mkdtempSync(join(tmpdir(), "vivarium-test-")),
  port = 0,
  jobs = 2,
  more = [],
} = {}) {
  const command = ["serve", "--port", String(port), "--data-dir", dataDir, "--jobs", String(jobs), ...more];
  const child = spawn(BINARY, command, {
    stdio: ["ignore", "pipe", process.env.VIVARIUM_TEST_LOG ? "inherit" : "ignore"],
  });
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
    pid: child.pid ?? 0,
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
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  };
  return {
    call,
    /** @param {unknown} spec @returns {Promise<{ id: string, url: string }>} */
    create: (spec) => call("POST", "/runs", spec),
    /** @param {string} id */
    get: (id) => call("GET", `/runs/${id}`),
    /** Deletes all reports, and all runs permanently. */
    async clear() {
      const { reports } = await call("GET", "/reports");
      for (const { id } of reports) await call("DELETE", `/reports/${id}`);
      for (;;) {
        const { runs } = await call("GET", "/runs");
        if (runs.length === 0) break;
        for (const { id } of runs) await call("DELETE", `/runs/${id}`);
      }
      const { runs: deleted } = await call("GET", "/trash");
      for (const { id } of deleted) await call("DELETE", `/trash/${id}`);
    },
  };
}
