// The site behind nginx with TLS and a base path, configured as in docs/proxy.md.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LONG, api, drawn, expect, startServer, test } from "./vivarium.js";
import { picture, zip } from "./zip.js";

const PAGE = readFileSync(fileURLToPath(new URL("../../../docs/proxy.md", import.meta.url)), "utf8");
const BASE = "/vivarium";

test.use({ ignoreHTTPSErrors: true });

/** A free port. @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });

/** @param {string} text @param {[string, string][]} pairs placeholders and their values */
function filled(text, pairs) {
  for (const [there, here] of pairs) {
    if (!text.includes(there)) throw new Error(`${there} is not in ${text}`);
    text = text.replaceAll(there, here);
  }
  return text;
}

/** @param {string} upstream host and port of the server @param {number} port */
async function startNginx(upstream, port) {
  const folder = mkdtempSync(join(tmpdir(), "vivarium-nginx-"));
  const [certificate, key] = ["certificate.pem", "key.pem"].map((name) => join(folder, name));
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=lab.example",
      "-keyout",
      key,
      "-out",
      certificate,
    ],
    { stdio: "ignore" },
  );
  const blocks = [...PAGE.matchAll(/```nginx\n([\s\S]*?)```/g)].map(([, block]) => block);
  const block = filled(blocks[1], [
    ["127.0.0.1:7878", upstream],
    ["listen 443", `listen 127.0.0.1:${port}`],
    ["/etc/ssl/lab.example/fullchain.pem", certificate],
    ["/etc/ssl/lab.example/privkey.pem", key],
  ]);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((of) => `${of}_temp_path ${folder}/${of};`)
    .join("\n");
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off;\nmaster_process off;\npid ${folder}/pid;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${block}\n}\n`,
  );
  const program = existsSync("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";
  const child = spawn(program, ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "errors")], {
    stdio: "ignore",
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  return async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
}

test("below a path, behind TLS: links work, a run is started and watched, files are uploaded", async ({ page }) => {
  test.setTimeout(300_000);
  const port = await freePort();
  const server = await startServer({
    more: ["--trust-proxy", "--base-path", BASE, "--allow-host", `localhost:${port}`],
  });
  const stopNginx = await startNginx(new URL(server.url).host, port);
  try {
    const site = `https://localhost:${port}${BASE}`;
    /** Requests outside the base path. @type {string[]} */
    const astray = [];
    page.on("request", (request) => {
      const { origin, pathname, protocol } = new URL(request.url());
      if (protocol === "https:" && (origin !== `https://localhost:${port}` || !pathname.startsWith(`${BASE}/`)))
        astray.push(request.url());
    });
    await expect(async () => void (await page.goto(`${site}/`))).toPass();
    await page.getByRole("button", { name: /^Start “/ }).click();
    await page.waitForURL(`${site}/runs/*`);
    await expect.poll(() => drawn(page)).toBeGreaterThan(0);
    await expect(page.locator(".run-head .badge")).toHaveAttribute("data-status", "finished");

    // The event stream must be passed on without buffering.
    const { id, url } = await api(`${server.url}${BASE}`).create(LONG);
    expect(url).toBe(`${BASE}/runs/${id}`);
    await page.goto(`https://localhost:${port}${url}`);
    await expect.poll(() => drawn(page)).toBeGreaterThan(3);
    const seen = await drawn(page);
    await expect.poll(() => drawn(page)).toBeGreaterThan(seen + 2);
    await page.getByRole("button", { name: "Stop" }).click();
    await expect(page.locator(".run-head .badge")).toHaveAttribute("data-status", "stopped");
    await page.getByRole("link", { name: "Look inside" }).click();
    // The URL contains the view as soon as it is known.
    await page.waitForURL(`${site}/runs/${id}/inside*`);
    await expect(page.locator("#page img").first()).toBeVisible();
    await page.getByRole("link", { name: "long", exact: true }).click();
    await page.waitForURL(`${site}/runs/${id}`);
    await page.getByRole("link", { name: "Adjust and run again" }).click();
    await page.waitForURL(`${site}/new?copy=${id}`);

    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Data" }).click();
    await page.waitForURL(`${site}/data`);
    const pets = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`pets/${i % 3 === 0 ? "dogs" : "cats"}/${i}.jpg`, picture("rgb.jpg")]),
    );
    await page.setInputFiles("#upload-file", { name: "pets.zip", mimeType: "application/zip", buffer: zip(pets) });
    await page.getByRole("button", { name: "Accept" }).click();
    await expect(page.locator('[data-set="pets"]')).toContainText("12 photos");

    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Reports" }).click();
    await page.waitForURL(`${site}/reports`);
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Runs" }).click();
    await page.waitForURL(`${site}/`);
    await page.getByRole("link", { name: "long", exact: true }).click();
    await page.waitForURL(`${site}/runs/${id}`);
    expect(astray).toEqual([]);
  } finally {
    // Pending requests of the last page would fail and be reported as errors.
    await page.goto("about:blank");
    await stopNginx();
    await server.stop();
  }
});
