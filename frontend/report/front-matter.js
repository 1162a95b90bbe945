// Author, course and date of a report: front matter at the beginning of its text, as Pandoc and Jekyll read it. A report
// without it, or whose first lines are something else, is Markdown from its first line on.

import { safeLocalStorage } from "../lib/storage.js";

/** @import { SafeStorage } from "../lib/storage.js" */

/** @typedef {{ author: string, course: string, date: string }} About `date` as YYYY-MM-DD, or as it was written */

/** @type {{ name: keyof About, label: string }[]} */
export const ABOUT = [
  { name: "author", label: "Author" },
  { name: "course", label: "Course" },
  { name: "date", label: "Date" },
];

const BLOCK = /^---[ \t]*\r?\n((?:(?:author|course|date):.*\r?\n)+)---[ \t]*(?:\r?\n|$)(?:\r?\n)?/;
/** Values that YAML reads as the text that they are. */
const PLAIN = /^[\p{L}\p{N}](?:[\p{L}\p{N} .,()/&+'-]*[\p{L}\p{N}.)])?$/u;
const KEY = "vivarium.report.about";

/** @param {string} text @returns {{ about: About, body: string }} */
export function readFrontMatter(text) {
  const about = { author: "", course: "", date: "" };
  const found = BLOCK.exec(text);
  if (!found) return { about, body: text };
  for (const line of found[1].split(/\r?\n/)) {
    const [, name, value] = /^(\w+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name) about[/** @type {keyof About} */ (name)] = unquoted(value);
  }
  return { about, body: text.slice(found[0].length) };
}

/** @param {About} about @param {string} body @returns {string} */
export function writeFrontMatter(about, body) {
  const lines = ABOUT.flatMap(({ name }) => {
    const value = about[name].replace(/\s+/g, " ").trim();
    return value === "" ? [] : [`${name}: ${PLAIN.test(value) ? value : JSON.stringify(value)}`];
  });
  return lines.length === 0 ? body : `---\n${lines.join("\n")}\n---\n\n${body}`;
}

/** @param {string} value */
function unquoted(value) {
  if (!value.startsWith('"')) return value.replace(/^'(.*)'$/, "$1");
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}

/** A date in words: "2026-11-29" → "29 November 2026". Other texts stay as they are. @param {string} date */
export function dateWords(date) {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(date) ? new Date(`${date}T12:00:00`) : null;
  return at && !Number.isNaN(at.getTime()) ? at.toLocaleDateString("en-GB", { dateStyle: "long" }) : date;
}

/** The line below the title. @param {About} about @returns {string[]} */
export const byline = ({ author, course, date }) => [author, course, dateWords(date)].filter(Boolean);

/**
 * A new report's text with author and course of the last one, and today's date.
 * @param {string} body
 * @param {SafeStorage} [storage]
 * @param {Date} [now]
 */
export function withUsualFrontMatter(body, storage = safeLocalStorage, now = new Date()) {
  /** @type {{ author?: unknown, course?: unknown }} */
  let usual = {};
  try {
    usual = JSON.parse(storage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    // What is stored is not ours.
  }
  const two = (/** @type {number} */ of) => String(of).padStart(2, "0");
  return writeFrontMatter(
    {
      author: String(usual.author ?? ""),
      course: String(usual.course ?? ""),
      date: `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`,
    },
    body,
  );
}

/** Keeps author and course for the next report. @param {About} about @param {SafeStorage} [storage] */
export function rememberFrontMatter({ author, course }, storage = safeLocalStorage) {
  storage.setItem(KEY, JSON.stringify({ author, course }));
}
