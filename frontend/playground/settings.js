// The settings of the playground, and the query of its address that holds them. No DOM here.

import { ACTIVATIONS } from "./activations.js";
import { SETS } from "./data.js";

/** @import { ActivationName } from "./activations.js" */
/** @import { SetName } from "./data.js" */

/**
 * @typedef {{
 *   set: SetName,
 *   noise: number,
 *   samples: number,
 *   classes: number,
 *   hidden: number[],
 *   activation: ActivationName,
 *   lr: number,
 *   batch: number,
 *   optimizer: "sgd" | "adamw",
 *   momentum: number,
 *   decay: number,
 *   seed: number,
 * }} Settings
 */

export const MAX_LAYERS = 5;
export const MAX_NEURONS = 8;
export const SAMPLES = { min: 40, max: 1000 };
export const CLASSES = { min: 2, max: 8 };
export const NOISE = { min: 0, max: 2 };

/** What the menus offer; an address may hold any value in the range. */
export const OFFERED = {
  lr: [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
  batch: [1, 4, 8, 16, 32, 64, 128, 1000],
  momentum: [0, 0.5, 0.9, 0.99],
  decay: [0, 0.0001, 0.001, 0.01, 0.03, 0.1],
};

/** @type {Settings} */
export const DEFAULTS = {
  set: "circles",
  noise: SETS.circles.noise,
  samples: 400,
  classes: 2,
  hidden: [6, 4],
  activation: "tanh",
  lr: 0.03,
  batch: 32,
  optimizer: "sgd",
  momentum: 0.9,
  decay: 0,
  seed: 0,
};

/** The settings that begin the training anew when they change; the others hold from the next batch on. */
const ANEW = /** @type {const} */ (["set", "noise", "samples", "classes", "hidden", "activation", "seed"]);

/** Whether the training begins anew. @param {Settings} before @param {Settings} after */
export const beginsAnew = (before, after) => ANEW.some((name) => String(before[name]) !== String(after[name]));

/**
 * A reader of a setting's text: its value, or null; and what is allowed.
 * @typedef {{ allowed: string, read: (text: string) => any }} Reader
 */

/** @param {number} min @param {number} max @param {{ whole?: boolean, open?: boolean }} [kind] `open`: above `min` @returns {Reader} */
function number(min, max, { whole = false, open = false } = {}) {
  return {
    allowed: `${whole ? "a whole number" : "a number"} ${open ? `above ${min} and up to` : `from ${min} to`} ${max}`,
    read(text) {
      const value = text.trim() === "" ? Number.NaN : Number(text);
      const inside = (open ? value > min : value >= min) && value <= max;
      return inside && (!whole || Number.isInteger(value)) ? value : null;
    },
  };
}

/** @param {string[]} names @returns {Reader} */
const oneOf = (names) => ({
  allowed: names.join(", "),
  read: (text) => (names.includes(text) ? text : null),
});

/** @type {Reader} */
const widths = {
  allowed: `up to ${MAX_LAYERS} numbers from 1 to ${MAX_NEURONS}, such as 4,2, or none`,
  read(text) {
    if (text === "none") return [];
    const neuron = number(1, MAX_NEURONS, { whole: true });
    const values = text.split(",").map(neuron.read);
    return values.length <= MAX_LAYERS && !values.includes(null) ? values : null;
  },
};

/** In the order of the address. @type {{ [name in keyof Settings]: { key: string, reader: Reader } }} */
const FIELDS = {
  set: { key: "data", reader: oneOf(Object.keys(SETS)) },
  noise: { key: "noise", reader: number(NOISE.min, NOISE.max) },
  samples: { key: "samples", reader: number(SAMPLES.min, SAMPLES.max, { whole: true }) },
  classes: { key: "classes", reader: number(CLASSES.min, CLASSES.max, { whole: true }) },
  hidden: { key: "hidden", reader: widths },
  activation: { key: "activation", reader: oneOf(Object.keys(ACTIVATIONS)) },
  lr: { key: "lr", reader: number(0, 100, { open: true }) },
  batch: { key: "batch", reader: number(1, SAMPLES.max, { whole: true }) },
  optimizer: { key: "optimizer", reader: oneOf(["sgd", "adamw"]) },
  momentum: { key: "momentum", reader: number(0, 0.999) },
  decay: { key: "decay", reader: number(0, 1) },
  seed: { key: "seed", reader: number(0, 2 ** 53 - 1, { whole: true }) },
};

const ENTRIES = /** @type {[keyof Settings, { key: string, reader: Reader }][]} */ (Object.entries(FIELDS));

/**
 * The default of a setting. The noise of another data set is that set's own.
 * @param {keyof Settings} name
 * @param {SetName} set
 * @param {Settings} base
 */
const defaultOf = (name, set, base) => (name === "noise" && set !== base.set ? SETS[set].noise : base[name]);

/** @param {Settings[keyof Settings]} value */
const toText = (value) => (Array.isArray(value) ? value.join(",") || "none" : String(value));

/** The settings that differ from others, as a query. @param {Settings} settings @param {Settings} [base] */
export function toQuery(settings, base = DEFAULTS) {
  const query = new URLSearchParams();
  for (const [name, { key }] of ENTRIES) {
    const text = toText(settings[name]);
    if (text !== toText(defaultOf(name, settings.set, base))) query.set(key, text);
  }
  return query;
}

/**
 * The settings of a query; those that it lacks are those of `base`. What cannot be read is named in `faults`.
 * @param {URLSearchParams} query
 * @param {Settings} [base]
 * @returns {{ settings: Settings, faults: string[] }}
 */
export function fromQuery(query, base = DEFAULTS) {
  /** @type {string[]} */
  const faults = [];
  /** @type {{ [name: string]: any }} */
  const settings = {};
  for (const [name, { key, reader }] of ENTRIES) {
    const text = query.get(key);
    const value = text === null ? null : reader.read(text);
    if (text !== null && value === null) faults.push(`${key} “${text}”: ${reader.allowed}`);
    settings[name] = value ?? defaultOf(name, settings.set, base);
  }
  return { settings: /** @type {Settings} */ (settings), faults };
}

/** The number of parameters of the network. @param {Settings} settings */
export function parameterCount({ hidden, classes, set }) {
  const widths = [2, ...hidden, SETS[set].several ? classes : 2];
  return widths.slice(1).reduce((sum, width, i) => sum + width * (widths[i] + 1), 0);
}
