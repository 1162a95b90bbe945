// The card of an experiment: its question, where to look, what five seeds showed, and what to try next.

import { siteUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

/** @import { Preset } from "../lib/types" */

/** @param {Preset} preset @param {{ open?: boolean }} [options] whether what was seen is shown from the start */
export function experimentCard(preset, { open = false } = {}) {
  const { id, title, question, look_for, findings, variations } = preset;
  return h(
    "section",
    { class: "card experiment", "aria-label": `Experiment: ${title}` },
    h(
      "div",
      { class: "card-body" },
      h("h2", {}, question),
      h("p", {}, h("strong", {}, "Look for: "), look_for),
      findings.length > 0 &&
        h(
          "details",
          { open },
          h("summary", {}, "What was seen with five seeds"),
          h(
            "dl",
            { class: "experiment-findings" },
            ...findings.map(({ value, seen }) => h("div", {}, value !== "" && h("dt", {}, value), h("dd", {}, seen))),
          ),
        ),
      variations.length > 0 &&
        h(
          "p",
          { class: "experiment-next" },
          h("strong", {}, "Try: "),
          ...variations.map(({ title }, at) =>
            h(
              "a",
              { class: "button small", href: siteUrl(`/new?preset=${encodeURIComponent(id)}&try=${at}`) },
              icon("play", 12),
              `the same ${title}`,
            ),
          ),
        ),
    ),
  );
}

/**
 * The settings and the values to compare of a preset, or of a variation of it.
 * @param {Preset} preset
 * @param {number | null} at the place of the variation
 * @returns {{ base: any, grid: Preset["grid"], title: string }}
 */
export function variant(preset, at) {
  const variation = at === null ? undefined : preset.variations[at];
  if (!variation) return { base: preset.base, grid: preset.grid, title: preset.title };
  const base = structuredClone(/** @type {any} */ (preset.base));
  for (const [path, value] of Object.entries(variation.changes)) setAt(base, path, value);
  const title = `${preset.title}, ${variation.title}`;
  base.name = title;
  return { base, grid: preset.grid, title };
}

/** @param {any} object @param {string} path @param {unknown} value */
function setAt(object, path, value) {
  const parts = path.split(".");
  const last = parts.pop() ?? "";
  for (const part of parts) {
    object[part] ??= {};
    object = object[part];
  }
  object[last] = value;
}
