// The picture of an experiment over one numeric setting: accuracy against that setting, such as the learning rate.

import { labelledTicks, normalize, padRange } from "../chart/scale.js";
import { h, s } from "../lib/dom.js";
import { exactNumber, percent, percentSpread } from "../lib/format.js";
import { settingLabel } from "../lib/setting-labels.js";
import { settingsOf } from "../lib/settings-diff.js";
import { meanAndStd } from "./columns.js";
import { byDataSet } from "./data-sets.js";
import { accuracyOf } from "./scatter.js";
import { faultText, isSoundMember } from "./sound.js";
import { accuracySpan } from "./span.js";
import { settingsThatDiffer } from "./settings.js";

/** @import { Member } from "./members.js" */

/** Fewer values make no course. */
const MIN_VALUES = 3;
/** A setting whose largest value is so many times its smallest has a log axis: batch sizes and rates are powers. */
const LOG_RATIO = 8;
/** Numbers that name something and order nothing. */
const NOMINAL = new Set(["training.seed", "data.fold"]);

const HEIGHT = 236;
const BOX = { left: 44, top: 34, right: 22, bottom: HEIGHT - 42 };
/** A value of the axis needs so much room. */
const TICK_ROOM = 46;
/** So many points have their accuracy beside them. */
const MOST_NAMED = 8;

/** @typedef {{ member: Member, x: number, y: number, std: number | null, isSound: boolean }} Point */

/**
 * The only setting in which members differ, if it is a number with several values and some have a result.
 * @param {Member[]} members
 * @returns {{ path: string, title: string, gain: ReturnType<typeof accuracyOf>, points: Point[] } | null}
 */
export function courseOf(members) {
  const [path, ...others] = settingsThatDiffer(members).filter((each) => each !== "training.seed");
  if (path === undefined || others.length > 0 || NOMINAL.has(path) || byDataSet(members).size > 1) return null;
  const gain = accuracyOf(members);
  const points = members.flatMap((member) => {
    const x = settingsOf(member.runs[0]).get(path);
    const y = meanAndStd(member.runs.map(gain.of));
    const isSound = isSoundMember(member);
    return typeof x === "number" && y ? [{ member, x, y: y.mean, std: y.std, isSound }] : [];
  });
  points.sort((a, b) => a.x - b.x);
  if (new Set(points.map(({ x }) => x)).size < MIN_VALUES) return null;
  return { path, title: settingLabel(path, members[0].runs[0].spec.network?.kind), gain, points };
}

/** The mean of the sound points at each value, which the line goes through. @param {Point[]} points @returns {{ x: number, y: number }[]} */
export function lineThrough(points) {
  const sound = points.filter(({ isSound }) => isSound);
  return [...new Set(sound.map(({ x }) => x))].map((x) => {
    const here = sound.filter((point) => point.x === x);
    return { x, y: here.reduce((sum, { y }) => sum + y, 0) / here.length };
  });
}

/**
 * @param {Member[]} members @param {number} width of the card
 * @param {(id: string) => void} onLook the pointer is at a member, or at none ("")
 */
export function settingChart(members, width, onLook) {
  const course = courseOf(members);
  if (!course) return null;
  const { title, gain, points } = course;
  const name = title.toLowerCase();
  const isLog = points[0].x > 0 && (points.at(-1)?.x ?? 0) / points[0].x >= LOG_RATIO;
  const spreads = points.some(({ std }) => std !== null);
  const faulty = points.some(({ isSound }) => !isSound);
  const about = [
    `${gain.title}${spreads ? ", mean ± standard deviation over seeds" : ""}.`,
    isLog && `The axis of the ${name} is logarithmic.`,
    faulty && "A ring is a run that diverged or failed, which the line leaves out.",
  ];
  return h(
    "section",
    { class: "card compare-card", "aria-label": `Accuracy by ${name}` },
    h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", {}, `Accuracy by ${name}`),
        h("p", { class: "muted small" }, about.filter(Boolean).join(" ")),
      ),
    ),
    h("figure", { class: "setting-chart" }, picture(course, isLog, Math.max(220, width - 2 * 16), onLook)),
  );
}

