// Scatter plots of accuracy against cost, with the Pareto front.

import { labelledTicks, normalize, padRange, validRange } from "../chart/scale.js";
import { h, s } from "../lib/dom.js";
import { percent, percentSpread, plural } from "../lib/format.js";
import { byDataSet } from "./data-sets.js";
import { paretoFront } from "./pareto.js";
import { isSoundMember } from "./sound.js";
import { accuracySpan, costSpan, sameText } from "./span.js";
import { meanAndStd } from "./columns.js";
import { COSTS } from "./costs.js";

/** @import { Run } from "../lib/types" */
/** @import { Member } from "./members.js" */

/** What the dashed line is. */
const FRONT = "The line is the Pareto front: no other run is both better and cheaper.";

/** Two points are a line of the table of figures. */
const FEWEST = 3;
/** The width of a chart unless another is asked for. */
const WIDTH = 360;
const HEIGHT = 250;
const BOX = { left: 44, top: 26, right: 14, bottom: HEIGHT - 40 };
/** Narrower windows have the charts below each other. */
const MIN_BESIDE = 640;
const MIN_WIDTH = 200;
/** Of the card, and between its charts. */
const PADDING = 34;
const GAP = 12;
const MOST_TICKS = 7;
/** A chart so wide names its points, unless there are many: then it has the whole card. */
const NAMED_WIDTH = 400;
const MAX_NAMED = 4;
const MAX_NAMED_ALONE = 12;

/**
 * The accuracy by which members are compared: on the test split if all have it, otherwise the best on the validation
 * split. Those that diverged or failed do not count, unless all did.
 * @param {Member[]} members
 * @returns {{ title: string, of: (run: Run) => number | null }}
 */
export function accuracyOf(members) {
  const sound = members.filter(isSoundMember);
  const tested = (sound.length > 0 ? sound : members).every(({ runs }) =>
    runs.every(({ summary }) => summary.test_accuracy !== null),
  );
  return tested
    ? { title: "Test accuracy", of: ({ summary }) => summary.test_accuracy }
    : { title: "Best validation accuracy", of: ({ summary }) => summary.best_validation_accuracy };
}

/** The points of a chart: those that diverged or failed are left out. @param {Member[]} members @param {typeof COSTS[number]} cost @param {ReturnType<typeof accuracyOf>} gain */
const pointsOf = (members, cost, gain) =>
  members.filter(isSoundMember).flatMap((member) => {
    const x = meanAndStd(member.runs.map(cost.of));
    const y = meanAndStd(member.runs.map(gain.of));
    return x && y ? [{ member, cost: x.mean, gain: y.mean, std: y.std }] : [];
  });

/** The Pareto front of each data set; runs of the same cost have none. @param {ReturnType<typeof pointsOf>} points @param {typeof COSTS[number]} cost */
function frontsOf(points, cost) {
  const costs = points.map((point) => point.cost);
  if (sameText(cost, costs) !== null) return [];
  return [...byDataSet(points.map(({ member }) => member)).values()].map((of) => {
    const here = new Set(of);
    const together = points.filter(({ member }) => here.has(member));
    return paretoFront(together, cost.noise).map((i) => together[i]);
  });
}

/** @param {unknown[]} front */
const isLine = (front) => front.length > 1;

/** Whether a chart has the line of a front. @param {Member[]} members @param {typeof COSTS[number]} cost @param {ReturnType<typeof accuracyOf>} gain */
export const hasFront = (members, cost, gain) => frontsOf(pointsOf(members, cost, gain), cost).some(isLine);

/**
 * The charts of accuracy against the costs in which members differ; what is not drawn is said in a line.
 * @param {Member[]} members @param {(id: string) => void} onLook @param {number} width of the card
 */
