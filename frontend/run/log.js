// The worker's log: fetched when opened, and followed while the run is active.

import { getLog } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

const POLL_MS = 2000;

/** @param {string} id @param {() => boolean} isActive */
export function logPanel(id, isActive) {
  const pre = h("pre", { tabindex: 0, "aria-label": "Worker log" });
  const state = h("span", { class: "muted small" });
  const refresh = h(
    "button",
    { class: "button quiet small", type: "button", on: { click: () => load() } },
    icon("refresh", 14),
    "Refresh",
  );
  const chevron = icon("chevron", 14);
  chevron.classList.add("chevron");
  const element = h(
    "details",
    { class: "card log", on: { toggle: () => (element.open ? load() : stop()) } },
    h("summary", { class: "card-head" }, h("h2", {}, chevron, "Log")),
    h("div", { class: "card-body" }, h("div", { class: "log-head" }, state, refresh), h("div", { class: "code" }, pre)),
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function stop() {
    clearTimeout(timer);
    timer = undefined;
  }

  async function load() {
    stop();
    try {
      const text = await getLog(id);
      const atEnd = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 8;
      setText(pre, text === "" ? "Nothing logged yet." : text);
      if (atEnd) pre.scrollTop = pre.scrollHeight;
      setText(state, isActive() ? "Follows while the run is active." : "");
    } catch (error) {
      setText(state, error instanceof Error ? error.message : String(error));
    }
    if (element.open && isActive()) timer = setTimeout(load, POLL_MS);
  }

  return {
    element,
    /** Fetches the latest lines after a change of state. */
    nudge() {
      if (element.open && timer === undefined) load();
    },
  };
}
