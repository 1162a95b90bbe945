// A report's text as pieces: figures, and what is written between them. The editor has a field for each text and a card
// for each figure. Put together again, the pieces are the text to the letter.

import { kindOf } from "./block.js";
import { partsOf } from "./markdown.js";

/**
 * `lead` and `tail` are the blank lines around a text, which its field does not show. `block` is a figure's source.
 * @typedef {{ lead: string, text: string, tail: string, block: null }} TextPiece
 * @typedef {{ lead: "", text: "", tail: "", block: string }} FigurePiece
 * @typedef {TextPiece | FigurePiece} Piece
 */

const CLOSED = /\n[ \t]*(`{3,}|~{3,})[ \t]*$/;

/** A text without figures. @param {string} text @returns {TextPiece} */
const textPiece = (text) => ({ lead: "", text, tail: "", block: null });

/**
 * Text and figures in turn; the first and the last piece are texts, which may be empty.
 * @param {string} text
 * @returns {Piece[]}
 */
export function piecesOf(text) {
  const blocks = partsOf(text).filter(
    ({ token }) => token.type === "code" && kindOf(token.lang) !== null && CLOSED.test(token.raw.trimEnd()),
  );
  if (blocks.length === 0) return [textPiece(text)];
  const starts = startsOfLines(text);
  /** @type {Piece[]} */
  const pieces = [];
  let end = 0;
  for (const { from, to } of blocks) {
    pieces.push(between(text.slice(end, starts[from]), pieces.length === 0, false));
    end = (starts[to + 1] ?? text.length + 1) - 1;
    pieces.push({ lead: "", text: "", tail: "", block: text.slice(starts[from], end) });
  }
  pieces.push(between(text.slice(end), false, true));
  return pieces;
}

/** @param {string} raw @param {boolean} first @param {boolean} last @returns {TextPiece} */
function between(raw, first, last) {
  const lead = first ? "" : (/^(?:[^\S\n]*\n)*/.exec(raw)?.[0] ?? "");
  const rest = raw.slice(lead.length);
  const written = rest.trimEnd().length;
  // Spaces at the end of a line are being typed.
  const stop = last ? rest.length : Math.max(written, rest.indexOf("\n", written));
  return { lead, text: rest.slice(0, stop), tail: rest.slice(stop), block: null };
}

/** @param {string} text */
function startsOfLines(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** @param {Piece} piece @returns {string} */
export const sourceOf = ({ lead, text, tail, block }) => block ?? `${lead}${text}${tail}`;

/** @param {Piece[]} pieces */
export const joinPieces = (pieces) => pieces.map(sourceOf).join("");

/**
 * A text piece with other text, a blank line from the figures beside it.
 * @param {TextPiece} piece
 * @param {string} text
 * @param {{ first: boolean, last: boolean }} place
 * @returns {TextPiece}
 */
export function rewritten({ lead, tail }, text, { first, last }) {
  const apart = (/** @type {string} */ blank) => (blank.split("\n").length > 2 ? blank : "\n\n");
  if (text.trim() === "" && !(first && last))
    return { lead: first ? "" : last ? "\n" : "\n\n", text: "", tail: "", block: null };
  return { lead: first ? lead : apart(lead), text, tail: last ? tail : apart(tail), block: null };
}

/**
 * Inserts a block at the cursor's place: before the paragraph, heading or list that the cursor is at the start of, else
 * after the one that it is in. One blank line stays around it.
 * @param {string} text
 * @param {number} cursor
 * @param {string} block
 * @returns {{ text: string, at: number }} `at`: where the block begins
 */
export function withBlock(text, cursor, block) {
  const starts = startsOfLines(text);
  const line = starts.findLastIndex((start) => start <= cursor);
  const part = partsOf(text).find(({ from, to }) => from <= line && line <= to);
  let at = (starts[line + 1] ?? text.length + 1) - 1;
  if (part) {
    const begin = starts[part.from];
    const isBefore = text.slice(begin, cursor).trim() === "";
    at = isBefore ? begin : (starts[part.to + 1] ?? text.length + 1) - 1;
  }
  const before = text.slice(0, at).trimEnd();
  const after = text
    .slice(at)
    .replace(/^(?:[^\S\n]*\n)+/, "")
    .trimEnd();
  const head = before === "" ? "" : `${before}\n\n`;
  return { text: `${head}${block}\n${after === "" ? "" : `\n${after}\n`}`, at: head.length };
}

/**
 * The text with the part of a line before the part above it, or after the one below; null at the end.
 * @param {string} text
 * @param {number} line where the part begins
 * @param {-1 | 1} way
 * @returns {{ text: string, line: number } | null} `line`: where it begins then
 */
export function withMoved(text, line, way) {
  const parts = partsOf(text);
  const i = parts.findIndex(({ from }) => from === line);
  if (i < 0 || !parts[i + way]) return null;
  const [above, below] = way < 0 ? [parts[i - 1], parts[i]] : [parts[i], parts[i + 1]];
  const lines = text.split("\n");
  const [first, second] = [lines.slice(above.from, above.to + 1), lines.slice(below.from, below.to + 1)];
  const blank = lines.slice(above.to + 1, below.from);
  const gap = blank.length > 0 ? blank : [""];
  return {
    text: [...lines.slice(0, above.from), ...second, ...gap, ...first, ...lines.slice(below.to + 1)].join("\n"),
    line: way < 0 ? above.from : above.from + second.length + gap.length,
  };
}

/** The text without the part of a line, and without the blank lines below it. @param {string} text @param {number} line */
export function without(text, line) {
  const part = partsOf(text).find(({ from }) => from === line);
  if (!part) return text;
  const lines = text.split("\n");
  let end = part.to + 1;
  while (end < lines.length && lines[end].trim() === "") end += 1;
  return [...lines.slice(0, part.from), ...lines.slice(end)].join("\n");
}

/** @param {string} text @param {number} offset */
export const lineAt = (text, offset) => text.slice(0, offset).split("\n").length - 1;

/** @param {string} text @param {number} line */
export const startOfLine = (text, line) => startsOfLines(text)[line] ?? text.length;
