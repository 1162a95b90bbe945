// The tools for Markdown: each changes the selected text of a field.

/** A change of a field's text: `from` to `to` becomes `text`; then `select` is selected. @typedef {{ from: number, to: number, text: string, select: [from: number, to: number] }} Edit */
/** @typedef {{ value: string, selectionStart: number, selectionEnd: number }} Selected */
/** @typedef {{ title: string, label: string, key?: string, edit: (field: Selected) => Edit }} Tool */

/** @type {Tool[]} */
export const TOOLS = [
  { title: "Heading", label: "H", edit: prefix("## ") },
  { title: "Bold (Ctrl+B)", label: "B", key: "b", edit: wrap("**", "bold") },
  { title: "Italic (Ctrl+I)", label: "I", key: "i", edit: wrap("*", "italic") },
  { title: "List", label: "•", edit: prefix("- ") },
  { title: "Quote", label: "❝", edit: prefix("> ") },
];

/** @param {string} sign @param {string} plain the text if nothing is selected @returns {Tool["edit"]} */
function wrap(sign, plain) {
  return ({ value, selectionStart: from, selectionEnd: to }) => {
    const marked = value.slice(from, to) || plain;
    const start = from + sign.length;
    return { from, to, text: `${sign}${marked}${sign}`, select: [start, start + marked.length] };
  };
}

/** Begins each selected line with a sign. @param {string} sign @returns {Tool["edit"]} */
function prefix(sign) {
  return ({ value, selectionStart, selectionEnd }) => {
    const from = value.lastIndexOf("\n", selectionStart - 1) + 1;
    const to = Math.max(selectionEnd, from);
    const text = value
      .slice(from, to)
      .split("\n")
      .map((line) => `${sign}${line}`)
      .join("\n");
    return { from, to, text, select: [from + text.length, from + text.length] };
  };
}
