// Small coloured tables of numbers: a patch, a kernel, their products.

import { h } from "../lib/dom.js";
import { formatNumber } from "../lib/format.js";
import { css, divergingScales, textColourOn } from "./colours.js";

/** A table with more columns than this shows only colours; numbers appear on hover. */
const MAX_READABLE = 7;

/** Formats a number with at most three decimals, short enough for a cell of a canvas. @param {number} value */
export function shortNumber(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000 || size < 0.001) return value.toExponential(0).replace("e+", "e");
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** The same with one decimal less. @param {number} value */
export function shorterNumber(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000 || size < 0.01) return value.toExponential(0).replace("e+", "e");
  return value.toFixed(size >= 10 ? 0 : size >= 1 ? 1 : 2);
}

/** A number with three significant digits: 0.0921, -6.12e-4, 123. @param {number} value */
export function threeDigits(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000 || size < 0.001) return value.toExponential(2).replace("e+", "e");
  return value.toPrecision(3);
}

/** The largest absolute value. @param {(number | null)[][]} [rows] */
export const maxAbs = (rows = []) =>
  rows.flat().reduce((/** @type {number} */ most, value) => Math.max(most, Math.abs(value ?? 0)), 0);

/** @param {(number | null)[][] | undefined} rows `null` outside the image @param {string} caption @param {number} [reach] */
export function cells(rows = [], caption, reach = maxAbs(rows)) {
  const scales = divergingScales(reach);
  const many = (rows[0]?.length ?? 0) > MAX_READABLE;
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      ...row.map((value) => {
        if (value === null) return h("td", { class: "outside", title: "outside the image: 0" }, "0");
        const [light, dark] = scales.map((colour) => colour(value));
        return h(
          "td",
          {
            vars: {
              cell: `light-dark(${css(light)}, ${css(dark)})`,
              "cell-ink": `light-dark(${textColourOn(light)}, ${textColourOn(dark)})`,
            },
            title: formatNumber(value),
          },
          threeDigits(value),
        );
      }),
    ),
  );
  return h(
    "figure",
    {},
    h("figcaption", {}, caption),
    h("table", { class: many ? "cells many" : "cells" }, h("tbody", {}, ...body)),
  );
}
