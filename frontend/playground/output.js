// The large picture: the network's output with the points, or the values of one neuron.

import { h, setText } from "../lib/dom.js";
import { formatNumber, percent } from "../lib/format.js";
import { onTheme } from "../lib/theme.js";
import { classSign } from "../run/point-signs.js";
import { splitSwitch } from "../run/split-switch.js";
import { drawToy2d } from "../run/toy2d.js";
import { CELLS, shadesOfTheme } from "./maps.js";
import { neuronName } from "./words.js";

/** @import { Split } from "../lib/types" */
/** @import { Maps, Neuron } from "./maps.js" */
/** @import { Playground } from "./playground.js" */

/** @type {{ split: Split, label: string }[]} */
const SPLITS = [
  { split: "train", label: "training" },
  { split: "test", label: "test" },
];

/** @param {Playground} playground @param {() => void} redraw */
export function output(playground, redraw) {
  const title = h("h2", {}, "Output");
  const note = h("span", { class: "muted small" });
  const canvas = h("canvas", { class: "plane", role: "img" });
  const classes = h("ul", { class: "plane-legend" });
  const splits = h("div", { class: "plane-splits", role: "group", "aria-label": "Points to show" });
  const ends = { low: h("span", {}), high: h("span", {}) };
  const scale = h("div", { class: "plane-scale", hidden: true }, ends.low, h("i", {}), ends.high);
  const element = h(
    "section",
    { class: "card output", "aria-label": "Output" },
    h("header", { class: "card-head" }, title, note),
    h("div", { class: "card-body" }, canvas, h("div", { class: "plane-foot" }, classes, scale), splits),
  );

  const picture = new OffscreenCanvas(CELLS, CELLS);
  const pixels = new Uint32Array(CELLS * CELLS);
  const image = new ImageData(new Uint8ClampedArray(pixels.buffer), CELLS);
  let shades = shadesOfTheme();
  /** @type {Set<Split>} */
  const shown = new Set(["train", "test"]);
  /** @type {unknown} */
  let known = null;
  new ResizeObserver(redraw).observe(canvas);
  onTheme(() => {
    shades = shadesOfTheme();
    known = null;
  });

  /** The legend, when there are other data. */
  function build() {
    const { data } = playground;
    if (known === data) return;
    known = data;
    classes.replaceChildren(
      ...Array.from({ length: data.classes }, (_, of) => h("li", {}, classSign(of), `class ${of + 1}`)),
    );
    splits.replaceChildren(
      ...SPLITS.map(({ split, label }) => {
        const total = split === "train" ? data.train.count : data.test.count;
        return splitSwitch({ split, label, total, shown, onChange: redraw });
      }),
    );
  }

  /** @param {Maps} maps @param {Neuron | null} neuron the one to show in place of the output */
  function draw(maps, neuron) {
    build();
    const { data, trainer } = playground;
    const what = neuron ? neuronName(neuron, trainer.network.layers.length + 1) : "Output";
    setText(title, what);
    setText(note, neuron ? "its value over the plane" : "");
    classes.hidden = neuron !== null;
    scale.hidden = neuron === null;
    if (!neuron) {
      drawToy2d(canvas, { domain: data.domain, grid: maps.output(), points: data.points, splits: shown });
      return;
    }
    const reach = maps.reach(neuron);
    maps.paint(neuron, reach, shades, pixels);
    picture.getContext("2d")?.putImageData(image, 0, 0);
    setText(ends.low, formatNumber(-reach));
    setText(ends.high, formatNumber(reach));
    drawToy2d(canvas, { domain: data.domain, grid: null, points: data.points, splits: shown, below: picture });
  }

  return {
    element,
    draw,
    /** Describes the picture, which happens less often than it is drawn. @param {{ train: number, test: number }} accuracy */
    describe({ train, test }) {
      const { data } = playground;
      canvas.setAttribute(
        "aria-label",
        `${title.textContent} over the plane, with ${data.train.count} training and ${data.test.count} test points; ` +
          `${percent(train)} and ${percent(test)} are classified right`,
      );
    },
  };
}
