// The points of a generated data set, as a run has them by default: a picture with its legend, and one as small as a row.

import { siteUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { colour, onTheme } from "../lib/theme.js";
import { generate, SETS } from "../playground/data.js";
import { CLASS_COLOURS, drawToy2d } from "../run/toy2d.js";
import { pointsLegend } from "./points-legend.js";

/** @import { DataSet } from "../lib/types" */
/** @import { Data, SetName } from "../playground/data.js" */

/** Radius of a point in a small picture, in pixels. */
const SMALL_POINT = 1.4;
/** More points of a small picture would be one blot. */
const SMALL_POINTS = 120;

/** Whether the browser can make the points of a set. @param {DataSet} set */
export const hasPoints = ({ set, dimensions }) => dimensions === 2 && set in SETS;

/** The settings of a set's points, which the form has as defaults. @param {DataSet} set */
export function pointSettings({ set, fields, classes }) {
  const value = (/** @type {string} */ path) =>
    Number(JSON.parse(fields.find((field) => field.path === path)?.default ?? "null"));
  return {
    set: /** @type {SetName} */ (set),
    samples: value("data.samples"),
    noise: value("data.noise"),
    classes: value("data.classes") || classes,
  };
}

/** The points of a set, each with its split. @param {DataSet} set */
export const pointsOf = (set) => generate(pointSettings(set));

/** @param {DataSet} set @param {Data} data */
export function pointsPart({ title }, data) {
  const words = `${title}: ${plural(data.points.length, "point")} of ${plural(data.classes, "class", "classes")}`;
  const canvas = h("canvas", { class: "points-picture", role: "img", "aria-label": words });
  const legend = pointsLegend(data, draw);
  function draw() {
    drawToy2d(canvas, { domain: data.domain, grid: null, points: data.points, splits: legend.splits });
  }
  new ResizeObserver(draw).observe(canvas);
  onTheme(draw);
  return h("figure", { class: "points" }, canvas, legend.element);
}

/**
 * What else a run may have of the set: without noise, with as much as the playground offers, and with more classes;
 * and what is to be seen in it.
 * @param {DataSet} set
 */
export function variationsOf(set) {
  const { several, most } = SETS[/** @type {SetName} */ (set.set)];
  const settings = pointSettings(set);
  return [
    { words: "noise 0", lesson: "Every point can be learnt.", settings: { ...settings, noise: 0 } },
    {
      words: `noise ${most}`,
      lesson: "The classes overlap: a boundary around single points has learnt the noise.",
      settings: { ...settings, noise: most },
    },
    ...(several ? [3, 5] : []).map((classes) => ({
      words: `${classes} classes`,
      lesson: `${classes} outputs, one for each, and less room between them.`,
      settings: { ...settings, classes },
    })),
  ];
}

/** @param {DataSet} set */
export function variationsPart(set) {
  const links = variationsOf(set).map(({ words, lesson, settings }) => {
    const { set: data, noise, classes } = settings;
    const query = new URLSearchParams({ data, noise: String(noise), classes: String(classes) });
    const href = siteUrl(`/playground?${query}`);
    const about = h("span", { class: "variation-words" }, h("b", {}, words), h("span", { class: "muted" }, lesson));
    return h("li", {}, h("a", { href }, smallPicture(settings), about));
  });
  return h(
    "section",
    { class: "variations", "aria-label": "Other settings" },
    h("h4", {}, "With other settings"),
    h("p", { class: "muted small" }, "Each opens in the playground. The form of a run has these settings too."),
    h("ul", {}, ...links),
  );
}

/** The points in a square of a row. @param {DataSet} set */
export const pointsThumbnail = (set) => smallPicture(pointSettings(set), SMALL_POINTS);

/** @param {ReturnType<typeof pointSettings>} settings @param {number} [most] points */
function smallPicture(settings, most = settings.samples) {
  const { points, domain } = generate({ ...settings, samples: Math.min(settings.samples, most) });
  const canvas = h("canvas", { "aria-hidden": "true" });
  const place = (/** @type {number} */ value, /** @type {[number, number]} */ [low, high]) =>
    (value - low) / (high - low);
  const draw = () => {
    const [context, side] = [canvas.getContext("2d"), canvas.clientWidth];
    if (!context || side === 0) return;
    canvas.width = canvas.height = Math.round(side * devicePixelRatio);
    context.scale(devicePixelRatio, devicePixelRatio);
    for (const point of points) {
      context.fillStyle = colour(CLASS_COLOURS[point.class]);
      context.beginPath();
      context.arc(place(point.x, domain.x) * side, (1 - place(point.y, domain.y)) * side, SMALL_POINT, 0, 2 * Math.PI);
      context.fill();
    }
  };
  new ResizeObserver(draw).observe(canvas);
  onTheme(draw);
  return canvas;
}
