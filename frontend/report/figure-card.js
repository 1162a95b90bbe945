// The card of a figure in the editor: what it shows, by names, and buttons to change, move and remove it.

import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { kindOf } from "./block.js";
import { figureWords } from "./figure-words.js";
import { KINDS } from "./figures/index.js";
import { reason } from "./placed-figure.js";

/** @import { IconName } from "../lib/icons.js" */
/** @import { Sources } from "./sources.js" */

/** @type {{ [kind: string]: IconName }} */
const ICONS = {
  curve: "chart",
  results: "text",
  ranking: "text",
  settings: "sliders",
  scatter: "chart",
  parallel: "chart",
  filters: "layers",
  features: "layers",
  confusion: "text",
  mistakes: "photo",
  boundary: "target",
  arithmetic: "text",
  photo: "photo",
};

/**
 * @typedef {{ change: () => void, move: (way: -1 | 1) => void, remove: () => void, leave: (way: -1 | 1) => void }} CardActions
 *   `leave`: the cursor goes to the text before or after it
 * @typedef {{ element: HTMLElement, focus: () => void, use: (actions: CardActions) => void }} FigureCard
 */

/** @param {string} block @param {Sources} sources @returns {FigureCard} */
export function figureCard(block, sources) {
  const [fence, ...lines] = block.split("\n");
  const kind = kindOf(fence.replace(/^\s*[`~]+/, "")) ?? "";
  /** @type {CardActions | null} */
  let actions = null;
  const title = h("b", {}, KINDS.find((known) => known.kind === kind)?.title ?? "Figure");
  const runs = h("span", { class: "figure-card-runs" });
  const chosen = h("small");
  const caption = h("small", { class: "figure-card-caption" });
  const main = h(
    "button",
    {
      class: "figure-card-main",
      type: "button",
      title: "Change this figure (Enter); Alt and arrow keys move it",
      on: { click: () => actions?.change(), keydown: keys },
    },
    icon(ICONS[kind] ?? "chart", 16),
    h("span", { class: "figure-card-words" }, h("span", {}, title, " ", runs), chosen, caption),
  );
  const tool = (/** @type {IconName} */ name, /** @type {string} */ label, /** @type {() => void} */ act) =>
    h(
      "button",
      { class: "button quiet icon small", type: "button", title: label, "aria-label": label, on: { click: act } },
      icon(name, 14),
    );
  const up = tool("down", "Move up", () => actions?.move(-1));
  up.classList.add("is-up");
  const element = h(
    "div",
    { class: "figure-card", role: "group" },
    main,
    h(
      "div",
      { class: "figure-card-tools" },
      up,
      tool("down", "Move down", () => actions?.move(1)),
      tool("trash", "Remove this figure", () => actions?.remove()),
    ),
  );
  figureWords(kind, lines.slice(0, -1).join("\n"), sources).then(
    (words) => {
      setText(runs, words.runs);
      setText(chosen, words.chosen);
      setText(caption, words.caption && `“${words.caption}”`);
      element.setAttribute("aria-label", `${words.title}, ${words.runs}`);
    },
    (error) => {
      setText(chosen, reason(error));
      element.classList.add("is-fault");
    },
  );

  /** @param {KeyboardEvent} event */
  function keys(event) {
    const way = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : null;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (way !== null && event.altKey) actions?.move(way);
    else if (way !== null) actions?.leave(way);
    else if (event.key === "Delete" || event.key === "Backspace") actions?.remove();
    else return;
    event.preventDefault();
  }

  return {
    element,
    focus: () => main.focus(),
    use(next) {
      actions = next;
    },
  };
}
