// The server's report on an upload, and the form that accepts it as a data set.

import { Problem } from "../lib/request.js";
import { h, setText } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";

/** @import { Draft, Fault } from "../lib/types" */

/** At most this many files are named; the rest is counted. */
const MAX_NAMED = 50;

/**
 * @param {Draft} draft
 * @param {(set: string) => string} titleOf the title of a known set
 * @param {(wish: { set: string, title: string, skip_unreadable: boolean }) => Promise<void>} accept
 * @param {() => void} discard
 */
export function reportPart({ file, suggestion, report }, titleOf, accept, discard) {
  const unreadable = report.unreadable.length;
  const name = h("input", {
    class: "input",
    id: "draft-set",
    value: suggestion,
    maxlength: 40,
    spellcheck: false,
    autocomplete: "off",
    "aria-describedby": "draft-error",
  });
  const title = h("input", {
    class: "input",
    id: "draft-title",
    value: report.known ? titleOf(report.known) : file.replace(/(\.tar)?\.[^.]*$/, ""),
    maxlength: 100,
    autocomplete: "off",
  });
  const skip = h("input", { type: "checkbox", id: "draft-skip" });
  const trouble = h("p", { class: "field-error", id: "draft-error", role: "alert", hidden: true });
  const button = h("button", { class: "button primary", type: "submit" }, icon("check", 14), "Accept");
  const most = Math.max(1, ...report.classes.map(({ images }) => images));
  const classes = report.classes.map(({ name: of, images }) =>
    h(
      "li",
      {},
      h("span", { class: "class-name", title: of }, of),
      h(
        "span",
        { class: "class-count" },
        count(images),
        h("span", { class: "bar", vars: { share: images / most } }, h("span")),
      ),
    ),
  );

  const allow = () => {
    button.disabled = unreadable > 0 && !skip.checked;
  };
  skip.addEventListener("change", allow);
  allow();

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    trouble.hidden = true;
    try {
      await accept({
        set: name.value.trim(),
        title: title.value.trim() || name.value.trim(),
        skip_unreadable: skip.checked,
      });
    } catch (error) {
      const words =
        error instanceof Problem && error.errors.length > 0
          ? error.errors.map(({ path, message }) => `${path === "set" ? "The name" : path} ${message}.`).join(" ")
          : String(error instanceof Error ? error.message : error);
      setText(trouble, words);
      trouble.hidden = false;
      name.focus();
      allow();
    }
  }

  return h(
    "form",
    { class: "report", novalidate: true, on: { submit } },
    h("h2", {}, `${file}: ${plural(report.images, "image")} in ${plural(report.classes.length, "class", "classes")}`),
    h(
      "p",
      { class: "muted" },
      sizes(report),
      report.photos
        ? ` They are kept as they are; runs take them at ${report.side}×${report.side} ${report.channels === 1 ? "in grey" : "in colour"} unless told otherwise.`
        : ` Stored ${report.side}×${report.side} ${report.channels === 1 ? "in grey" : "in colour"}.`,
    ),
    report.known &&
      suggestion === report.known &&
      h(
        "p",
        { class: "notice good" },
        icon("check", 14),
        h("span", {}, `These are the files of ${titleOf(report.known)}.`),
      ),
    report.notes.length + report.warnings.length > 0 &&
      h(
        "div",
        { class: "notice warn report-notes" },
        icon("warning", 16),
        h(
          "ul",
          { class: "faults" },
          ...report.notes.map((note) => h("li", {}, note)),
          ...report.warnings.map((warning) => h("li", {}, warning.message, named(warning.files))),
        ),
      ),
    h("ul", { class: "report-classes" }, ...classes),
    unreadable > 0 && files("bad", `${plural(unreadable, "image")} cannot be read`, report.unreadable.map(words)),
    report.ignored.length > 0 && files("", `${plural(report.ignored.length, "other file")} ignored`, report.ignored),
    unreadable > 0 &&
      h(
        "label",
        { class: "report-skip", for: "draft-skip" },
        skip,
        `Accept the set without ${unreadable === 1 ? "it" : "them"}`,
      ),
    h(
      "div",
      { class: "report-names" },
      h("label", { for: "draft-title" }, "Title", title),
      h("label", { for: "draft-set" }, "Name in settings", name),
    ),
    trouble,
    h(
      "div",
      { class: "set-actions" },
      button,
      h("button", { class: "button", type: "button", on: { click: discard } }, "Discard"),
    ),
  );
}

/** @param {Fault} fault */
const words = ({ file, message }) => `${file}: ${message}`;

/** @param {Draft["report"]} report */
function sizes({ sizes: [[least, most], [low, high]], photos }) {
  if (least === most && low === high) return `All are ${least}×${low} pixels.`;
  const middle = photos ? `, half of them at least ${photos.width[1]} by ${photos.height[1]}` : "";
  return `From ${least} to ${most} pixels wide, ${low} to ${high} high${middle}.`;
}

/** What a warning is about. @param {string[]} files */
function named(files) {
  if (files.length === 0) return null;
  return h(
    "details",
    { class: "report-named" },
    h("summary", {}, files.length === 1 ? "Which one" : `Which ones (${count(files.length)})`),
    h("ul", {}, ...files.map((file) => h("li", {}, file))),
  );
}

/** @param {string} tone @param {string} title @param {string[]} names */
function files(tone, title, names) {
  const more = names.length > MAX_NAMED ? [h("li", {}, `and ${count(names.length - MAX_NAMED)} more`)] : [];
  return h(
    "details",
    { class: `notice ${tone} report-files`, open: tone === "bad" },
    h("summary", {}, title),
    h("ul", { class: "faults" }, ...names.slice(0, MAX_NAMED).map((name) => h("li", {}, name)), ...more),
  );
}
