// What layers are called: "Stage 1, convolution 1", "Hidden layer 2", "Output layer". PyTorch's names, such as
// `features.0`, say nothing to those who have not read the network's text.

/** @import { Layer } from "../lib/types" */

/** @type {{ [kind: string]: string }} */
export const KINDS = {
  input: "image",
  conv: "convolution",
  depthwise: "depthwise convolution",
  pointwise: "1×1 convolution",
  linear: "fully connected",
  batch_norm: "batch norm",
  activation: "activation",
  pool: "pool",
  dropout: "dropout",
  sum: "sum",
  mul: "product",
  join: "join",
  mean: "mean",
};

/** The kinds of layers that have filters and maps. */
export const CONVOLUTIONS = new Set(["conv", "depthwise", "pointwise"]);

/** What a layer's kind is called. @param {{ kind: string }} layer */
export const kindOf = ({ kind }) => KINDS[kind] ?? kind.replaceAll("_", " ");

/** The middle of a layer's maps, where a window starts: a corner may have nothing but padding. @param {Layer} layer */
export function middleOf({ shape }) {
  const [, height, width] = shape.length === 3 ? shape : [1, 1, 1];
  return { y: height >> 1, x: width >> 1 };
}

/** 64×32×32. @param {number[]} shape */
export const sizes = (shape) => shape.join("×");

/** A part of the network that the picture shows together. @typedef {{ label: string, path: string, layers: Layer[] }} Section */

/** @typedef {{ labels: Map<string, string>, sections: Section[], landmarks: { label: string, layer: Layer }[] }} Names */

/** @type {WeakMap<Layer[], Names>} */
const known = new WeakMap();

/**
 * The names of a network's layers, its sections, and the layers that one is told to look at first.
 * @param {Layer[]} layers
 * @returns {Names}
 */
export function namesOf(layers) {
  const names = known.get(layers) ?? nameAll(layers);
  known.set(layers, names);
  return names;
}

/** What a layer is called. @param {Layer[]} layers @param {Layer} layer */
export const labelOf = (layers, layer) => namesOf(layers).labels.get(layer.name) ?? layer.name;

/** What a layer is called within a sentence. @param {Layer[]} layers @param {Layer} layer */
export function inSentence(layers, layer) {
  const label = labelOf(layers, layer);
  if (label === layer.name) return label;
  const small = label[0].toLowerCase() + label.slice(1);
  // What has a number or a section is told apart by it.
  return /,|\d$/.test(small) ? small : `the ${small}`;
}

/** @param {Layer[]} layers @returns {Names} */
function nameAll(layers) {
  const hasConvolutions = layers.some(({ kind }) => CONVOLUTIONS.has(kind));
  const output = layers.at(-1)?.kind === "linear" ? layers.at(-1) : undefined;
  const hidden = layers.filter((layer) => layer.kind === "linear" && layer !== output);
  /** @param {Layer} layer */
  const linearName = (layer) => {
    if (layer === output) return "Output layer";
    const number = hidden.length > 1 || !hasConvolutions ? ` ${hidden.indexOf(layer) + 1}` : "";
    return `${hasConvolutions ? "Fully connected layer" : "Hidden layer"}${number}`;
  };

  const groups = hasConvolutions ? byGroup(layers) : byLinear(layers);
  const parts = groups.map(([{ group }]) => group);
  /** @type {Map<string, string>} */
  const labels = new Map();
  const sections = groups.map((group) => {
    const [first] = group;
    const heading = first.kind === "linear" && !hasConvolutions ? linearName(first) : sectionName(first.group, parts);
    const all = group.map(words);
    group.forEach((layer, place) => {
      const what = all[place];
      const many = all.filter((other) => other === what).length > 1;
      const number = many ? ` ${all.slice(0, place + 1).filter((other) => other === what).length}` : "";
      labels.set(layer.name, wholeName(layer) ?? `${heading}, ${what}${number}`);
    });
    // A section of one layer is called what the layer is.
    const label = group.length > 1 ? heading : (wholeName(first) ?? capital(words(first)));
    return { label, path: first.group, layers: group };
  });
  return { labels, sections, landmarks: landmarksOf(layers, hidden, output) };

  /** The name of a layer that needs no section before it. @param {Layer} layer */
  function wholeName(layer) {
    if (layer.kind === "input") return "Input image";
    return layer.kind === "linear" ? linearName(layer) : null;
  }
}

/** A layer's kind, told apart from the same kind on the way around a block. @param {Layer} layer */
const words = (layer) => `${kindOf(layer)}${isSkip(layer) ? " of the skip" : ""}`;

/** Whether a layer lies on a skip. @param {Layer} layer */
const isSkip = ({ name }) => /(^|\.)(skip|shortcut|downsample)(\.|$)/.test(name);

/** Layers that follow each other in a part of the network. @param {Layer[]} layers */
function byGroup(layers) {
  /** @type {Layer[][]} */
  const groups = [];
  for (const layer of layers) {
    const last = groups.at(-1);
    if (last && last[0].group === layer.group) last.push(layer);
    else groups.push([layer]);
  }
  return groups;
}

/** A fully connected layer with what follows it. @param {Layer[]} layers */
function byLinear(layers) {
  /** @type {Layer[][]} */
  const groups = [];
  for (const layer of layers) {
    const last = groups.at(-1);
    if (!last || layer.kind === "linear" || last[0].kind === "input") groups.push([layer]);
    else last.push(layer);
  }
  return groups;
}

/**
 * The name of a part: "Stage 2" of `features stage 2`, "Block 1" of `blocks.0`, "Stem" of `stem`.
 * @param {string} group
 * @param {string[]} all groups of the network
 */
function sectionName(group, all) {
  const stage = /^(.+) stage (\d+)$/.exec(group);
  if (stage) {
    const only = all.every((other) => !/ stage \d+$/.test(other) || other.startsWith(`${stage[1]} stage `));
    return only ? `Stage ${stage[2]}` : `${capital(stage[1])}, stage ${stage[2]}`;
  }
  const item = /^(.+)\.(\d+)$/.exec(group);
  if (item) return `${capital(singular(item[1]))} ${Number(item[2]) + 1}`;
  return capital(group);
}

/** @param {string} text */
const singular = (text) => (/[^s]s$/.test(text) ? text.slice(0, -1) : text);

/** @param {string} text */
const capital = (text) => {
  const plain = text.replaceAll("_", " ");
  return plain && plain[0].toUpperCase() + plain.slice(1);
};

/**
 * The layers that one is told to look at: the first and the last convolution, or the hidden layers, and the output.
 * @param {Layer[]} layers
 * @param {Layer[]} hidden
 * @param {Layer | undefined} output
 */
function landmarksOf(layers, hidden, output) {
  const convolutions = layers.filter((layer) => CONVOLUTIONS.has(layer.kind) && !isSkip(layer));
  const [first, last] = [convolutions[0], convolutions.at(-1)];
  /** @type {{ label: string, layer: Layer }[]} */
  const found = [];
  if (first) found.push({ label: first === last ? "Convolution" : "First convolution", layer: first });
  if (last && last !== first) found.push({ label: "Last convolution", layer: last });
  if (!first && hidden[0]) found.push({ label: "First hidden layer", layer: hidden[0] });
  if (output) found.push({ label: "Output layer", layer: output });
  return found;
}
