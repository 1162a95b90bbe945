// The arithmetic behind an output pixel and behind its gradient: each number as a sum of products.

import { h } from "../lib/dom.js";
import { count, formatNumber } from "../lib/format.js";
import { cells, maxAbs } from "./cells.js";
import { kindOf } from "./layer-names.js";
import { arithmeticAt } from "./window/geometry.js";

/** @import { Arithmetic, GradientAt, GradientTerm, SlidingWindow } from "../lib/types" */

/** A named number of a chain. @param {string} name @param {number} value @param {string} [tone] */
export const chainLink = (name, value, tone = "") =>
  h("span", { class: tone }, h("small", {}, name), h("b", {}, formatNumber(value)));

export const chainSign = (/** @type {string} */ text) => h("span", { class: "sign", "aria-hidden": "true" }, text);

/** A sign and its operand, which stay together at a line break. @param {string} text @param {...Element} after */
export const term = (text, ...after) => h("div", { class: "term" }, chainSign(text), ...after);

/** Number of channels shown at first; the others can be opened. */
const FIRST_CHANNELS = 3;

/** Terms of a gradient that are listed. */
const LISTED_TERMS = 8;

/** @param {HTMLElement[]} rows one per channel @param {boolean} all whether all are shown at once */
function channelRows(rows, all) {
  const more = all ? [] : rows.slice(FIRST_CHANNELS);
  const first = more.length > 0 ? rows.slice(0, FIRST_CHANNELS) : rows;
  return h(
    "div",
    { class: "sum-rows" },
    ...first,
    more.length > 0 &&
      h(
        "details",
        {},
        h("summary", {}, `${count(more.length)} more ${more.length === 1 ? "channel" : "channels"}`),
        h("div", { class: "sum-rows" }, ...more),
      ),
  );
}

/** @param {Arithmetic} of @param {{ all?: boolean }} [options] `all`: show every channel at once, for a report */
export function forward(of, { all = false } = {}) {
  const { position, channels, inputs, kernel, stride, padding } = of;
  const patches = Math.max(...channels.map(({ patch }) => maxAbs(patch)), 0);
  const kernels = Math.max(...channels.map((channel) => maxAbs(channel.kernel)), 0);
  const products = Math.max(...channels.map((channel) => maxAbs(channel.products)), 0);
  const rows = channels.map((channel) =>
    h(
      "div",
      { class: "sum-row equation" },
      cells(channel.patch, `channel ${channel.input}`, patches),
      term("×", cells(channel.kernel, "kernel", kernels)),
      term("=", cells(channel.products, "products", products)),
      h("span", { class: "nowrap" }, "Σ ", h("b", {}, formatNumber(channel.sum))),
    ),
  );
  const shown = channels.reduce((sum, channel) => sum + channel.sum, 0);
  const rest = inputs - channels.length;
  return h(
    "div",
    { class: "sums" },
    h(
      "p",
      { class: "muted small" },
      `Map ${position.map}, row ${position.y}, column ${position.x}: a ${kernel.join("×")} kernel for each of ${count(inputs)} ${inputs === 1 ? "channel" : "channels"}, stride ${stride[0]}, padding ${padding[0]}. Each value under the kernel is multiplied by its weight, and the products are added up.${rest > 0 ? ` The ${channels.length} channels that weigh most:` : ""}`,
    ),
    channelRows(rows, all),
    h(
      "div",
      { class: "chain" },
      chainLink(rest > 0 ? `these ${channels.length} channels` : "all channels", shown),
      rest > 0 && [chainSign("+"), chainLink(`the other ${count(rest)}`, of.rest_sum)],
      of.bias !== null && [chainSign("+"), chainLink("bias", of.bias)],
      chainSign("="),
      chainLink("the map's value", of.value, "result"),
      ...of.then.flatMap((step) => [chainSign("→"), chainLink(kindOf(step), step.value)]),
    ),
  );
}

