// Suspected mistakes: images whose label no network finds likely, to relabel, exclude or keep, by pointer or by keyboard.

import { getLabelIssues } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";
import { foldList } from "./folds.js";
import { issueCard } from "./issue-card.js";
import { groupsOf, groupView } from "./issue-groups.js";
import { issueKeys, keysHelp } from "./issue-keys.js";
import { pairFilter } from "./pair-filter.js";
import { typicalImages } from "./typical.js";

/** @import { LabelIssues } from "../lib/types" */
/** @import { Card } from "./issue-groups.js" */
/** @import { labelStore } from "./store.js" */

/** Milliseconds between two requests while the folds are trained. */
const AGAIN = 1000;

/** @param {ReturnType<typeof labelStore>} store @param {{ again: () => void }} of */
export function issuesCard(store, { again }) {
  const { classes } = store.labels();
  const summary = h("p", { class: "muted small" });
  const bar = h("div", { class: "bar", data: { tone: "live" }, "aria-hidden": "true" }, h("span"));
  const checkedWords = h("span");
  const checked = h("div", { class: "issues-checked small muted", hidden: true }, bar, checkedWords);
  const body = h("div", { class: "card-body" });
  const searchAgain = h(
    "button",
    {
      class: "button small",
      type: "button",
      title: "Choose settings and train the networks anew",
      on: { click: again },
    },
    icon("search", 14),
    "Search again…",
  );
  const element = h(
    "section",
    { class: "card issues-card", "aria-label": "Suspected mistakes", hidden: true },
    h(
      "header",
      { class: "card-head" },
      h("div", {}, h("h2", {}, "Suspected mistakes"), summary),
      h("div", { class: "issues-state" }, checked, searchAgain),
    ),
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
  /** Suspected labels outside of the cards that nobody has looked at, and how many of them are of the chosen classes. */
  let elsewhere = 0;
  let more = 0;
  const next = h("button", { class: "button small", type: "button" });
  const restWords = h("p", { class: "muted small" });
  /** The sweep that is shown. */
  let shown = "";
  const keys = issueKeys(classes);
  const filter = pairFilter(classes, () => show(shown));

  /** @param {string} sweep @param {number} [skip] so many images that nobody has looked at are left out */
  async function show(sweep, skip = 0) {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    element.hidden = sweep === "";
    if (sweep !== shown) filter.reset();
    shown = sweep;
    if (sweep === "") return;
    setText(summary, "");
    checked.hidden = searchAgain.hidden = true;
    if (body.childElementCount === 0) body.replaceChildren(h("p", { class: "muted" }, "Loading…"));
    try {
      for (;;) {
        const { found, ready } = await getLabelIssues(sweep, { skip, pair: filter.chosen() }, signal);
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
      searchAgain.hidden = false;
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
    const trained = folds.filter(({ status }) => status === "finished").length;
    const missing = folds.length - trained;
    const left = cards.filter((card) => card.isOpen()).length;
    setText(next, left > 0 && more > 0 ? `Skip ${count(left)}, show the next` : "Show the next");
    next.classList.toggle("primary", more > 0 && left === 0);
    setText(restWords, wordsOfRest(more, filter.chosen() !== null));
    setText(
      summary,
      `${plural(trained, "network")} judged images that ${trained === 1 ? "it" : "they"} had not learnt. ` +
        `${plural(likely, "label")} of ${count(samples)} ${likely === 1 ? "is" : "are"} suspected.` +
        (missing > 0 ? ` ${plural(missing, "fold")} of ${folds.length} ended early: their images are missing.` : ""),
    );
    checked.hidden = likely === 0;
    bar.style.setProperty("--share", String(likely > 0 ? 1 - open / likely : 0));
    setText(checkedWords, `${count(likely - open)} of ${count(likely)} checked`);
  }

  /** @param {LabelIssues} found @param {string} sweep @param {number} skip */
  function list(found, sweep, skip) {
    told = found;
    searchAgain.hidden = false;
    const parts = groupsOf(found.issues).map(({ group, issues }) => ({
      group,
      cards: issues.map((issue) =>
        issueCard(issue, { classes, typical: found.typical, store, onDone: () => keys.goOn(issue.sample) }),
      ),
    }));
    cards = parts.flatMap(({ cards }) => cards);
    const here = found.issues.filter((issue) => issue.is_likely).length;
    elsewhere = found.open - here;
    filter.show(found);
    more = filter.openOf(found) - here;
    const pair = filter.chosen();
    // Of those of two classes, and of the next ones, it is not known how many there are.
    const others = pair || skip > 0 ? 0 : found.samples - found.likely;
    groups = parts.map((part, at) => {
      const onOtherPages = part.group.isSuspected ? more : Math.max(0, others - part.cards.length);
      return groupView({ ...part, classes, isOpen: at === 0, elsewhere: onOtherPages, decide });
    });
    refresh();
    if (cards.length === 0) {
      body.replaceChildren(
        filter.element,
        h("p", { class: "muted" }, noneWords(skip > 0, filter.chosen() !== null)),
        h(
          "div",
          { class: "issues-end" },
          skip === 0
            ? null
            : h(
                "button",
                { class: "button small", type: "button", on: { click: () => show(sweep) } },
                "From the first",
              ),
        ),
      );
      return;
    }
    next.onclick = () => {
      const left = cards.filter((card) => card.isOpen()).length;
      return show(sweep, skip + left).then(() => {
        element.scrollIntoView();
        cards[0]?.element.focus();
      });
    };
    // The next images are of this group. Where there are many pages the way there stays in sight.
    const last = groups.find(({ isSuspected }) => isSuspected === more > 0);
    const end = last?.end ?? h("div", { class: "issues-end" });
    end.append(...(more > 0 || !last ? [restWords] : []), next);
    end.classList.toggle("is-in-sight", more > 0);
    body.replaceChildren(
      h("div", { class: "issues-head" }, filter.element, pair && typicalImages(found, pair), keysHelp(classes)),
      h("div", { class: "issue-groups", on: keys.on }, ...groups.map((group) => group.element), last ? null : end),
    );
    keys.start(cards);
  }

  /** The labels of images are right, or what is suggested for them. @param {Card[]} seen @param {"keep" | "relabel"} action */
  function decide(seen, action) {
    const changes = seen.map(({ issue: { sample, suggested } }) =>
      action === "keep" ? { action, sample } : { action, sample, class: classes[suggested] },
    );
    return attempt(() => store.change({ changes }));
  }

  return { element, show, refresh };
}

/** What is said where there are no images. @param {boolean} isAfter other images @param {boolean} isPair of two classes */
function noneWords(isAfter, isPair) {
  if (isAfter) return "There are no more images.";
  return isPair ? "Every image of these classes has been looked at." : "Every image has been looked at.";
}

/** What there is besides the cards. @param {number} more suspected labels @param {boolean} isPair of two classes */
function wordsOfRest(more, isPair) {
  if (more > 0) return `${count(more)} more suspected`;
  return `No other label${isPair ? " of these classes" : ""} is suspected.`;
}
