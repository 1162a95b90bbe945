// The reports page: all reports, and the experiments to write up.

import { createReport, deleteReport, restoreReport } from "../lib/api.js";
import { h, pageData, byId } from "../lib/dom.js";
import { ago, dateTime } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt, startShell, toast } from "../lib/shell.js";
import { experimentCard } from "../report/experiment-card.js";
import { withUsualFrontMatter } from "../report/front-matter.js";

/** @import { Preset, ReportAbout, Run, SweepSpec } from "../lib/types" */

startShell();

/** @type {{ reports: ReportAbout[], runs: Run[], sweeps: { id: string, spec: SweepSpec }[], presets: Preset[] }} */
const data = pageData();
let reports = data.reports;

const list = h("div", { class: "report-list" });
const fresh = h(
  "button",
  {
    class: "button primary",
    type: "button",
    on: { click: () => attempt(() => startReport("# Untitled report\n\n")) },
  },
  icon("plus", 14),
  "New report",
);
const head = h(
  "header",
  { class: "page-head reports-head" },
  h(
    "div",
    {},
    h("h1", {}, "Reports"),
    h(
      "p",
      { class: "muted" },
      "Your observations, with figures and tables from the runs. A report can be exported as one file that opens anywhere.",
    ),
  ),
);

byId("page").append(head, list, experimentCard(data, startReport));
showList();

/** @param {string} text */
async function startReport(text) {
  const { url } = await createReport(withUsualFrontMatter(text));
  location.assign(url);
}

function showList() {
  if (reports.length > 0) head.append(fresh);
  else {
    list.replaceChildren(
      h(
        "div",
        { class: "card empty report-none" },
        icon("text", 28),
        h("h2", {}, "No reports yet"),
        h("p", {}, "Write up an experiment, or begin with an empty page."),
        fresh,
      ),
    );
    return;
  }
  list.replaceChildren(
    ...reports.map((report) =>
      h(
        "article",
        { class: "card report-card" },
        h(
          "a",
          { href: report.url },
          h("b", {}, report.title),
          h("small", { class: "muted", title: dateTime(report.changed) }, `Changed ${ago(report.changed, Date.now())}`),
        ),
        h(
          "button",
          {
            class: "button quiet icon small",
            type: "button",
            title: "Delete",
            "aria-label": `Delete “${report.title}”`,
            on: { click: () => attempt(() => remove(report)) },
          },
          icon("trash", 14),
        ),
      ),
    ),
  );
}

/** @param {ReportAbout} report */
async function remove(report) {
  await deleteReport(report.id);
  reports = reports.filter(({ id }) => id !== report.id);
  showList();
  toast(`“${report.title}” is deleted.`, "", {
    label: "Undo",
    act: () =>
      attempt(async () => {
        reports = [await restoreReport(report.id), ...reports];
        showList();
      }),
  });
}
