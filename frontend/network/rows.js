// The rows of a network's picture: layers, the groups that they form, and repeats that are folded. No DOM here.

import { plural, together } from "../lib/format.js";
import { branchesOf, isProjected } from "./branches.js";
import { convolutionsOf, kindOf } from "./kinds.js";
import { lanesOf, strokesOf } from "./lanes.js";
import { repeatsOf } from "./repeats.js";

/** @import { CheckedLayer } from "./types" */
/** @import { Lanes, Strokes } from "./lanes.js" */

/** A repeat is folded if that hides so many rows. */
const HIDES_LAYERS = 9;
const HIDES_GROUPS = 2;
/** Groups are closed at first if their layers would make more rows than this. While a text is edited, few texts come across. */
export const MANY_ROWS = { read: 30, edited: 150 };

/**
 * A row stands for the layers from `from` to before `to`. `key` is its name across versions of the text. `open` is null
 * for a single layer.
 * @typedef {{
 *   key: string,
 *   kind: "layer" | "group" | "repeat",
 *   level: number,
 *   title: string,
 *   note: string,
 *   open: boolean | null,
 *   from: number,
 *   to: number,
 *   strokes: Strokes,
 * }} Row
 */

/** Branches are named one by one up to this number. */
const MANY_BRANCHES = 5;

/** Whether a group or a repeat is open, if the user chose. @typedef {(key: string) => boolean | undefined} Chosen */

/**
 * @param {CheckedLayer[]} layers
 * @param {Chosen} chosen
 * @param {number} [many] closes groups that are not chosen to be open
 * @returns {{ rows: Row[], width: number }}
 */
export function rowsOf(layers, chosen, many = MANY_ROWS.edited) {
  const lanes = lanesOf(layers);
  const groups = groupsOf(layers);
  const folded = repeatsOf(
    groups.map(({ id }) => id),
    { hides: HIDES_GROUPS, longest: 8 },
  );
  const build = (/** @type {boolean} */ isOpen) => rowsOfGroups(layers, lanes, groups, folded, chosen, isOpen);
  const all = build(true);
  const rows = all.length > many ? build(false) : all;
  return { rows, width: Math.max(1, ...rows.map(({ strokes }) => widthOf(strokes))) };
}

/**
 * What a group is made of, in words: its convolutions and linear layers, its skips or branches, the pool at its end.
 * @param {CheckedLayer[]} layers @param {Group} group @param {ReturnType<typeof branchesOf>} branches
 */
function contentsOf(layers, { from, to }, branches) {
  const own = layers.slice(from, to);
  const placesOf = (/** @type {string} */ operation) =>
    own.flatMap((layer, at) => (layer.operation === operation ? [from + at] : []));
  const namesOf = (/** @type {number} */ place) => (branches.get(place) ?? []).map(({ name }) => name);
  const joined = placesOf("Concat")
    .map(namesOf)
    .reduce((most, each) => (each.length > most.length ? each : most), []);
  if (joined.length > 0) return joined.length > MANY_BRANCHES ? `${joined.length} branches` : joined.join(" + ");
  const skips = placesOf("Sum").map((place) => branches.get(place) ?? []);
  const { amount, areSeparable } = convolutionsOf(own, {
    skips: skips.length,
    projected: skips.filter(isProjected).length,
  });
  const linear = own.filter(({ operation }) => kindOf(operation) === "linear").length;
  const told = [
    amount > 0 && plural(amount, areSeparable ? "separable convolution" : "convolution"),
    linear > 0 && plural(linear, "linear layer"),
    skips.length > 0 && (skips.length === 1 ? together("a skip") : `${skips.length} skips`),
    own.at(-1)?.operation.includes("Pool") && "a pool",
  ].filter(Boolean);
  return told.length > 0 ? told.join(", ") : plural(own.length, "layer");
}

/** How many lanes the lines of a row take; a loop takes the next one. @param {Strokes} strokes */
const widthOf = ({ through, into, out, lane, loops }) =>
  1 + Math.max(0, ...through.flat(), ...into, ...out, (lane ?? 0) + (loops ? 1 : 0));

/** @typedef {{ name: string, from: number, to: number, id: string, ids: string[] }} Group */

/** @param {CheckedLayer[]} layers @returns {Group[]} */
function groupsOf(layers) {
  /** @type {Group[]} */
  const groups = [];
  layers.forEach((layer, place) => {
    const id = identity(layer, place);
    const last = groups.at(-1);
    if (last?.name === layer.group) {
      last.to = place + 1;
      last.ids.push(id);
    } else groups.push({ name: layer.group, from: place, to: place + 1, id: "", ids: [id] });
  });
  for (const group of groups) group.id = group.ids.join("\n");
  return groups;
}

