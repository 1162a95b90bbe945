// Transfer learning in the form: the runs that one may start from, and which blocks are trained.

import { h, setText } from "../lib/dom.js";
import { count } from "../lib/format.js";

/** @import { Choice, FormTable, Json, Plan } from "../lib/types" */

/** A finished run. @typedef {{ id: string, name: string, network: Json, data: Json }} TransferSource */

/** The group of settings. */
export const TRANSFER = "training.transfer";

const FROM = `${TRANSFER}.from`;

/** The most blocks whose names are told. */
const NAMED = 3;

/**
 * Offers finished runs as choices of the field that names one. `chosen`, a run that is not among them, is offered too.
 * @param {FormTable} table
 * @param {TransferSource[]} sources
 * @param {string | undefined} chosen
 */
export function offerSources(table, sources, chosen) {
  const fields = table.groups.flatMap((group) => group.variants.flatMap((variant) => variant.fields));
  const field = fields.find(({ path }) => path === FROM);
  if (!field) return;
  const runs = sources.map(({ id, name, network, data }) => ({ value: id, label: `${name} (${network}, ${data})` }));
  /** @type {Choice[]} */
  const options = [{ value: "imported", label: "The network's imported weights" }, ...runs];
  if (chosen && !options.some(({ value }) => value === chosen))
    options.push({ value: chosen, label: `Run ${chosen.slice(0, 8)}…` });
  field.kind = { type: "choice", options };
}

/** The blocks that are trained from the start. @param {Plan} plan */
export function trainedBlocks(plan) {
  const trained = [];
  let left = plan.trainable_parameters;
  for (const block of [...plan.blocks].reverse()) {
    if (left <= 0) break;
    trained.unshift(block.name);
    left -= block.parameters;
  }
  return trained;
}

/** What is trained, in a line. @param {Plan} plan */
export function trainedText(plan) {
  const trained = trainedBlocks(plan);
  const all = plan.blocks.length;
  if (trained.length === all) return `All ${all} blocks are trained: ${count(plan.parameters)} parameters.`;
  const names = trained.length <= NAMED ? trained.join(", ") : `${trained[0]} to ${trained[trained.length - 1]}`;
  const share = `${count(plan.trainable_parameters)} of ${count(plan.parameters)} parameters`;
  return `The last ${trained.length} of ${all} blocks ${trained.length === 1 ? "is" : "are"} trained, ${names}: ${share}.`;
}

/** The line below the fields of the group. */
export function transferPart() {
  const element = h("p", { class: "hint transfer-line", role: "status", hidden: true });
  return {
    element,
    /** @param {Plan | null} plan @param {boolean} isOn */
    show(plan, isOn) {
      element.hidden = !plan || !isOn;
      if (plan) setText(element, trainedText(plan));
    },
  };
}
