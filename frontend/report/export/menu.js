// The menu that takes a report away: as one HTML file, as Markdown with a folder of figures, or on paper.

import { confirm } from "../../lib/dialog.js";
import { download } from "../../lib/dom.js";
import { plural } from "../../lib/format.js";
import { menu } from "../../lib/menu.js";
import { attempt } from "../../lib/shell.js";
import { reportHtml } from "./html.js";
import { reportZip } from "./markdown.js";

/** @import { About } from "../front-matter.js" */
/** @import { reportView } from "../report-view.js" */
/** @import { Sources } from "../sources.js" */

/**
 * @param {ReturnType<typeof reportView>} view
 * @param {{ sources: Sources, version: string, title: () => string, about: () => About }} report
 */
export function exportMenu(view, { sources, version, title, about }) {
  /** Whether everything is drawn, or may be missing. */
  async function ready() {
    await view.settled();
    const faults = view.faults();
    return (
      faults.length === 0 ||
      confirm({
        title: "Export as it is?",
        text: `${plural(faults.length, "figure or number", "figures or numbers")} could not be drawn: ${faults[0]}`,
        yes: "Export",
        no: "Cancel",
      })
    );
  }

  async function saveHtml() {
    if (!(await ready())) return;
    const html = reportHtml(view.element, { title: title(), version, when: new Date() });
    download(`${fileName(title())}.html`, new Blob([html], { type: "text/html" }));
  }

  async function saveZip() {
    if (!(await ready())) return;
    const runsElement = /** @type {HTMLElement} */ (view.element.querySelector(".report-runs"));
    const zip = /** @type {Uint8Array<ArrayBuffer>} */ (reportZip(view.parts(), runsElement, sources, about()));
    download(`${fileName(title())}.zip`, new Blob([zip], { type: "application/zip" }));
  }

  return menu({ label: "Export", icon: "download" }, [
    { label: "One HTML file", act: () => attempt(saveHtml) },
    { label: "Markdown with figures, zip", act: () => attempt(saveZip) },
    { label: "Print, or PDF", act: () => attempt(async () => (await ready()) && print()) },
  ]);
}

/** @param {string} title */
const fileName = (title) =>
  title
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 80)
    .toLowerCase() || "report";
