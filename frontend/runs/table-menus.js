// The menus beside the filter of the table: its columns, and what else there is to do.

import { h } from "../lib/dom.js";
import { menu } from "../lib/menu.js";
import { attempt } from "../lib/shell.js";
import { COLUMNS, rememberColumns } from "./columns.js";
import { openTensorboardImport } from "./tensorboard-import.js";
import { openTrash } from "./trash-dialog.js";

/** @param {Set<string>} hidden the keys of hidden columns, which change @param {() => void} onChange */
export function columnMenu(hidden, onChange) {
  const boxes = COLUMNS.filter(({ optional }) => optional).map(({ key, title }) => {
    const box = h("input", {
      type: "checkbox",
      on: {
        change: () => {
          if (box.checked) hidden.delete(key);
          else hidden.add(key);
          rememberColumns(hidden);
          onChange();
        },
      },
    });
    box.checked = !hidden.has(key);
    return h("label", {}, box, ` ${title}`);
  });
  return menu({ label: "Columns", icon: "sliders", look: "icon wide-only" }, boxes);
}

/** @param {{ onSave: () => Promise<void>, uploadLimit: number }} options `onSave`: saves the runs as CSV */
export function moreMenu({ onSave, uploadLimit }) {
  return menu({ label: "More", icon: "more", look: "icon" }, [
    { label: "Save as CSV", act: () => attempt(onSave) },
    { label: "Import TensorBoard files…", act: () => openTensorboardImport(uploadLimit) },
    { label: "Deleted runs…", act: openTrash },
  ]);
}
