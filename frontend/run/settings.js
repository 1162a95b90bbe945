// The settings of a run, with a copy button.

import { h } from "../lib/dom.js";
import { exactNumber } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { codeBlock } from "../lib/code.js";
import { apiUrl, siteUrl } from "../lib/base-path.js";
import { networkLinks } from "./network-links.js";
import { sourcePart } from "./source.js";

/** @import { Run, Json } from "../lib/types" */

/** Where the weights come from that a run started from. @typedef {{ from: string, name: string, sha256: string }} StartRecord */

/** @param {Run} run @param {StartRecord | null} start */
export function settingsPanel(run, start) {
  const { spec, source } = run;
  const code = codeBlock("Copy the settings as JSON");
  code.show(JSON.stringify(spec, null, 2));
  const groups = (
    source
      ? [{ title: "Hyperparameters", values: spec.hparams }]
      : [
          { title: "Data", values: spec.data },
          { title: "Network", values: spec.network },
          { title: "Training", values: spec.training },
        ]
  ).filter(({ values }) => values);
  const chevron = icon("chevron", 14);
  chevron.classList.add("chevron");
  const links = networkLinks(run);
  const element = h(
    "details",
    { class: "card settings", open: matchMedia("(min-width: 1000px)").matches },
    h("summary", { class: "card-head" }, h("h2", {}, chevron, source ? "Source" : "Settings")),
    h(
      "div",
      { class: "card-body" },
      h(
        "div",
        { class: "settings-groups" },
        source && sourcePart(run, source),
        ...groups.map(({ title, values }) =>
          h(
            "div",
            {},
            h("h3", {}, title),
            h(
              "dl",
              {},
              ...[...pairs(/** @type {Json} */ (values)), ...(title === "Training" ? ofStart(start) : [])].map(
                ([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, shown(name, value))),
              ),
            ),
          ),
        ),
      ),
      !source && links,
      !source && h("details", { class: "json" }, h("summary", {}, "As JSON"), code.element),
      h(
        "p",
        { class: "links muted small" },
        link(apiUrl(`/runs/${run.id}`), "Run"),
        link(apiUrl(`/runs/${run.id}/metrics?points=100000`), "Metrics"),
        link(apiUrl(`/events?run=${run.id}`), "Events"),
        "as in the API",
      ),
    ),
  );
  return element;
}

/** @param {StartRecord | null} start @returns {[string, string][]} */
const ofStart = (start) =>
  start
    ? [
        [start.from === "imported" ? "transfer weights" : "transfer weights of", start.name],
        ["transfer SHA-256", `${start.sha256.slice(0, 16)}…`],
      ]
    : [];

/** A value; the run whose weights this one started from is linked. @param {string} name @param {string} value */
const shown = (name, value) =>
  name === "transfer from" && /^[0-9a-f-]{36}$/.test(value)
    ? h("a", { href: siteUrl(`/runs/${value}`), title: value }, `run ${value.slice(0, 8)}…`)
    : value;

/** @param {string} href @param {string} text */
const link = (href, text) => h("a", { href, target: "_blank", rel: "noopener" }, text);

/**
 * Readable names and values; nested names include their group.
 * @param {Json} values
 * @param {string} [prefix]
 * @returns {[string, string][]}
 */
function pairs(values, prefix = "") {
  return Object.entries(/** @type {{ [key: string]: Json }} */ (values ?? {})).flatMap(([key, value]) => {
    const name = `${prefix}${key.replaceAll("_", " ")}`;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      const { kind, ...rest } = value;
      return [
        .../** @type {[string, string][]} */ (kind === undefined ? [] : [[name, exactNumber(kind)]]),
        ...pairs(rest, `${name} `),
      ];
    }
    return [/** @type {[string, string]} */ ([name, exactNumber(value)])];
  });
}
