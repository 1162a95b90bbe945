// The parts of every page: theme button, toasts, screen reader announcements.

import { byId, h } from "./dom.js";
import { icon } from "./icons.js";
import { titlePrints } from "./print.js";
import { themeButton } from "./theme.js";

/** Adds the common parts to the page. */
export function startShell() {
  byId("shell-tools").append(themeButton());
  titlePrints();
  // On a phone the row of pages scrolls.
  document.querySelector(".topbar nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

/** Announces a text to screen readers. @param {string} text */
export function announce(text) {
  byId("announce").textContent = text;
}

/**
 * Shows a message for a while, with an optional action.
 * @param {string} text
 * @param {"" | "bad"} [tone]
 * @param {{ label: string, act: () => void }} [action]
 * @returns {() => void} hides it before
 */
export function toast(text, tone = "", action) {
  const close = () => element.remove();
  const element = h(
    "div",
    { class: `toast ${tone}`, role: tone === "bad" ? "alert" : "status" },
    h("span", {}, text),
    action &&
      h(
        "button",
        {
          class: "button small",
          type: "button",
          on: {
            click: () => {
              close();
              action.act();
            },
          },
        },
        action.label,
      ),
    h(
      "button",
      { class: "button quiet icon small", type: "button", "aria-label": "Dismiss", on: { click: close } },
      icon("cross", 14),
    ),
  );
  byId("toasts").append(element);
  setTimeout(close, tone === "bad" || action ? 12_000 : 5_000);
  return close;
}

/**
 * Runs an action and shows the error message if it fails.
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T | undefined>}
 */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), "bad");
    return undefined;
  }
}
