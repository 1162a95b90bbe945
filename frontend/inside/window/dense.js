// A fully connected layer: the largest terms of one value's sum, added one by one.

import { h, setText } from "../../lib/dom.js";
import { count, formatNumber, sameDecimals } from "../../lib/format.js";
import { chainLink, chainSign } from "../arithmetic.js";
import { DIVERGING, SEQUENTIAL } from "../colours.js";
import { kindOf } from "../layer-names.js";
import { capital, known } from "./geometry.js";
import { coloursOf, planeView } from "./plane.js";
import { softmaxTable } from "./softmax.js";
import { transport } from "./transport.js";

/** @import { Layer, Scored, SlidingWindow } from "../../lib/types" */
/** @import { InsideContext } from "../context.js" */

/** Terms that are added one by one. */
const TERMS = 20;

/**
 * The largest terms of a sum of products, the largest first, and the sum of the others.
 * @param {SlidingWindow} of
 */
export function largestTerms(of) {
  const [{ values, weights }] = of.planes;
  const all = values.map((value, index) => {
    const weight = known(weights[index]);
    return { index, value: known(value), weight, product: known(value) * weight };
  });
  all.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const others = all.splice(TERMS);
  return { terms: all, others: others.length, rest: others.reduce((sum, { product }) => sum + product, 0) };
}

