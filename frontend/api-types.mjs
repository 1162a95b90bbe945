// Generates `lib/api-types.d.ts`, the types of what the server and the browser exchange, from `docs/openapi.json`.
// With `--check` nothing is written, and a stale copy is an error.

import { readFile, writeFile } from "node:fs/promises";
import openapiTypescript from "openapi-typescript";

const source = new URL("../docs/openapi.json", import.meta.url);
const target = new URL("lib/api-types.d.ts", import.meta.url);

const { openapi, info, components } = JSON.parse(await readFile(source, "utf8"), (_, value) => {
  // Only arrays of a fixed length become tuples.
  if (value?.type !== "array" || value.minItems === value.maxItems) return value;
  const { minItems: _least, maxItems: _most, ...array } = value;
  return array;
});

const generated = await openapiTypescript(
  { openapi, info, paths: {}, components: { schemas: components.schemas } },
  { supportArrayLength: true },
);
// What the document leaves open is still JSON.
const types = generated.replaceAll(/^(?!\s*(?:\/\*|\*)).*\bunknown\b.*$/gm, (line) =>
  line.replaceAll("unknown", "Json"),
);
const names = Object.keys(components.schemas).map(
  (name) => `export type ${name} = components["schemas"]["${name}"];\n`,
);
const json = "export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };\n";
const text = `${types}\n${json}\n${names.join("")}`;

if (!process.argv.includes("--check")) {
  await writeFile(target, text);
} else if ((await readFile(target, "utf8").catch(() => "")) !== text) {
  console.error("frontend/lib/api-types.d.ts is stale. Refresh it: scripts/refresh-api");
  process.exit(1);
}