/** @param {GradientAt} of @param {string} name of the class @param {{ all?: boolean }} [options] */
export function backward(of, name, { all = false } = {}) {
  const { arrives, passes_on, to_weights } = of;
  const kernels = Math.max(...passes_on.channels.map(({ kernel }) => maxAbs(kernel)), 0);
  const given = Math.max(...passes_on.channels.map(({ contribution }) => maxAbs(contribution)), 0);
  const patches = Math.max(...to_weights.channels.map(({ patch }) => maxAbs(patch)), 0);
  const learnt = Math.max(...to_weights.channels.map(({ contribution }) => maxAbs(contribution)), 0);
  const patchOf = new Map(to_weights.channels.map((channel) => [channel.input, channel]));
  const rows = passes_on.channels.map((channel) => {
    const weights = patchOf.get(channel.input);
    return h(
      "div",
      { class: "sum-row" },
      h(
        "div",
        { class: "equation" },
        cells(channel.kernel, `kernel of channel ${channel.input}`, kernels),
        term(`× ${formatNumber(of.gradient)} =`, cells(channel.contribution, "to the channel's pixels", given)),
      ),
      weights &&
        h(
          "div",
          { class: "equation" },
          cells(weights.patch, `values of channel ${channel.input}`, patches),
          term(`× ${formatNumber(of.gradient)} =`, cells(weights.contribution, "to the kernel's weights", learnt)),
        ),
    );
  });
  return h(
    "div",
    { class: "sums" },
    h(
      "p",
      { class: "muted small" },
      `The gradient of the score of “${name}” with respect to this value is ${formatNumber(of.gradient)}: if the value grows a little, the score grows by that many times as much. The gradient flows back to every pixel under the kernel and to every weight.${of.gradient === 0 ? " Here it is 0, because a ReLU or pooling layer after it blocks this value." : ""}`,
    ),
    channelRows(rows, all),
    h("h3", {}, "What arrives"),
    h(
      "p",
      { class: "muted small" },
      `The input's pixel under the kernel's middle (channel ${arrives.input}, row ${arrives.y}, column ${arrives.x}) lies under many kernels. Its gradient is the sum over all ${count(arrives.terms_total)} outputs that it reached:`,
    ),
    ...gatheredTerms(
      arrives.terms.slice(0, LISTED_TERMS),
      arrives.terms_total,
      arrives.rest_sum + arrives.terms.slice(LISTED_TERMS).reduce((sum, { product }) => sum + product, 0),
      arrives.value,
    ),
  );
}

/** The arithmetic of a position of a convolution's window. @param {SlidingWindow} of @param {number} n */
export const arithmeticOfWindow = (of, n) => forward(arithmeticAt(of, n));

/**
 * The largest terms of an input's gradient, and the sum.
 * @param {GradientTerm[]} terms @param {number} total how many there are @param {number} rest the sum of the others @param {number} value
 */
export function gatheredTerms(terms, total, rest, value) {
  const row = (/** @type {GradientTerm} */ term) =>
    h(
      "tr",
      {},
      ...[
        String(term.output),
        String(term.y),
        String(term.x),
        formatNumber(term.gradient),
        formatNumber(term.weight),
        formatNumber(term.product),
      ].map((text) => h("td", {}, text)),
    );
  return [
    h(
      "div",
      { class: "terms-frame", tabindex: 0, role: "group", "aria-label": "The largest terms" },
      h(
        "table",
        { class: "terms" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["map", "row", "column", "its gradient", "× weight", "= product"].map((head) =>
              h("th", { scope: "col" }, head),
            ),
          ),
        ),
        h("tbody", {}, ...terms.map(row)),
      ),
    ),
    h(
      "div",
      { class: "chain" },
      chainLink(
        "these",
        terms.reduce((sum, { product }) => sum + product, 0),
      ),
      chainSign("+"),
      chainLink(`the other ${count(total - terms.length)}`, rest),
      chainSign("="),
      chainLink("the pixel's gradient", value, "result"),
    ),
  ];
}
