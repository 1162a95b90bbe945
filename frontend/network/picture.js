// The picture of a network: a table of its layers from the input to the output, with branches drawn beside them. Rows
// are kept across versions of the text and only change where the network does.

import { h, setAttribute } from "../lib/dom.js";
import { COSTS } from "./costs.js";
import { kindOf } from "./kinds.js";
import { laneWidth } from "./lane-paths.js";
import { rowView } from "./row-view.js";
import { MANY_ROWS, rowsOf } from "./rows.js";

/** @import { CheckedLayer, CheckedNetwork } from "./types" */
/** @import { Row } from "./rows.js" */

/** So many rows are shown at once when nothing is known of what can be seen. */
const FIRST_ROWS = 60;
/** Rows that cannot be seen wait until typing pauses, or until they are scrolled to. */
const QUIET_MS = 300;

/**
 * @param {{
 *   isRead: boolean,
 *   onPoint: (lines: number[]) => void,
 *   onGo: (line: number) => void,
 *   onDraw?: (shown: { kinds: Set<string>, isAllOpen: boolean, isAllClosed: boolean }) => void,
 * }} options `isRead`: the text is read, not edited; `onPoint`: the lines of the layers under the pointer; `onDraw`: the
 *   kinds of the marks that are shown, and whether there are parts to open and to close
 */
