// A chart in words, for screen readers: "Training loss by step, 4 runs. Batch size 16: 2.31 to 0.05. …"

import { plural } from "../lib/format.js";

/** @import { Line } from "./plot-data.js" */

/** More lines than these are counted, since nobody listens to a hundred. */
const MAX_LINES = 12;

/** A description is renewed at most this often; it is never announced by itself. */
export const DESCRIBE_EVERY_MS = 1000;

/**
 * @param {{ title: string, axis: string, noun: string, lines: Line[], value: (value: number) => string }} chart `axis`:
 *   the name of the horizontal axis; `noun`: what a line is
 */
export function describe({ title, axis, noun, lines, value }) {
  const told = lines.filter(({ quiet, length }) => !quiet && length > 0);
  if (told.length === 0) return `${title} by ${axis}. No points yet.`;
  const parts = told.slice(0, MAX_LINES).map((line) => `${line.label}: ${course(line, value)}.`);
  const more = told.length - MAX_LINES;
  return [
    `${title} by ${axis}, ${plural(told.length, noun)}.`,
    ...parts,
    ...(more > 0 ? [`And ${plural(more, `more ${noun}`, `more ${noun}s`)}.`] : []),
  ].join(" ");
}

/** The first and the last value of a line. @param {Line} line @param {(value: number) => string} value */
function course({ y, length }, value) {
  let [first, last] = [0, length - 1];
  while (first < length && Number.isNaN(y[first])) first += 1;
  while (last > first && Number.isNaN(y[last])) last -= 1;
  if (first >= length) return "not a number";
  const ends = last < length - 1 ? ", then not a number" : "";
  return first === last ? `${value(y[first])}${ends}` : `${value(y[first])} to ${value(y[last])}${ends}`;
}
