// A suspected mistake: an image with its label, and what can be done about it. What the card says follows the set's
// labels, also where they were changed on another page.

import { h, setText } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { announce, attempt } from "../lib/shell.js";
import { samplePicture } from "./picture.js";
import { isSame } from "./store.js";
import { probabilityText } from "./words.js";

/** @import { Issue, LabelEdit } from "../lib/types" */
/** @import { labelStore } from "./store.js" */

/** Keys that would choose in a closed list, and so change a label unseen. */
const OPENS = new Set(["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"]);

/**
 * @param {Issue} issue
 * @param {{ classes: string[], store: ReturnType<typeof labelStore>, onDone: () => void }} of `onDone`: something was done,
 *   and the next image is to be looked at
 */
export function issueCard(issue, { classes, store, onDone }) {
  const { sample, label, suggested, suggested_probability: likeliest, quality, imported } = issue;
  const name = issue.name ?? `Image ${count(sample)}`;
  /** The folder is the label. */
  const shortName = issue.name?.split("/").at(-1) ?? `#${count(sample)}`;
  const now = () => store.stateOf(sample, imported);
  let isPending = false;

  const outcome = h("p", { class: "issue-outcome" });
  const undo = button("Undo", "Undo", () => act("undo"));
  /** Classes that no button gives. */
  const others = classes.flatMap((word, index) =>
    index === label || index === suggested ? [] : [h("option", { value: index }, word)],
  );
  const other = h(
    "select",
    {
      class: "select small",
      title: "Another class",
      "aria-label": `Another class for ${name}`,
      on: {
        change: () => give(Number(other.value)),
        keydown: (/** @type {KeyboardEvent} */ event) => {
          if (!OPENS.has(event.key)) return;
          event.preventDefault();
          event.stopPropagation();
          other.showPicker?.();
        },
      },
    },
    h("option", { value: "" }, "…"),
    ...others,
  );
  const choices = h(
    "div",
    { class: "issue-choices" },
    suggested === label
      ? null
      : button(
          `→ ${classes[suggested]}`,
          `Relabel as ${classes[suggested]}: ${name}`,
          () => act("relabel"),
          "is-suggested",
        ),
    button("Keep", `Keep ${name} as ${classes[label]}`, () => act("keep")),
    button("Exclude", `Exclude ${name}`, () => act("exclude")),
    others.length > 0 ? other : null,
  );
  const element = h(
    "li",
    { class: "issue", tabindex: -1, "aria-label": `${name}, labelled ${classes[label]}` },
    samplePicture(store.labels().set, sample, name),
    issue.is_test && h("span", { class: "badge", title: "Of the test split" }, "test"),
    h(
      "div",
      { class: "issue-text" },
      h(
        "div",
        { class: "issue-heading" },
        h("span", { class: "issue-name", title: name }, shortName),
        h("span", {}, "probability"),
      ),
      h(
        "table",
        { class: "issue-probabilities" },
        h(
          "tbody",
          {},
          probability("", label, quality, issue.label_mean),
          suggested === label ? null : probability("→ ", suggested, likeliest, issue.suggested_mean),
        ),
      ),
    ),
    choices,
    h("div", { class: "issue-done" }, outcome, undo),
  );
  const controls = [...element.querySelectorAll("button, select")];

  /** Whether nobody has decided about the image. */
  function isOpen() {
    const state = now();
    return state.class === label && !state.kept;
  }

  /** @param {"relabel" | "exclude" | "keep" | "undo"} action */
  async function act(action) {
    if (isPending) return;
    if (action === "undo") {
      if (!isOpen()) await change({ action: "relabel", sample, class: classes[label] });
      return;
    }
    if (!isOpen()) return;
    if (action !== "relabel") return change({ action, sample });
    if (suggested === label) return announce("No other class is likelier. Choose one, exclude the image, or keep it.");
    return give(suggested);
  }

  /** The image is of a class. @param {number} index */
  async function give(index) {
    if (isPending || !isOpen()) return;
    await change(index === label ? { action: "keep", sample } : { action: "relabel", sample, class: classes[index] });
  }

  /** @param {LabelEdit} edit */
  async function change(edit) {
    const seen = now();
    isPending = true;
    element.setAttribute("aria-busy", "true");
    // Whoever goes on at once means the next image.
    onDone();
    const done = await attempt(() => store.change({ changes: [edit] }, () => isSame(now(), seen)));
    isPending = false;
    element.removeAttribute("aria-busy");
    other.value = "";
    show();
    if (done === false) announce(`${name} was changed elsewhere meanwhile: ${outcomeText()}`);
    else if (done) announce(`${name}: ${outcomeText()}`);
  }

  function outcomeText() {
    const state = now();
    if (state.class === null) return "Excluded";
    if (state.class !== label) return `Relabelled as ${classes[state.class]}`;
    return state.kept ? `Kept as ${classes[label]}` : "As before";
  }

  function show() {
    const open = isOpen();
    element.classList.toggle("done", !open);
    choices.hidden = !open;
    outcome.hidden = undo.hidden = open;
    setText(outcome, outcomeText());
  }

  /** How probable a class is, and in the hint on average on images with that label. @param {string} sign @param {number} of the class @param {number} value @param {number | null} mean */
  function probability(sign, of, value, mean) {
    return h(
      "tr",
      {},
      h("th", { title: classes[of] }, sign, classes[of]),
      h(
        "td",
        { title: mean === null ? "" : `${probabilityText(mean)} on average on images with that label` },
        probabilityText(value),
      ),
    );
  }

  /** @param {string} word @param {string} title @param {() => void} click @param {string} [look] */
  function button(word, title, click, look = "") {
    return h(
      "button",
      { class: `button small ${look}`, type: "button", "aria-label": title, title, on: { click } },
      word,
    );
  }

  show();
  return {
    element,
    issue,
    act,
    give,
    isOpen,
    /** Shows what the set's labels say now. */
    show,
    /** Whether Tab reaches the card and what is in it. @param {boolean} isReached */
    setReached(isReached) {
      for (const each of [element, ...controls]) each.setAttribute("tabindex", isReached ? "0" : "-1");
    },
  };
}
