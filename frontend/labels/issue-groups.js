// The images of a page of suspected mistakes, by how much speaks against their label. The first group that has images is
// open; the others are folded away.

import { h, setText } from "../lib/dom.js";
import { count } from "../lib/format.js";

/** @import { Issue } from "../lib/types" */
/** @import { issueCard } from "./issue-card.js" */

/** @typedef {ReturnType<typeof issueCard>} Card */
/**
 * @typedef {object} Group
 * @property {string} title
 * @property {string} about
 * @property {(issue: Issue) => boolean} has of the images that no group before it has
 */

/** The labels that are counted as suspected. @type {Group} */
const SUSPECTED = {
  title: "Suspected: the networks see another class",
  about:
    "In these images the networks see another class as clearly as in images of that class. The least likely labels come first. Networks err too.",
  has: ({ is_likely }) => is_likely,
};

/** @type {Group[]} */
const GROUPS = [
  SUSPECTED,
  {
    title: "Not suspected: the networks lean to another class",
    about: "Another class is the most probable, but less so than it usually is on images with that label.",
    has: ({ suggested, label }) => suggested !== label,
  },
  {
    title: "Not suspected: the networks agree with the label",
    about: "No class is more probable. The least certain labels come first.",
    has: () => true,
  },
];

/**
 * @param {Issue[]} issues the least likely label first
 * @returns {{ group: Group, issues: Issue[] }[]} those that have images
 */
export function groupsOf(issues) {
  const groupOf = (/** @type {Issue} */ issue) => GROUPS.find(({ has }) => has(issue));
  return GROUPS.map((group) => ({ group, issues: issues.filter((issue) => groupOf(issue) === group) })).filter(
    ({ issues }) => issues.length > 0,
  );
}

/**
 * @param {{ group: Group, classes: string[], cards: Card[], isOpen: boolean, elsewhere: number, decide: (cards: Card[], action: "keep" | "relabel") => void }} of
 *   `elsewhere`: suspected labels on other pages; `decide`: the labels, or the suggestions, of these images are right
 */
export function groupView({ group, classes, cards, isOpen, elsewhere, decide }) {
  const open = () => cards.filter((card) => card.isOpen());
  const ofAll = (/** @type {"keep" | "relabel"} */ action) =>
    h("button", { class: "button small", type: "button", on: { click: () => decide(open(), action) } });
  const [relabelAll, keepAll] = [ofAll("relabel"), ofAll("keep")];
  const suggestions = new Set(cards.map(({ issue }) => issue.suggested));
  const hasSuggestion = cards.every(({ issue }) => issue.suggested !== issue.label);
  const all = h("div", { class: "issues-all" }, relabelAll, keepAll);
  const amount = group === SUSPECTED ? outOf(cards.length, elsewhere) : `${count(cards.length)} here`;
  const element = h(
    "details",
    { class: "issue-group", open: isOpen },
    h("summary", {}, h("h3", {}, group.title), h("span", { class: "count" }, amount)),
    h("p", { class: "muted small" }, group.about, elsewhere > 0 && " Stop when most labels turn out right."),
    h("ul", { class: "issues" }, ...cards.map((card) => card.element)),
    all,
  );

  /** Shows how many images nobody has decided about. */
  function refresh() {
    const left = open().length;
    all.hidden = left < 2;
    const which = `${left === cards.length ? "all" : "the other"} ${count(left)}`;
    relabelAll.hidden = suggestions.size > 1 || !hasSuggestion;
    setText(relabelAll, `Relabel ${which} as ${classes[cards[0].issue.suggested]}`);
    setText(keepAll, `Keep ${which}`);
  }

  return { element, refresh };
}

/** @param {number} shown @param {number} elsewhere */
const outOf = (shown, elsewhere) => (elsewhere > 0 ? `${count(shown)} of ${count(shown + elsewhere)}` : count(shown));
