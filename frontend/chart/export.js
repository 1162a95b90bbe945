// Exports a chart as an image or as data.

import { download, downloadFrom, h } from "../lib/dom.js";
import { menu } from "../lib/menu.js";
import { attempt } from "../lib/shell.js";
import { colour } from "../lib/theme.js";
import { chartSvg } from "./svg.js";

/** @import { Chart } from "./chart.js" */

/**
 * `csv` and `json` contain every point, also of thinned curves; `tensorboard`: the URL of the runs as TensorBoard event
 * files.
 * @typedef {{
 *   csv: () => Promise<string>,
 *   json: () => Promise<unknown>,
 *   tensorboard: () => Promise<string>,
 *   subtitle: string,
 *   xLabel: string,
 *   marks: number[],
 * }} Numbers
 */

const WIDTH = 960;
const HEIGHT = 540;
const FONT = "Inter, Segoe UI, Roboto, Helvetica Neue, Liberation Sans, Arial, sans-serif";

/** The export button and its menu. @param {() => Chart} chart @param {() => Numbers} numbers */
export function exportMenu(chart, numbers) {
  const item = (/** @type {string} */ label, /** @type {() => void | Promise<void>} */ act) => ({
    label,
    act: () => attempt(async () => act()),
  });
  const element = menu({ label: "Export this chart", title: "Export", icon: "download", look: "quiet icon small" }, [
    item("Picture, PNG", savePng),
    item("Picture, SVG", () => save("svg", "image/svg+xml", svg())),
    item("Numbers, CSV", async () => save("csv", "text/csv", await numbers().csv())),
    item("Numbers, JSON", async () => save("json", "application/json", `${JSON.stringify(await numbers().json())}\n`)),
    item("TensorBoard files", async () => downloadFrom(await numbers().tensorboard())),
  ]);

  function svg() {
    const data = chart().data();
    if (!data) throw new Error("There is nothing to draw yet.");
    const { subtitle, xLabel, marks } = numbers();
    return chartSvg(data, {
      title: chart().title(),
      subtitle,
      xLabel,
      width: WIDTH,
      height: HEIGHT,
      ink: colour("--ink"),
      faint: colour("--ink-2"),
      grid: colour("--grid"),
      page: colour("--surface"),
      bad: colour("--bad"),
      font: FONT,
      colour,
      marks,
    });
  }

  async function savePng() {
    const url = URL.createObjectURL(new Blob([svg()], { type: "image/svg+xml" }));
    try {
      const image = new Image();
      image.src = url;
      await image.decode();
      const canvas = h("canvas", { width: WIDTH * 2, height: HEIGHT * 2 });
      canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) =>
        canvas.toBlob(resolve, "image/png"),
      );
      if (!blob) throw new Error("The browser could not create the image.");
      download(fileName("png"), blob);
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  /** @param {string} ending @param {string} type @param {string} text */
  const save = (ending, type, text) => download(fileName(ending), new Blob([text], { type }));
  /** @param {string} ending */
  const fileName = (ending) => {
    const name = `${numbers().subtitle} ${chart().title()}`
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 80)
      .toLowerCase();
    return `${name}.${ending}`;
  };

  return element;
}
