// Lines that wrap go on below their own indentation, a step further: in Python the left edge says what a line belongs to.
// A style sheet may show a step of four spaces narrower: `--indent-step`.

import { Decoration, EditorView, RangeSetBuilder, ViewPlugin } from "../../static/vendor/codemirror/codemirror.js";

/** @typedef {Parameters<Parameters<typeof EditorView.updateListener.of>[0]>[0]} ViewUpdate */

/** Deeper lines hang as the deepest of these. Inline styles are refused by the site's content security policy. */
const DEEPEST = 10;
/** Spaces of a step. */
const STEP = 4;

/** The class of lines with so many steps before them. @param {number} steps */
const classOf = (steps) => `cm-hang-${steps}`;

const indent = Decoration.mark({ class: "cm-indent" });
const hanging = Array.from({ length: DEEPEST + 1 }, (_, steps) => Decoration.line({ class: classOf(steps) }));

/** @param {string} text */
const spacesOf = (text) => text.search(/[^ ]|$/);

/** How many steps a line is indented. @param {string} text */
export const stepsOf = (text) => Math.min(DEEPEST, Math.floor(spacesOf(text) / STEP));

/** @param {EditorView} view */
function decorate({ state, visibleRanges }) {
  const builder = /** @type {RangeSetBuilder<Decoration>} */ (new RangeSetBuilder());
  for (const { from, to } of visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = state.doc.lineAt(at);
      builder.add(line.from, line.from, hanging[stepsOf(line.text)]);
      const spaces = spacesOf(line.text);
      if (spaces > 0) builder.add(line.from, line.from + spaces, indent);
      at = line.to + 1;
    }
  }
  return builder.finish();
}

const plugin = ViewPlugin.fromClass(
  class {
    /** @param {EditorView} view */
    constructor(view) {
      this.decorations = decorate(view);
    }

    /** @param {ViewUpdate} update */
    update(update) {
      if (update.docChanged || update.viewportChanged) this.decorations = decorate(update.view);
    }
  },
  { decorations: (value) => value.decorations },
);

const SHOWN = `var(--indent-step, ${STEP}ch)`;

const styles = hanging.map((_, steps) => {
  const hang = `${steps + 1} * ${SHOWN}`;
  return [`.cm-line.${classOf(steps)}`, { paddingInlineStart: `calc(6px + ${hang})`, textIndent: `calc(-${hang})` }];
});

export const hangingIndent = [
  plugin,
  EditorView.theme({
    // By letter spacing, since a space is as wide as any other character.
    ".cm-indent": { letterSpacing: `calc(${SHOWN} / ${STEP} - 1ch)` },
    ...Object.fromEntries(styles),
  }),
];