/**
 * @param {NonNullable<ReturnType<typeof courseOf>>} course @param {boolean} isLog @param {number} width
 * @param {(id: string) => void} onLook
 */
function picture({ title, gain, points }, isLog, width, onLook) {
  const box = { ...BOX, right: width - BOX.right };
  const values = [...new Set(points.map(({ x }) => x))];
  const [from, to] = padRange([values[0], values[values.length - 1]], isLog);
  const xs = { min: from, max: to, log: isLog };
  const [low, high] = padRange(
    accuracySpan(
      points.map(({ y, std }) => Math.max(0, y - (std ?? 0))),
      points.map(({ y, std }) => Math.min(1, y + (std ?? 0))),
    ),
    false,
  );
  const ys = { min: Math.max(0, low), max: Math.min(1.02, high), log: false };
  const left = (/** @type {number} */ value) => box.left + normalize(xs, value) * (box.right - box.left);
  const top = (/** @type {number} */ value) => box.bottom - normalize(ys, value) * (box.bottom - box.top);
  const text = (
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {string} */ words,
    /** @type {string} */ anchor,
  ) => s("text", { x, y, "text-anchor": anchor }, words);
  const line = lineThrough(points);
  const told = line.map(({ x, y }) => `${exactNumber(x)}: ${percent(y)}`).join("; ");
  return s(
    "svg",
    {
      viewBox: `0 0 ${width} ${HEIGHT}`,
      class: "scatter",
      // Its points are links, which an image has none of.
      role: "group",
      "aria-label": `${gain.title} by ${title.toLowerCase()}. ${told}`,
    },
    ...labelledTicks(ys, 5, 0.01).flatMap((tick) => [
      s("line", { class: "scatter-grid", x1: box.left, x2: box.right, y1: top(tick.value), y2: top(tick.value) }),
      text(box.left - 6, top(tick.value) + 4, tick.label, "end"),
    ]),
    ...spaced(values, left).map((value) => text(left(value), box.bottom + 16, exactNumber(value), "middle")),
    text((box.left + box.right) / 2, HEIGHT - 6, title.toLowerCase(), "middle"),
    text(2, 11, `${gain.title.toLowerCase()} (%)`, "start"),
    s("path", {
      class: "setting-line",
      d: line.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${left(x)} ${top(y)}`).join(""),
    }),
    ...points.map((point) => {
      const x = left(point.x);
      const value = point.std === null ? percent(point.y) : percentSpread(point.y, point.std);
      const words = [point.member.label, `${gain.title}: ${value}`, point.isSound ? "" : faultText(point.member)];
      const bar =
        point.std !== null &&
        s("line", {
          class: "setting-mark",
          x1: x,
          x2: x,
          y1: top(Math.min(1, point.y + point.std)),
          y2: top(Math.max(0, point.y - point.std)),
        });
      const mark = s(
        "a",
        {
          href: point.member.runs[0].url,
          class: `scatter-point${point.isSound ? "" : " is-faulty"}`,
          "aria-label": words.filter(Boolean).join(", "),
          on: {
            mouseenter: () => onLook(point.member.id),
            mouseleave: () => onLook(""),
            focus: () => onLook(point.member.id),
            blur: () => onLook(""),
          },
        },
        s("title", {}, words.filter(Boolean).join("\n")),
        bar,
        s("circle", { cx: x, cy: top(point.y), r: 12, fill: "transparent" }),
        s("circle", { class: "setting-mark", cx: x, cy: top(point.y), r: 5 }),
      );
      mark.style.setProperty("--stroke", `var(${point.member.stroke.token})`);
      return mark;
    }),
    ...(points.length <= MOST_NAMED
      ? points.map(({ x, y, std }) => {
          const name = text(left(x), top(Math.min(1, y + (std ?? 0))) - 10, percent(y), "middle");
          name.classList.add("scatter-name");
          return name;
        })
      : []),
  );
}

/** The values that have room for their text, from the smallest on. @param {number[]} values @param {(value: number) => number} left */
function spaced(values, left) {
  /** @type {number[]} */
  const shown = [];
  for (const value of values)
    if (shown.length === 0 || left(value) - left(shown[shown.length - 1]) >= TICK_ROOM) shown.push(value);
  return shown;
}
