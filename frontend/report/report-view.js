// The rendered report: title block, text, figures, and the list of runs that they are from.

import { h, setText } from "../lib/dom.js";
import { runName } from "../lib/run-name.js";
import { appendix } from "./appendix.js";
import { byline } from "./front-matter.js";
import { partElement, partsOf } from "./markdown.js";
import { resolveNumber } from "./numbers.js";
import { placeFigure, reason } from "./placed-figure.js";
import { referredName, resolveReference } from "./references.js";

/** @import { Run } from "../lib/types" */
/** @import { Sources } from "./sources.js" */
/** @import { About } from "./front-matter.js" */
/** @import { Part } from "./markdown.js" */
/** @import { PlacedFigure } from "./placed-figure.js" */

/** A reference in the text, which says a figure's number. @typedef {{ element: HTMLElement, name: string }} Reference */

/**
 * A rendered part of the text.
 * @typedef {{
 *   element: HTMLElement,
 *   placed: PlacedFigure[],
 *   references: Reference[],
 *   numbers: Run[],
 *   hasNumbers: boolean,
 *   part: Part,
 * }} MadePart
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
  const under = h("p", { class: "report-byline", hidden: true });
  const element = h("article", { class: "report-document" }, empty, body, runs);
  /** Rendered parts by source text; unchanged parts are reused. @type {Map<string, MadePart>} */
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
    /** @type {HTMLElement[]} */
    const elements = [...made.values()].map((of) => of.element);
    // Author, course and date stand below the title.
    const titled = elements[0]?.firstElementChild?.localName === "h1";
    if (!under.hidden) elements.splice(titled ? 1 : 0, 0, under);
    // Unchanged elements are not touched: they may be scrolled or selected.
    elements.forEach((of, i) => {
      if (body.children[i] !== of) body.insertBefore(of, body.children[i] ?? null);
    });
    while (body.children.length > elements.length) body.lastElementChild?.remove();
    for (const of of made.values()) of.element.dataset.line = String(of.part.from);
    empty.hidden = elements.length > 0;
    number();
  }

  /** @param {Part} part @returns {MadePart} */
  function make(part) {
    /** @type {PlacedFigure[]} */
    const placed = [];
    /** @type {Run[]} */
    const numbers = [];
    /** @type {Reference[]} */
    const references = [];
    let hasNumbers = false;
    const inner = partElement(part.token, {
      figure: (kind, written) => {
        placed.push(placeFigure(sources, kind, written));
        return placed[placed.length - 1].element;
      },
      number: (words) => {
        const name = referredName(words);
        if (name !== null) {
          references.push({ element: h("a", { class: "report-reference", href: `#figure-${name}` }), name });
          return references[references.length - 1].element;
        }
        hasNumbers = true;
        try {
          const { text: said, run, title } = resolveNumber(words, sources);
          numbers.push(run);
          return h(
            "a",
            { class: "report-number", href: `#run-${run.id}`, title: `${title} of “${runName(run)}”` },
            said,
          );
        } catch (error) {
          // The sentence that it is in has its own full stop.
          return h("span", { class: "report-fault", role: "alert" }, reason(error).replace(/\.$/, ""));
        }
      },
    });
    /** @type {MadePart} */
    const now = { element: h("div", { class: "report-part" }, inner), placed, references, numbers, hasNumbers, part };
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

  /** Numbers figures and tables, says the numbers where the text refers to them, and lists their runs. */
  function number() {
    const counts = { figure: 0, table: 0 };
    /** @type {Map<string, Run>} */
    const used = new Map();
    /** @type {Set<string>} */
    const given = new Set();
    for (const { placed, numbers } of made.values()) {
      for (const one of placed) {
        counts[one.is] += 1;
        one.count(counts[one.is]);
        one.terms(given);
        if (one.name) one.element.id = `figure-${one.name}`;
      }
      for (const run of [...placed.flatMap(({ drawn }) => drawn?.runs ?? []), ...numbers]) used.set(run.id, run);
    }
    const figures = [...made.values()].flatMap(({ placed }) => placed);
    for (const { references } of made.values()) for (const one of references) refer(one, figures);
    runs.hidden = used.size === 0;
    const list = [...used.values()].sort((a, b) => a.number - b.number);
    const next = h("div", {}, ...appendix(list));
    if (!runs.firstElementChild?.isEqualNode(next)) runs.replaceChildren(next);
    onShown?.();
  }

  /** @param {Reference} reference @param {PlacedFigure[]} figures */
  function refer({ element: link, name }, figures) {
    try {
      setText(link, resolveReference(name, figures).label);
      link.classList.remove("report-fault");
    } catch (error) {
      setText(link, reason(error));
      link.classList.add("report-fault");
    }
  }

  return {
    element,
    show,
    /** @param {About} about */
    showAbout(about) {
      under.replaceChildren(...byline(about).map((words) => h("span", {}, words)));
      under.hidden = byline(about).length === 0;
      lay();
    },
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
