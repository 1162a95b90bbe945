// The gallery of a data set: for each class a row with the mean image and the first images. All rows show parts of one
// picture.

import { getGallery } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { apiUrl } from "../lib/base-path.js";

/** @import { Gallery } from "../lib/types" */

/** Number of classes shown at first. */
const FIRST_CLASSES = 20;

/** @param {string} set @param {string} version changes with the content, so that an older picture is not reused */
export function galleryPart(set, version) {
  const waiting = h("p", { class: "muted", role: "status" }, "Drawing the classes…");
  const part = h("div", {}, waiting);
  getGallery(set).then(
    (gallery) => part.replaceChildren(rows(set, version, gallery)),
    (error) =>
      part.replaceChildren(
        h("p", { class: "notice bad", role: "alert" }, error instanceof Error ? error.message : String(error)),
      ),
  );
  return part;
}

/** @param {string} set @param {string} version @param {Gallery} gallery */
function rows(set, version, { classes, columns, cell }) {
  const url = apiUrl(`/datasets/${encodeURIComponent(set)}/gallery.png?v=${encodeURIComponent(version.slice(0, 16))}`);
  const most = Math.max(1, ...classes.map(({ images }) => images));
  const position = (/** @type {number} */ row) => (classes.length > 1 ? (row / (classes.length - 1)) * 100 : 0);
  const image = (/** @type {number} */ column) => h("i", { vars: { column: `${(column / (columns - 1)) * 100}%` } });
  const row = (/** @type {{ name: string, images: number }} */ { name, images }, /** @type {number} */ index) =>
    h(
      "li",
      { class: "class-row", vars: { row: `${position(index)}%` } },
      h("span", { class: "class-name", title: name }, name),
      h(
        "span",
        { class: "class-count" },
        count(images),
        h("span", { class: "bar", vars: { share: images / most } }, h("span")),
      ),
      h("span", { class: "class-mean", role: "img", "aria-label": `Mean of ${name}` }),
      h(
        "span",
        { class: "class-samples", role: "img", "aria-label": `Images of ${name}` },
        ...Array.from({ length: Math.min(columns - 1, images) }, (_, at) => image(at + 1)),
      ),
    );
  const list = h(
    "ul",
    { class: "class-rows", vars: { picture: `url("${url}")`, columns, rows: classes.length } },
    ...classes.slice(0, FIRST_CLASSES).map(row),
  );
  list.classList.toggle("fine", cell >= 64);
  const head = h(
    "div",
    { class: "class-head", "aria-hidden": true },
    h("span", {}, "Class"),
    h("span", {}, "Images"),
    h("span", {}, "Mean"),
    h("span", {}, "First images"),
  );
  const more = h(
    "button",
    {
      class: "button small",
      type: "button",
      on: {
        click: () => {
          list.append(...classes.slice(FIRST_CLASSES).map((each, index) => row(each, FIRST_CLASSES + index)));
          more.remove();
        },
      },
    },
    `All ${classes.length} classes`,
  );
  return h("div", { class: "classes" }, head, list, classes.length > FIRST_CLASSES && more);
}