export function scatterPlots(members, onLook, width) {
  const gain = accuracyOf(members);
  const costs = COSTS.map((cost) => {
    const points = pointsOf(members, cost, gain);
    return {
      cost,
      points,
      same: sameText(
        cost,
        points.map((point) => point.cost),
      ),
    };
  });
  const drawn = costs.filter(({ points, same }) => points.length >= FEWEST && same === null);
  const out = members.filter((member) => !isSoundMember(member)).length;
  const words = [
    ...costs.flatMap(({ points, same }) => (points.length > 1 ? (same?.long ?? []) : [])),
    ...(out > 0 ? [`${plural(out, "run")} that diverged or failed ${out === 1 ? "is" : "are"} left out.`] : []),
  ];
  if (drawn.length === 0) {
    const known = Math.max(...costs.map(({ points }) => points.length));
    if (known > 1 && known < FEWEST) return null;
    const why =
      known > 1
        ? `Accuracy against cost is not drawn, since the costs are the same. ${words.join(" ")}`
        : "Accuracy against cost is drawn once three runs have both.";
    return h("p", { class: "compare-line muted small" }, why);
  }
  const columns = width < MIN_BESIDE ? 1 : drawn.length;
  const each = Math.max(MIN_WIDTH, Math.floor((width - PADDING - GAP * (columns - 1)) / columns));
  const named = each >= NAMED_WIDTH && members.length <= (drawn.length === 1 ? MAX_NAMED_ALONE : MAX_NAMED);
  const points = new Set(drawn.flatMap((of) => of.points.map(({ member }) => member)));
  // Of many runs the list beside the curves is the legend.
  const legend = !named && points.size <= MAX_NAMED_ALONE ? [...points] : [];
  const front = drawn.some(({ cost }) => hasFront(members, cost, gain)) ? FRONT : "";
  return h(
    "section",
    { class: "card compare-card", "aria-label": "Accuracy against cost" },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, "Accuracy against cost"),
        h(
          "p",
          { class: "muted small" },
          [`${gain.title} against ${drawn.map(({ cost }) => cost.title.toLowerCase()).join(", ")}.`, front, ...words]
            .filter(Boolean)
            .join(" "),
        ),
      ),
    ),
    legend.length > 0 && h("ul", { class: "scatter-legend small" }, ...legend.map(legendEntry)),
    h(
      "div",
      { class: "scatters", vars: { plots: columns } },
      ...drawn.map(({ cost }) => h("figure", {}, scatterCard(members, cost, gain, { onLook, named, width: each }))),
    ),
  );
}

/** @param {Member} member */
function legendEntry({ label, stroke: { token } }) {
  const dot = s(
    "svg",
    { viewBox: "0 0 10 10", width: 10, height: 10, "aria-hidden": "true" },
    s("circle", { cx: 5, cy: 5, r: 4.5 }),
  );
  dot.style.fill = `var(${token})`;
  return h("li", {}, dot, label);
}

/**
 * @param {Member[]} members
 * @param {typeof COSTS[number]} cost
 * @param {ReturnType<typeof accuracyOf>} gain
 * @param {{ onLook?: (id: string) => void, named?: boolean, width?: number }} [options] `named`: label each point
 */
