// Assembles the kernels of the page that a user takes away: standalone/kernels.wat to static/standalone/kernels.wasm.
//
//   node kernels.mjs           assemble
//   node kernels.mjs --check   tell whether the file is that of the source

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const FRONTEND = dirname(fileURLToPath(import.meta.url));
const SOURCE = join(FRONTEND, "standalone", "kernels.wat");
const TARGET = join(FRONTEND, "..", "static", "standalone", "kernels.wasm");

const module = (await wabt()).parseWat("kernels.wat", readFileSync(SOURCE, "utf8"), { simd: true });
module.validate();
const { buffer } = module.toBinary({});
if (process.argv.includes("--check")) {
  if (!readFileSync(TARGET).equals(buffer)) {
    console.error("static/standalone/kernels.wasm is stale: npm run kernels");
    process.exitCode = 1;
  }
} else {
  writeFileSync(TARGET, buffer);
  console.log(`kernels.wasm: ${buffer.length} bytes`);
}
