import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { apiUrl, linkUrl, sitePath, siteUrl } from "../../lib/base-path.js";

test("without a base path, URLs are unchanged", () => {
  assert.equal(siteUrl("/new"), "/new");
  assert.equal(apiUrl("/runs"), "/api/v1/runs");
  for (const href of ["/runs/a", "https://lab.example/", "#runs", "//lab.example", "mailto:a@lab.example"]) {
    assert.equal(linkUrl(href), href);
    assert.equal(sitePath(href), href);
  }
});

test("no module has a URL without the base path", () => {
  const frontend = fileURLToPath(new URL("../..", import.meta.url));
  const modules = readdirSync(frontend, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".js") && !/^(node_modules|tests|test-results)\b/.test(path),
  );
  assert.ok(modules.length > 80);
  const absolute =
    /["'`]\/api\/v1|(href|src|action): ?["'`]\/|\.(href|src) = ["'`]\/|location\.(assign|replace)\(["'`]\//;
  const found = modules.flatMap((path) => {
    if (path === join("lib", "base-path.js")) return [];
    const lines = readFileSync(join(frontend, path), "utf8").split("\n");
    return lines
      .filter((line) => absolute.test(line) && !/^\s*(\/\/|\*|\/\*\*)/.test(line))
      .map((line) => `${path}: ${line.trim()}`);
  });
  assert.deepEqual(found, []);
});
