// The picture of a network: a table of its layers from the input to the output, with branches drawn beside them. Rows
// are kept across versions of the text and only change where the network does.

import { h, s, setAttribute, setText } from "../lib/dom.js";
import { bytes, compactNumber, count, percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { laneMiddle, lanePath, laneWidth } from "./lane-paths.js";
import { rowsOf } from "./rows.js";
import { shapeText } from "./shapes.js";

/** @import { CheckedLayer, CheckedNetwork } from "./types" */
/** @import { Row } from "./rows.js" */

/** Costs of a layer that are shown as bars, where the server says them. @type {{ id: string, label: string, of: (layer: CheckedLayer) => number | undefined, words: (value: number, share: number) => string }[]} */
const COSTS = [
  {
    id: "work",
    label: "Multiply-adds",
    of: (layer) => layer.multiply_adds,
    words: (value, share) => `${count(value)} multiply-adds, ${percent(share)} of all`,
  },
  {
    id: "time",
    label: "Time",
    of: (layer) => layer.time_share,
    words: (_, share) => `about ${percent(share)} of a step’s time`,
  },
  {
    id: "memory",
    label: "Memory",
    of: (layer) => layer.memory_bytes,
    words: (value, share) => `${bytes(value)} for one sample in training, ${percent(share)} of all`,
  },
];

/** Operations by what they do, for the colour of their mark. @type {[RegExp, string][]} */
const KINDS = [
  [/^Conv/, "convolution"],
  [/^Linear/, "linear"],
  [/Norm/, "norm"],
  [/Pool|^Mean|Flatten|Pad/, "shape"],
  [/^(Sum|Concat)$/, "join"],
  [/^(ReLU|SiLU|Sigmoid|Tanh|GELU)/, "activation"],
];

/** @param {{ onPoint: (lines: number[]) => void, onGo: (line: number) => void }} options `onPoint`: the lines of the layers under the pointer */
export function networkPicture({ onPoint, onGo }) {
  /** @type {Map<string, boolean>} */
  const chosen = new Map();
  /** @type {Map<string, ReturnType<typeof rowPart>>} */
  const parts = new Map();
  /** @type {Row[]} */
  let rows = [];
  /** @type {CheckedLayer[]} */
  let layers = [];
  /** @type {number | null} */
  let litLine = null;
  /** The row that Tab reaches. */
  let focused = "";

  const body = h("div", { class: "layer-rows", role: "rowgroup" });
  const head = h(
    "div",
    { class: "layer-head", role: "row" },
    h("span", { role: "columnheader" }, "Layer"),
    h("span", { role: "columnheader" }, "Shape"),
    h("span", { role: "columnheader" }, "Parameters"),
    ...COSTS.map(({ id, label }) => h("span", { role: "columnheader", data: { cost: id } }, label)),
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
    const built = rowsOf(layers, (key) => chosen.get(key));
    rows = built.rows;
    const width = laneWidth(built.width);
    grid.style.setProperty("--lanes", `${Math.ceil(width * built.width)}px`);
    const costs = COSTS.map(({ of }) => layers.map((layer) => of(layer) ?? 0));
    const sums = costs.map((each) => sum(each, 0, each.length));
    const most = costs.map((each) =>
      Math.max(...rows.map(({ from, to, open }) => (open ? 0 : sum(each, from, to))), 0),
    );
    const wanted = new Set(rows.map(({ key }) => key));
    for (const [key, part] of parts) {
      if (wanted.has(key)) continue;
      part.element.remove();
      parts.delete(key);
    }
    if (!wanted.has(focused)) focused = rows[0]?.key ?? "";
    rows.forEach((row, place) => {
      const part = parts.get(row.key) ?? rowPart(row);
      parts.set(row.key, part);
      part.show(
        row,
        layers,
        costs.map((each, i) => ({ value: sum(each, row.from, row.to), of: sums[i], most: most[i] })),
        built.width,
      );
      setAttribute(part.element, "tabindex", row.key === focused ? "0" : "-1");
      if (body.children[place] !== part.element) body.insertBefore(part.element, body.children[place] ?? null);
    });
    COSTS.forEach(({ id }, i) => grid.classList.toggle(`no-${id}`, sums[i] === 0));
    showLit();
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

/** @param {Row} row */
function rowPart({ key, kind }) {
  const path = s("path", {});
  const svg = s("svg", { preserveAspectRatio: "none" }, path);
  const mark = h("i", { class: "layer-mark" });
  const title = h("b");
  const note = h("span", { class: "layer-note" });
  const shape = h("span", { class: "layer-shape", role: "gridcell" });
  const parameters = h("span", { class: "layer-parameters", role: "gridcell" });
  const costs = COSTS.map(({ id }) => costCell(id));
  const element = h(
    "div",
    { class: `layer-row is-${kind}`, role: "row", data: { key } },
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
  );
  return {
    element,
    /** @param {Row} row @param {CheckedLayer[]} layers @param {{ value: number, of: number, most: number }[]} values @param {number} lanes */
    show(row, layers, values, lanes) {
      const lane = laneWidth(lanes);
      setAttribute(svg, "viewBox", `0 0 ${Math.ceil(lane * lanes)} 1`);
      const last = layers[row.to - 1];
      setAttribute(element, "aria-level", String(row.level));
      setAttribute(element, "aria-expanded", row.open === null ? null : String(row.open));
      setAttribute(path, "d", lanePath(row.strokes, lane));
      const at = row.strokes.lane;
      mark.hidden = at === null;
      if (at !== null) setVariable(mark, "at", `${laneMiddle(at, lane)}px`);
      mark.dataset.kind = kindOf(row.kind === "layer" ? last.operation : "");
      setText(title, row.title);
      setText(note, last.detail && row.kind === "layer" ? `${row.note} · ${last.detail}` : row.note);
      note.title = row.kind === "layer" ? last.name : "";
      setText(shape, shapeText(last.shape));
      let total = 0;
      for (let place = row.from; place < row.to; place += 1) total += layers[place].parameters;
      setText(parameters, total === 0 ? "" : compactNumber(total));
      parameters.title = total === 0 ? "" : `${count(total)} parameters`;
      costs.forEach((cost, i) => cost.show(values[i], COSTS[i].words));
    },
  };
}

/** @param {string} id */
function costCell(id) {
  const bar = h("span", { class: "cost-bar" });
  const words = h("span", { class: "cost-words" });
  const element = h("span", { class: "cost", role: "gridcell", data: { cost: id } }, bar, words);
  return {
    element,
    /** @param {{ value: number, of: number, most: number }} cost @param {(value: number, share: number) => string} say */
    show({ value, of, most }, say) {
      const share = of > 0 ? value / of : 0;
      setVariable(bar, "share", most > 0 ? (value / most).toFixed(4) : "0");
      setText(words, value === 0 ? "" : share < 0.001 ? "<0.1\u202f%" : percent(share));
      element.title = value === 0 ? "" : say(value, share);
    },
  };
}

/** @param {HTMLElement} element @param {string} name @param {string} value */
function setVariable(element, name, value) {
  if (element.style.getPropertyValue(`--${name}`) !== value) element.style.setProperty(`--${name}`, value);
}

/** @param {string} operation */
const kindOf = (operation) => KINDS.find(([pattern]) => pattern.test(operation))?.[1] ?? "";
