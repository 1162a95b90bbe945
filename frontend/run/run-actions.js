// What one can do with a run: one action comes first, by the run's state; rare ones and deleting are in a menu.

import { resume, stop } from "../lib/actions.js";
import { siteUrl } from "../lib/base-path.js";
import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { menu } from "../lib/menu.js";
import { attempt } from "../lib/shell.js";
import { canResume, canStop, isActive } from "../lib/status.js";
import { runName } from "../lib/run-name.js";
import { beginReport } from "../report/begin.js";
import { pageLinks } from "./pages.js";
import { takeAwayLinks } from "./take-away.js";

/** @import { Run } from "../lib/types" */

/**
 * The action that one wants next: `page` is the first page about the run, such as “Look inside”; `null` for imported
 * curves, and while the run trains: Stop comes first then, but is not what one is to press.
 * @typedef {"resume" | "adjust" | "page"} Primary
 */

/** @param {Pick<Run, "status" | "reason" | "source">} run @returns {Primary | null} */
export function primaryAction(run) {
  if (run.source !== null || isActive(/** @type {Run} */ (run))) return null;
  if (run.status === "failed" || run.reason === "diverged") return "adjust";
  return canResume(/** @type {Run} */ (run)) ? "resume" : "page";
}

/**
 * @param {Run} first
 * @param {{ onAnswer: (run: Run) => void, onDelete: () => void }} listeners `onAnswer`: the run as it is after an action
 */
export function runActions(first, { onAnswer, onDelete }) {
  let run = first;
  const stopButton = h(
    "button",
    { class: "button", type: "button", on: { click: () => act(() => stop(run)) } },
    icon("stop", 14),
    h("span", {}, "Stop"),
  );
  const resumeButton = h(
    "button",
    { class: "button", type: "button", on: { click: () => act(() => resume(run)) } },
    icon("play", 14),
    "Resume",
  );
  const adjust = h(
    "a",
    { class: "button", href: siteUrl(`/new?copy=${run.id}`), title: "A new run with these settings, to change some" },
    icon("copy", 14),
    "Adjust and run again",
  );
  const transfer = h(
    "a",
    { href: siteUrl(`/new?transfer=${run.id}`), title: "A new run that starts from the weights of this one" },
    "Start from its weights",
  );
  const pages = pageLinks(first);
  const away = takeAwayLinks(first);
  const more = menu({ label: "More", icon: "more", title: "Report, take away, delete" }, [
    transfer,
    { label: "Write a report", act: () => attempt(() => beginReport(runName(run), [run])) },
    away.heading,
    ...away.links,
    h("hr"),
    h("button", { class: "menu-danger", type: "button", on: { click: onDelete } }, "Delete run…"),
  ]);
  // An imported run has only curves: its network cannot be trained.
  adjust.hidden = first.source !== null;
  const inOrder = [stopButton, resumeButton, ...pages.elements, adjust, more];
  const element = h("div", { class: "run-actions" }, ...inOrder);

  /** @param {() => Promise<Run | undefined>} action */
  async function act(action) {
    stopButton.disabled = true;
    resumeButton.disabled = true;
    const answer = await action();
    onAnswer(answer ?? run);
  }

  /** Puts the action first that the run's state asks for. */
  function arrange() {
    const known = { resume: resumeButton, adjust, page: pages.first() };
    const wanted = primaryAction(run);
    const primary = wanted && known[wanted];
    for (const control of inOrder) control.classList.toggle("primary", control === primary);
    const next = primary ? [primary, ...inOrder.filter((control) => control !== primary)] : inOrder;
    if (next.every((control, i) => control === element.children[i])) return;
    // Moving an element takes its focus.
    const focused = /** @type {HTMLElement | null} */ (
      element.contains(document.activeElement) ? document.activeElement : null
    );
    element.append(...next);
    focused?.focus();
  }

  return {
    element,
    /** @param {Run} next */
    show(next) {
      run = next;
      stopButton.hidden = !isActive(run);
      stopButton.disabled = !canStop(run);
      setText(/** @type {Node} */ (stopButton.lastChild), run.stopping ? "Stopping…" : "Stop");
      resumeButton.hidden = !canResume(run);
      resumeButton.disabled = false;
      transfer.hidden =
        run.source !== null || !["finished", "stopped"].includes(run.status) || run.reason === "diverged";
      away.show(run);
      pages.show(run);
      arrange();
    },
    /** Hides what is about images, for points in the plane. */
    hideImages() {
      pages.hideImages();
      away.hideFormatsOfImages();
      arrange();
    },
  };
}
