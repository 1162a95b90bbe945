// Brings third-party browser files from npm into static/vendor, pinned and checked by hash.
//
//   node vendor.mjs           fetch or bundle what is missing or differs, then verify
//   node vendor.mjs --check   verify only, without the network
//
// Bundles are made from the packages of package-lock.json: run `npm ci` first.
//
// The files are committed, so neither building nor running Vivarium needs npm.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const FRONTEND = dirname(fileURLToPath(import.meta.url));
const VENDOR = join(FRONTEND, "..", "static", "vendor");

/** Each package: its files as [path in the package, path under static/vendor, SHA-256]. */
const PACKAGES = [
  {
    spec: "marked@18.2.1",
    files: [
      ["lib/marked.esm.js", "marked/marked.esm.js", "5371fea86fd0656b4fc7bea7c94c663109d82789b69433eeee78d42895aa44de"],
      ["lib/marked.d.ts", "marked/marked.esm.d.ts", "d7d5a034b73c62e4681ad6cb2945e9862a89e56ab92b06fd7d77e2652e667ac5"],
      ["LICENSE", "marked/LICENSE", "8e3a3f82f59a60958f56ca08f445647c32a4733dc7ca6c2c46f6eb898471ab9c"],
    ],
  },
  {
    spec: "fflate@0.8.3",
    files: [
      ["esm/browser.js", "fflate/browser.js", "b7ca4450b19559a1d50eb381adcee94b82449674be4cd17789d9beba7e6122a1"],
      ["esm/browser.d.ts", "fflate/browser.d.ts", "985db2599e33d85a70a6da5f2b7b6f1b0bf9b9119781b684573a1a9b463e0cc4"],
      ["LICENSE", "fflate/LICENSE", "0a1df3a083d0c010560aa342e87959c8c1070e6fd54545741f083f22d0c8b551"],
    ],
  },
];

/**
 * Libraries that npm has in many packages, bundled into one module. `entry` lists the exports; it is also the module's
 * type declaration. `hash` is that of the module, which the pinned versions of esbuild and of the packages decide.
 */
const BUNDLES = [
  {
    entry: "codemirror/codemirror.d.ts",
    to: "codemirror/codemirror.js",
    hash: "fea12934e69b83e581cd8c2a15251446c65bee938d37b25c668f0c3353dc6e32",
    licence: "codemirror/LICENSE",
  },
];

/** @param {string | Uint8Array} bytes */
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

for (const { entry, to, hash, licence } of BUNDLES) {
  if (isThere(join(VENDOR, to), hash)) {
    console.log(`${to}: bundle as expected`);
    continue;
  }
  if (process.argv.includes("--check")) {
    console.error(`${to}: missing or different`);
    failed = true;
    continue;
  }
  const { module, packages } = await bundled(entry);
  const found = sha256(module);
  if (found !== hash) throw new Error(`${to}: SHA-256 is ${found}, expected ${hash}`);
  writeFileSync(join(VENDOR, to), module);
  writeFileSync(join(VENDOR, licence), licencesOf(packages));
  console.log(`${to}: bundled from ${packages.join(", ")}`);
}

/** The module of an entry's exports, and the packages in it. @param {string} entry */
async function bundled(entry) {
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    stdin: { contents: readFileSync(join(VENDOR, entry), "utf8"), resolveDir: FRONTEND, sourcefile: entry },
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    charset: "utf8",
    absWorkingDir: FRONTEND,
    metafile: true,
    write: false,
  });
  const names = Object.keys(metafile.inputs).flatMap(
    (path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? [],
  );
  return { module: outputFiles[0].contents, packages: [...new Set(names)].sort() };
}

/** The licences of packages, each text once. @param {string[]} packages */
function licencesOf(packages) {
  /** @type {Map<string, string[]>} */
  const texts = new Map();
  for (const name of packages) {
    const text = readFileSync(join(FRONTEND, "node_modules", name, "LICENSE"), "utf8").trim();
    texts.set(text, [...(texts.get(text) ?? []), name]);
  }
  return [...texts].map(([text, names]) => `${names.join(", ")}\n\n${text}\n`).join("\n---\n\n");
}

process.exit(failed ? 1 : 0);
