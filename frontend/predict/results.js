// The photos that were classified: a row for each, and all of them as CSV.

import { reducedMotion } from "../lib/motion.js";
import { csv } from "../chart/csv.js";
import { download, h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { classBars, valueText } from "./bars.js";
import { showThumbnail } from "./thumbnail.js";

/** @import { PhotoPrediction } from "./view.js" */

/**
 * `truth`: the right class, where it is known, and `truthName` what it is called; `inside`: the address of the page that
 * shows how the network comes to its answer.
 * @typedef {PhotoPrediction & { file: Blob, truth?: number | null, truthName?: string, inside?: string }} Row
 */

/** Rows that are shown at first, and more at a time; the CSV has all. */
const SHOWN = 100;

/** The width that names of classes have at most beside their bars, in characters. */
const LONGEST = 22;

/** Names of the places after the first. */
const PLACES = ["second", "third", "fourth", "fifth"];

/** @param {() => void} onClear */
export function resultsPanel(onClear) {
  /** @type {Row[]} */
  let rows = [];
  let most = SHOWN;
  const list = h("ol", { class: "photo-rows" });
  const title = h("h2", {});
  /** What is to be seen here, before there is something. */
  const empty = h(
    "div",
    { class: "card empty photo-empty" },
    icon("chart", 28),
    h("h2", {}, "No photo or sample yet"),
    h(
      "p",
      {},
      "Each photo becomes a row here, with the likeliest classes and how sure the network is of them. All rows can be saved as CSV.",
    ),
  );
  const more = h("button", { class: "button", type: "button", hidden: true, on: { click: showMore } }, "Show more");
  const element = h(
    "section",
    { class: "card photo-results", "aria-label": "Results", hidden: true },
    h(
      "header",
      { class: "card-head" },
      title,
      h("button", { class: "button small", type: "button", on: { click: save } }, icon("download", 14), "CSV"),
      h("button", { class: "button small quiet", type: "button", on: { click: clear } }, "Clear"),
    ),
    list,
    h("div", { class: "photo-more" }, more),
  );

  /** @param {Row[]} added @returns {boolean} whether they are the first */
  function add(added) {
    const isFirst = rows.length === 0;
    rows.push(...added);
    draw();
    if (isFirst) reveal();
    return isFirst;
  }

  /** On a phone the rows lie below what they are of. */
  function reveal() {
    list.firstElementChild?.scrollIntoView({ block: "nearest", behavior: reducedMotion() ? "auto" : "smooth" });
  }

  /** Puts a row before the others, where it is seen. @param {Row} row */
  function addFirst(row) {
    rows.unshift(row);
    list.prepend(rowOf(row));
    most += 1;
    draw();
    reveal();
  }

  function draw() {
    element.hidden = rows.length === 0;
    empty.hidden = rows.length > 0;
    const bad = rows.filter(({ error }) => error !== null).length;
    const isOfSamples = rows.some(({ truth }) => truth !== undefined);
    setText(
      title,
      `${plural(rows.length, isOfSamples ? "image" : "photo")}${bad > 0 ? `, ${bad.toLocaleString("en-US")} unreadable` : ""}`,
    );
    // The bars of all rows begin at one edge.
    const longest = Math.max(2, ...rows.slice(0, most).flatMap(({ top }) => top.map(({ name }) => name.length)));
    list.style.setProperty("--names", `${Math.min(LONGEST, longest) + 2}ch`);
    for (const row of rows.slice(list.children.length, most)) list.append(rowOf(row));
    more.hidden = rows.length <= most;
    setText(more, `Show ${Math.min(SHOWN, rows.length - most).toLocaleString("en-US")} more`);
  }

  function showMore() {
    most += SHOWN;
    draw();
  }

  function clear() {
    onClear();
    rows = [];
    most = SHOWN;
    list.replaceChildren();
    draw();
  }

  function save() {
    const length = Math.max(...rows.map(({ top }) => top.length), 1);
    const value = rows.some(({ top }) => top[0]?.probability === null) ? "score" : "probability";
    const head = ["path", "class", value];
    for (const place of PLACES.slice(0, length - 1)) head.push(place, `${place}_${value}`);
    const good = rows.filter(({ error }) => error === null);
    const cells = good.map(({ path, top }) => [
      path,
      ...top
        .slice(0, PLACES.length + 1)
        .flatMap(({ name, probability, score }) => [name, decimal(probability ?? score)]),
    ]);
    download("predictions.csv", new Blob([csv(head, cells)], { type: "text/csv" }));
  }

  return { element, empty, add, addFirst, reveal };
}

/** A small number without an exponent, as the command writes it. @param {number} value */
function decimal(value) {
  const [digits, exponent] = String(value).split("e-");
  return exponent && value > 0 ? `0.${"0".repeat(Number(exponent) - 1)}${digits.replace(".", "")}` : value;
}

/** @param {Row} row */
function rowOf({ path, file, top, error, truth = null, truthName, inside }) {
  const picture = h("canvas", { class: "photo-thumbnail", width: 1, height: 1, role: "img", "aria-label": path });
  void showThumbnail(picture, file);
  const name = h("p", { class: "photo-name muted small", title: path }, path);
  if (error !== null)
    return h("li", { class: "unreadable" }, picture, h("div", { class: "photo-class" }, name, h("p", {}, error)));
  const bars = classBars();
  bars.show(top, { truth });
  const [best] = top;
  return h(
    "li",
    {},
    picture,
    h(
      "div",
      { class: "photo-class" },
      h("p", {}, h("strong", {}, best.name), " ", h("span", {}, valueText(best))),
      name,
      truth !== null &&
        h(
          "p",
          { class: truth === best.class ? "small verdict right" : "small verdict wrong" },
          truth === best.class ? "correct" : `wrong: it is ${truthName ?? "another class"}`,
        ),
      inside !== undefined && h("a", { class: "small", href: inside }, "How it comes to this"),
    ),
    bars.element,
  );
}
