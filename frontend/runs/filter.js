// The filter field of the runs table, with completion and error messages.

import { h, setText } from "../lib/dom.js";
import { complete, parse } from "./query.js";

/** @import { Run } from "../lib/types" */
/** @import { Query } from "./query.js" */

/** @param {{ text: string, runs: () => Run[], onChange: (text: string) => void }} options */
export function filterField({ text, runs, onChange }) {
  const options = h("datalist", { id: "filter-options" });
  const fault = h("p", { class: "filter-fault", id: "filter-fault", role: "status", hidden: true });
  const input = h("input", {
    class: "input",
    type: "search",
    list: "filter-options",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "Filter: network:vgg16 accuracy>0.9",
    title: "Words, or terms such as network:vgg16  accuracy>0.9  lr<=0.01  tag:final  -status:failed",
    "aria-label": "Filter runs",
    "aria-describedby": "filter-fault",
    on: { input: changed, focus: offer },
  });
  input.value = text;

  function changed() {
    offer();
    onChange(input.value);
  }

  function offer() {
    options.replaceChildren(...complete(input.value, runs()).map((value) => h("option", { value })));
  }

  return {
    element: h("div", { class: "filter" }, input, options),
    fault,
    get text() {
      return input.value;
    },
    /** Parses the filter and shows its errors. @returns {Query} */
    query() {
      const query = parse(input.value, runs());
      const { faults } = query;
      setText(fault, faults.map(({ message }) => message).join(" "));
      fault.hidden = faults.length === 0;
      input.setAttribute("aria-invalid", String(faults.length > 0));
      return query;
    },
    clear() {
      input.value = "";
      onChange("");
    },
  };
}
