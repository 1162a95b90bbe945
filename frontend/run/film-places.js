// The places of a film that goes through several epochs: one for each update, and one for an epoch without any. No DOM here.

/** The film of epochs with so many updates each. @param {number[]} totals */
export function filmPlaces(totals) {
  const counts = totals.map((total) => Math.max(1, total));
  const starts = counts.map((_, i) => counts.slice(0, i).reduce((all, one) => all + one, 0));
  return {
    length: counts.reduce((all, one) => all + one, 0),
    /** @param {number} epoch from 1 @param {number} at its update, from 0 */
    indexOf: (epoch, at) => starts[epoch - 1] + at,
    /** The epoch and its update. @param {number} index @returns {[number, number]} */
    at(index) {
      const epoch = starts.findLastIndex((start) => start <= index);
      return [epoch + 1, index - starts[epoch]];
    },
  };
}
