// A figure in its place in a report: what is drawn, its number and its caption.

import { h, setText } from "../lib/dom.js";
import { runName } from "../lib/run-name.js";
import { readBlock } from "./block.js";
import { kindNamed, valuesOf } from "./figures/index.js";
import { tableFrame } from "./table-frame.js";

/** @import { Run } from "../lib/types" */
/** @import { Sources } from "./sources.js" */
/** @import { Drawn, Kind } from "./figures/index.js" */

/** Up to this many runs are named below a figure. */
const MAX_NAMED = 2;

/**
 * `count` sets its number, figures and tables are numbered separately; `label`: “Figure 3”; `name`: what the text calls
 * it, or empty; `terms` shows those explanations that the report has not given yet.
 * @typedef {{
 *   element: HTMLElement,
 *   is: "figure" | "table",
 *   name: string,
 *   label: string,
 *   drawn: Drawn | null,
 *   draw: () => Promise<void>,
 *   count: (number: number) => void,
 *   words: () => string,
 *   terms: (given: Set<string>) => void,
 * }} PlacedFigure
 */

/** @param {Sources} sources @param {string} name @param {string} written @returns {PlacedFigure} */
export function placeFigure(sources, name, written) {
  const terms = h("ul", { class: "figure-terms", hidden: true });
  const stage = h("div", { class: "figure-stage" }, h("p", { class: "muted figure-wait" }, "Drawing…"));
  const count = h("b", { class: "figure-number" });
  const words = h("span");
  const source = h("small", { class: "figure-source" });
  const caption = h("figcaption", { hidden: true }, count, words, " ", source);
  const element = h("figure", { class: "report-figure", data: { kind: name } }, stage, terms, caption);
  let turn = 0;
  /** @type {Kind | null} */
  let kind = null;
  try {
    kind = kindNamed(name);
  } catch {
    // The error is shown when the figure is drawn.
  }
  if (kind) element.classList.add(`is-${kind.is}`);
  /** @type {PlacedFigure} */
  const placed = {
    element,
    is: kind?.is ?? "figure",
    name: nameIn(name, written),
    label: "",
    drawn: null,
    count(number) {
      placed.label = `${placed.is === "table" ? "Table" : "Figure"} ${number}`;
      setText(count, `${placed.label}. `);
    },
    words: () => words.textContent ?? "",
    terms(given) {
      const fresh = (placed.drawn?.terms ?? []).filter((term) => !given.has(term));
      for (const term of fresh) given.add(term);
      terms.hidden = fresh.length === 0;
      if ([...terms.children].map((item) => item.textContent).join() !== fresh.join())
        terms.replaceChildren(...fresh.map((term) => h("li", {}, term)));
    },
    async draw() {
      const mine = ++turn;
      try {
        const { settings } = readBlock(name, written);
        const values = valuesOf(kindNamed(name), settings);
        const drawn = await kindNamed(name).draw(values, sources);
        if (mine !== turn) return;
        placed.drawn = drawn;
        const note = drawn.note ? h("div", { class: "figure-note" }, drawn.note) : "";
        stage.replaceChildren(...[scrolling(drawn.body), note].filter(Boolean));
        setText(words, values.caption || drawn.caption);
        // Only an own caption may leave out which runs they are.
        const isTold = !values.caption;
        source.replaceChildren(...(isTold ? [sourceLink(drawn.runs)] : sourceOf(drawn.runs)));
        source.classList.toggle("is-told", isTold);
        caption.hidden = false;
        element.classList.remove("is-fault");
      } catch (error) {
        if (mine !== turn) return;
        placed.drawn = null;
        terms.hidden = true;
        stage.replaceChildren(h("p", { class: "report-fault", role: "alert" }, reason(error)));
        caption.hidden = true;
        element.classList.add("is-fault");
      }
    },
  };
  return placed;
}

/** Wide tables scroll. @param {Element} body */
function scrolling(body) {
  if (body instanceof HTMLTableElement) return tableFrame(body);
  for (const table of body.querySelectorAll(":scope.settings-tables > table")) {
    const place = document.createComment("");
    table.replaceWith(place);
    place.replaceWith(tableFrame(/** @type {HTMLTableElement} */ (table)));
  }
  return body;
}

/** The name that a block gives its figure. @param {string} kind @param {string} written */
function nameIn(kind, written) {
  try {
    return readBlock(kind, written).settings.get("name") ?? "";
  } catch {
    // The error is shown in place of the figure.
    return "";
  }
}

/** @param {unknown} error */
export function reason(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {Run[]} runs */
function sourceLink([first, ...others]) {
  return others.length > 0 ? h("a", { href: "#runs" }, "Sources") : h("a", { href: `#run-${first.id}` }, "Source");
}

/** @param {Run[]} runs */
function sourceOf(runs) {
  if (runs.length > MAX_NAMED) return [h("a", { href: "#runs" }, `From ${runs.length} runs.`)];
  return [
    "From ",
    ...runs.flatMap((run, i) => [i > 0 ? ", " : "", h("a", { href: `#run-${run.id}` }, runName(run))]),
    ".",
  ];
}
