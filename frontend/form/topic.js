// Settings of one topic, folded away. What differs from the defaults is said in the closed fold.

import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { fieldGrid } from "./field-grid.js";

/** @import { Control } from "./control.js" */

/** So many characters of changed settings are said in full. */
const MAX_NOTE = 80;

/** @param {string} label @param {HTMLElement[]} groups whose choices belong to the topic */
export function topicPart(label, groups) {
  const fields = fieldGrid();
  const note = h("span", { class: "small fold-note" });
  const mark = icon("chevron", 14);
  mark.classList.add("chevron");
  const element = h(
    "details",
    { class: "topic" },
    h("summary", {}, mark, h("span", { class: "group-title" }, label), note),
    h("div", { class: "topic-body" }, fields.element, ...groups),
  );
  let isFirst = true;
  let summary = { text: "", isChanged: false };

  function showNote() {
    const wrong = element.querySelectorAll(".field.invalid").length;
    note.classList.toggle("is-changed", wrong === 0 && summary.isChanged);
    note.classList.toggle("is-bad", wrong > 0);
    setText(note, wrong > 0 ? `${wrong} to fix` : summary.text);
  }

  return {
    element,
    /**
     * @param {Control[]} controls
     * @param {string[]} contents the labels of all settings of the topic; a topic without any is hidden
     * @param {string[]} changed the settings that differ from their defaults, in words
     */
    show(controls, contents, changed) {
      element.hidden = contents.length === 0;
      fields.show(controls);
      const said = changed.join(" · ");
      const text = said.length > MAX_NOTE ? `${changed.length} changed` : said;
      summary = { text: text || contents.join(", "), isChanged: changed.length > 0 };
      showNote();
      // What a copied run or an experiment has set is seen at once.
      if (isFirst && changed.length > 0) element.open = true;
      isFirst = false;
    },
    /** Says on the fold how many of its controls show an error. */
    showErrors: showNote,
  };
}
