// Photos of a set that are not square, in all ways to make them square. All cells show parts of one picture.

import { getFits } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { apiUrl } from "../lib/base-path.js";

/** @import { FitExamples } from "../lib/types" */

/** The column of each fit: its name, and what is seen. @type {{ [fit: string]: [string, string] }} */
const COLUMNS = { crop: ["Crop", "cropped"], pad: ["Pad", "padded"], stretch: ["Stretch", "stretched"] };

/** @param {string} set @param {string} version changes with the content, so that an older picture is not reused */
export function fitsPart(set, version) {
  const part = h("section", { class: "fits", "aria-label": "Photos that are not square" });
  // Without examples there is nothing to choose, and the gallery above tells what is wrong with a set.
  getFits(set).then(
    (examples) => part.replaceChildren(...content(set, version, examples)),
    () => part.remove(),
  );
  return part;
}

/** @param {string} set @param {string} version @param {FitExamples} examples */
function content(set, version, { fits, photos }) {
  const url = apiUrl(`/datasets/${encodeURIComponent(set)}/fits.png?v=${encodeURIComponent(version.slice(0, 16))}`);
  const share = (/** @type {number} */ index, /** @type {number} */ of) => `${of > 1 ? (index / (of - 1)) * 100 : 0}%`;
  const cells = photos.flatMap(({ name, width, height }, row) => [
    ...fits.map((fit, column) =>
      h("span", {
        class: "fit-cell",
        role: "img",
        "aria-label": `${name}, ${COLUMNS[fit][1]}`,
        vars: { column: share(column, fits.length), row: share(row, photos.length) },
      }),
    ),
    h(
      "span",
      { class: "fit-name" },
      h("span", { class: "fit-file", title: name }, name),
      h("span", {}, `${width}×${height}`),
    ),
  ]);
  return [
    h("h3", {}, "Photos that are not square"),
    h("p", { class: "muted small" }, "A run crops them unless its setting of this name says otherwise."),
    h(
      "div",
      { class: "fit-grid", vars: { picture: `url("${url}")`, rows: photos.length } },
      ...fits.map((fit) => h("span", { class: "fit-head", "aria-hidden": true }, COLUMNS[fit][0])),
      h("span", {}),
      ...cells,
    ),
  ];
}
