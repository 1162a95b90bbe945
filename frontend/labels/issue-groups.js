// The images of a page of suspected mistakes: those whose label is suspected, and the others, folded away where there are both.

import { h, setText } from "../lib/dom.js";
import { count } from "../lib/format.js";

/** @import { Issue } from "../lib/types" */
/** @import { issueCard } from "./issue-card.js" */

/** @typedef {ReturnType<typeof issueCard>} Card */
/** @typedef {{ title: string, about: string, isSuspected: boolean }} Group */

/** @type {Group[]} */
const GROUPS = [
  {
    title: "Suspected",
    about:
      "The networks clearly see another class; beside each class are an example and its probability. The least likely labels come first, and networks err too.",
    isSuspected: true,
  },
  {
    title: "Not suspected",
    about: "The networks see the class of the label, or no other one clearly. The least likely labels come first.",
    isSuspected: false,
  },
];

/**
 * @param {Issue[]} issues the least likely label first
 * @returns {{ group: Group, issues: Issue[] }[]} those that have images
 */
export function groupsOf(issues) {
  return GROUPS.map((group) => ({
    group,
    issues: issues.filter((issue) => issue.is_likely === group.isSuspected),
  })).filter(({ issues }) => issues.length > 0);
}

/**
 * @param {{ group: Group, classes: string[], cards: Card[], isOpen: boolean, elsewhere: number, decide: (cards: Card[], action: "keep" | "relabel") => void }} of
 *   `elsewhere`: images of the group on other pages; `decide`: the labels, or the suggestions, of these images are right
 */
export function groupView({ group, classes, cards, isOpen, elsewhere, decide }) {
  const open = () => cards.filter((card) => card.isOpen());
  const ofAll = (/** @type {"keep" | "relabel"} */ action) =>
    h("button", { class: "button small", type: "button", on: { click: () => decide(open(), action) } });
  const [relabelAll, keepAll] = [ofAll("relabel"), ofAll("keep")];
  const suggestions = new Set(cards.map(({ issue }) => issue.suggested));
  const hasSuggestion = cards.every(({ issue }) => issue.suggested !== issue.label);
  const all = h("div", { class: "issues-all" }, relabelAll, keepAll);
  const end = h("div", { class: "issues-end" });
  const amount = group.isSuspected ? outOf(cards.length, elsewhere) : count(cards.length + elsewhere);
  const element = h(
    "details",
    { class: "issue-group", open: isOpen },
    h("summary", {}, h("h3", {}, group.title), h("span", { class: "count" }, amount)),
    h(
      "p",
      { class: "muted small" },
      group.about,
      group.isSuspected && elsewhere > 0 && " Stop once most labels look right.",
    ),
    h("ul", { class: "issues" }, ...cards.map((card) => card.element)),
    all,
    end,
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

  return {
    element,
    /** What is below the images, for the way to the next ones. */
    end,
    isSuspected: group.isSuspected,
    refresh,
  };
}

/** @param {number} shown @param {number} elsewhere */
const outOf = (shown, elsewhere) => (elsewhere > 0 ? `${count(shown)} of ${count(shown + elsewhere)}` : count(shown));
