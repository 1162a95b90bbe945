// The filter field of the runs table, with completion and error messages.

import { h, setText } from "../lib/dom.js";
import { complete } from "./query.js";

/** @import { RunFacets } from "../lib/types" */

/** What is offered before the values of the runs are known. @type {RunFacets} */
const NOTHING = { tags: [], sweeps: [], sources: [], settings: [], fields: [] };

/**
 * @param {{ text: string, facets: () => Promise<RunFacets | undefined>, onChange: (text: string) => void }} options `facets`:
 *   the values that runs have
 */
export function filterField({ text, facets, onChange }) {
  const options = h("datalist", { id: "filter-options" });
  const fault = h("p", { class: "filter-fault", id: "filter-fault", role: "status", hidden: true });
  let known = NOTHING;
  const input = h("input", {
    class: "input",
    type: "search",
    list: "filter-options",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "Filter: network:vgg16",
    title: "Words, or terms such as network:vgg16  accuracy>0.9  lr<=0.01  tag:final  -status:failed",
    "aria-label": "Filter runs",
    "aria-describedby": "filter-fault",
    on: { input: changed, focus: learn },
  });
  input.value = text;

  function changed() {
    offer();
    onChange(input.value);
  }

  async function learn() {
    offer();
    known = (await facets()) ?? known;
    offer();
  }

  function offer() {
    options.replaceChildren(...complete(input.value, known).map((value) => h("option", { value })));
  }

  return {
    element: h("div", { class: "filter" }, input, options),
    fault,
    get text() {
      return input.value;
    },
    /** Shows what is wrong with terms. @param {string[]} messages */
    showFaults(messages) {
      setText(fault, messages.join(" "));
      fault.hidden = messages.length === 0;
      input.setAttribute("aria-invalid", String(messages.length > 0));
    },
    /** @param {string} next */
    set(next) {
      input.value = next;
      onChange(next);
    },
  };
}
