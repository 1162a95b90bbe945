// A figure's source text: a fenced block whose first line names the kind, followed by one setting per line.
//
//     ```figure curve
//     series: validation_accuracy
//     runs: sweep 01a2…
//     caption: What a batch of 16 does.
//     ```

/** @typedef {{ kind: string, settings: Map<string, string> }} Block */

const WORD = "figure";

/** An error in a figure, with a message for the author. */
export class FigureError extends Error {}

/**
 * The kind of figure of a fenced block; null for other blocks.
 * @param {string | undefined} language the text after the three backticks
 */
export function kindOf(language) {
  const [word, kind, ...more] = (language ?? "").trim().split(/\s+/);
  return word === WORD && more.length === 0 ? (kind ?? "") : null;
}

/** Parses a block. @param {string} kind @param {string} text @returns {Block} */
export function readBlock(kind, text) {
  /** @type {Map<string, string>} */
  const settings = new Map();
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const found = /^\s*([a-z_]+)\s*:\s*(.*?)\s*$/.exec(line);
    if (!found) throw new FigureError(`“${line.trim()}” is not a setting: it must be a name, a colon and a value.`);
    const [, name, value] = found;
    if (settings.has(name)) throw new FigureError(`“${name}” is given twice.`);
    settings.set(name, value);
  }
  return { kind, settings };
}

/**
 * Writes a block. Line breaks in values become spaces, since a line break ends a setting.
 * @param {Block} block
 * @returns {string}
 */
export function writeBlock({ kind, settings }) {
  const lines = [...settings]
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${value.replace(/\s*\n\s*/g, " ").trim()}`);
  return [`\`\`\`${WORD} ${kind}`, ...lines, "```"].join("\n");
}
