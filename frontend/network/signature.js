// Reads the signatures of the language's words. No DOM here.

/**
 * The names of the arguments of `Conv2d(out, kernel, stride=1)`, with their defaults.
 * @param {string} signature
 * @returns {{ name: string, standard: string | null }[]}
 */
export function argumentsOf(signature) {
  const open = signature.indexOf("(");
  const close = signature.lastIndexOf(")");
  if (open < 0 || close < open) return [];
  return splitAtCommas(signature.slice(open + 1, close)).flatMap((part) => {
    const [, name, standard] = part.match(/^([A-Za-z_]\w*)\s*(?:=\s*(.*))?$/s) ?? [];
    return name ? [{ name, standard: standard === undefined || standard === "" ? null : standard }] : [];
  });
}

/** Splits at commas outside of brackets. @param {string} text */
function splitAtCommas(text) {
  /** @type {string[]} */
  const parts = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const char = text[at];
    if (char === "(" || char === "[") depth += 1;
    else if (char === ")" || char === "]") depth -= 1;
    else if ((char === "," && depth === 0) || at === text.length) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return parts;
}
