// Suspected mistakes: images whose label no network finds likely, to relabel, exclude or keep, by pointer or by keyboard.

import { getLabelIssues } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";
import { foldList } from "./folds.js";
import { issueCard } from "./issue-card.js";
import { groupsOf, groupView } from "./issue-groups.js";

/** @import { LabelIssues } from "../lib/types" */
/** @import { Card } from "./issue-groups.js" */
/** @import { labelStore } from "./store.js" */

/** Milliseconds between two requests while the folds are trained. */
const AGAIN = 1000;

/** The keys of an image in focus, and what they do. @type {{ [key: string]: "relabel" | "exclude" | "keep" | "undo" }} */
const KEYS = { Enter: "relabel", r: "relabel", x: "exclude", k: "keep", u: "undo" };

/** What can be done, with the key for it. */
const ACTIONS = [
  { key: "Enter", words: "Relabel gives an image the other class. " },
  { key: "X", words: "Exclude takes it out of training and test. " },
  { key: "K", words: "Keep leaves its label. " },
];

/** @param {ReturnType<typeof labelStore>} store @param {{ again: () => void }} of */
export function issuesCard(store, { again }) {
  const { classes } = store.labels();
  const summary = h("p", { class: "muted small" });
  const body = h("div", { class: "card-body" });
  const more = h(
    "button",
    { class: "button small", type: "button", on: { click: again } },
    icon("search", 14),
    "Search again",
  );
  const element = h(
    "section",
    { class: "card issues-card", "aria-label": "Suspected mistakes", hidden: true },
    h("header", { class: "card-head" }, h("div", {}, h("h2", {}, "Suspected mistakes"), summary), more),
    body,
  );
  /** The request or the wait for the next one. @type {AbortController} */
  let loading = new AbortController();
  /** What is shown. @type {LabelIssues | null} */
  let told = null;
  /** @type {Card[]} */
  let cards = [];
  /** @type {ReturnType<typeof groupView>[]} */
  let groups = [];
  /** Likely mistakes outside of the cards that nobody has looked at. */
  let elsewhere = 0;
  /** The image that something was done about last. @type {Card | null} */
  let latest = null;

  /** @param {string} sweep @param {number} [skip] so many images that nobody has looked at are left out */
  async function show(sweep, skip = 0) {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    element.hidden = sweep === "";
    if (sweep === "") return;
    more.hidden = true;
    setText(summary, "");
    if (body.childElementCount === 0) body.replaceChildren(h("p", { class: "muted" }, "Loading…"));
    try {
      for (;;) {
        const { found, ready } = await getLabelIssues(sweep, skip, signal);
        if (signal.aborted) return;
        if (ready) return list(found, sweep, skip);
        setText(
          summary,
          found.progress
            ? "All networks are trained. One after the other now judges the images that it did not learn."
            : "A network is trained for each fold. You may leave the page; training goes on.",
        );
        body.replaceChildren(foldList(found));
        await new Promise((done) => setTimeout(done, AGAIN));
        if (signal.aborted) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      more.hidden = false;
      body.replaceChildren(
        h("p", { class: "notice warn" }, icon("warning"), error instanceof Error ? error.message : String(error)),
      );
    }
  }

  /** Shows what the set's labels say now. */
  function refresh() {
    if (!told) return;
    for (const card of cards) card.show();
    for (const group of groups) group.refresh();
    const { likely, samples, folds } = told;
    const open = elsewhere + cards.filter((card) => card.issue.is_likely && card.isOpen()).length;
    const missing = folds.filter(({ status }) => status !== "finished").length;
    setText(
      summary,
      `${plural(folds.length - missing, "network")} judged images that ${folds.length - missing === 1 ? "it" : "they"} had not learnt: ` +
        `${plural(likely, "label")} of ${count(samples)} ${likely === 1 ? "is" : "are"} likely wrong` +
        (likely > 0 ? `, ${openWords(open, likely)}` : "") +
        (missing > 0 ? `. ${plural(missing, "fold")} of ${folds.length} ended early: their images are missing.` : "."),
    );
  }

  /** @param {LabelIssues} found @param {string} sweep @param {number} skip */
  function list(found, sweep, skip) {
    more.hidden = false;
    told = found;
    latest = null;
    const parts = groupsOf(found.issues).map(({ group, issues }) => ({
      group,
      cards: issues.map((issue) => issueCard(issue, { classes, store, onDone: () => goOn(issue.sample) })),
    }));
    cards = parts.flatMap(({ cards }) => cards);
    elsewhere = found.open - found.issues.filter((issue) => issue.is_likely).length;
    groups = parts.map((part) => groupView({ ...part, isAlone: parts.length === 1, elsewhere, keep }));
    refresh();
    if (cards.length === 0) {
      body.replaceChildren(
        h("p", { class: "muted" }, skip === 0 ? "Every image has been looked at." : "There are no more images."),
        ...(skip === 0
          ? []
          : [h("button", { class: "button", type: "button", on: { click: () => show(sweep) } }, "From the first")]),
      );
      return;
    }
    const next = h("button", { class: "button small", type: "button" }, "Show more images");
    next.onclick = () => {
      const left = cards.filter((card) => card.isOpen()).length;
      return show(sweep, skip + left).then(() => {
        element.scrollIntoView();
        cards[0]?.element.focus();
      });
    };
    body.replaceChildren(
      h(
        "p",
        { class: "muted small issue-keys" },
        ...ACTIONS.flatMap(({ key, words }) => [h("kbd", {}, key), words]),
        h("kbd", {}, "U"),
        h("span", { class: "issue-undo" }, "Undo."),
      ),
      h(
        "div",
        {
          class: "issue-groups",
          on: { keydown: onKey, focusin: (/** @type {FocusEvent} */ event) => reach(cardOf(event)) },
        },
        ...groups.map((group) => group.element),
      ),
      h(
        "div",
        { class: "issue-next" },
        elsewhere === 0
          ? h("p", { class: "muted small" }, "No other label is likely wrong. To look through the rest:")
          : null,
        next,
      ),
    );
    reach(0);
  }

  /** The labels of images are right. @param {Card[]} right */
  function keep(right) {
    const changes = right.map(({ issue }) => ({ action: /** @type {const} */ ("keep"), sample: issue.sample }));
    return attempt(() => store.change({ changes }));
  }

  /** The place of the card of an event. @param {Event} event */
  const cardOf = ({ target }) => cards.findIndex((card) => card.element.contains(/** @type {Node} */ (target)));

  /** Tab reaches one card. @param {number} at */
  function reach(at) {
    if (at >= 0) cards.forEach((card, place) => card.setReached(place === at));
  }

  /** Moves from an image about which something is done to the next one, if it had the focus. @param {number} sample */
  function goOn(sample) {
    const at = cards.findIndex((card) => card.issue.sample === sample);
    const card = cards[at];
    if (card.isOpen()) latest = card;
    if (!card.element.contains(document.activeElement)) return;
    const next = card.isOpen() ? cards.slice(at + 1).find((each) => each.isOpen() && isSeen(each)) : card;
    (next ?? card).element.focus();
  }

  /** Where an arrow leads from an image. @param {string} arrow @param {Card["element"]} from */
  function neighbour(arrow, from) {
    const seen = cards.filter(isSeen).map((card) => card.element);
    const at = seen.indexOf(from);
    if (arrow === "ArrowRight") return seen[at + 1];
    if (arrow === "ArrowLeft") return seen[at - 1];
    const top = from.offsetTop;
    const row =
      arrow === "ArrowDown"
        ? seen.find(({ offsetTop }) => offsetTop > top)?.offsetTop
        : seen.findLast(({ offsetTop }) => offsetTop < top)?.offsetTop;
    const away = (/** @type {HTMLElement} */ { offsetLeft }) => Math.abs(offsetLeft - from.offsetLeft);
    return seen.filter(({ offsetTop }) => offsetTop === row).sort((a, b) => away(a) - away(b))[0];
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = cards.findIndex(({ element }) => element === event.target);
    if (at < 0) return;
    if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      neighbour(event.key, cards[at].element)?.focus();
      return;
    }
    const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    // A key that is held means one image.
    if (event.repeat) return;
    // The focus has gone on by then.
    const card = action === "undo" && cards[at].isOpen() ? latest : cards[at];
    card?.act(action);
    if (action === "undo") card?.element.focus();
  }

  return { element, show, refresh };
}

/** Whether a card is not folded away. @param {Card} card */
const isSeen = ({ element }) => element.checkVisibility();

/** @param {number} open @param {number} likely */
function openWords(open, likely) {
  if (open === 0) return likely === 1 ? "and was looked at" : "all looked at";
  if (open === likely) return likely === 1 ? "not looked at yet" : "none of them looked at yet";
  return `${count(open)} of them not looked at yet`;
}
