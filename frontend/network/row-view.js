// A row of the picture: a layer, a group or a repeat. Its parts are made when it is first shown, since most rows of a
// large network are never looked at.

import { h, s, setAttribute } from "../lib/dom.js";
import { compactNumber, count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { COSTS } from "./costs.js";
import { kindOf } from "./kinds.js";
import { laneMiddle, lanePath, laneWidth } from "./lane-paths.js";
import { shapeText } from "./shapes.js";

/** @import { CheckedLayer } from "./types" */
/** @import { Row } from "./rows.js" */

/** A layer's cost: `of` is the network's, `most` the greatest of a row. @typedef {{ value: number, of: number, most: number }} Cost */

/** @param {Row} row */
export function rowView({ key, kind }) {
  const element = h("div", { class: `layer-row is-${kind}`, role: "row", data: { key } });
  /** @type {ReturnType<typeof cells> | null} */
  let made = null;
  return {
    element,
    isEmpty: () => made === null,
    /** @param {Row} row @param {CheckedLayer[]} layers @param {Cost[]} costs @param {number} lanes */
    show(row, layers, costs, lanes) {
      setAttribute(element, "aria-level", String(row.level));
      setAttribute(element, "aria-expanded", row.open === null ? null : String(row.open));
      if (!made) {
        made = cells(kind);
        element.append(...made.elements);
      }
      made.show(row, layers, costs, lanes);
    },
  };
}

/** @param {Row["kind"]} kind */
function cells(kind) {
  const path = s("path", {});
  const svg = s("svg", { preserveAspectRatio: "none" }, path);
  const mark = h("i", { class: "layer-mark" });
  const title = h("b");
  const note = h("span", { class: "layer-note" });
  const shape = h("span", { class: "layer-shape", role: "gridcell" });
  const parameters = h("span", { class: "layer-parameters", role: "gridcell" });
  const costs = COSTS.map(({ id }) => costCell(id));
  /** What is shown, since reading it back from the document is slow. @type {Map<string, string>} */
  const shown = new Map();

  /** @param {string} what @param {string} value @param {(value: string) => void} write */
  function put(what, value, write) {
    if (shown.get(what) === value) return;
    shown.set(what, value);
    write(value);
  }

  return {
    elements: [
      h(
        "span",
        { class: "layer-name", role: "gridcell" },
        h("span", { class: "layer-lanes", "aria-hidden": "true" }, svg, mark),
        kind === "layer" ? null : icon("chevron", 12),
        title,
        note,
      ),
      shape,
      parameters,
      ...costs.map((cost) => cost.element),
    ],
    /** @param {Row} row @param {CheckedLayer[]} layers @param {Cost[]} values @param {number} lanes */
    show(row, layers, values, lanes) {
      const last = layers[row.to - 1];
      const isLayer = row.kind === "layer";
      const lane = laneWidth(lanes);
      const at = row.strokes.lane;
      put("box", `0 0 ${Math.ceil(lane * lanes)} 1`, (box) => svg.setAttribute("viewBox", box));
      put("path", lanePath(row.strokes, lane), (d) => path.setAttribute("d", d));
      put("at", at === null ? "" : `${laneMiddle(at, lane)}px`, (place) => {
        mark.hidden = place === "";
        mark.style.setProperty("--at", place);
      });
      put("kind", kindOf(isLayer ? last.operation : ""), (name) => (mark.dataset.kind = name));
      put("title", row.title, (text) => (title.textContent = text));
      put("note", noteOf(row, (isLayer && last.detail) || ""), (text) => (note.textContent = text));
      put("name", isLayer ? last.name : row.note, (name) => (note.title = name));
      put("shape", shapeText(last.shape), (text) => (shape.textContent = text));
      let total = 0;
      for (let place = row.from; place < row.to; place += 1) total += layers[place].parameters;
      put("parameters", String(total), () => {
        parameters.textContent = total === 0 ? "" : compactNumber(total);
        parameters.title = total === 0 ? "" : `${count(total)} parameters`;
      });
      costs.forEach((cost, i) => {
        const { value, of, most } = values[i];
        put(`cost ${i}`, `${value} ${of} ${most}`, () => cost.show(values[i], COSTS[i]));
      });
    },
  };
}

/** What stands beside a row's title; a name that says the same is left out. @param {Row} row @param {string} detail */
function noteOf({ title, note }, detail) {
  const name = note.toLowerCase() === title.toLowerCase() ? "" : note;
  return [name, detail].filter((word) => word !== "").join(" · ");
}

/** @param {string} id */
function costCell(id) {
  const bar = h("span", { class: "cost-bar" });
  const words = h("span", { class: "cost-words" });
  const element = h("span", { class: "cost", role: "gridcell", data: { cost: id } }, bar, words);
  return {
    element,
    /** @param {Cost} cost @param {typeof COSTS[number]} said */
    show({ value, of, most }, { text, words: long }) {
      const share = of > 0 ? value / of : 0;
      bar.style.setProperty("--share", most > 0 ? (value / most).toFixed(4) : "0");
      bar.hidden = value === 0;
      words.textContent = value === 0 ? "" : text(value, share);
      element.title = value === 0 ? "" : long(value, share);
    },
  };
}
