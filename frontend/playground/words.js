// The names of neurons and links.

import { ACTIVATIONS } from "./activations.js";
import { plural } from "../lib/format.js";

/** @import { Neuron } from "./maps.js" */
/** @import { Settings } from "./settings.js" */

/** @param {Neuron} neuron @param {number} columns */
export function neuronName({ column, index }, columns) {
  if (column === 0) return `Input ${"xy"[index]}`;
  if (column === columns - 1) return `Score of class ${index + 1}`;
  return `Layer ${column}, neuron ${index + 1}`;
}

/** A neuron of the column before another's. @param {number} column of the other @param {number} from */
export const sourceName = (column, from) => (column === 1 ? `From ${"xy"[from]}` : `From neuron ${from + 1}`);

/** The whole network in a sentence. @param {Settings} settings @param {number} classes */
export function networkName({ hidden, activation }, classes) {
  if (hidden.length === 0) return `Network: 2 inputs, ${classes} outputs, no hidden layer`;
  const widths = hidden.length === 1 ? `${hidden[0]}` : `${hidden.slice(0, -1).join(", ")} and ${hidden.at(-1)}`;
  const neurons = hidden.length === 1 && hidden[0] === 1 ? "neuron" : "neurons";
  return `Network: 2 inputs, ${plural(hidden.length, "hidden layer")} of ${widths} ${neurons} with ${ACTIVATIONS[activation].label}, ${classes} outputs`;
}
