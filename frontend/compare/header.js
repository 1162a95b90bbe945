// The head of a comparison: its title, how many runs there are and in what they differ, and what can be done with them.

import { growSweep, stopSweep } from "../lib/api.js";
import { siteUrl } from "../lib/base-path.js";
import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt, toast } from "../lib/shell.js";
import { canStop, isActive } from "../lib/status.js";
import { beginReport } from "../report/begin.js";
import { sideBySideUrl } from "./side-by-side.js";
import { differences } from "./titles.js";

/** @import { Run, SweepSpec } from "../lib/types" */
/** @import { Member } from "./members.js" */

/** @typedef {{ id: string, spec: SweepSpec }} Sweep */

/**
 * @param {{ title: () => string, runs: () => Run[], missing: number, sweep?: Sweep, words: string | undefined }} of `missing`:
 *   how many runs of the address there are not; `words`: how a report names the runs
 */
export function compareHeader({ title, runs, missing, sweep, words }) {
  const heading = h("h1", {});
  const about = h("p", { class: "muted" });
  const stop = sweep && button("stop", "Stop the rest", () => stopRest(sweep));
  const report = button("text", "Report", () => attempt(() => beginReport(title(), runs(), words)));
  report.title = "Write a report about these runs";
  const element = h(
    "header",
    { class: "compare-head" },
    h("div", {}, heading, about),
    h(
      "div",
      { class: "run-actions" },
      report,
      ...sideBySide(runs()),
      stop,
      ...(sweep ? [growButton(sweep), ...links(sweep)] : []),
    ),
  );
  return {
    element,
    /** @param {Member[]} members */
    show(members) {
      const all = runs();
      setText(heading, title());
      document.title = `${title()} · Vivarium`;
      if (stop) stop.hidden = !all.some(canStop);
      const active = all.filter(isActive).length;
      const differ = differences(members);
      setText(
        about,
        `${plural(all.length, "run")}${active > 0 ? `, ${active} of them active` : ""}${missing > 0 ? ` · ${plural(missing, "run")} in this URL ${missing === 1 ? "does" : "do"} not exist` : ""}${differ && ` · ${differ}`}`,
      );
    },
  };
}

/** @param {import("../lib/icons.js").IconName} picture @param {string} label @param {() => void} onClick */
function button(picture, label, onClick) {
  return h("button", { class: "button", type: "button", on: { click: onClick } }, icon(picture, 14), label);
}

/** The evaluation of two runs side by side. @param {Run[]} runs @returns {HTMLElement[]} */
function sideBySide(runs) {
  const href = sideBySideUrl(runs);
  if (href === null) return [];
  const title = "Figures of both on the same test samples, and whether the difference may be chance";
  return [h("a", { class: "button", href, title }, icon("target", 14), "Evaluate side by side")];
}

/** Stops the runs of a sweep that have not ended. @param {Sweep} sweep */
const stopRest = ({ id }) =>
  attempt(async () => {
    const { stopped } = await stopSweep(id);
    toast(stopped > 0 ? `${plural(stopped, "run")} will stop.` : "No run is queued or running any more.");
  });

/** What makes a sweep larger: more seeds, or more trials of a search. @param {SweepSpec} spec */
export const growWords = ({ search }) => (search ? "Five more trials" : "One more seed for each");

/** @param {Sweep} sweep */
function growButton({ id, spec }) {
  const grow = () =>
    attempt(async () => {
      await growSweep(id, spec.search ? { trials: 5 } : { repeats: 1 });
      location.reload();
    });
  return button("plus", growWords(spec), grow);
}

/** @param {Sweep} sweep */
function links({ id, spec }) {
  const { set } = spec.base.data;
  const table = h("a", { class: "button", href: siteUrl(`/?sweep=${encodeURIComponent(id)}`) }, "As a table");
  // The folds of a set judge its labels.
  if (Object.keys(spec.grid).join() !== "data.fold" || !set) return [table];
  const labels = siteUrl(`/data/${encodeURIComponent(set)}/labels?check=${id}`);
  return [table, h("a", { class: "button", href: labels }, "Wrong labels")];
}
