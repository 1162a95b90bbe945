// Assigns a lane, a vertical line beside the layers, to every value of a network, so that branches and skips are drawn
// as such. No DOM here.
//
// A value keeps a lane from the layer that makes it to the last one that takes it. Where a value branches, the first
// branch goes straight on and the value moves to a free lane on the right: the body of a residual block stays on its
// line, and the skip runs beside it.

/** @import { CheckedLayer } from "./types" */

const FREE = -1;

/**
 * `before[i]` holds by lane the value that runs there above layer `i`, by the place of its layer, or -1; it has one entry
 * more than there are layers. `lane[i]` is the lane of a layer.
 * @typedef {{ before: number[][], lane: number[], width: number }} Lanes
 */

/** @param {readonly Pick<CheckedLayer, "inputs">[]} layers @returns {Lanes} */
export function lanesOf(layers) {
  const lastUse = new Array(layers.length).fill(FREE);
  layers.forEach(({ inputs }, place) => {
    for (const input of inputs) lastUse[input] = place;
  });
  /** @type {number[]} */
  let state = [];
  let width = 1;
  /** @type {Lanes["before"]} */
  const before = [state];
  const lane = layers.map(({ inputs }, place) => {
    const next = [...state];
    const taken = inputs.map((input) => next.indexOf(input)).filter((at) => at >= 0);
    const ended = taken.filter((at) => lastUse[next[at]] === place);
    for (const at of ended) next[at] = FREE;
    let own = Math.min(...ended);
    if (ended.length === 0 && taken.length > 0) {
      own = Math.min(...taken);
      next[free(next, own + 1)] = next[own];
    } else if (ended.length === 0) {
      own = free(next, 0);
    }
    next[own] = lastUse[place] > place ? place : FREE;
    while (next.at(-1) === FREE) next.pop();
    width = Math.max(width, next.length, own + 1);
    before.push(next);
    state = next;
    return own;
  });
  return { before, lane, width };
}

/** @param {number[]} state @param {number} from */
function free(state, from) {
  for (let at = from; at < state.length; at += 1) if (state[at] === FREE) return at;
  return Math.max(from, state.length);
}

/**
 * The lines beside a row that stands for some layers: `through` lead past it, from a lane to a lane; `into` lead to the
 * layers' mark from above, and `out` away from it, by lane; `loops` lines lead around the mark, since branches part and
 * meet again within the layers.
 * @typedef {{ through: [number, number][], into: number[], out: number[], lane: number | null, loops: number }} Strokes
 */

/**
 * The lines of a row for the layers from `from` to before `to`; without layers, all lines lead past it.
 * @param {Lanes} lanes
 * @param {readonly Pick<CheckedLayer, "inputs">[]} layers
 * @param {number} from
 * @param {number} to
 * @returns {Strokes}
 */
export function strokesOf({ before, lane }, layers, from, to) {
  const [above, below] = [before[from], before[to]];
  const taken = new Set(layers.slice(from, to).flatMap(({ inputs }) => inputs));
  /** @type {Strokes} */
  const strokes = {
    through: [],
    into: [],
    out: [],
    lane: to > from ? lane[to - 1] : null,
    loops: to - from > 1 ? Math.max(0, ...layers.slice(from, to).map(({ inputs }) => inputs.length - 1)) : 0,
  };
  above.forEach((value, at) => {
    if (value === FREE) return;
    const on = below.indexOf(value);
    if (on >= 0) strokes.through.push([at, on]);
    if (taken.has(value)) strokes.into.push(at);
  });
  below.forEach((value, at) => {
    if (value >= from && value < to) strokes.out.push(at);
  });
  return strokes;
}
