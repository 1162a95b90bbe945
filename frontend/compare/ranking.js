// The ranking of settings, with a significance test.

import { h } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { holm, welch } from "../lib/welch.js";
import { accuracyOf } from "./scatter.js";
import { nameCell, meanAndStd } from "./tables.js";

/** @import { Spread } from "../lib/types" */
/** @import { Member } from "./members.js" */

/** Significance level: p values below it count as a clear difference. */
const SIGNIFICANCE_LEVEL = 0.05;

/**
 * `p`: the p value of the difference to the best, corrected for the number of comparisons; null with too few seeds.
 * `behind`: the distance to the best.
 * @typedef {{ member: Member, gain: Spread, behind: number, p: number | null }} Place
 */

/**
 * Members by accuracy, the best first; members without one are left out.
 * @param {Member[]} members
 * @param {ReturnType<typeof accuracyOf>} gain
 * @returns {Place[]}
 */
export function ranked(members, gain) {
  const known = members.flatMap((member) => {
    const spread = meanAndStd(member.runs.map(gain.of));
    return spread ? [{ member, gain: spread }] : [];
  });
  known.sort((a, b) => b.gain.mean - a.gain.mean);
  const [best, ...others] = known;
  if (!best) return [];
  const ps = holm(others.map((other) => welch(best.gain, other.gain)));
  return known.map((each, i) => ({ ...each, behind: best.gain.mean - each.gain.mean, p: i === 0 ? null : ps[i - 1] }));
}

/**
 * Words for the difference between a place and the best.
 * @param {Place} place
 * @param {number} i
 * @param {Place[]} all
 * @returns {{ word: string, sign: "first" | "clear" | "chance" | "unknown", why: string }}
 */
export function significanceText(place, i, all) {
  if (i === 0) return { word: "Best", sign: "first", why: "" };
  if (place.behind === 0) return { word: "The same", sign: "chance", why: "" };
  if (place.p === null) {
    const few = [all[0], place].some(({ gain }) => gain.count < 2);
    return {
      word: few ? "One seed: significance unknown" : "Unknown",
      sign: "unknown",
      why: "A significance test needs at least two seeds of each.",
    };
  }
  const p = place.p < 0.001 ? "p < 0.001" : `p = ${place.p.toPrecision(2)}`;
  return place.p < SIGNIFICANCE_LEVEL
    ? { word: `Clearly behind, ${p}`, sign: "clear", why: "" }
    : { word: `May be chance, ${p}`, sign: "chance", why: "" };
}

/** A sentence on how the ranking is made. @param {Member[]} members */
export function rankingNote(members) {
  const seeds = members.some(({ runs }) => runs.length > 1);
  const title = accuracyOf(members).title.toLowerCase();
  return seeds
    ? `By ${title}: mean and standard deviation over seeds. p is Welch's t test against the best, corrected for ${Math.max(1, members.length - 1)} comparisons (Holm).`
    : `By ${title}. One run each: more seeds are needed to test whether a difference is significant.`;
}

/** @param {Member[]} members @returns {HTMLTableElement | null} null before the first result */
export function rankingTable(members) {
  const gain = accuracyOf(members);
  const places = ranked(members, gain);
  if (places.length < 2) return null;
  return h(
    "table",
    { class: "compare-table ranking" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Place", "Run", gain.title, "Behind the best", "Significance"].map((title, i) =>
          h("th", { scope: "col", class: i === 1 || i === 4 ? undefined : "number" }, title),
        ),
      ),
    ),
    h(
      "tbody",
      {},
      ...places.map((place, i) => {
        const { member, gain: got, behind } = place;
        const { word, sign, why } = significanceText(place, i, places);
        const points = (behind * 100).toFixed(behind > 0 && behind < 0.0005 ? 2 : 1);
        return h(
          "tr",
          {},
          h("td", { class: "number" }, i + 1),
          h("th", { scope: "row" }, nameCell(member)),
          h(
            "td",
            { class: `number${i === 0 ? " is-best" : ""}` },
            got.std === null ? percent(got.mean) : `${percent(got.mean)} ± ${(got.std * 100).toFixed(1)}`,
          ),
          h("td", { class: "number" }, i === 0 ? "–" : `${points} points`),
          h("td", { title: why || undefined }, h("span", { class: `verdict is-${sign}` }, word)),
        );
      }),
    ),
  );
}