export function scatterCard(members, cost, gain, { onLook = () => {}, named = false, width = WIDTH } = {}) {
  const points = pointsOf(members, cost, gain);
  const box = { ...BOX, right: width - BOX.right };
  const [size, sign] = cost.unit(Math.max(...points.map((point) => point.cost)));
  const costs = points.map((point) => point.cost / size);
  const wide = costs.length > 1 && Math.min(...costs) > 0 && Math.max(...costs) / Math.min(...costs) > 30;
  const [least, most] = wide ? [Math.min(...costs), Math.max(...costs)] : costSpan(costs);
  const [from, to] = padRange(validRange(least, most, wide), wide);
  const xs = { min: wide ? from : Math.max(0, from), max: to, log: wide };
  const [low, high] = padRange(
    accuracySpan(
      points.map((point) => Math.max(0, point.gain - (point.std ?? 0))),
      points.map((point) => Math.min(1, point.gain + (point.std ?? 0))),
    ),
    false,
  );
  const ys = { min: Math.max(0, low), max: Math.min(1.02, high), log: false };
  const left = (/** @type {number} */ value) => box.left + normalize(xs, value) * (box.right - box.left);
  const top = (/** @type {number} */ value) => box.bottom - normalize(ys, value) * (box.bottom - box.top);
  const [rows, columns] = [
    labelledTicks(ys, 5, 0.01),
    labelledTicks(xs, Math.min(MOST_TICKS, Math.max(2, Math.round(width / 90)))),
  ];
  const same = sameText(
    cost,
    points.map((point) => point.cost),
  );
  const fronts = frontsOf(points, cost);
  const front = fronts.flat();
  const text = (
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {string} */ words,
    /** @type {string} */ anchor,
  ) => s("text", { x, y, "text-anchor": anchor }, words);
  const label = `${gain.title} against ${cost.title.toLowerCase()}`;
  if (points.length === 0) return h("div", { class: "scatter-empty muted" }, "Nothing to show yet.");
  const picture = s(
    "svg",
    {
      viewBox: `0 0 ${width} ${HEIGHT}`,
      class: "scatter",
      // Its points are links, which an image has none of.
      role: "group",
      "aria-label": `${label}. ${front.length > 0 ? `On the Pareto front: ${front.map((point) => point.member.label).join("; ")}` : same?.long}`,
    },
    ...rows.flatMap((tick) => [
      s("line", { class: "scatter-grid", x1: box.left, x2: box.right, y1: top(tick.value), y2: top(tick.value) }),
      text(box.left - 6, top(tick.value) + 4, tick.label, "end"),
    ]),
    ...columns.flatMap((tick) => [
      s("line", { class: "scatter-grid", x1: left(tick.value), x2: left(tick.value), y1: box.top, y2: box.bottom }),
      text(left(tick.value), box.bottom + 16, tick.label, "middle"),
    ]),
    text((box.left + box.right) / 2, HEIGHT - 6, `${cost.title.toLowerCase()}${sign && ` (${sign})`}`, "middle"),
    text(2, 11, `${gain.title.toLowerCase()} (%)`, "start"),
    same && s("text", { class: "scatter-same", x: box.right, y: 11, "text-anchor": "end" }, same.short),
    ...fronts.filter(isLine).map((of) =>
      s("path", {
        class: "scatter-front",
        d: of.map((point, i) => `${i === 0 ? "M" : "L"}${left(point.cost / size)} ${top(point.gain)}`).join(""),
      }),
    ),
    ...points.map((point) => {
      const { token } = point.member.stroke;
      const x = left(point.cost / size);
      const y = top(point.gain);
      const bar =
        point.std !== null &&
        point.std > 0 &&
        s("line", {
          x1: x,
          x2: x,
          y1: top(Math.max(0, point.gain - point.std)),
          y2: top(Math.min(1, point.gain + point.std)),
          "stroke-width": 1.5,
        });
      if (bar) bar.style.stroke = `var(${token})`;
      const dot = s("circle", { cx: x, cy: y, r: front.includes(point) ? 5.5 : 4 });
      dot.style.fill = `var(${token})`;
      const words = `${point.member.label}\n${cost.title}: ${cost.format(point.cost)}\n${gain.title}: ${point.std === null ? percent(point.gain) : percentSpread(point.gain, point.std)}${front.includes(point) ? "\non the Pareto front" : ""}`;
      return s(
        "a",
        {
          href: point.member.runs[0].url,
          class: "scatter-point",
          "aria-label": words.replaceAll("\n", ", "),
          on: {
            mouseenter: () => onLook(point.member.id),
            mouseleave: () => onLook(""),
            focus: () => onLook(point.member.id),
            blur: () => onLook(""),
          },
        },
        s("title", {}, words),
        bar,
        s("circle", { cx: x, cy: y, r: 12, fill: "transparent" }),
        dot,
      );
    }),
    ...(named
      ? namesOf(
          points.map((point) => ({ x: left(point.cost / size), y: top(point.gain), name: point.member.label })),
          (box.left + box.right) / 2,
        )
      : []),
  );
  // Drawn larger, its text would be larger than that of other charts.
  if (width !== WIDTH) picture.style.maxWidth = `${width}px`;
  return picture;
}

/**
 * Places the labels beside their points without overlap.
 * @param {{ x: number, y: number, name: string }[]} points @param {number} middle
 */
function namesOf(points, middle) {
  const APART = 13;
  const placed = points.map(({ x, y, name }) => ({ x, y: y + 4, name, end: x > middle })).sort((a, b) => a.y - b.y);
  for (const [i, one] of placed.entries()) {
    for (const other of placed.slice(0, i)) {
      const near =
        other.end === one.end && Math.abs(other.x - one.x) < 8 * Math.max(other.name.length, one.name.length);
      if (near && one.y - other.y < APART) one.y = other.y + APART;
    }
  }
  return placed.map(({ x, y, name, end }) =>
    s("text", { class: "scatter-name", x: end ? x - 9 : x + 9, y, "text-anchor": end ? "end" : "start" }, name),
  );
}
