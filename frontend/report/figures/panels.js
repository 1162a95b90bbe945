// Several charts as one picture: panels in rows, with a common legend and titled axes.

import { chartSvg } from "../../chart/svg.js";
import { s } from "../../lib/dom.js";

/** @import { Line, PlotData } from "../../chart/plot-data.js" */

/** A chart of the picture; panels of one `row` have the same width. @typedef {{ title: string, row: string, data: PlotData, marks: number[] }} Panel */

const WIDTH = 760;
/** Columns of small panels. */
const MAX_COLUMNS = 4;
/** Heights of a row by its number of columns. */
const HEIGHTS = [310, 250, 180, 165];
/** Small panels are drawn larger and shrunk, so that their axes have more than one tick. */
const SMALL = { columns: 3, factor: 1.25 };
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
 * @param {{ xLabel: string, legend: Line[], mixed: boolean, label: string }} look `mixed`: panels show
 *   training and validation
 * @returns {SVGSVGElement}
 */
export function panelsSvg(panels, { xLabel, legend, mixed, label }) {
  const names = legendRows(legend, mixed);
  let top = names.length > 0 ? names.length * LEGEND_ROW + 8 : 0;
  /** @type {Node[]} */
  const parts = names.flatMap((row, i) => row.map((entry) => legendEntry(entry, 12 + i * LEGEND_ROW)));
  for (const row of rowsOf(panels)) {
    const width = (WIDTH - GAP * (row.columns - 1)) / row.columns;
    const height = HEIGHTS[row.columns - 1];
    const factor = row.columns >= SMALL.columns ? SMALL.factor : 1;
    const titled = row.panels.some(({ title }) => title !== "");
    row.panels.forEach((panel, i) => {
      const left = i * (width + GAP);
      const below = top + (titled ? TITLE : 0);
      if (panel.title) parts.push(text(left + MARGIN, top + 14, fitted(panel.title, width - MARGIN), "panel-title"));
      parts.push(chart(panel, { left, top: below, width, height, xLabel, factor }));
    });
    top += height + (titled ? TITLE : 0) + GAP;
  }
  return s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${Math.round(top - GAP)}`, class: "panels", role: "img", "aria-label": label },
    ...parts,
  );
}

/** @param {Panel} panel @param {{ left: number, top: number, width: number, height: number, xLabel: string, factor: number }} place */
function chart({ data, marks }, { left, top, width, height, xLabel, factor }) {
  made += 1;
  // The picture's legend names the lines of all panels.
  const unnamed = { ...data, drawn: data.drawn.map((drawn) => ({ ...drawn, line: { ...drawn.line, quiet: true } })) };
  const svg = chartSvg(unnamed, {
    title: "",
    subtitle: "",
    xLabel,
    width: width * factor,
    height: height * factor,
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

/** @param {Panel[]} panels */
function rowsOf(panels) {
  /** @type {{ columns: number, panels: Panel[] }[]} */
  const rows = [];
  for (const name of new Set(panels.map(({ row }) => row))) {
    const all = panels.filter(({ row }) => row === name);
    const most = name === "all" ? 2 : MAX_COLUMNS;
    // Rows of equal length: 6 panels are 3 and 3, not 4 and 2.
    const columns = Math.ceil(all.length / Math.ceil(all.length / most));
    for (let i = 0; i < all.length; i += columns) rows.push({ columns, panels: all.slice(i, i + columns) });
  }
  return rows;
}

/** An entry of the legend: a run's line, or how training and validation are drawn. @typedef {{ words: string, x: number, token: string, dash: number[], width: number, alpha: number, dots: boolean }} Entry */

/** @param {Line[]} lines @param {boolean} mixed @returns {Entry[][]} */
function legendRows(lines, mixed) {
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
  let x = WIDTH;
  for (const entry of [...runs, ...kinds]) {
    const words = fitted(entry.words, WIDTH - 60);
    const wide = 46 + words.length * LETTER_WIDTH;
    if (x + wide > WIDTH) {
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
