// The names of settings and of their values as the form has them, for pages about runs.

import { exactNumber } from "./format.js";
import { OF_NETWORKS, SETTINGS } from "./setting-table.js";

/** @import { Json, Run } from "./types" */

/** The titles of networks, as short as a row needs them. @type {{ [kind: string]: string }} */
const NETWORKS = {
  inception: "Inception",
  mlp: "MLP",
  "mlp-wide": "Wide MLP",
  perceptron: "Perceptron",
  "residual-deep": "Deep residual network",
  "residual-small": "Small residual network",
  vgg16: "VGG16",
};

/** The titles of data sets within a sentence. @type {{ [set: string]: string }} */
const DATA_SETS = {
  "cifar-10": "CIFAR-10",
  "cifar-100": "CIFAR-100",
  "fashion-mnist": "Fashion-MNIST",
  mnist: "MNIST",
  xor: "exclusive or",
};

/** Settings of no form, and parts of a RunSpec. @type {{ [path: string]: string }} */
const OTHERS = {
  "data.set": "Data set",
  "network.kind": "Network",
  "network.revision": "Version of the network",
};

/** Values of settings that only texts of networks have, which are not written like their names. @type {{ [value: string]: string }} */
const VALUES = { cuda: "CUDA", gelu: "GELU" };

/** @param {string} path @param {string} kind the network */
const wordsOf = (path, kind) => OF_NETWORKS[kind]?.[path] ?? SETTINGS[path];

/**
 * The label of a setting in the form.
 * @param {string} path
 * @param {string} [kind] the network, where the setting is of one
 */
export function settingLabel(path, kind = "") {
  return wordsOf(path, kind)?.label ?? OTHERS[path] ?? written((path.split(".").pop() ?? path).toLowerCase());
}

/**
 * The label of a setting for runs of several networks, which may call it by several names.
 * @param {string} path
 * @param {Pick<Run, "spec">[]} runs those that have it
 */
export function sharedLabel(path, runs) {
  const labels = new Set(runs.map(({ spec }) => settingLabel(path, spec.network?.kind)));
  return labels.size === 0 ? settingLabel(path) : [...labels].join(" / ");
}

/**
 * A setting's value in the form's words.
 * @param {string} path
 * @param {Json | undefined} value
 * @param {string} [kind] the network, where the setting is of one
 * @returns {string}
 */
export function settingValue(path, value, kind = "") {
  const words = wordsOf(path, kind);
  if (value === null || value === undefined) return words?.null ?? "None";
  if (path === "network.kind") return networkTitle(String(value));
  if (path === "data.set") return dataTitle(String(value));
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value !== "string") return exactNumber(value);
  return words?.choices?.[value] ?? VALUES[value] ?? written(value);
}

/** A setting with its value, within a run's label: "batch size 16". @param {string} path @param {Json | undefined} value @param {string} [kind] the network */
export function settingPhrase(path, value, kind) {
  const lowered = (/** @type {string} */ text) => text.charAt(0).toLowerCase() + text.slice(1);
  const label = settingLabel(path, kind);
  // Abbreviations such as GPUs keep their capitals.
  const name = /^[A-Z]{2}/.test(label) ? label : lowered(label);
  const words = settingValue(path, value, kind);
  return `${name} ${typeof value === "string" ? words : lowered(words)}`;
}

/** A name as a word: “cross_entropy” → “Cross entropy”; names of files and ids stay as they are. @param {string} name */
function written(name) {
  if (!/^[a-z][a-z_]*$/.test(name)) return name;
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toLocaleUpperCase() + words.slice(1);
}

/** @param {string} kind */
export const networkTitle = (kind) => NETWORKS[kind] ?? kind;

/** @param {string} set */
export const dataTitle = (set) => DATA_SETS[set] ?? set;

/** What a run trains on what: “MLP on digits”. @param {Pick<Run, "spec" | "source">} run */
export function describeRun({ spec, source }) {
  if (source || !spec.network || !spec.data) return "From TensorBoard files";
  return `${networkTitle(spec.network.kind)} on ${dataTitle(spec.data.set)}`;
}
