// The editor of a report's text, with tools for Markdown. All edits use the browser's own editing commands, so that
// undo works.

import { h } from "../lib/dom.js";

/**
 * @typedef {{
 *   title: string,
 *   label: string,
 *   keys?: string,
 *   act: (editor: { wrap: (sign: string, plain: string) => void, prefix: (sign: string) => void, insert: (text: string)
 *     => void }) => void,
 * }} Tool
 */

/** @type {Tool[]} */
const TOOLS = [
  { title: "Heading", label: "H", act: ({ prefix }) => prefix("## ") },
  { title: "Bold (Ctrl+B)", label: "B", keys: "b", act: ({ wrap }) => wrap("**", "bold") },
  { title: "Italic (Ctrl+I)", label: "I", keys: "i", act: ({ wrap }) => wrap("*", "italic") },
  { title: "List", label: "•", act: ({ prefix }) => prefix("- ") },
  { title: "Quote", label: "❝", act: ({ prefix }) => prefix("> ") },
];

/**
 * @param {string} text
 * @param {{ onChange: (text: string) => void, onLine: (line: number) => void, onSave: () => void }} listeners
 */
export function editor(text, { onChange, onLine, onSave }) {
  const area = h("textarea", {
    class: "report-text",
    spellcheck: "true",
    "aria-label": "Text of the report, in Markdown",
    on: { input: () => onChange(area.value), keydown: keys },
  });
  area.value = text;
  const tools = TOOLS.map((tool) =>
    h(
      "button",
      {
        class: "button quiet small tool",
        type: "button",
        title: tool.title,
        "aria-label": tool.title,
        on: { click: () => use(tool) },
      },
      tool.label,
    ),
  );
  let line = -1;
  document.addEventListener("selectionchange", () => {
    if (document.activeElement !== area) return;
    const now = lineAt(area.selectionStart);
    if (now === line) return;
    line = now;
    onLine(line);
  });

  /** @param {number} place */
  const lineAt = (place) => area.value.slice(0, place).split("\n").length - 1;

  /** @param {KeyboardEvent} event */
  function keys(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const tool = TOOLS.find((one) => one.keys === event.key);
    if (tool) use(tool);
    else if (event.key === "s") onSave();
    else return;
    event.preventDefault();
  }

  /** @param {Tool} tool */
  function use(tool) {
    tool.act({ wrap, prefix, insert });
    area.focus();
  }

  /** Replaces the selection. @param {string} written */
  function insert(written) {
    area.focus();
    // `execCommand` is the only way to edit with undo; without it, the text is set directly.
    if (!document.execCommand("insertText", false, written)) {
      area.setRangeText(written, area.selectionStart, area.selectionEnd, "end");
      onChange(area.value);
    }
  }

  /** @param {string} sign @param {string} plain the text if nothing is selected */
  function wrap(sign, plain) {
    const { selectionStart: from, selectionEnd: to } = area;
    const marked = area.value.slice(from, to) || plain;
    insert(`${sign}${marked}${sign}`);
    area.setSelectionRange(from + sign.length, from + sign.length + marked.length);
  }

  /** Inserts a prefix in each selected line. @param {string} sign */
  function prefix(sign) {
    const from = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
    const to = Math.max(area.selectionEnd, from);
    area.setSelectionRange(from, to);
    insert(
      area.value
        .slice(from, to)
        .split("\n")
        .map((each) => `${sign}${each}`)
        .join("\n"),
    );
  }

  return {
    element: area,
    tools,
    insert,
    /** Inserts a block between empty lines, after the cursor's block. @param {string} block */
    insertBlock(block) {
      const { value, selectionEnd } = area;
      const end = value.indexOf("\n", selectionEnd);
      const at = end < 0 ? value.length : end;
      area.setSelectionRange(at, at);
      const before = value.slice(0, at);
      insert(
        `${before.trim() === "" ? "" : before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n"}${block}\n`,
      );
    },
    /**
     * Replaces lines.
     * @param {number} from
     * @param {number} to the last line
     * @param {string} written
     */
    replaceLines(from, to, written) {
      const lines = area.value.split("\n");
      const start = lines.slice(0, from).reduce((sum, each) => sum + each.length + 1, 0);
      const length = lines.slice(from, to + 1).join("\n").length;
      area.focus();
      area.setSelectionRange(start, start + length);
      insert(written);
    },
    /** Moves the cursor to a line and scrolls to it. @param {number} to */
    goTo(to) {
      const start = area.value
        .split("\n")
        .slice(0, to)
        .reduce((sum, each) => sum + each.length + 1, 0);
      line = to;
      area.focus({ preventScroll: true });
      area.setSelectionRange(start, start);
      // Lines wrap, so only the browser knows the cursor's position; it scrolls there when the field is blurred and
      // focused.
      area.blur();
      area.focus();
    },
    value: () => area.value,
    /** @param {string} next */
    set(next) {
      area.value = next;
    },
  };
}
