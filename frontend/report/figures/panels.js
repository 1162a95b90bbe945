// Several charts as one picture: panels in rows, with a common legend and titled axes.

import { chartSvg } from "../../chart/svg.js";
import { s } from "../../lib/dom.js";

/** @import { Line, PlotData } from "../../chart/plot-data.js" */

/**
 * A chart of the picture; panels of one `row` have the same width. `named`: its title names the vertical axis.
 * @typedef {{ title: string, named: boolean, row: string, data: PlotData, marks: number[] }} Panel
 */

/**
 * The room for a picture: its width, how many panels stand beside each other at most, of a row of small ones too, and the
 * heights of a row by its number of columns.
 * @typedef {{ width: number, columns: number, small: number, heights: number[] }} Room
 */

/** @type {Room} */
const WIDE = { width: 760, columns: 2, small: 4, heights: [310, 250, 215, 205] };
/** On a phone panels stand below each other. @type {Room} */
const NARROW = { width: 340, columns: 1, small: 1, heights: [220] };
/** Room beside titles and the legend, for a panel's title, and for a row of the legend. */
const MARGIN = 16;
const TITLE = 20;
const LEGEND_ROW = 20;
const LETTER_WIDTH = 6.6;
const GAP = 10;

/** Counts panels, to make their ids unique. */
let made = 0;

/**
 * @param {Panel[]} panels
 * @param {{ xLabel: string, legend: Line[], mixed: boolean, label: string, narrow?: boolean }} look `mixed`: panels show
 *   training and validation; `narrow`: for a phone
 * @returns {SVGSVGElement}
 */
export function panelsSvg(panels, { xLabel, legend, mixed, label, narrow = false }) {
  const room = narrow ? NARROW : WIDE;
  const names = legendRows(legend, mixed, room.width);
  let top = names.length > 0 ? names.length * LEGEND_ROW + 8 : 0;
  /** @type {Node[]} */
  const parts = names.flatMap((row, i) => row.map((entry) => legendEntry(entry, 12 + i * LEGEND_ROW)));
  for (const row of rowsOf(panels, room)) {
    const width = (room.width - GAP * (row.columns - 1)) / row.columns;
    const height = room.heights[row.columns - 1];
    const titled = row.panels.some(({ title }) => title !== "");
    row.panels.forEach((panel, i) => {
      const left = i * (width + GAP);
      const below = top + (titled ? TITLE : 0);
      if (panel.title) parts.push(text(left + MARGIN, top + 14, fitted(panel.title, width - MARGIN), "panel-title"));
      // The title of a panel may name the vertical axis; in a row of one metric the first panel does it for all.
      const names = !panel.named && (i === 0 || row.panels[i - 1].data.unit !== panel.data.unit);
      parts.push(chart(panel, { left, top: below, width, height, xLabel, names }));
    });
    top += height + (titled ? TITLE : 0) + GAP;
  }
  return s(
    "svg",
    {
      viewBox: `0 0 ${room.width} ${Math.round(top - GAP)}`,
      class: `panels${narrow ? " is-narrow" : ""}`,
      role: "img",
      "aria-label": label,
    },
    ...parts,
  );
}

/** @param {Panel} panel @param {{ left: number, top: number, width: number, height: number, xLabel: string, names: boolean }} place */
function chart({ data, marks }, { left, top, width, height, xLabel, names }) {
  made += 1;
  // The picture's legend names the lines of all panels.
  const unnamed = {
    ...data,
    // Without a name the axis keeps its unit and its room, so that panels beside each other have one height.
    unit: data.unit && !names ? { ...data.unit, name: "" } : data.unit,
    drawn: data.drawn.map((drawn) => ({ ...drawn, line: { ...drawn.line, quiet: true } })),
  };
  const svg = chartSvg(unnamed, {
    title: "",
    subtitle: "",
    xLabel,
    width,
    height,
    ink: "var(--ink)",
    faint: "var(--ink-2)",
    grid: "var(--grid)",
    page: "none",
    bad: "var(--bad)",
    font: "inherit",
    colour: (token) => `var(${token})`,
    marks,
    id: String(made),
  });
  const element = /** @type {Element} */ (
    document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true)
  );
  for (const [name, value] of Object.entries({ x: left, y: top, width, height }))
    element.setAttribute(name, String(value));
  // An empty title would be read out.
  element.querySelector("title")?.remove();
  return element;
}

/** @param {Panel[]} panels @param {Room} room */
function rowsOf(panels, room) {
  /** @type {{ columns: number, panels: Panel[] }[]} */
  const rows = [];
  for (const name of new Set(panels.map(({ row }) => row))) {
    const all = panels.filter(({ row }) => row === name);
    const most = name === "all" ? room.columns : room.small;
    // Rows of equal length: 6 panels are 3 and 3, not 4 and 2.
    const columns = Math.ceil(all.length / Math.ceil(all.length / most));
    for (let i = 0; i < all.length; i += columns) rows.push({ columns, panels: all.slice(i, i + columns) });
  }
  return rows;
}

/** An entry of the legend: a run's line, or how training and validation are drawn. @typedef {{ words: string, x: number, token: string, dash: number[], width: number, alpha: number, dots: boolean }} Entry */

/** @param {Line[]} lines @param {boolean} mixed @param {number} most the width @returns {Entry[][]} */
function legendRows(lines, mixed, most) {
  const runs = [...new Map(lines.map((line) => [line.id, line])).values()].map(({ label, token, dash }) => ({
    words: label,
    token,
    dash,
    width: 2.5,
    alpha: 1,
    dots: false,
  }));
  const ink = { token: "--ink-2", dash: [] };
  const kinds = mixed
    ? [
        { ...ink, words: "Training", width: 1.1, alpha: 0.7, dots: false },
        { ...ink, words: "Validation", width: 2, alpha: 1, dots: true },
      ]
    : [];
  /** @type {Entry[][]} */
  const rows = [];
  let x = most;
  for (const entry of [...runs, ...kinds]) {
    const words = fitted(entry.words, most - 60);
    const wide = 46 + words.length * LETTER_WIDTH;
    if (x + wide > most) {
      rows.push([]);
      x = MARGIN;
    }
    rows[rows.length - 1].push({ ...entry, words, x });
    x += wide;
  }
  return rows;
}

/** @param {Entry} entry @param {number} y */
function legendEntry({ words, x, token, dash, width, alpha, dots }, y) {
  const stroke = `var(${token})`;
  return s(
    "g",
    {},
    s("line", {
      x1: x,
      y1: y,
      x2: x + 22,
      y2: y,
      stroke,
      "stroke-width": width,
      "stroke-opacity": alpha,
      "stroke-dasharray": dash.join(" ") || undefined,
    }),
    dots && s("circle", { cx: x + 11, cy: y, r: 2.5, fill: stroke }),
    text(x + 28, y + 4, words, "legend-name"),
  );
}

/** @param {string} words @param {number} width */
function fitted(words, width) {
  const most = Math.max(4, Math.floor(width / LETTER_WIDTH));
  return words.length > most ? `${words.slice(0, most - 1)}…` : words;
}

/** @param {number} x @param {number} y @param {string} words @param {string} name */
const text = (x, y, words, name) =>
  s(
    "text",
    {
      x,
      y,
      class: name,
      fill: name === "axis-title" ? "var(--ink-2)" : "var(--ink)",
      "font-size": 12,
      "font-weight": name === "panel-title" ? 600 : undefined,
    },
    words,
  );
