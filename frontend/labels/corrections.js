// What the current version changes: each image with its old and its new class, and a way back.

import { h, setText } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { samplePicture } from "./picture.js";

/** @import { LabelEdit, SetLabels } from "../lib/types" */

/** Corrections that are shown at first. */
const SHOWN = 24;

/**
 * @param {string[]} classes
 * @param {{ set: string, edit: (changes: LabelEdit[], words: string) => Promise<boolean> }} of
 */
export function correctionsCard(classes, { set, edit }) {
  let most = SHOWN;
  const title = h("h2", {}, "Corrections");
  const list = h("ul", { class: "corrections" });
  const more = h("button", { class: "button small", type: "button", hidden: true }, "Show all");
  const element = h(
    "section",
    { class: "card", "aria-label": "Corrections", hidden: true },
    h("header", { class: "card-head" }, title),
    h("div", { class: "card-body" }, list, more),
  );

  /** @param {SetLabels} labels */
  function show({ corrections }) {
    element.hidden = corrections.length === 0;
    setText(title, plural(corrections.length, "correction"));
    more.hidden = corrections.length <= most;
    more.onclick = () => {
      most = Number.POSITIVE_INFINITY;
      show(/** @type {any} */ ({ corrections }));
    };
    list.replaceChildren(
      ...corrections.slice(0, most).map(({ sample, name, imported, class: now }) => {
        const called = name ?? `Image ${count(sample)}`;
        return h(
          "li",
          {},
          samplePicture(set, sample, called),
          h(
            "p",
            {},
            h("s", { class: "muted" }, classes[imported]),
            " ",
            now === null ? h("strong", {}, "excluded") : h("strong", {}, classes[now]),
            h("small", { class: "muted issue-name", title: called }, called),
          ),
          h(
            "button",
            {
              class: "button small quiet",
              type: "button",
              "aria-label": `Restore ${called}`,
              on: { click: () => edit([{ action: "restore", sample }], `${called} is ${classes[imported]} again`) },
            },
            "Restore",
          ),
        );
      }),
    );
  }

  return { element, show };
}
