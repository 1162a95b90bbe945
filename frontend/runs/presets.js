// Cards of experiments that start with one click.

import { createRun, createSweep } from "../lib/api.js";
import { h, s } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";
import { valueCount } from "../form/grid-values.js";
import { siteUrl } from "../lib/base-path.js";
import { safeLocalStorage } from "../lib/storage.js";

/** @import { Preset } from "../lib/types" */

/** Whether the user opened the experiments. */
const STORED = "vivarium.experiments";

/** The number of runs that a preset starts. @param {Preset} preset */
export function presetRunCount({ grid, repeats }) {
  return Object.values(grid).reduce((product, axis) => product * valueCount(axis), repeats);
}

/**
 * The experiments: cards while there are no runs, then one line that opens into cards.
 * @param {Preset[]} presets
 */
export function presetCards(presets) {
  const cards = h("div", { class: "presets", id: "experiments" }, ...presets.map((preset) => card(preset)));
  const chevron = icon("chevron", 14);
  chevron.classList.add("chevron");
  const toggle = h(
    "button",
    {
      class: "experiments-toggle",
      type: "button",
      "aria-controls": "experiments",
      title: "Show the experiments as cards",
      on: {
        click: () => {
          const open = toggle.getAttribute("aria-expanded") !== "true";
          safeLocalStorage.setItem(STORED, open ? "open" : "folded");
          showSize(open);
        },
      },
    },
    chevron,
    "Experiments",
  );
  const element = h("section", { class: "experiments", "aria-label": "Experiments" }, h("h2", {}, toggle), cards);
  let hasRuns = true;

  /** @param {boolean} open */
  function showSize(open) {
    toggle.setAttribute("aria-expanded", String(open));
    element.classList.toggle("strip", !open);
  }

  return {
    element,
    /** @param {boolean} some whether there are runs */
    show(some) {
      if (toggle.hasAttribute("aria-expanded") && some === hasRuns) return;
      hasRuns = some;
      showSize(!some || safeLocalStorage.getItem(STORED) === "open");
    },
  };
}

/** @param {Preset} preset */
function card(preset) {
  const runs = presetRunCount(preset);
  const adjust = siteUrl(`/new?preset=${encodeURIComponent(preset.id)}`);
  const data =
    preset.missing &&
    h(
      "a",
      {
        class: "button tonal small",
        href: siteUrl("/data"),
        "aria-label": `Get ${preset.missing} for ${preset.title}`,
        title: `Needs ${preset.missing}, which is not here yet`,
      },
      icon("download", 14),
      h("span", {}, `Get ${preset.missing}`),
    );
  const start = h(
    "button",
    {
      class: "button tonal small",
      type: "button",
      "aria-label": `Start ${preset.title}`,
      title: `Start ${plural(runs, "run")}`,
      on: { click: () => launch(preset, start) },
    },
    icon("play", 14),
    h("span", {}, "Start"),
  );
  return h(
    "article",
    { class: "card preset", data: { preset: preset.id } },
    h("h3", {}, h("a", { href: adjust, title: `${preset.question} ${plural(runs, "run")}.` }, preset.title)),
    presetIcon(preset),
    h("p", {}, preset.question),
    h(
      "footer",
      {},
      data || start,
      h(
        "a",
        {
          class: "button quiet small preset-adjust",
          href: adjust,
          "aria-label": `Adjust ${preset.title}`,
        },
        "Adjust",
      ),
      h("span", { class: "count" }, plural(runs, "run")),
    ),
  );
}

/** @param {Preset} preset @param {HTMLButtonElement} button */
async function launch(preset, button) {
  button.disabled = true;
  await attempt(async () => {
    const one = Object.keys(preset.grid).length === 0 && preset.repeats === 1;
    const { url } = await (one
      ? createRun(preset.base)
      : createSweep({ base: preset.base, grid: preset.grid, repeats: preset.repeats }));
    location.assign(url);
  });
  button.disabled = false;
}

/** An icon for the kind of experiment: points with a boundary, one curve, or several. @param {Preset} preset */
function presetIcon(preset) {
  const runs = presetRunCount(preset);
  const view = { viewBox: "0 0 44 28", width: 44, height: 28, fill: "none", class: "glyph", "aria-hidden": "true" };
  const pen = { stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round" };
  if (preset.base.network.kind === "perceptron") {
    const full = [
      [8, 7],
      [14, 12],
      [18, 5],
      [9, 16],
    ].map(([cx, cy]) => s("circle", { cx, cy, r: 2.2, fill: "currentColor" }));
    const open = [
      [26, 22],
      [34, 14],
      [37, 22],
      [30, 18],
    ].map(([cx, cy]) => s("circle", { cx, cy, r: 2, ...pen, "stroke-width": 1.5 }));
    return s("svg", view, ...full, ...open, s("path", { d: "M10 26L34 2", ...pen }));
  }
  const curves = Array.from({ length: Math.min(runs, 4) }, (_, i) => {
    const bend = 4 + i * 7;
    return s("path", {
      d: `M3 3C${bend} ${20 - i * 2} ${14 + i * 5} ${25 - i * 4} 41 ${25 - i * 5}`,
      ...pen,
      opacity: 1 - i * 0.22,
    });
  });
  return s("svg", view, ...curves);
}
