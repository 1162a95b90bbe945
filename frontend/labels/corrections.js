// What the current version changes: each image with its old and its new class, and a way back; and the images that
// somebody looked at and kept.

import { h, setText } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { samplePicture } from "./picture.js";

/** @import { LabelEdit, SetLabels } from "../lib/types" */

/** Corrections that are shown at first. */
const SHOWN = 24;

/**
 * @param {string[]} classes
 * @param {{ set: string, edit: (changes: LabelEdit[], words: string) => void }} of
 */
export function correctionsCard(classes, { set, edit }) {
  let most = SHOWN;
  const title = h("h2", {}, "Corrections");
  const list = h("ul", { class: "corrections" });
  const more = h("button", { class: "button small", type: "button", hidden: true }, "Show all");
  const keptTitle = h("summary", {});
  const keptList = h("ul", { class: "corrections" });
  const keptPart = h("details", { class: "kept", hidden: true }, keptTitle, keptList);
  const element = h(
    "section",
    { class: "card", "aria-label": "Corrections", hidden: true },
    h("header", { class: "card-head" }, title),
    h("div", { class: "card-body" }, list, more, keptPart),
  );

  /** @param {SetLabels} labels */
  function show({ corrections, kept }) {
    element.hidden = corrections.length + kept.length === 0;
    showKept(kept);
    setText(title, plural(corrections.length, "correction"));
    more.hidden = corrections.length <= most;
    more.onclick = () => {
      most = Number.POSITIVE_INFINITY;
      show(/** @type {any} */ ({ corrections, kept }));
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

  /** @param {SetLabels["kept"]} kept */
  function showKept(kept) {
    keptPart.hidden = kept.length === 0;
    setText(keptTitle, `${plural(kept.length, "image")} looked at and kept`);
    keptList.replaceChildren(
      ...kept.map(({ sample, name, class: now }) => {
        const called = name ?? `Image ${count(sample)}`;
        // Giving an image the label that it has takes back that somebody looked.
        /** @type {LabelEdit} */
        const again = now === null ? { action: "exclude", sample } : { action: "relabel", sample, class: classes[now] };
        return h(
          "li",
          {},
          samplePicture(set, sample, called),
          h(
            "p",
            {},
            h("strong", {}, now === null ? "excluded" : classes[now]),
            h("small", { class: "muted issue-name", title: called }, called),
          ),
          h(
            "button",
            {
              class: "button small quiet",
              type: "button",
              "aria-label": `Look at ${called} again`,
              on: { click: () => edit([again], `${called} is among the suspects again`) },
            },
            "Look again",
          ),
        );
      }),
    );
  }

  return { element, show };
}
