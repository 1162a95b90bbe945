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
 * @param {{ classes: string[], typical: number[][], store: ReturnType<typeof labelStore>, onDone: () => void }} of `typical`:
 *   images of each class; `onDone`: something was done, and the next image is to be looked at
 */
export function issueCard(issue, { classes, typical, store, onDone }) {
  const { sample, label, suggested, suggested_probability: likeliest, quality, imported } = issue;
  const name = issue.name ?? `Image ${count(sample)}`;
  /** The folder is the label. */
  const shortName = issue.name?.split("/").at(-1) ?? `#${count(sample)}`;
  const now = () => store.stateOf(sample, imported);
  let isPending = false;

  const outcome = h("p", { class: "issue-outcome" });
  const undo = button("Undo", "Undo", () => act("undo"));
  const { set } = store.labels();
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
    h("option", { value: "" }, "Other…"),
    ...others,
  );
  const choices = h(
    "div",
    { class: "issue-choices" },
    classButton("Keep", label, quality, issue.label_mean, () => act("keep")),
    suggested === label
      ? null
      : classButton("Relabel", suggested, likeliest, issue.suggested_mean, () => act("relabel")),
    button("Exclude", `Exclude ${name}`, () => act("exclude")),
    others.length > 0 ? other : null,
  );
  const element = h(
    "li",
    { class: "issue", tabindex: -1, "aria-label": `${name}, labelled ${classes[label]}` },
    samplePicture(set, sample, name),
    h(
      "div",
      { class: "issue-heading" },
      h("span", { class: "issue-name", title: name }, shortName),
      issue.is_test && h("span", { title: "Of the test split" }, "test"),
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

  /**
   * Gives the image a class: a typical image of it, its name, and how probable it is.
   * @param {"Keep" | "Relabel"} word @param {number} of the class @param {number} value @param {number | null} mean of the images
   *   with that label @param {() => void} click
   */
  function classButton(word, of, value, mean, click) {
    const [picture] = typical[of] ?? [];
    const usual = mean === null ? "" : `: ${probabilityText(mean)} probable on average on images with that label`;
    return h(
      "button",
      {
        class: word === "Relabel" ? "button issue-class is-suggested" : "button issue-class",
        type: "button",
        title: `${word} as ${classes[of]}${usual}`,
        on: { click },
      },
      picture === undefined ? null : samplePicture(set, picture, ""),
      h("span", {}, word),
      h("span", {}, probabilityText(value)),
      h("b", {}, classes[of]),
    );
  }

  /** @param {string} word @param {string} title @param {() => void} click */
  function button(word, title, click) {
    return h("button", { class: "button small", type: "button", "aria-label": title, title, on: { click } }, word);
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
