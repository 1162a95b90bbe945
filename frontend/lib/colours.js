// The colours and dash patterns of the runs that a view shows together. Runs that differ in one number get an ordered
// ramp, others get colours that can be told apart with any colour vision. Dashes only tell apart runs that share a
// colour, once all colours are taken.

import { differingSettings, settingsOf } from "./settings-diff.js";

/** @import { Run } from "./types" */

/** @typedef {{ token: string, dash: number[] }} Stroke */

/** A setting whose numbers order the groups of a view: `values` by the id of a group's first run. @typedef {{ path: string, values: Map<string, number> }} Order */

const COLOURS = 8;
const RAMP = 13;
const DASHES = [[], [8, 4], [2, 3], [9, 3, 2, 3]];

/** Numbers that name something and order nothing. */
const NOMINAL = new Set(["training.seed", "data.fold"]);

/**
 * The only setting in which groups differ, if it is a number and no two groups have the same.
 * @param {Run[][]} groups each of runs that differ at most by seed
 * @returns {Order | null}
 */
export function orderOf(groups) {
  const firsts = groups.map(([first]) => first);
  const [path, ...others] = differingSettings(firsts).filter((each) => each !== "training.seed");
  if (path === undefined || others.length > 0 || NOMINAL.has(path)) return null;
  /** @type {Map<string, number>} */
  const values = new Map();
  for (const run of firsts) {
    const value = settingsOf(run).get(path);
    if (typeof value === "number") values.set(run.id, value);
  }
  const distinct = new Set(values.values()).size === firsts.length;
  return firsts.length > 1 && distinct ? { path, values } : null;
}

/** Chooses the strokes of a view. They stay while its runs train and when runs are removed from it. */
export class Palette {
  /** @param {{ [path: string]: unknown }} [grid] a sweep's values, of which some runs may start later */
  constructor(grid = {}) {
    this.grid = grid;
    /** By the id of a group's first run. @type {Map<string, Stroke>} */
    this.chosen = new Map();
  }

  /**
   * @param {Run[][]} groups in the order in which they were created, so that a run added later changes no other colour
   * @param {Order | null} [order]
   * @returns {ReadonlyMap<string, Stroke>} by the id of a group's first run
   */
  strokes(groups, order = orderOf(groups)) {
    const ids = groups.map(([{ id }]) => id);
    if (!ids.every((id) => this.chosen.has(id)))
      this.chosen = order ? this.ordered(order) : new Map(ids.map((id, i) => [id, categorical(i)]));
    return this.chosen;
  }

  /** @param {Order} order @returns {Map<string, Stroke>} */
  ordered({ path, values }) {
    const planned = this.grid[path];
    const all = new Set([...values.values(), ...(Array.isArray(planned) ? planned.filter(Number.isFinite) : [])]);
    const sorted = [...all].sort((a, b) => a - b);
    const places = sorted.map((_, i) => Math.round((i * (RAMP - 1)) / (sorted.length - 1)));
    const strokes = new Map(
      sorted.map((value, i) => {
        const sharing = places.slice(0, i).filter((place) => place === places[i]).length;
        return [value, { token: `--order-${places[i] + 1}`, dash: DASHES[sharing % DASHES.length] }];
      }),
    );
    return new Map([...values].map(([id, value]) => [id, /** @type {Stroke} */ (strokes.get(value))]));
  }
}

/** The stroke of the run at a place of a view. @param {number} place from 0 @returns {Stroke} */
export function categorical(place) {
  return { token: `--data-${(place % COLOURS) + 1}`, dash: DASHES[Math.floor(place / COLOURS) % DASHES.length] };
}
