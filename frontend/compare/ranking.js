// The ranking of settings, with a significance test.

import { h } from "../lib/dom.js";
import { percent, percentSpread, plural } from "../lib/format.js";
import { dataTitle } from "../lib/setting-labels.js";
import { holm, welch } from "../lib/welch.js";
import { byDataSet } from "./data-sets.js";
import { accuracyOf } from "./scatter.js";
import { sideBySideUrl } from "./side-by-side.js";
import { faultText, isSoundMember } from "./sound.js";
import { meanAndStd } from "./columns.js";
import { nameCell } from "./tables.js";

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
 * Members by accuracy, the best first, and those that diverged or failed last; members without an accuracy are left out.
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
  const sound = known.filter(({ member }) => isSoundMember(member));
  const faulty = known.filter(({ member }) => !isSoundMember(member));
  const [best, ...others] = sound;
  const ps = best ? holm(others.map((other) => welch(best.gain, other.gain))) : [];
  return [...sound, ...faulty].map((each, i) => ({
    ...each,
    behind: best ? best.gain.mean - each.gain.mean : 0,
    p: i === 0 ? null : (ps[i - 1] ?? null),
  }));
}

/**
 * Members ranked within each data set, since accuracies on different data do not compare.
 * @param {Member[]} members
 * @param {ReturnType<typeof accuracyOf>} gain
 * @returns {{ set: string, places: Place[] }[]}
 */
export const rankedByData = (members, gain) =>
  [...byDataSet(members)].map(([set, of]) => ({ set, places: ranked(of, gain) })).filter(({ places }) => places.length);

/**
 * The answer to whether a place differs from the best by more than chance; `why` in full, and `brief` for a table.
 * @param {Place} place
 * @param {number} i
 * @param {Place[]} all
 * @returns {{ word: string, sign: "first" | "clear" | "chance" | "unknown", why: string, brief: string }}
 */
export function significanceText(place, i, all) {
  const untested = (/** @type {string} */ word, /** @type {string} */ why) =>
    /** @type {const} */ ({ word, sign: "unknown", why, brief: why });
  if (!isSoundMember(place.member))
    return untested(faultText(place.member), "A run that diverged or failed is not ranked.");
  const [best] = all;
  const sound = all.filter(({ member }) => isSoundMember(member));
  const isTested = sound.some(({ p }) => p !== null);
  const needsSeeds = (/** @type {Place[]} */ of) =>
    untested(
      of.some(({ gain }) => gain.count < 2) ? "Not tested: one seed" : "Not tested",
      "Welch's t-test needs at least two seeds of each.",
    );
  if (i === 0) {
    if (sound.length < 2) return untested("Alone on its data", "There is nothing to compare it with.");
    if (!isTested) return needsSeeds(sound);
    const why = "The others are compared with this one.";
    return { word: "Best", sign: "first", why, brief: why };
  }
  if (place.behind === 0)
    return { word: "Tie", sign: "chance", why: `The same accuracy as ${best.member.label}, the best.`, brief: "" };
  if (place.p === null) return { ...needsSeeds([best, place]), brief: "" };
  const p = place.p < 0.001 ? "p < 0.001" : `p = ${place.p.toPrecision(2)}`;
  const test = `Welch's t-test against ${best.member.label}, the best: ${p}.`;
  const isClear = place.p < SIGNIFICANCE_LEVEL;
  const brief = `A difference this large ${isClear ? "would rarely" : "may"} come about by chance.`;
  return {
    word: `${isClear ? "Yes" : "Cannot tell"}, ${p}`,
    sign: isClear ? "clear" : "chance",
    why: `${test} ${brief}`,
    brief,
  };
}

/** How the ranking is made and what its answers mean. @param {Member[]} members */
export function rankingNote(members) {
  const { title } = accuracyOf(members);
  const seeds = members.some(({ runs }) => runs.length > 1);
  const within = byDataSet(members).size > 1 ? ", within each data set" : "";
  if (members.length > 1 && byDataSet(members).size === members.length) return "Each is alone on its data.";
  if (!seeds)
    return `By ${title.toLowerCase()}${within}. One run each: whether a difference is more than chance takes at least two seeds of each setting.`;
  const tests = Math.max(
    1,
    ...rankedByData(members, accuracyOf(members)).map(({ places }) => places.filter(({ p }) => p !== null).length),
  );
  return `By ${title.toLowerCase()}${within}: mean ± standard deviation over seeds. Each setting is compared with the best by Welch's t-test. p says how often chance alone makes a difference this large, corrected for ${plural(tests, "comparison")} (Holm); below ${SIGNIFICANCE_LEVEL} the answer is yes.`;
}

