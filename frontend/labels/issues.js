// Suspected mistakes: images whose label no network finds likely, to relabel, exclude or keep, by pointer or by keyboard.

import { getLabelIssues } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { count, percent, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { foldList } from "./folds.js";
import { samplePicture } from "./picture.js";

/** @import { LabelEdit, Issue as LabelIssue, LabelIssues } from "../lib/types" */

/** Milliseconds between two requests while the folds are trained. */
const AGAIN = 1000;

/** The keys of an image in focus, and what they do. */
const KEYS = { Enter: "relabel", r: "relabel", x: "exclude", k: "keep", u: "undo" };

/**
 * @param {string[]} classes
 * @param {{
 *   set: string,
 *   edit: (changes: LabelEdit[], words: string) => Promise<boolean>,
 *   again: () => void,
 * }} of
 */
export function issuesCard(classes, { set, edit, again }) {
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
  /** Likely mistakes that nobody has looked at. */
  let open = 0;

  /** @param {string} sweep */
  async function show(sweep) {
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
        const { found, ready } = await getLabelIssues(sweep, signal);
        if (signal.aborted) return;
        if (ready) return list(found, sweep);
        setText(
          summary,
          found.progress
            ? "The networks are trained and judge the images that they did not learn."
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

  /** Says how many labels are likely wrong, and how many of them are left. */
  function summarise() {
    if (!told) return;
    const { likely, samples, folds } = told;
    const missing = folds.filter(({ status }) => status !== "finished").length;
    setText(
      summary,
      `${plural(likely, "label")} of ${count(samples)} ${likely === 1 ? "is" : "are"} likely wrong` +
        (likely > 0 ? `, ${count(open)} of them not looked at yet` : "") +
        (missing > 0 ? `. ${plural(missing, "fold")} of ${folds.length} ended early: their images are missing.` : "."),
    );
  }

  /** @param {LabelIssues} found @param {string} sweep */
  function list(found, sweep) {
    more.hidden = false;
    told = found;
    open = found.open;
    summarise();
    if (found.issues.length === 0) {
      body.replaceChildren(h("p", { class: "muted" }, "Every image has been looked at."));
      return;
    }
    const cards = found.issues.map(card);
    const next = h(
      "button",
      { class: "button", type: "button", on: { click: () => show(sweep).then(() => element.scrollIntoView()) } },
      "Show the next ones",
    );
    body.replaceChildren(
      h(
        "p",
        { class: "muted small issue-keys" },
        "The least likely label comes first. With an image in focus: ",
        h("kbd", {}, "Enter"),
        " relabels, ",
        h("kbd", {}, "X"),
        " excludes, ",
        h("kbd", {}, "K"),
        " keeps, ",
        h("kbd", {}, "U"),
        " undoes.",
      ),
      h(
        "ul",
        { class: "issues", on: { keydown: (/** @type {KeyboardEvent} */ event) => onKey(event, cards) } },
        ...cards.map(({ element }) => element),
      ),
      h("div", { class: "issue-next" }, next),
    );
  }

  /** @param {KeyboardEvent} event @param {ReturnType<typeof card>[]} cards */
  function onKey(event, cards) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = cards.findIndex(({ element }) => element === event.target);
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      event.preventDefault();
      cards[at + step]?.element.focus();
      return;
    }
    const action =
      KEYS[/** @type {keyof typeof KEYS} */ (event.key.length === 1 ? event.key.toLowerCase() : event.key)];
    if (!action) return;
    event.preventDefault();
    cards[at].act(action).then((done) => done && action !== "undo" && cards[at + 1]?.element.focus());
  }

  /** @param {LabelIssue} issue */
  function card(issue) {
    const { sample, label, suggested, quality } = issue;
    const name = issue.name ?? `Image ${count(sample)}`;
    const outcome = h("p", { class: "issue-outcome", hidden: true });
    const undo = button("Undo", "Undo", () => act("undo"));
    undo.hidden = true;
    const other = h(
      "select",
      {
        class: "select small",
        "aria-label": `Another class for ${name}`,
        on: { change: () => relabel(Number(other.value)) },
      },
      h("option", { value: "" }, "Other…"),
      ...classes.map((word, index) => (index === label ? null : h("option", { value: index }, word))),
    );
    // Where the suggestion is the label, the image is only uncertain.
    const accept =
      suggested === label
        ? null
        : button(classes[suggested], `Relabel ${name} as ${classes[suggested]}`, () => act("relabel"), "tonal");
    const choices = h(
      "div",
      { class: "issue-choices" },
      accept,
      other,
      button("Exclude", `Exclude ${name}`, () => act("exclude")),
      button("Keep", `Keep ${name} as ${classes[label]}`, () => act("keep")),
    );
    const card = h(
      "li",
      { class: "issue", tabindex: 0, "aria-label": `${name}, labelled ${classes[label]}` },
      samplePicture(set, sample, name),
      h(
        "div",
        { class: "issue-text" },
        h("p", { class: "issue-label" }, h("span", { class: "muted" }, "Labelled "), h("strong", {}, classes[label])),
        h(
          "p",
          { class: "small muted" },
          quality < 0.001 ? "hardly likely" : `${percent(quality)} likely`,
          suggested === label ? "" : `; rather ${classes[suggested]}`,
          issue.is_test ? " · test" : "",
        ),
        h("p", { class: "issue-name small muted", title: name }, name),
      ),
      choices,
      h("div", { class: "issue-done" }, outcome, undo),
    );

    /** @param {string} action @returns {Promise<boolean>} */
    async function act(action) {
      if (action === "relabel") return suggested === label ? false : relabel(suggested);
      if (action === "exclude") return change([{ action: "exclude", sample }], "Excluded");
      if (action === "keep") return change([{ action: "keep", sample }], `Kept as ${classes[label]}`);
      if (undo.hidden) return false;
      // The label that the folds were given may itself be a correction.
      return change([{ action: "relabel", sample, class: classes[label] }], "");
    }

    /** @param {number} to */
    const relabel = (to) => change([{ action: "relabel", sample, class: classes[to] }], `Relabelled as ${classes[to]}`);

    /** @param {LabelEdit[]} changes @param {string} words; none when the image is as before */
    async function change(changes, words) {
      card.setAttribute("aria-busy", "true");
      const done = await edit(changes, words || `${name} is as before`);
      card.removeAttribute("aria-busy");
      other.value = "";
      if (!done) return false;
      const isDone = words !== "";
      if (issue.is_likely) open += Number(choices.hidden) - Number(isDone);
      summarise();
      setText(outcome, words);
      card.classList.toggle("done", isDone);
      choices.hidden = isDone;
      outcome.hidden = undo.hidden = !isDone;
      return true;
    }

    /** @param {string} word @param {string} label @param {() => void} click @param {string} [tone] */
    function button(word, label, click, tone = "") {
      return h(
        "button",
        { class: `button small ${tone}`, type: "button", "aria-label": label, title: label, on: { click } },
        word,
      );
    }

    return { element: card, act };
  }

  return { element, show };
}
