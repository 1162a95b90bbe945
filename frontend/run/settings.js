// The settings of a run, with a copy button.

import { h } from "../lib/dom.js";
import { exactNumber } from "../lib/format.js";
import { settingLabel, settingValue } from "../lib/setting-labels.js";
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
      ? [{ title: "Hyperparameters", path: "hparams", values: spec.hparams }]
      : [
          { title: "Data", path: "data", values: spec.data },
          { title: "Network", path: "network", values: spec.network },
          { title: "Training", path: "training", values: spec.training },
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
        ...groups.map(({ title, path, values }) =>
          h(
            "div",
            {},
            h("h3", {}, title),
            h(
              "dl",
              {},
              ...rows(/** @type {Json} */ (values), path, String(spec.network?.kind)).map(
                ({ path: at, label, value, inner }) =>
                  h("div", { class: inner ? "inner" : undefined }, h("dt", {}, label), h("dd", {}, shown(at, value))),
              ),
              ...(title === "Training" ? ofStart(start) : []).map(([name, value]) =>
                h("div", { class: "inner" }, h("dt", {}, name), h("dd", {}, value)),
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
        [start.from === "imported" ? "Weights" : "Weights of", start.name],
        ["SHA-256 of the weights", `${start.sha256.slice(0, 16)}…`],
      ]
    : [];

/** A value; the run whose weights this one started from is linked. @param {string} path @param {Json} value */
const shown = (path, value) =>
  path === "training.transfer.from" && typeof value === "string" && /^[0-9a-f-]{36}$/.test(value)
    ? h("a", { href: siteUrl(`/runs/${value}`), title: value }, `run ${value.slice(0, 8)}…`)
    : path.startsWith("hparams.")
      ? exactNumber(value)
      : settingValue(path, value);

/** @param {string} href @param {string} text */
const link = (href, text) => h("a", { href, target: "_blank", rel: "noopener" }, text);

/**
 * Settings with the form's labels, those of a group below its choice. `inner`: one of a group.
 * @param {Json} values
 * @param {string} path
 * @param {string} network its kind
 * @returns {{ path: string, label: string, value: Json, inner: boolean }[]}
 */
export function rows(values, path, network) {
  const inner = path.includes(".");
  // Hyperparameters of others have the names that they were given.
  const label = (/** @type {string} */ at) =>
    at.startsWith("hparams.") ? at.slice("hparams.".length) : settingLabel(at, network);
  return Object.entries(/** @type {{ [key: string]: Json }} */ (values ?? {})).flatMap(([key, value]) => {
    const at = `${path}.${key}`;
    if (value === null || typeof value !== "object" || Array.isArray(value))
      return [{ path: at, label: label(at), value, inner }];
    const { kind, ...rest } = value;
    const chosen = kind === undefined ? { path: at, value: "On" } : { path: `${at}.kind`, value: kind };
    return [{ ...chosen, label: label(at), inner }, ...rows(rest, at, network)];
  });
}
