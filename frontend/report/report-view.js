// The rendered report: text, figures, and the list of runs that they are from.

import { h, setText } from "../lib/dom.js";
import { dateTime, exactNumber } from "../lib/format.js";
import { settingsOf } from "../lib/settings-diff.js";
import { stateOf } from "../lib/status.js";
import { readBlock } from "./block.js";
import { kindNamed, valuesOf } from "./figures/index.js";
import { partElement, partsOf } from "./markdown.js";
import { resolveNumber } from "./numbers.js";

/** @import { Run } from "../lib/types" */
/** @import { Sources } from "./sources.js" */
/** @import { Drawn, Kind } from "./figures/index.js" */
/** @import { Part } from "./markdown.js" */

/** Up to this many runs are named below a figure. */
const MAX_NAMED = 2;

/**
 * A figure in the text. `count` sets its number; figures and tables are numbered separately.
 * @typedef {{
 *   element: HTMLElement,
 *   is: "figure" | "table",
 *   drawn: Drawn | null,
 *   draw: () => Promise<void>,
 *   count: (number: number) => void,
 * }} PlacedFigure
 */

/**
 * @param {Sources} sources
 * @param {{ onPart?: (part: Part) => void, onFigure?: (part: Part) => void, onShown?: () => void }} [listeners]
 *   `onPart`: a part was clicked; `onFigure`: change a figure
 */
export function reportView(sources, { onPart, onFigure, onShown } = {}) {
  const body = h("div", { class: "report-body" });
  const runs = h("section", { class: "report-runs", hidden: true });
  const empty = h("p", { class: "report-empty muted" }, "Nothing is written yet.");
  const element = h("article", { class: "report-document" }, empty, body, runs);
  /**
   * Rendered parts by source text; unchanged parts are reused.
   * @type {Map<string, { element: HTMLElement, placed: PlacedFigure[], numbers: Run[], hasNumbers: boolean, part: Part
   *   }>}
   */
  let made = new Map();
  /** @type {Promise<unknown>} */
  let drawing = Promise.resolve();
  let text = "";

  /** @param {string} next */
  function show(next) {
    text = next;
    const before = made;
    made = new Map();
    /** @type {Promise<void>[]} */
    const waits = [];
    for (const part of partsOf(next)) {
      let key = part.token.raw.trim();
      while (made.has(key)) key += " ";
      const known = before.get(key);
      if (known) {
        known.part = part;
        made.set(key, known);
        continue;
      }
      const fresh = make(part);
      made.set(key, fresh);
      waits.push(...fresh.placed.map((one) => one.draw()));
    }
    lay();
    drawing = Promise.all([drawing, ...waits]).then(() => {
      if (text === next) number();
    });
    return drawing;
  }

  function lay() {
    const elements = [...made.values()].map((of) => of.element);
    // Unchanged elements are not touched: they may be scrolled or selected.
    elements.forEach((of, i) => {
      if (body.children[i] !== of) body.insertBefore(of, body.children[i] ?? null);
    });
    while (body.children.length > elements.length) body.lastElementChild?.remove();
    for (const of of made.values()) of.element.dataset.line = String(of.part.from);
    empty.hidden = elements.length > 0;
    number();
  }

  /** @param {Part} part */
  function make(part) {
    /** @type {PlacedFigure[]} */
    const placed = [];
    /** @type {Run[]} */
    const numbers = [];
    let hasNumbers = false;
    const inner = partElement(part.token, {
      figure: (kind, written) => {
        placed.push(placeFigure(sources, kind, written));
        return placed[placed.length - 1].element;
      },
      number: (words) => {
        hasNumbers = true;
        try {
          const { text: said, run, title } = resolveNumber(words, sources);
          numbers.push(run);
          return h("a", { class: "report-number", href: `#run-${run.id}`, title: `${title} of “${run.name}”` }, said);
        } catch (error) {
          return h("span", { class: "report-fault", role: "alert" }, reason(error));
        }
      },
    });
    const now = { element: h("div", { class: "report-part" }, inner), placed, numbers, hasNumbers, part };
    if (onPart)
      now.element.addEventListener(
        "click",
        (event) => !(/** @type {Element} */ (event.target).closest("a, button")) && onPart(now.part),
      );
    // A figure that is a whole part gets a button to change it.
    if (onFigure && part.token.type === "code" && placed.length === 1) {
      placed[0].element.append(
        h(
          "button",
          { class: "button small report-change", type: "button", on: { click: () => onFigure(now.part) } },
          "Change",
        ),
      );
    }
    return now;
  }

  /** Numbers figures and tables, and lists their runs. */
  function number() {
    const counts = { figure: 0, table: 0 };
    /** @type {Map<string, Run>} */
    const used = new Map();
    for (const { placed, numbers } of made.values()) {
      for (const one of placed) {
        counts[one.is] += 1;
        one.count(counts[one.is]);
      }
      for (const run of [...placed.flatMap(({ drawn }) => drawn?.runs ?? []), ...numbers]) used.set(run.id, run);
    }
    runs.hidden = used.size === 0;
    const list = [...used.values()].sort((a, b) => a.number - b.number);
    const next = h("div", {}, ...appendix(list));
    if (!runs.firstElementChild?.isEqualNode(next)) runs.replaceChildren(next);
    onShown?.();
  }

  return {
    element,
    show,
    /** Redraws figures and numbers after runs have changed. */
    redraw() {
      for (const [key, { hasNumbers }] of made) if (hasNumbers) made.delete(key);
      const waits = [...made.values()].flatMap(({ placed }) => placed.map((one) => one.draw()));
      show(text);
      drawing = Promise.all([drawing, ...waits]).then(number);
      return drawing;
    },
    /** Resolves when everything is drawn. */
    async settled() {
      /** @type {unknown} */
      let seen;
      while (seen !== drawing) {
        seen = drawing;
        await seen;
      }
    },
    /** The runs of all figures and numbers. */
    runs: () =>
      [...made.values()].flatMap(({ placed, numbers }) => [
        ...placed.flatMap(({ drawn }) => drawn?.runs ?? []),
        ...numbers,
      ]),
    /** The parts and their figures, in order. */
    parts: () => [...made.values()].map(({ part, placed }) => ({ part, placed })),
    /** The messages of figures and numbers with errors. */
    faults: () => [...body.querySelectorAll(".report-fault")].map(({ textContent }) => textContent ?? ""),
    /** Scrolls to the part of a line if it is out of view. @param {number} line */
    reveal(line) {
      const found = [...made.values()].findLast(({ part }) => part.from <= line);
      found?.element.scrollIntoView({ block: "nearest" });
    },
  };
}

