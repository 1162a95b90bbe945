// Sorts what the server says of a text: mistakes in the text, refused options, and the rest. No DOM here.

import { Problem } from "../lib/request.js";

/** @import { TextError } from "./types" */

/** A mistake in a text. `column` counts characters from 1. @typedef {{ line: number, column: number, message: string }} Mistake */

/**
 * `options` holds messages by the path of the option; `unknown` the names of options that the text does not have.
 * @typedef {{ mistakes: Mistake[], options: Map<string, string>, unknown: string[], other: string[] }} Findings
 */

/** @param {unknown} error @returns {Findings} */
export function findingsOf(error) {
  /** @type {Findings} */
  const findings = { mistakes: [], options: new Map(), unknown: [], other: [] };
  if (!(error instanceof Problem) || error.errors.length === 0) {
    findings.other.push(error instanceof Error ? error.message : String(error));
    return findings;
  }
  for (const each of /** @type {TextError[]} */ (error.errors)) {
    const message = withoutPlace(each.message);
    if (each.path.startsWith("options.")) findings.unknown.push(each.path.slice("options.".length));
    else if (each.path.startsWith("network.")) add(findings.options, optionOf(each.path), message);
    else if (each.line) findings.mistakes.push({ line: each.line, column: each.column ?? 1, message });
    else findings.other.push(each.path === "source" ? sentence(message) : `${each.path}: ${message}`);
  }
  return findings;
}

/** The message without the place, which is shown apart. @param {string} message */
const withoutPlace = (message) => message.replace(/^line \d+(, column \d+)?: /, "");

/** The option of a list's item. @param {string} path */
const optionOf = (path) => path.split(".").slice(0, 2).join(".");

/** @param {Map<string, string>} map @param {string} key @param {string} message */
const add = (map, key, message) => map.set(key, map.has(key) ? `${map.get(key)}; ${message}` : message);

/** @param {string} text */
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** @param {Mistake} mistake */
export const mistakeText = ({ line, column, message }) => `Line ${line}, column ${column}: ${message}`;