/**
 * How the ranking is made, as the page says it: where one seed each leaves differences untested, it leads to a test.
 * @param {Member[]} members
 * @param {{ grow?: string, alike: boolean }} options `grow`: the label of the button that gives each setting one more seed;
 *   `alike`: whether they were trained alike
 * @returns {(string | Node)[]}
 */
export function rankingAbout(members, { grow, alike }) {
  const about = rankingWords(members, grow);
  return alike ? about : [...about, " They were not trained alike, so the order says little about the networks."];
}

/** @param {Member[]} members @param {string} [grow] @returns {(string | Node)[]} */
function rankingWords(members, grow) {
  if (members.some(({ runs }) => runs.length > 1) || byDataSet(members).size > 1) return [rankingNote(members)];
  const by = `By ${accuracyOf(members).title.toLowerCase()}. One seed each`;
  const href = members.length === 2 ? sideBySideUrl(members.flatMap(({ runs }) => runs)) : null;
  if (href !== null)
    return [`${by}: `, h("a", { href }, "evaluate side by side"), " to test the difference on the same test samples."];
  if (grow)
    return [
      `${by}, so no difference is tested: “${grow}” above gives every setting another run, and the differences a test.`,
    ];
  return [rankingNote(members)];
}

/**
 * @param {Member[]} members
 * @param {{ explained?: boolean, alike?: boolean }} [options] `explained`: each answer with its reason; `alike`: whether
 *   they were trained alike, without which none is the best
 * @returns {HTMLTableElement | null} null before the first result
 */
export function rankingTable(members, { explained = false, alike = true } = {}) {
  const gain = accuracyOf(members);
  const rankings = rankedByData(members, gain);
  if (rankings.reduce((sum, { places }) => sum + places.length, 0) < 2) return null;
  return h(
    "table",
    { class: "compare-table ranking" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Place", "Run", gain.title, "Behind the best", "More than chance?"].map((title, i) =>
          h("th", { scope: "col", class: i === 1 || i === 4 ? undefined : "number" }, title),
        ),
      ),
    ),
    ...rankings.map(({ set, places }) =>
      h(
        "tbody",
        {},
        rankings.length > 1 &&
          h(
            "tr",
            { class: "ranking-set" },
            h("th", { scope: "rowgroup", colspan: 5 }, dataTitle(set) || "Data not told"),
          ),
        ...places.map((place, i) => row(place, i, places, { explained, alike })),
      ),
    ),
  );
}

/** Percentage points between accuracies as they are shown, so that the table adds up. @param {number} best @param {number} other */
export function pointsBehind(best, other) {
  const behind = best - other;
  if (behind > 0 && behind < 0.0005) return (behind * 100).toFixed(2);
  return ((Math.round(best * 1000) - Math.round(other * 1000)) / 10).toFixed(1);
}

/** @param {Place} place @param {number} i @param {Place[]} places @param {{ explained: boolean, alike: boolean }} options */
function row(place, i, places, { explained, alike }) {
  const { member, gain: got, behind } = place;
  const sound = isSoundMember(member);
  // With one seed of each it is said once that nothing is tested.
  const isTested = places.some(({ p }) => p !== null);
  const answer = significanceText(place, i, places);
  const { word, sign, why, brief } =
    alike || answer.sign !== "first" ? answer : { ...answer, word: "Highest", sign: "unknown" };
  const isRepeated = i > 0 && !isTested && sound && answer.sign === "unknown" && places.length > 2;
  const points = pointsBehind(places[0].gain.mean, got.mean);
  const best = alike && sound && places.length > 1 && behind === 0;
  return h(
    "tr",
    {},
    h("td", { class: "number" }, sound ? 1 + places.findIndex((other) => other.behind === behind) : "–"),
    h("th", { scope: "row" }, nameCell(member)),
    h(
      "td",
      { class: `number${best ? " is-best" : ""}` },
      got.std === null ? percent(got.mean) : percentSpread(got.mean, got.std),
    ),
    h("td", { class: "number" }, behind === 0 || !sound ? "–" : `${points} points`),
    h(
      "td",
      {},
      isRepeated ? h("span", { title: why }, "–") : h("span", { class: `verdict is-${sign}`, title: why }, word),
      explained && isTested && brief !== "" && h("small", { class: "verdict-why" }, brief),
    ),
  );
}
