// The source of an imported run: its files, its tags, and which of them are shown.

import { h } from "../lib/dom.js";
import { openTagMapping } from "./tag-mapping.js";
import { bytes, dateTime } from "../lib/format.js";

/** @import { Run, Source } from "../lib/types" */

/** Names of the curves. @type {{ [series: string]: string }} */
const NAMES = {
  train_loss: "training loss",
  train_accuracy: "training accuracy",
  validation_loss: "validation loss",
  validation_accuracy: "validation accuracy",
  lr: "learning rate",
};

/** @param {Run} run @param {Source} source */
export function sourcePart(run, { files, series, own = [], not_shown: notShown, other, began, ended, remarks }) {
  const code = (/** @type {string} */ text) => h("code", {}, text);
  /** The facts to list. @type {[string, (Node | string)[][]][]} */
  const facts = [
    ["Files", files.map(({ name, bytes: size }) => [code(name), ` ${bytes(size)}`])],
    ["Curves", Object.entries(series).map(([name, tag]) => [`${NAMES[name] ?? name}: `, code(tag)])],
    ["Charts of their own", own.map((tag) => [code(tag)])],
    [
      "Not shown",
      [...notShown.map((tag) => [code(tag)]), ...Object.entries(other).map(([kind, tags]) => [`${kind}, ${tags}`])],
    ],
    ["Recorded", began && ended ? [[`${dateTime(began)} to ${dateTime(ended)}`]] : []],
    ["To be known", remarks.map((remark) => [remark])],
  ];
  const choose = h(
    "button",
    { class: "button small", type: "button", on: { click: () => openTagMapping(run, () => location.reload()) } },
    "Map tags to curves…",
  );
  return h(
    "div",
    { class: "source" },
    choose,
    ...facts
      .filter(([, items]) => items.length > 0)
      .flatMap(([title, items]) => [h("h3", {}, title), h("ul", {}, ...items.map((item) => h("li", {}, ...item)))]),
  );
}