export function networkPicture({ isRead, onPoint, onGo, onDraw }) {
  /** @type {Map<string, boolean>} */
  const chosen = new Map();
  /** @type {Map<string, ReturnType<typeof rowView>>} */
  const parts = new Map();
  /** @type {Row[]} */
  let rows = [];
  /** @type {CheckedLayer[]} */
  let layers = [];
  /** @type {number | null} */
  let litLine = null;
  /** The row that Tab reaches. */
  let focused = "";

  /** The rows that can be seen, or nearly. They follow a change at once, and the others after it. @type {Set<Element>} */
  const inView = new Set();
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) {
          inView.delete(target);
          continue;
        }
        inView.add(target);
        showStale(target);
      }
    },
    { rootMargin: "200px" },
  );
  /** How to show the rows that do not show the last version yet, by their element. @type {Map<Element, () => void>} */
  const stale = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let quiet;
  addEventListener("beforeprint", () => showRest(Number.POSITIVE_INFINITY));

  const body = h("div", { class: "layer-rows", role: "rowgroup" });
  const head = h(
    "div",
    { class: "layer-head", role: "row" },
    h("span", { role: "columnheader" }, "Layer"),
    h("span", { role: "columnheader" }, "Shape"),
    h("span", { role: "columnheader" }, "Parameters"),
    ...COSTS.map(({ id, label, title }) => h("span", { role: "columnheader", title, data: { cost: id } }, label)),
  );
  const grid = h(
    "div",
    {
      class: "layers",
      role: "treegrid",
      "aria-label": "Layers",
      on: {
        click,
        keydown,
        pointerover: point,
        pointerleave: () => onPoint([]),
        focusin: focus,
        focusout: () => onPoint([]),
      },
    },
    h("div", { role: "rowgroup" }, head),
    body,
  );

  function draw() {
    const built = rowsOf(layers, (key) => chosen.get(key), isRead ? MANY_ROWS.read : MANY_ROWS.edited);
    rows = built.rows;
    setAttribute(grid, "aria-rowcount", String(rows.length + 1));
    const lanes = `${Math.ceil(laneWidth(built.width) * built.width)}px`;
    if (grid.style.getPropertyValue("--lanes") !== lanes) grid.style.setProperty("--lanes", lanes);
    const costs = COSTS.map(({ of }) => layers.map((layer) => of(layer) ?? 0));
    const sums = costs.map((each) => sum(each, 0, each.length));
    const most = costs.map((each) =>
      Math.max(...rows.map(({ from, to, open }) => (open ? 0 : sum(each, from, to))), 0),
    );
    const wanted = new Set(rows.map(({ key }) => key));
    for (const [key, part] of parts) {
      if (wanted.has(key)) continue;
      seen.unobserve(part.element);
      part.element.remove();
      parts.delete(key);
    }
    if (!wanted.has(focused)) focused = rows[0]?.key ?? "";
    stale.clear();
    let next = body.firstElementChild;
    rows.forEach((row, place) => {
      let part = parts.get(row.key);
      if (!part) {
        part = rowView(row);
        parts.set(row.key, part);
        seen.observe(part.element);
      }
      const view = part;
      if (view.element === next) next = next.nextElementSibling;
      else body.insertBefore(view.element, next);
      const show = () =>
        view.show(
          row,
          layers,
          costs.map((each, i) => ({ value: sum(each, row.from, row.to), of: sums[i], most: most[i] })),
          built.width,
        );
      if (inView.has(view.element) || (view.isEmpty() && place < FIRST_ROWS)) show();
      else stale.set(view.element, show);
      setAttribute(view.element, "tabindex", row.key === focused ? "0" : "-1");
    });
    onDraw?.({
      kinds: new Set(rows.flatMap(kindsOf)),
      isAllOpen: rows.every(({ open }) => open !== false),
      isAllClosed: rows.every(({ open }) => open !== true),
    });
    showLit();
    clearTimeout(quiet);
    quiet = setTimeout(() => showRest(), QUIET_MS);
  }

  /** The kind of a row's mark; lines lead past the input and an open part without one. @param {Row} row */
  function kindsOf({ kind, strokes, to }) {
    if (kind !== "layer") return strokes.lane === null ? [] : [""];
    const of = kindOf(layers[to - 1].operation);
    return of === "" ? [] : [of];
  }

  /** @param {Element} element */
  function showStale(element) {
    stale.get(element)?.();
    stale.delete(element);
  }

  /** Shows rows that cannot be seen, a few at a time, so that a key in between does not wait. */
  function showRest(forMs = 8) {
    const until = performance.now() + forMs;
    for (const element of stale.keys()) {
      if (performance.now() > until) break;
      showStale(element);
    }
    if (stale.size > 0) quiet = setTimeout(() => showRest());
  }

  /** The row of an event's target. @param {Event} event @returns {Row | undefined} */
  function rowAt({ target }) {
    const element = /** @type {Element} */ (target).closest("[data-key]");
    return element ? rows.find(({ key }) => key === /** @type {HTMLElement} */ (element).dataset.key) : undefined;
  }

  /** @param {Event} event */
  function click(event) {
    const row = rowAt(event);
    if (!row) return;
    if (row.open === null) onGo(layers[row.from].line);
    else toggle(row);
  }

  /** @param {Row} row @param {boolean} [open] */
  function toggle(row, open = !row.open) {
    chosen.set(row.key, open);
    draw();
  }

  /** @param {Event} event */
  function point(event) {
    const row = rowAt(event);
    onPoint(row ? linesOf(row) : []);
  }

  /** @param {Event} event */
  function focus(event) {
    const row = rowAt(event);
    if (!row) return;
    parts.get(focused)?.element.setAttribute("tabindex", "-1");
    focused = row.key;
    parts.get(focused)?.element.setAttribute("tabindex", "0");
    onPoint(linesOf(row));
  }

  /** The keys of a tree grid: https://www.w3.org/WAI/ARIA/apg/patterns/treegrid/. @param {KeyboardEvent} event */
  function keydown(event) {
    const row = rowAt(event);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = rows.indexOf(row);
    const go = (/** @type {number} */ to) =>
      parts.get(rows[Math.max(0, Math.min(to, rows.length - 1))].key)?.element.focus();
    const parent = () => rows.findLastIndex(({ level }, at) => at < place && level < row.level);
    /** @type {{ [key: string]: () => void }} */
    const keys = {
      ArrowDown: () => go(place + 1),
      ArrowUp: () => go(place - 1),
      PageDown: () => go(place + 15),
      PageUp: () => go(place - 15),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (row.open === false ? toggle(row) : row.open && go(place + 1)),
      ArrowLeft: () => (row.open ? toggle(row) : parent() >= 0 && go(parent())),
      Enter: () => (row.open === null ? onGo(layers[row.from].line) : toggle(row)),
      " ": () => (row.open === null ? onGo(layers[row.from].line) : toggle(row)),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** @param {Row} row */
  const linesOf = ({ from, to }) => layers.slice(from, to).flatMap(({ lines }) => lines);

  function showLit() {
    for (const row of rows) {
      const isLit = litLine !== null && row.open !== true && linesOf(row).includes(litLine);
      parts.get(row.key)?.element.classList.toggle("lit", isLit);
    }
  }

  return {
    element: grid,
    /** @param {CheckedNetwork} network */
    show(network) {
      layers = network.layers;
      draw();
    },
    /** Lights up the layers of a line. @param {number | null} line @param {boolean} [reveal] scrolls to the first */
    light(line, reveal = false) {
      litLine = line;
      showLit();
      const first = reveal ? body.querySelector(".lit") : null;
      const box = first?.getBoundingClientRect();
      const room = grid.getBoundingClientRect();
      // Scrolled by hand, since scrollIntoView also moves the page.
      if (box && (box.top < room.top + 40 || box.bottom > room.bottom))
        grid.scrollTop += box.top - room.top - room.height / 3;
    },
    /** @param {boolean} open */
    setAll(open) {
      for (const { key, open: isFold } of rowsOf(layers, () => true).rows) if (isFold !== null) chosen.set(key, open);
      draw();
    },
  };
}

/** @param {number[]} values @param {number} from @param {number} to */
function sum(values, from, to) {
  let total = 0;
  for (let at = from; at < to; at += 1) total += values[at];
  return total;
}
