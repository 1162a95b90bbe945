// The gallery of a data set: for each class a row with the mean image and the first images. All rows show parts of one
// picture, and so does the thumbnail of the set.

import { getGallery } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { apiUrl } from "../lib/base-path.js";

/** @import { Gallery } from "../lib/types" */

/** Number of classes shown at first. */
const FIRST_CLASSES = 20;

/** So few classes have one column of rows, whatever the width. */
const FEW_CLASSES = 3;
/** Letters of the longest name of a class that is not cut. */
const NAME_LETTERS = 22;

/** Layouts by set and version, for the thumbnail and the gallery alike. @type {Map<string, Promise<Gallery>>} */
const layouts = new Map();

/** @param {string} set @param {string} version changes with the content, so that an older picture is not reused */
export function loadGallery(set, version) {
  const key = `${set} ${version}`;
  const known = layouts.get(key);
  if (known) return known;
  /** @type {Promise<Gallery>} */
  const layout = getGallery(set);
  layouts.set(key, layout);
  layout.catch(() => layouts.delete(key));
  return layout;
}

/** @param {string} set @param {string} version */
const pictureUrl = (set, version) =>
  apiUrl(`/datasets/${encodeURIComponent(set)}/gallery.png?v=${encodeURIComponent(version.slice(0, 16))}`);

/** Where a cell of the picture is, as a background's position. @param {number} index @param {number} of */
const share = (index, of) => `${of > 1 ? (index / (of - 1)) * 100 : 0}%`;

/** @param {string} set @param {string} version @param {(samples: number) => void} onSamples how many images there are */
export function galleryPart(set, version, onSamples) {
  const waiting = h("p", { class: "muted", role: "status" }, "Drawing the classes…");
  const part = h("div", { class: "gallery-part" }, waiting);
  loadGallery(set, version).then(
    (gallery) => {
      part.replaceChildren(rows(set, version, gallery));
      onSamples(gallery.classes.reduce((sum, { images }) => sum + images, 0));
    },
    (error) =>
      part.replaceChildren(
        h("p", { class: "notice bad", role: "alert" }, error instanceof Error ? error.message : String(error)),
      ),
  );
  return part;
}

/** The first image of each of the first four classes, or the first four of a single one, in a square. @param {string} set @param {string} version */
export async function galleryThumbnail(set, version) {
  const { classes, columns, rows, cell } = await loadGallery(set, version);
  const cells = classes.flatMap(({ images }, row) =>
    Array.from({ length: Math.min(columns - 1, images) }, (_, at) => ({ row, column: at + 1 })),
  );
  cells.sort((a, b) => a.column - b.column || a.row - b.row);
  const square = h(
    "span",
    { class: "thumbnail-images", vars: { picture: `url("${pictureUrl(set, version)}")`, columns, rows } },
    ...cells
      .slice(0, 4)
      .map(({ row, column }) => h("i", { vars: { row: share(row, rows), column: share(column, columns) } })),
  );
  square.classList.toggle("fine", cell >= 64);
  return square;
}

/** @param {string} set @param {string} version @param {Gallery} gallery */
function rows(set, version, { classes, columns, cell }) {
  const most = Math.max(1, ...classes.map(({ images }) => images));
  const longest = Math.max(...classes.map(({ name }) => name.length));
  const image = (/** @type {number} */ column) => h("i", { vars: { column: share(column, columns) } });
  const row = (/** @type {{ name: string, images: number }} */ { name, images }, /** @type {number} */ index) =>
    h(
      "li",
      { class: "class-row", vars: { row: share(index, classes.length) } },
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
    { class: "class-rows", vars: { picture: `url("${pictureUrl(set, version)}")`, columns, rows: classes.length } },
    ...classes.slice(0, FIRST_CLASSES).map(row),
  );
  list.classList.toggle("fine", cell >= 64);
  const heads = ["Class", "Images", "Mean", "First images"].map((word) => h("span", {}, word));
  const head = h("div", { class: "class-head" }, ...heads);
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
  const name = `${Math.min(NAME_LETTERS, longest)}ch`;
  const part = h(
    "div",
    { class: "classes", vars: { name } },
    // A head for each column of rows.
    h("div", { class: "class-heads", "aria-hidden": true }, head, head.cloneNode(true)),
    // On a phone, whose rows have two lines, in words.
    h("p", { class: "class-words muted small" }, "Of each class: the mean of its images, then the first of them."),
    list,
    classes.length > FIRST_CLASSES && more,
  );
  part.classList.toggle("is-few", classes.length <= FEW_CLASSES);
  return part;
}
