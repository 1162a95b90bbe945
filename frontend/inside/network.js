// A clickable picture of the network: each layer is a bar whose height is the size and whose width the number of its
// maps.

import { h, setText } from "../lib/dom.js";
import { count, compactNumber } from "../lib/format.js";
import { kindOf, labelOf, middleOf, namesOf, sizes } from "./layer-names.js";
import { hasWindow } from "./window/geometry.js";

/** @import { Inside, Layer } from "../lib/types" */
/** @import { ViewState } from "./view.js" */

/** @param {ViewState} state */
export function networkPicture(state) {
  const track = h("div", {
    class: "net-track",
    role: "listbox",
    "aria-label": "Layers of the network",
    "aria-orientation": "horizontal",
  });
  const key = h("ul", { class: "net-key" });
  const landmarks = h("div", { class: "net-landmarks", role: "group", "aria-label": "Layers to look at first" });
  const total = h("p", { class: "small muted" });
  const element = h(
    "section",
    { class: "card net", "aria-label": "The network" },
    h("header", { class: "card-head" }, h("h2", {}, "The network"), landmarks, total),
    h("div", { class: "net-scroll scrolls" }, track),
    key,
  );
  /** @type {Map<string, HTMLElement>} */
  const bars = new Map();
  /** @type {Layer[]} */
  let layers = [];

  /** Chooses a layer; its window opens at the second click, or where one is open already. @param {Layer} layer */
  function open(layer) {
    const { layer: chosen, of } = state.now;
    const again = chosen === layer.name;
    if (again && of === "map") return;
    const window = hasWindow(layer) && (again || of === "map");
    state.set({ layer: layer.name, ...(window ? { of: "map", tile: 0, ...middleOf(layer) } : {}) });
  }

  /** Chooses the first layer of a part. @param {Layer[]} part */
  const choosePart = ([first]) => state.set({ layer: first.name });

  /** @param {Layer} layer @param {number} side of the network's image */
  function bar(layer, side) {
    const [channels, height] = layer.shape.length === 3 ? layer.shape : [layer.shape[0], 1];
    const tall =
      layer.shape.length === 3
        ? 18 + 70 * Math.sqrt(height / Math.max(1, side))
        : 18 + 70 * Math.min(1, Math.log2(channels + 1) / 13);
    const weighty = layer.weights !== null || layer.kind === "input";
    const wide = weighty
      ? 9 + 2.2 * Math.log2(channels + 1)
      : ["pool", "sum", "mul", "join"].includes(layer.kind)
        ? 9
        : 6;
    const words = `${labelOf(layers, layer)} (${layer.name}), ${sizes(layer.shape)}, ${count(layer.parameters)} parameters`;
    return h("button", {
      class: "net-layer",
      type: "button",
      role: "option",
      tabindex: -1,
      title: words,
      "aria-label": words,
      "aria-selected": "false",
      data: { kind: layer.kind, layer: layer.name },
      vars: { tall: `${Math.round(tall)}px`, wide: `${Math.round(wide)}px`, "wide-share": Math.round(wide) },
      on: { click: () => open(layer) },
    });
  }

  /** @param {string | null} name */
  function choose(name) {
    const chosen = layers.find((layer) => layer.name === name);
    for (const [of, button] of bars) {
      const is = of === name;
      const layer = layers.find((known) => known.name === of);
      const link = chosen?.inputs.includes(of) ? "reads" : name && layer?.inputs.includes(name) ? "feeds" : "";
      button.dataset.link = link;
      button.setAttribute("aria-selected", String(is));
      button.tabIndex = is ? 0 : -1;
      if (is) {
        const scroll = /** @type {HTMLElement} */ (track.parentElement);
        const middle = button.offsetLeft + button.offsetWidth / 2;
        if (middle < scroll.scrollLeft + 40 || middle > scroll.scrollLeft + scroll.clientWidth - 40)
          scroll.scrollTo({ left: middle - scroll.clientWidth / 2, behavior: "smooth" });
      }
    }
    for (const button of landmarks.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset.layer === name));
    if (!name || !bars.has(name)) bars.values().next().value?.setAttribute("tabindex", "0");
  }

  track.addEventListener("keydown", (event) => {
    if (layers.length === 0) return;
    const from = layers.findIndex(({ name }) => name === state.now.layer);
    const parts = namesOf(layers).sections.map((section) => layers.indexOf(section.layers[0]));
    const to = /** @type {{ [key: string]: number }} */ ({
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      PageUp: parts.findLast((place) => place < from) ?? 0,
      PageDown: parts.find((place) => place > from) ?? from,
      Home: 0,
      End: layers.length - 1,
    })[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { name } = layers[Math.min(layers.length - 1, Math.max(0, to))];
    state.set({ layer: name });
    bars.get(name)?.focus();
  });
  state.on((view, changed) => changed.has("layer") && choose(view.layer));

  return {
    element,
    /** @param {Inside} inside */
    show(inside) {
      layers = inside.layers;
      bars.clear();
      const side = inside.input[1] ?? 1;
      const { sections, landmarks: marks } = namesOf(layers);
      track.replaceChildren(
        ...sections.map((section) => {
          const own = section.layers.map((layer) => {
            const button = bar(layer, side);
            bars.set(layer.name, button);
            return button;
          });
          const { shape } = section.layers[section.layers.length - 1];
          const parameters = section.layers.reduce((sum, layer) => sum + layer.parameters, 0);
          return h(
            "div",
            { class: "net-group", role: "group", "aria-label": section.label },
            h("div", { class: "net-bars" }, ...own),
            // By keyboard the page keys go from part to part: a listbox has nothing but options to press.
            h(
              "div",
              { class: "net-name", title: section.path, on: { click: () => choosePart(section.layers) } },
              section.label,
            ),
            h("div", { class: "net-shape" }, sizes(shape)),
            h("div", { class: "net-shape" }, parameters > 0 ? compactNumber(parameters) : ""),
          );
        }),
      );
      landmarks.replaceChildren(
        ...marks.map(({ label, layer }) =>
          h(
            "button",
            {
              class: "button small",
              type: "button",
              title: layer.name,
              data: { layer: layer.name },
              on: { click: () => state.set({ layer: layer.name }) },
            },
            label,
          ),
        ),
      );
      setText(total, `${count(inside.parameters)} parameters`);
      const kinds = [...new Set(layers.map(({ kind }) => kind))];
      key.replaceChildren(
        ...kinds.map((kind) => h("li", {}, h("i", { class: "net-mark", data: { kind } }), kindOf({ kind }))),
      );
      choose(state.now.layer);
    },
  };
}