/** @param {InsideContext} context */
export function denseView(context) {
  const player = transport({ term: "term", onMove: move, onRest: () => {} });
  const about = h("p", { class: "muted small" });
  const vector = planeView({ label: "What the layer reads" });
  const vectorName = h("figcaption", {});
  const rows = h("tbody", {});
  const sumName = h("span", {});
  const sum = h("output", { class: "running-sum", "aria-live": "off" });
  const chain = h("div", { class: "chain" });
  const last = h("div", {});
  const table = h(
    "div",
    { class: "terms-frame", tabindex: 0, role: "group", "aria-label": "The terms of the sum" },
    h(
      "table",
      { class: "terms dense-terms" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ...["from", "value", "× weight", "= product", "sum so far"].map((text) => h("th", { scope: "col" }, text)),
        ),
      ),
      rows,
    ),
  );
  const element = h(
    "div",
    { class: "window-view", on: { keydown: player.onKey } },
    about,
    player.element,
    h(
      "div",
      { class: "dense-stage" },
      h("figure", { class: "window-source" }, vectorName, vector.element),
      table,
      h("div", { class: "dense-result" }, h("p", { class: "running" }, sumName, sum), chain, last),
    ),
  );

  /** @type {{ of: SlidingWindow, steps: { name: string, index: number | null, product: number, sum: number, row: HTMLElement }[] } | null} */
  let now = null;
  /** The numbers of the chain, each with the step that makes it known. @type {{ link: HTMLElement, from: number }[]} */
  let links = [];

  /** Whether a layer gives the scores of the classes. @param {Layer} layer */
  const isScore = (layer) => context.layers.at(-1) === layer;

  /** The name of one of the layer's values. @param {number} index @param {boolean} isInput @param {Layer} layer */
  function nameOf(index, isInput, layer) {
    const { layers } = context;
    const classes = context.inside?.classes ?? [];
    if (!isInput) return isScore(layer) && classes[index] !== undefined ? classes[index] : `neuron ${index}`;
    const [input] = layer.inputs;
    const shape = layers.find(({ name }) => name === input)?.shape ?? [];
    if (shape.length !== 3) return `neuron ${index}`;
    const [maps, height, width] = shape;
    const map = `map ${Math.floor(index / (height * width))}`;
    if (height * width === 1) return map;
    const pixel = index % (height * width);
    const place = `row ${Math.floor(pixel / width)}, column ${pixel % width}`;
    return maps === 1 ? place : `${map}, ${place}`;
  }

  /** @param {SlidingWindow} of @param {Layer} layer @param {Scored[]} top the classes, where the layer gives their scores */
  function show(of, layer, top) {
    const same = now?.of === of;
    const back = of.direction === "backward";
    const { terms, others, rest } = largestTerms(of);
    let running = 0;
    const valueText = sameDecimals(terms.map(({ value }) => value));
    const weightText = sameDecimals(terms.map(({ weight }) => weight));
    const productText = sameDecimals([...terms.map(({ product }) => product), rest]);
    const sumText = sameDecimals([known(of.values[back ? of.input : of.map]), ...terms.map(({ product }) => product)]);
    const step = (
      /** @type {string} */ name,
      /** @type {number | null} */ index,
      /** @type {number} */ product,
      /** @type {string[]} */ cells,
    ) => {
      running += product;
      const row = h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        ...cells.map((text) => h("td", {}, text)),
        h("td", { class: "product" }, productText(product)),
        h("td", {}, sumText(running)),
      );
      return { name, index, product, sum: running, row };
    };
    const steps = terms.map(({ index, value, weight, product }) =>
      step(nameOf(index, !back, layer), index, product, [valueText(value), weightText(weight)]),
    );
    if (others > 0) steps.push(step(`the other ${count(others)}`, null, rest, ["", ""]));
    if (of.bias !== null) steps.push(step("bias", null, of.bias, ["", ""]));
    const most = Math.max(...steps.map(({ product }) => Math.abs(product)), 1e-30);
    for (const { row, product } of steps) {
      row.classList.add(product < 0 ? "below" : "above");
      row.style.setProperty("--share", String(Math.abs(product) / most));
    }
    rows.replaceChildren(...steps.map(({ row }) => row));
    now = { of, steps };
    const [{ values }] = of.planes;
    const width = Math.ceil(Math.sqrt(values.length));
    const height = Math.ceil(values.length / width);
    const padded = [...values, .../** @type {null[]} */ (Array(height * width - values.length).fill(null))];
    vector.show({
      values: padded,
      height,
      width,
      ...(back ? { legend: DIVERGING, map: /** @type {const} */ ("diverging") } : coloursOf(values, SEQUENTIAL)),
    });
    vectorName.replaceChildren(
      h("b", {}, back ? "Gradients of the outputs" : "The inputs"),
      ` ${count(values.length)} values, row by row`,
    );
    const own = back ? of.input : of.map;
    const target = nameOf(own, back, layer);
    setText(
      about,
      back
        ? `The gradient of the score of “${context.inside?.classes[of.class ?? -1] ?? "a class"}” at ${target} of the input: the gradient of each of ${count(values.length)} outputs times the weight between the two.`
        : `${isScore(layer) ? `The score of “${target}”` : capital(target)}: each of ${count(values.length)} inputs times its weight. The ${count(terms.length)} largest products are added one by one.`,
    );
    const end = steps.length - 1;
    const products = chainLink(
      back ? `${count(values.length)} outputs` : `${count(values.length)} inputs`,
      running - (of.bias ?? 0),
    );
    const bias = of.bias === null ? null : chainLink("bias", of.bias);
    const result = chainLink(back ? "the input's gradient" : `the value of ${target}`, known(of.values[own]), "result");
    const then = of.then.map((next) => chainLink(kindOf(next), known(next.values[own])));
    links = [
      { link: products, from: bias ? end - 1 : end },
      ...[bias, result, ...then].flatMap((link) => (link ? [{ link, from: end }] : [])),
    ];
    chain.replaceChildren(
      products,
      ...(bias ? [chainSign("+"), bias] : []),
      chainSign("="),
      result,
      ...then.flatMap((link) => [chainSign("→"), link]),
    );
    element.dataset.value = String(of.values[own]);
    last.replaceChildren(...[back ? null : softmaxTable(top, of.map)].flatMap((part) => part ?? []));
    if (!same) player.show(steps.length, 1, steps.length - 1);
    else move(player.at);
  }

  /** Shows the terms up to one. @param {number} n */
  function move(n) {
    if (!now) return;
    now.steps.forEach(({ row }, i) => {
      row.classList.toggle("pending", i > n);
      row.classList.toggle("chosen", i === n);
    });
    // A sum is told when its terms are.
    for (const { link, from } of links) link.classList.toggle("pending", n < from);
    last.classList.toggle("pending", n + 1 < now.steps.length);
    const step = now.steps[n];
    vector.mark(step.index === null ? {} : { at: step.index });
    setText(sum, formatNumber(step.sum));
    const whole = now.steps.length;
    setText(
      sumName,
      n + 1 < whole ? `Sum of ${count(n + 1)} of ${count(whole)} terms` : `Sum of all ${count(whole)} terms`,
    );
    element.dataset.sum = String(step.sum);
    element.dataset.position = String(n);
  }

  return { element, show, play: () => player.play(), pause: () => player.pause() };
}
