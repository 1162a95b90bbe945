// Brings third-party browser files from npm into static/vendor, pinned and checked by hash.
//
//   node vendor.mjs           fetch what is missing or differs, then verify
//   node vendor.mjs --check   verify only, without the network
//
// The files are committed, so neither building nor running Vivarium needs npm.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const VENDOR = join(dirname(fileURLToPath(import.meta.url)), "..", "static", "vendor");

/** Each package: its files as [path in the package, path under static/vendor, SHA-256]. */
const PACKAGES = [
  {
    spec: "uplot@1.6.32",
    files: [
      ["dist/uPlot.esm.js", "uplot/uPlot.esm.js", "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba"],
      ["dist/uPlot.d.ts", "uplot/uPlot.esm.d.ts", "af44374f6e808be4f7f3fa5888b9c7574dca9f8a15a66d54b6763535802c8080"],
      ["dist/uPlot.min.css", "uplot/uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"],
      ["LICENSE", "uplot/LICENSE", "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd"],
    ],
  },
];

/** @param {Buffer} bytes */
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** @param {string} path @param {string} hash */
function isThere(path, hash) {
  try {
    return sha256(readFileSync(path)) === hash;
  } catch {
    return false;
  }
}

let failed = false;
for (const { spec, files } of PACKAGES) {
  const missing = files.filter(([, to, hash]) => !isThere(join(VENDOR, to), hash));
  if (missing.length === 0) {
    console.log(`${spec}: ${files.length} files as expected`);
    continue;
  }
  if (process.argv.includes("--check")) {
    console.error(`${spec}: missing or different: ${missing.map(([, to]) => to).join(", ")}`);
    failed = true;
    continue;
  }
  const folder = mkdtempSync(join(tmpdir(), "vivarium-vendor-"));
  try {
    const packed = execFileSync("npm", ["pack", spec, "--silent", "--pack-destination", folder], { encoding: "utf8" });
    execFileSync("tar", ["xzf", join(folder, packed.trim()), "-C", folder]);
    for (const [from, to, hash] of missing) {
      const bytes = readFileSync(join(folder, "package", from));
      const found = sha256(bytes);
      if (found !== hash) throw new Error(`${spec} ${from}: SHA-256 is ${found}, expected ${hash}`);
      const target = join(VENDOR, to);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, bytes);
      console.log(`${spec}: ${to}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
process.exit(failed ? 1 : 0);
