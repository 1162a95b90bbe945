// Renders a chart as an SVG document, from the same plot data as the screen.

import { visibleMarkers, segments } from "./plot-data.js";
import { labelledTicks, normalize } from "./scale.js";

/** @import { PlotData, Line } from "./plot-data.js" */

/**
 * @typedef {{
 *   title: string,
 *   subtitle: string,
 *   xLabel: string,
 *   width: number,
 *   height: number,
 *   ink: string,
 *   faint: string,
 *   grid: string,
 *   page: string,
 *   bad: string,
 *   font: string,
 *   colour: (token: string) => string,
 *   marks: number[],
 *   id?: string,
 * }} Look `id` must be unique among the figures of a page
 */

/** Height of a legend row, and width of a letter. */
const ROW_HEIGHT = 18;
const LETTER_WIDTH = 6.6;
/** The legend takes at most this fraction of the height; it names the first lines that fit. */
const MAX_LEGEND_SHARE = 0.33;
/** Height of the name of the vertical axis. */
const Y_NAME_HEIGHT = 18;
/** Width of "and 12,345 more". */
const MORE_WIDTH = 110;

/** @param {PlotData} data @param {Look} look @returns {string} */
export function chartSvg(data, look) {
  const { width, height } = look;
  const box = { left: 56, top: 0, right: width - 16, bottom: height - 44 };
  const names = legendRows(
    data,
    box.right - box.left,
    Math.max(1, Math.floor((height * MAX_LEGEND_SHARE) / ROW_HEIGHT)),
  );
  const legendBottom = (look.title || look.subtitle ? 34 : 8) + names.length * ROW_HEIGHT + 10;
  box.top = legendBottom + (data.unit ? Y_NAME_HEIGHT : 0);
  const rows = labelledTicks(data.y, Math.round((box.bottom - box.top) / 55), data.unit?.size);
  box.left = Math.max(box.left, ...rows.map(({ label }) => 16 + label.length * LETTER_WIDTH));
  const clip = `plot${look.id ?? ""}`;
  const toX = (/** @type {number} */ value) => box.left + normalize(data.x, value) * (box.right - box.left);
  const toY = (/** @type {number} */ value) => box.bottom - normalize(data.y, value) * (box.bottom - box.top);
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escapeXml(look.font)}" font-size="12">`,
    `<title>${escapeXml(look.title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${look.page}"/>`,
    look.title && text(box.left, 22, look.title, look.ink, 'font-size="15" font-weight="600"'),
    look.subtitle && text(box.right, 22, look.subtitle, look.faint, 'text-anchor="end"'),
    `<clipPath id="${clip}"><rect x="${box.left}" y="${box.top}" width="${n(box.right - box.left)}" height="${n(box.bottom - box.top)}"/></clipPath>`,
  ];
  for (const { value, label } of rows) {
    const y = toY(value);
    out.push(
      line(box.left, y, box.right, y, look.grid),
      text(box.left - 8, y + 4, label, look.faint, 'text-anchor="end"'),
    );
  }
  for (const { value, label } of labelledTicks(data.x, Math.round((box.right - box.left) / 90))) {
    const x = toX(value);
    out.push(
      line(x, box.top, x, box.bottom, look.grid),
      text(x, box.bottom + 17, label, look.faint, 'text-anchor="middle"'),
    );
  }
  out.push(
    text((box.left + box.right) / 2, height - 8, look.xLabel, look.faint, 'text-anchor="middle"'),
    data.unit ? text(box.left - 8, legendBottom + 4, data.unit.name, look.faint, "") : "",
    `<g clip-path="url(#${clip})">`,
  );
  for (const { line: series, x, y, low, high } of data.drawn) {
    if (low.length === 0) continue;
    const colour = look.colour(series.token);
    for (const [from, to] of segments(y)) {
      const at = x.slice(from, to + 1);
      const edge = [
        ...at.map((value, i) => [value, high[from + i]]),
        ...at.map((value, i) => [value, low[from + i]]).reverse(),
      ];
      // The band around an isolated point has no width, so it is drawn as a stroke.
      const ink =
        from === to
          ? `fill="none" stroke="${colour}" stroke-width="5" stroke-opacity="0.18"`
          : `fill="${colour}" fill-opacity="0.18"`;
      out.push(`<path d="M${edge.map(([value, height]) => `${n(toX(value))} ${n(toY(height))}`).join("L")}Z" ${ink}/>`);
    }
  }
  for (const { line: series, x, y } of data.drawn) {
    const dash = series.dash.length > 0 ? ` stroke-dasharray="${series.dash.join(" ")}"` : "";
    const colour = look.colour(series.token);
    out.push(
      `<path d="${path(x, y, toX, toY)}" fill="none" stroke="${colour}" stroke-width="${series.width}" stroke-opacity="${series.alpha}" stroke-linejoin="round"${dash}/>`,
    );
  }
  for (const mark of look.marks) {
    if (mark >= data.x.min && mark <= data.x.max)
      out.push(`<path d="M${n(toX(mark))} ${box.top}l4.5 9h-9z" fill="${look.bad}"/>`);
  }
  out.push("</g>");
  for (const drawn of data.drawn) {
    const { token, alpha } = drawn.line;
    for (const [x, y] of visibleMarkers(data, drawn))
      out.push(
        `<circle cx="${n(toX(x))}" cy="${n(toY(y))}" r="2.5" fill="${look.colour(token)}" fill-opacity="${alpha}"/>`,
      );
  }
  out.push(
    line(box.left, box.bottom, box.right, box.bottom, look.faint),
    legend(names, look, box.left, legendBottom),
    "</svg>",
  );
  return out.filter(Boolean).join("\n");
}

