// The picture of parallel coordinates: each run is a line through the values of its settings and its results. Lines
// outside a brush are faded.

import { s } from "../lib/dom.js";

/** @import { Axis } from "./axes.js" */
/** @import { Member } from "./members.js" */

/** Up to this many lines have the colours of their runs; more are coloured by result. */
const MAX_RUN_COLOURS = 8;
export const RAMP = 7;
/** Minimum distance between axes; a wider picture scrolls. */
const MIN_AXIS_GAP = 92;
export const HEIGHT = 312;
export const BOX = { top: 56, bottom: HEIGHT - 18 };
/** Titles are up to two lines, of which the last stands here. */
const TITLE_BOTTOM = 34;
const TITLE_HEIGHT = 15;
/** A shorter title is one line. */
const ONE_LINE = 12;
/** Maximum letters of a value, and width of a letter. */
const MAX_LETTERS = 14;
const LETTER_WIDTH = 6.4;
const TITLE_LETTER = 7;
/** The brushes by axis key, as fractions of the axis. @typedef {Map<string, [number, number]>} Marks */

/** Whether a member passes through every brush. @param {Axis[]} axes @param {Marks} marks @param {Member} member */
export function matchesBrushes(axes, marks, member) {
  return axes.every((axis) => {
    const mark = marks.get(axis.key);
    const at = axis.at(member);
    return !mark || (at !== null && at >= mark[0] - 1e-9 && at <= mark[1] + 1e-9);
  });
}

/** Whether lines are coloured by result. @param {Member[]} members */
export const usesColourScale = (members) => members.length > MAX_RUN_COLOURS;

/** @param {Member} member @param {Axis[]} axes @param {boolean} ramped */
function strokeFor(member, axes, ramped) {
  if (!ramped) return member.stroke;
  const at = axes[axes.length - 1]?.at(member) ?? null;
  return {
    token: at === null ? "--ink-3" : `--ramp-${1 + Math.min(RAMP - 1, Math.max(0, Math.floor(at * RAMP)))}`,
    dash: [],
  };
}

/** @param {number} share */
export const yOf = (share) => BOX.bottom - share * (BOX.bottom - BOX.top);
/** @param {string} text */
const truncate = (text) => (text.length > MAX_LETTERS ? `${text.slice(0, MAX_LETTERS - 1)}…` : text);

/** A title in one line or two of about the same length. @param {string} title @returns {string[]} */
export function titleLines(title) {
  if (title.length <= ONE_LINE) return [title];
  const spaces = [...title.matchAll(/ /g)].map(({ index }) => index);
  const [first] = spaces.sort((a, b) => Math.abs(a - title.length / 2) - Math.abs(b - title.length / 2));
  return first === undefined ? [title] : [title.slice(0, first), title.slice(first + 1)];
}

/**
 * The positions of the axes in a picture of about this width; the first one leaves room for its labels.
 * @param {Axis[]} axes
 * @param {number} width
 */
export function layOut(axes, width) {
  const first = Math.max(0, ...(axes[0]?.ticks ?? []).map(({ text }) => truncate(text).length));
  // A title is centred over its axis.
  const half = (/** @type {Axis | undefined} */ axis) =>
    10 + (Math.max(...titleLines(axis?.title ?? "").map(({ length }) => length)) * TITLE_LETTER) / 2;
  const left = Math.max(14 + first * LETTER_WIDTH, half(axes[0]));
  const right = half(axes[axes.length - 1]);
  // Titles of neighbours must not overlap; what room is left is shared evenly.
  const gaps = axes.slice(1).map((axis, i) => Math.max(MIN_AXIS_GAP, half(axes[i]) + half(axis)));
  const least = left + right + gaps.reduce((sum, gap) => sum + gap, 0);
  const spare = Math.max(0, width - least) / Math.max(1, gaps.length);
  let at = left;
  return {
    places: axes.map((_, i) => {
      if (i > 0) at += gaps[i - 1] + spare;
      return Math.round(at);
    }),
    whole: Math.round(least + spare * gaps.length),
  };
}

/**
 * The static part of the picture.
 * @param {Member[]} members
 * @param {Axis[]} axes
 * @param {number} width at least, in pixels
 * @param {Marks} [marks]
 */
export function parallelPicture(members, axes, width, marks = new Map()) {
  const ramped = usesColourScale(members);
  const { places, whole } = layOut(axes, width);
  const lines = members.map((member) => {
    const { token, dash } = strokeFor(member, axes, ramped);
    const d = pathOf(member, axes, places);
    const line = s("path", { class: "parallel-line", d, "stroke-dasharray": dash.join(" ") || undefined });
    line.style.stroke = `var(${token})`;
    const passing = matchesBrushes(axes, marks, member);
    const words = `${member.label}\n${axes.map((axis) => `${axis.title}: ${axis.format(member)}`).join("\n")}`;
    return s(
      "a",
      {
        class: `parallel-run${passing ? "" : " is-out"}`,
        href: member.runs[0].url,
        data: { member: member.id },
        tabindex: passing ? undefined : -1,
        "aria-label": words.replaceAll("\n", ", "),
      },
      s("title", {}, words),
      line,
      s("path", { class: "parallel-reach", d }),
    );
  });
  return s(
    "svg",
    {
      viewBox: `0 0 ${whole} ${HEIGHT}`,
      width: whole,
      height: HEIGHT,
      class: "parallel",
      role: "group",
      "aria-label": "Parallel coordinates",
    },
    // Faded lines lie below the others.
    ...[...lines].sort((a, b) => Number(b.classList.contains("is-out")) - Number(a.classList.contains("is-out"))),
    ...axes.map((axis, i) =>
      s(
        "g",
        { class: `parallel-axis${axis.outcome ? " is-outcome" : ""}`, transform: `translate(${places[i]} 0)` },
        title(axis.title),
        s("line", { y1: BOX.top, y2: BOX.bottom }),
        ...axis.ticks.flatMap(({ at, text }) => [
          s("line", { x1: -4, x2: 0, y1: yOf(at), y2: yOf(at) }),
          s("text", { class: "parallel-tick", x: -8, y: yOf(at) + 4, "text-anchor": "end" }, truncate(text)),
        ]),
      ),
    ),
  );
}

/** @param {string} words */
function title(words) {
  const lines = titleLines(words);
  return s(
    "text",
    { class: "parallel-title", "text-anchor": "middle" },
    ...lines.map((line, i) =>
      s("tspan", { x: 0, y: TITLE_BOTTOM - TITLE_HEIGHT * (lines.length - 1 - i) }, i > 0 ? ` ${line}` : line),
    ),
  );
}

/**
 * A member's curve. It crosses each axis horizontally, so that it can be followed; a missing value is a gap.
 * @param {Member} member
 * @param {Axis[]} axes
 * @param {number[]} places
 */
function pathOf(member, axes, places) {
  let d = "";
  /** @type {{ x: number, y: number } | null} */
  let before = null;
  for (const [i, axis] of axes.entries()) {
    const at = axis.at(member);
    if (at === null) {
      before = null;
      continue;
    }
    const here = { x: places[i], y: Math.round(yOf(at) * 100) / 100 };
    const half = before ? (before.x + here.x) / 2 : 0;
    d += before ? `C${half} ${before.y} ${half} ${here.y} ${here.x} ${here.y}` : `M${here.x} ${here.y}h0.01`;
    before = here;
  }
  return d;
}
