// The theme: the system's or the user's choice. Canvases take their colours from the same CSS tokens.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { safeLocalStorage } from "./storage.js";

const KEY = "vivarium.theme";
const system = () => matchMedia("(prefers-color-scheme: dark)");
/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {Map<string, string>} */
let resolved = new Map();
/** @type {HTMLElement | null} */
let probe = null;

/** @returns {"light" | "dark"} */
export function theme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : system().matches ? "dark" : "light";
}

/** Adds a listener for colour changes. @param {() => void} listener */
export function onTheme(listener) {
  listeners.add(listener);
}

/**
 * The colour of a CSS token in a form that canvases accept: `colour("--data-1")` → "rgb(19, 102, 184)".
 * @param {string} token
 */
export function colour(token) {
  let value = resolved.get(token);
  if (value === undefined) {
    probe ??= document.body.appendChild(h("span", { hidden: true }));
    probe.style.color = `var(${token})`;
    value = getComputedStyle(probe).color;
    resolved.set(token, value);
  }
  return value;
}

/** The colour of a CSS token for print, whatever the theme. @param {string} token */
export function printColour(token) {
  const probe = document.body.appendChild(h("span", { hidden: true }));
  probe.style.colorScheme = "light";
  probe.style.color = `var(${token})`;
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** The button that switches the theme; it also follows changes of the system's theme. */
export function themeButton() {
  const button = h("button", { class: "button quiet icon", type: "button", on: { click: toggle } });
  const show = () => {
    const other = theme() === "dark" ? "light" : "dark";
    button.replaceChildren(icon(other === "dark" ? "moon" : "sun"));
    button.setAttribute("aria-label", `Use the ${other} theme`);
    button.title = `Use the ${other} theme`;
  };
  show();
  onTheme(show);
  system().addEventListener("change", changed);
  return button;
}

function toggle() {
  const next = theme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  safeLocalStorage.setItem(KEY, next);
  changed();
}

/** The chosen theme, stored while the page is printed. @type {string | undefined | null} */
let onScreen = null;

// Canvases must be redrawn with print colours.
globalThis.addEventListener?.("beforeprint", () => {
  if (onScreen !== null || theme() === "light") return;
  onScreen = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  changed();
});
globalThis.addEventListener?.("afterprint", () => {
  if (onScreen === null) return;
  if (onScreen === undefined) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = onScreen;
  onScreen = null;
  changed();
});

function changed() {
  resolved = new Map();
  for (const listener of listeners) listener();
}
