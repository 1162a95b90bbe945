// The fields for author, course and date above the text of a report.

import { h } from "../lib/dom.js";
import { ABOUT } from "./front-matter.js";

/** @import { About } from "./front-matter.js" */

/** @param {About} about @param {(about: About) => void} onChange */
export function aboutFields(about, onChange) {
  let now = about;
  const inputs = ABOUT.map(({ name, label }) => {
    const input = h("input", {
      id: `report-${name}`,
      type: name === "date" && isDate(about.date) ? "date" : "text",
      maxlength: 200,
      autocomplete: "off",
      on: {
        input: () => {
          now = { ...now, [name]: input.value };
          onChange(now);
        },
      },
    });
    input.value = about[name];
    return { name, input, element: h("div", { class: "field" }, h("label", { for: `report-${name}` }, label), input) };
  });
  return {
    element: h(
      "div",
      { class: "report-about", role: "group", "aria-label": "About the report" },
      ...inputs.map(({ element }) => element),
    ),
    /** @param {About} next */
    set(next) {
      now = next;
      for (const { name, input } of inputs) {
        // A text that is not a date would be lost in a date's field.
        if (name === "date") input.type = isDate(next.date) ? "date" : "text";
        if (input.value !== next[name]) input.value = next[name];
      }
    },
  };
}

/** @param {string} text */
const isDate = (text) => text === "" || /^\d{4}-\d{2}-\d{2}$/.test(text);
