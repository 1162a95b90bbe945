// The toolbar for the chosen runs.

import { getRuns, tensorboardLink, tensorboardUrl, runsQuery, RUNS_IN_ADDRESS } from "../lib/api.js";
import { openComparison } from "../lib/open-comparison.js";
import { stop } from "../lib/actions.js";
import { downloadFrom, h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";
import { siteUrl } from "../lib/base-path.js";
import { canStop } from "../lib/status.js";
import { offerUndo, moveToTrash } from "../lib/trash.js";
import { runName } from "../lib/run-name.js";
import { beginReport } from "../report/begin.js";
import { editTags } from "./labels.js";

/** @import { Run } from "../lib/types" */

/**
 * @param {{
 *   ids: () => string[],
 *   known: (id: string) => Run | undefined,
 *   away: () => number,
 *   anyActive: () => boolean,
 *   tags: () => Promise<string[]>,
 *   onRun: (run: Run) => void,
 *   onGone: (runs: Run[]) => void,
 *   onNone: () => void,
 * }} options `ids`: of the chosen runs; `known`: a run that is loaded; `away`: how many of the chosen ones do not match the
 *   filter; `anyActive`: whether any run at all is running or queued
 */
export function bulkBar({ ids, known, away, anyActive, tags, onRun, onGone, onNone }) {
  /** The runs that the links are about. */
  let linked = "";

  /** The chosen runs: those that are not on the page are fetched. */
  async function chosen() {
    const all = ids();
    const others = await getRuns(all.filter((id) => !known(id)));
    const found = new Map(others.map((run) => [run.id, run]));
    return all.flatMap((id) => known(id) ?? found.get(id) ?? []);
  }

  const count = h("strong", {});
  const compare = h(
    "a",
    {
      class: "button primary small",
      on: {
        click: (/** @type {MouseEvent} */ event) => openComparison(event, ids()),
      },
    },
    icon("layers", 14),
    "Compare",
  );
  const stopButton = h(
    "button",
    { class: "button small", type: "button", on: { click: () => attempt(stopAll) } },
    icon("stop", 14),
    "Stop",
  );
  const tensorboard = h(
    "a",
    { class: "button small", download: "", title: "Save the curves as TensorBoard's event files", on: { click: save } },
    icon("download", 14),
    "TensorBoard files",
  );
  const element = h(
    "div",
    { class: "bulk", role: "toolbar", "aria-label": "Chosen runs", hidden: true },
    count,
    compare,
    h(
      "button",
      {
        class: "button small",
        type: "button",
        title: "Write a report about these runs",
        on: {
          click: () => attempt(report),
        },
      },
      icon("text", 14),
      "Report",
    ),
    h(
      "button",
      {
        class: "button small",
        type: "button",
        on: { click: () => attempt(async () => editTags(await chosen(), await tags(), onRun)) },
      },
      icon("tag", 14),
      "Tag",
    ),
    stopButton,
    tensorboard,
    h(
      "button",
      { class: "button small", type: "button", on: { click: () => attempt(remove) } },
      icon("trash", 14),
      "Delete",
    ),
    h("button", { class: "button quiet small", type: "button", on: { click: onNone } }, "Clear"),
  );

  async function stopAll() {
    await Promise.all((await chosen()).filter(canStop).map(stop));
  }

  async function report() {
    const runs = await chosen();
    if (runs.length > 0)
      await beginReport(runs.length === 1 ? runName(runs[0]) : `Comparison of ${runs.length} runs`, runs);
  }

  async function remove() {
    const gone = await moveToTrash(await chosen());
    onGone(gone);
    offerUndo(gone);
  }

  /** Downloads the files of many runs, whose ids would not fit into a URL. @param {MouseEvent} event */
  function save(event) {
    const all = ids();
    if (all.length <= RUNS_IN_ADDRESS) return;
    event.preventDefault();
    attempt(async () => downloadFrom(await tensorboardUrl(all)));
  }

  return {
    element,
    show() {
      const all = ids();
      element.hidden = all.length === 0;
      if (all.length === 0) return;
      setText(count, `${plural(all.length, "run")} chosen${away() > 0 ? `, ${away()} not visible` : ""}`);
      const text = all.join();
      if (text !== linked) {
        linked = text;
        tensorboard.href = tensorboardLink(all);
        compare.href = siteUrl(`/compare?${runsQuery(all)}`);
      }
      stopButton.hidden = !all.some((id) => {
        const run = known(id);
        return run ? canStop(run) : anyActive();
      });
    },
  };
}