/**
 * A name in the legend; without a line it says how many more there are.
 * @typedef {{ line: Line | null, words: string, x: number }} Name
 */

/**
 * Arranges the lines' names in rows.
 * @param {PlotData} data
 * @param {number} width
 * @param {number} most rows
 * @returns {Name[][]}
 */
function legendRows(data, width, most) {
  /** @type {Name[][]} */
  const rows = [];
  let x = 0;
  let more = 0;
  for (const { line } of data.drawn) {
    if (line.quiet) continue;
    const wide = 46 + line.label.length * LETTER_WIDTH;
    if (more > 0 || (rows.length === most && x + wide > width)) {
      more += 1;
      continue;
    }
    if (rows.length === 0 || (x > 0 && x + wide > width)) {
      rows.push([]);
      x = 0;
    }
    rows[rows.length - 1].push({ line, words: line.label, x });
    x += wide;
  }
  const last = rows[rows.length - 1];
  if (more > 0) {
    for (; last.length > 1 && x + MORE_WIDTH > width; more += 1) x = last.pop()?.x ?? 0;
    last.push({ line: null, words: `and ${more.toLocaleString("en-US")} more`, x });
  }
  return rows;
}

/** @param {ReturnType<typeof legendRows>} rows @param {Look} look @param {number} left @param {number} top */
function legend(rows, look, left, top) {
  return rows
    .flatMap((row, i) =>
      row.map(({ line: series, words, x }) => {
        const y = top - 10 - (rows.length - i) * ROW_HEIGHT + 12;
        if (!series) return text(left + x, y + 4, words, look.faint, "");
        const dash = series.dash.length > 0 ? ` stroke-dasharray="${series.dash.join(" ")}"` : "";
        return `<line x1="${n(left + x)}" y1="${y}" x2="${n(left + x + 22)}" y2="${y}" stroke="${look.colour(series.token)}" stroke-width="2" stroke-opacity="${series.alpha}"${dash}/>${text(left + x + 28, y + 4, words, look.ink, "")}`;
      }),
    )
    .join("\n");
}

/**
 * The path of a line; a new subpath begins after each gap.
 * @param {number[]} x
 * @param {(number | null)[]} y
 * @param {(v: number) => number} toX
 * @param {(v: number) => number} toY
 */
function path(x, y, toX, toY) {
  let out = "";
  let pen = "M";
  for (let i = 0; i < x.length; i += 1) {
    const value = y[i];
    if (value === null) {
      pen = "M";
      continue;
    }
    out += `${pen}${n(toX(x[i]))} ${n(toY(value))}`;
    pen = "L";
  }
  return out;
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} colour */
function line(x1, y1, x2, y2, colour) {
  return `<line x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" stroke="${colour}"/>`;
}

/** @param {number} x @param {number} y @param {string} words @param {string} colour @param {string} more */
function text(x, y, words, colour, more) {
  return `<text x="${n(x)}" y="${n(y)}" fill="${colour}" ${more}>${escapeXml(words)}</text>`;
}

/** @param {number} value */
const n = (value) => String(Math.round(value * 100) / 100);

/** @param {string} words */
export function escapeXml(words) {
  return (
    words
      // Characters that XML 1.0 forbids cannot be escaped.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;")
  );
}
