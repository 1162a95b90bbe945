// Writes tables as CSV (RFC 4180) that is safe to open in a spreadsheet.

/** @typedef {string | number | null} Cell */

/** @param {string[]} head @param {Iterable<Cell[]>} rows */
export function csv(head, rows) {
  const lines = [head.map(cell).join(",")];
  for (const row of rows) lines.push(row.map(cell).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/**
 * A cell as CSV. Numbers are unchanged. Text that a spreadsheet would read as a formula gets a leading apostrophe; text
 * with commas, quotes or line breaks is quoted.
 * @param {Cell} value
 */
export function cell(value) {
  if (value === null) return "";
  if (typeof value === "number") return Number.isNaN(value) ? "NaN" : String(value).replace("Infinity", "inf");
  const text = /^[\s]*[=+\-@]|^[\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) || text !== value ? `"${text.replaceAll('"', '""')}"` : text;
}
