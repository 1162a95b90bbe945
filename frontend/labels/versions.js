// The versions of a set's labels, and the runs that learnt each.

import { siteUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";
import { dateTime, plural } from "../lib/format.js";
import { changeWords } from "./words.js";

/** @import { SetLabels } from "../lib/types" */

/** Versions that are shown at first, beside those that runs use. */
const SHOWN = 5;

/** @param {{ set: string, use: (version: string) => void }} of */
export function versionsCard({ set, use }) {
  let all = false;
  const rows = h("tbody");
  const more = h("button", { class: "button small", type: "button", hidden: true }, "Show all");
  const element = h(
    "section",
    { class: "card", "aria-label": "Versions", hidden: true },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, "Versions"),
        h(
          "p",
          { class: "muted small" },
          "A version is named by the hash of its labels. Each run keeps the one that it learnt; all have the same split.",
        ),
      ),
    ),
    h(
      "div",
      { class: "card-body" },
      h(
        "div",
        { class: "versions-frame", tabindex: 0, role: "group", "aria-label": "Versions" },
        h(
          "table",
          { class: "versions" },
          h(
            "thead",
            {},
            h("tr", {}, ...["Labels", "Made", "Runs", "Version", ""].map((word) => h("th", { scope: "col" }, word))),
          ),
          rows,
        ),
      ),
      more,
    ),
  );

  /** @param {SetLabels} labels */
  function show(labels) {
    const { versions, version: current } = labels;
    element.hidden = versions.length < 2;
    const shown = versions.filter(
      ({ version, runs }, at) => all || at <= SHOWN || runs > 0 || version === current || version === "imported",
    );
    more.hidden = shown.length === versions.length;
    more.textContent = `Show all ${versions.length} versions`;
    more.onclick = () => {
      all = true;
      show(labels);
    };
    rows.replaceChildren(
      ...shown.map((version) => {
        const { version: name, created, runs } = version;
        const search = `data="${set}" version="${name}"`;
        return h(
          "tr",
          { "aria-current": name === current ? "true" : undefined },
          h("th", { scope: "row" }, name === "imported" ? "As imported" : changeWords(version)),
          h("td", {}, created === null ? "" : dateTime(created)),
          h(
            "td",
            {},
            runs === 0 ? "" : h("a", { href: siteUrl(`/?q=${encodeURIComponent(search)}`) }, plural(runs, "run")),
          ),
          h("td", {}, h("code", { class: "muted" }, name)),
          h(
            "td",
            {},
            name === current
              ? h("span", { class: "badge", data: { tone: "good" } }, "current")
              : h(
                  "button",
                  {
                    class: "button small",
                    type: "button",
                    "aria-label": `Use version ${name}`,
                    on: { click: () => use(name) },
                  },
                  "Use",
                ),
          ),
        );
      }),
    );
  }

  return { element, show };
}
