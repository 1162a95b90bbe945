// Finds parts of a sequence that repeat, so that forty equal layers are shown once. No DOM here.

/** A unit of `period` items from `start` that follows itself `times` times. @typedef {{ start: number, period: number, times: number }} Repeat */

/**
 * The repeats of a sequence, from its start to its end, without overlaps.
 * @param {readonly unknown[]} items equal items are identical
 * @param {{ hides: number, longest?: number, begins?: (index: number) => boolean }} options `hides`: a repeat must have
 *   this many items after its first unit; `longest`: the longest period; `begins`: whether a unit would better begin at
 *   an item, where there is a choice
 * @returns {Repeat[]}
 */
export function repeatsOf(items, { hides, longest = 64, begins = () => true }) {
  /** @type {Repeat[]} */
  const found = [];
  for (let start = 0; start < items.length; ) {
    const best = bestAt(items, start, hides, longest);
    if (!best) {
      start += 1;
      continue;
    }
    const repeat = aligned(items, best, begins);
    found.push(repeat);
    start = repeat.start + repeat.period * repeat.times;
  }
  return found;
}

/**
 * The repeat at a place that covers most items; of those, the one with the shortest unit.
 * @param {readonly unknown[]} items
 * @param {number} start
 * @param {number} hides
 * @param {number} longest
 * @returns {Repeat | null}
 */
function bestAt(items, start, hides, longest) {
  /** @type {Repeat | null} */
  let best = null;
  for (let period = 1; period <= longest && start + 2 * period <= items.length; period += 1) {
    const times = timesAt(items, start, period);
    if (times < 3 || (times - 1) * period < hides) continue;
    if (!best || times * period > best.times * best.period) best = { start, period, times };
  }
  return best;
}

/** How often a unit follows itself, itself included. @param {readonly unknown[]} items @param {number} start @param {number} period */
function timesAt(items, start, period) {
  let end = start + period;
  while (end < items.length && items[end] === items[end - period]) end += 1;
  return Math.floor((end - start) / period);
}

/**
 * Moves a repeat on to where a unit better begins, if it does not get shorter.
 * @param {readonly unknown[]} items
 * @param {Repeat} repeat
 * @param {(index: number) => boolean} begins
 * @returns {Repeat}
 */
function aligned(items, repeat, begins) {
  for (let shift = 0; shift < repeat.period; shift += 1) {
    const start = repeat.start + shift;
    if (begins(start) && timesAt(items, start, repeat.period) >= repeat.times) return { ...repeat, start };
  }
  return repeat;
}