/** Equal for layers that do the same in the same place of a repeat. @param {CheckedLayer} layer @param {number} place */
const identity = ({ operation, detail, shape, parameters, inputs }, place) =>
  `${operation} ${detail ?? ""} ${shape} ${parameters} ${inputs.map((input) => place - input)}`;

/**
 * @param {CheckedLayer[]} layers
 * @param {Lanes} lanes
 * @param {Group[]} groups
 * @param {import("./repeats.js").Repeat[]} folded repeats of groups
 * @param {Chosen} chosen
 * @param {boolean} areOpen whether groups are open if the user did not choose
 */
function rowsOfGroups(layers, lanes, groups, folded, chosen, areOpen) {
  const branches = branchesOf(layers);
  /** @type {Row[]} */
  const rows = [];
  const repeats = new Map(folded.map((repeat) => [repeat.start + repeat.period, repeat]));
  for (let at = 0; at < groups.length; ) {
    const repeat = repeats.get(at);
    if (!repeat) {
      addGroup(groups[at], 1);
      at += 1;
      continue;
    }
    const end = repeat.start + repeat.period * repeat.times;
    const [first, last] = [groups[at], groups[end - 1]];
    const like = groups.slice(repeat.start, at);
    const isOpen = addFold({
      key: `repeat of group ${like[0].name}`,
      kind: "repeat",
      level: 1,
      title: `${repeat.times - 1} more`,
      note: `${first.name} to ${last.name}, like ${like[0].name}${like.length > 1 ? ` to ${like[like.length - 1].name}` : ""}`,
      from: first.from,
      to: last.to,
      standard: false,
    });
    if (isOpen) for (const group of groups.slice(at, end)) addGroup(group, 2);
    at = end;
  }
  return rows;

  /** @param {Omit<Row, "open" | "strokes"> & { standard: boolean }} fold @returns {boolean} whether it is open */
  function addFold({ standard, ...row }) {
    const open = chosen(row.key) ?? standard;
    // The lines lead past the row of an open fold, since its layers follow.
    rows.push({ ...row, open, strokes: strokesOf(lanes, layers, row.from, open ? row.from : row.to) });
    return open;
  }

  /** @param {Group} group @param {number} level */
  function addGroup(group, level) {
    if (group.to - group.from === 1) {
      addLayer(group.from, level, "");
      return;
    }
    const isOpen = addFold({
      key: `group ${group.name}`,
      kind: "group",
      level,
      title: group.name,
      note: contentsOf(layers, group, branches),
      from: group.from,
      to: group.to,
      standard: areOpen,
    });
    if (isOpen) addLayers(group, level + 1);
  }

  /** @param {Group} group @param {number} level */
  function addLayers({ name, from, to, ids }, level) {
    const within = repeatsOf(ids, { hides: HIDES_LAYERS, begins: (place) => layers[from + place].parameters > 0 });
    const starts = new Map(within.map((repeat) => [from + repeat.start + repeat.period, repeat]));
    for (let at = from; at < to; ) {
      const repeat = starts.get(at);
      if (!repeat) {
        addLayer(at, level, name);
        at += 1;
        continue;
      }
      const end = from + repeat.start + repeat.period * repeat.times;
      const like = layers[from + repeat.start];
      const unit = repeat.period === 1 ? "the layer above" : `the ${repeat.period} layers above`;
      const isOpen = addFold({
        key: `repeat of ${like.name}`,
        kind: "repeat",
        level,
        title: `${repeat.times - 1} more`,
        note: `${end - at} layers like ${unit}`,
        from: at,
        to: end,
        standard: false,
      });
      if (isOpen) for (let place = at; place < end; place += 1) addLayer(place, level + 1, name);
      at = end;
    }
  }

  /** @param {number} place @param {number} level @param {string} group whose name is not repeated */
  function addLayer(place, level, group) {
    const layer = layers[place];
    rows.push({
      key: `layer ${layer.name}`,
      kind: "layer",
      level,
      title: layer.operation,
      note: layer.name.startsWith(`${group}.`) ? layer.name.slice(group.length + 1) : layer.name,
      open: null,
      from: place,
      to: place + 1,
      strokes: strokesOf(lanes, layers, place, place + 1),
    });
  }
}
