// The toolbar for the chosen runs.

import { tensorboardLink, tensorboardUrl, runsQuery, RUNS_IN_ADDRESS } from "../lib/api.js";
import { openComparison } from "../lib/open-comparison.js";
import { stop } from "../lib/actions.js";
import { downloadFrom, h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";
import { siteUrl } from "../lib/base-path.js";
import { canStop } from "../lib/status.js";
import { offerUndo, moveToTrash } from "../lib/trash.js";
import { beginReport } from "../report/begin.js";
import { editTags } from "./labels.js";

/** @import { Run } from "../lib/types" */

/**
 * @param {{
 *   chosen: () => Run[],
 *   isVisible: (id: string) => boolean,
 *   tags: () => string[],
 *   onRun: (run: Run) => void,
 *   onGone: (runs: Run[]) => void,
 *   onNone: () => void,
 * }} options
 */
export function bulkBar({ chosen, isVisible, tags, onRun, onGone, onNone }) {
  const count = h("strong", {});
  const compare = h(
    "a",
    {
      class: "button primary small",
      on: {
        click: (/** @type {MouseEvent} */ event) =>
          openComparison(
            event,
            chosen().map(({ id }) => id),
          ),
      },
    },
    icon("layers", 14),
    "Compare",
  );
  const stopButton = h(
    "button",
    { class: "button small", type: "button", on: { click: () => Promise.all(chosen().filter(canStop).map(stop)) } },
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
          click: () => attempt(() => beginReport(chosen().length === 1 ? chosen()[0].name : "Comparison", chosen())),
        },
      },
      icon("text", 14),
      "Report",
    ),
    h(
      "button",
      { class: "button small", type: "button", on: { click: () => editTags(chosen(), tags(), onRun) } },
      icon("tag", 14),
      "Tag",
    ),
    stopButton,
    tensorboard,
    h("button", { class: "button small", type: "button", on: { click: remove } }, icon("trash", 14), "Delete"),
    h("button", { class: "button quiet small", type: "button", on: { click: onNone } }, "Clear"),
  );

  async function remove() {
    const gone = await moveToTrash(chosen());
    onGone(gone);
    offerUndo(gone);
  }

  /** Downloads the files of many runs, whose ids would not fit into a URL. @param {MouseEvent} event */
  function save(event) {
    const ids = chosen().map(({ id }) => id);
    if (ids.length <= RUNS_IN_ADDRESS) return;
    event.preventDefault();
    attempt(async () => downloadFrom(await tensorboardUrl(ids)));
  }

  return {
    element,
    show() {
      const runs = chosen();
      element.hidden = runs.length === 0;
      if (runs.length === 0) return;
      const away = runs.filter(({ id }) => !isVisible(id)).length;
      setText(count, `${plural(runs.length, "run")} chosen${away > 0 ? `, ${away} not visible` : ""}`);
      tensorboard.href = tensorboardLink(runs.map(({ id }) => id));
      compare.href = siteUrl(`/compare?${runsQuery(runs.map(({ id }) => id))}`);
      stopButton.hidden = !runs.some(canStop);
    },
  };
}