/** @param {Sources} sources @param {string} name @param {string} written @returns {PlacedFigure} */
export function placeFigure(sources, name, written) {
  const stage = h("div", { class: "figure-stage" }, h("p", { class: "muted figure-wait" }, "Drawing…"));
  const count = h("b", { class: "figure-number" });
  const words = h("span");
  const source = h("small", { class: "figure-source" });
  const caption = h("figcaption", { hidden: true }, count, words, " ", source);
  const element = h("figure", { class: "report-figure", data: { kind: name } }, stage, caption);
  let turn = 0;
  /** @type {Kind | null} */
  let kind = null;
  try {
    kind = kindNamed(name);
  } catch {
    // The error is shown when the figure is drawn.
  }
  /** @type {PlacedFigure} */
  const placed = {
    element,
    is: kind?.is ?? "figure",
    drawn: null,
    count: (number) => setText(count, `${placed.is === "table" ? "Table" : "Figure"} ${number}. `),
    async draw() {
      const mine = ++turn;
      try {
        const { settings } = readBlock(name, written);
        const values = valuesOf(kindNamed(name), settings);
        const drawn = await kindNamed(name).draw(values, sources);
        if (mine !== turn) return;
        placed.drawn = drawn;
        const scrolls = drawn.body instanceof HTMLTableElement;
        stage.replaceChildren(
          ...[
            scrolls
              ? h(
                  "div",
                  { class: "figure-scroll", tabindex: 0, role: "group", "aria-label": "Table, scrolls" },
                  drawn.body,
                )
              : drawn.body,
            drawn.note ? h("div", { class: "figure-note" }, drawn.note) : "",
          ].filter(Boolean),
        );
        setText(words, values.caption || drawn.caption);
        source.replaceChildren(...sourceOf(drawn.runs));
        caption.hidden = false;
        element.classList.remove("is-fault");
      } catch (error) {
        if (mine !== turn) return;
        placed.drawn = null;
        stage.replaceChildren(h("p", { class: "report-fault", role: "alert" }, reason(error)));
        caption.hidden = true;
        element.classList.add("is-fault");
      }
    },
  };
  return placed;
}

/** @param {unknown} error */
function reason(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {Run[]} runs */
function sourceOf(runs) {
  if (runs.length > MAX_NAMED) return [h("a", { href: "#runs" }, `From ${runs.length} runs.`)];
  return ["From ", ...runs.flatMap((run, i) => [i > 0 ? ", " : "", h("a", { href: `#run-${run.id}` }, run.name)]), "."];
}

/** The list of runs behind figures and numbers. @param {Run[]} runs */
function appendix(runs) {
  return [
    h("h2", { id: "runs" }, "The runs"),
    h("p", { class: "muted" }, "All figures and highlighted numbers in the text are from these runs."),
    h(
      "div",
      { class: "figure-scroll" },
      h(
        "table",
        { class: "compare-table" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["Run", "Network", "Data", "Seed", "Started", "State"].map((head) => h("th", { scope: "col" }, head)),
          ),
        ),
        h(
          "tbody",
          {},
          ...runs.map((run) => {
            const settings = settingsOf(run);
            const of = (/** @type {string} */ path) => (settings.has(path) ? exactNumber(settings.get(path)) : "–");
            return h(
              "tr",
              { id: `run-${run.id}` },
              h("th", { scope: "row" }, h("a", { href: run.url }, run.name), h("small", { class: "run-id" }, run.id)),
              h("td", {}, of("network.kind")),
              h("td", {}, of("data.set")),
              h("td", {}, of("training.seed")),
              h("td", {}, dateTime(run.created)),
              h("td", {}, stateOf(run).word),
            );
          }),
        ),
      ),
    ),
  ];
}
