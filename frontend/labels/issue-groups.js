// The images of a page of suspected mistakes, by how much speaks against their label. Where nothing does, the images are
// folded away unless the page has no others.

import { h, setText } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";

/** @import { Issue } from "../lib/types" */
/** @import { issueCard } from "./issue-card.js" */

/** @typedef {ReturnType<typeof issueCard>} Card */
/**
 * @typedef {object} Group
 * @property {string} title
 * @property {string} about
 * @property {(issue: Issue) => boolean} has of the images that no group before it has
 */

/** @type {Group[]} */
const SUSPECTS = [
  {
    title: "Sure of another class",
    about:
      "The networks are at least as sure as they usually are on images of that class. Look first: they are often wrong. The least likely label comes first.",
    has: ({ is_likely }) => is_likely,
  },
  {
    title: "Rather another class",
    about: "The networks are less sure than they usually are on images of that class.",
    has: ({ suggested, label }) => suggested !== label,
  },
];

/**
 * @param {Issue[]} issues the least likely label first
 * @returns {{ group: Group | null, issues: Issue[] }[]} those that have images; `null`: nothing speaks against the labels
 */
export function groupsOf(issues) {
  /** @type {Map<Group | null, Issue[]>} */
  const groups = new Map([...SUSPECTS, null].map((group) => [group, []]));
  for (const issue of issues) groups.get(SUSPECTS.find(({ has }) => has(issue)) ?? null)?.push(issue);
  return [...groups].map(([group, issues]) => ({ group, issues })).filter(({ issues }) => issues.length > 0);
}

/**
 * @param {{ group: Group | null, cards: Card[], isAlone: boolean, elsewhere: number, keep: (cards: Card[]) => void }} of
 *   `isAlone`: there is no other; `elsewhere`: likely mistakes on other pages; `keep`: their labels are right
 */
export function groupView({ group, cards, isAlone, elsewhere, keep }) {
  const open = () => cards.filter((card) => card.isOpen());
  const keepAll = h("button", { class: "button small", type: "button", on: { click: () => keep(open()) } });
  const list = h("ul", { class: "issues" }, ...cards.map((card) => card.element));
  const isPart = group === SUSPECTS[0] && elsewhere > 0;
  const amount = isPart ? `${count(cards.length)} of ${count(cards.length + elsewhere)}` : count(cards.length);
  const element = group
    ? h(
        "section",
        { class: "issue-group", "aria-label": group.title },
        h("h3", {}, group.title, h("span", { class: "count" }, amount)),
        h("p", { class: "muted small" }, group.about),
        list,
        keepAll,
      )
    : h(
        "details",
        { class: "issue-group", open: isAlone },
        h(
          "summary",
          {},
          h("h3", {}, `The ${plural(cards.length, "least certain label")} that the networks agree with`),
        ),
        list,
        keepAll,
      );

  /** Shows how many images nobody has decided about. */
  function refresh() {
    const left = open().length;
    keepAll.hidden = left < 2;
    setText(keepAll, left === cards.length ? `Keep all ${count(left)}` : `Keep the other ${count(left)}`);
  }

  return { element, refresh };
}
