// Names of networks: what is allowed, and free ones. No DOM here.

const LONGEST = 64;
/** Addresses of pages and routes that are no networks. */
const RESERVED = new Set(["new", "check", "import"]);

/** What is wrong with a name, or "". @param {string} name @param {ReadonlySet<string>} taken */
export function nameError(name, taken) {
  if (name === "") return "A network needs a name.";
  if (name.length > LONGEST) return `A name has at most ${LONGEST} characters.`;
  if (!/^[a-z]/.test(name)) return "A name begins with a letter from a to z.";
  if (!/^[a-z0-9_-]+$/.test(name)) return "A name has only letters from a to z, digits, hyphens and underscores.";
  if (RESERVED.has(name)) return `“${name}” cannot be a name.`;
  if (taken.has(name)) return `There is already a network named “${name}”.`;
  return "";
}

/** A free name that resembles a text, such as a file's name. @param {string} text @param {ReadonlySet<string>} taken */
export function freeName(text, taken) {
  const plain = text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, LONGEST - 4)
    .replace(/-+$/, "");
  const name = plain === "" || RESERVED.has(plain) ? "network" : plain;
  for (let number = 1; ; number += 1) {
    const next = number === 1 ? name : `${name}-${number}`;
    if (nameError(next, taken) === "") return next;
  }
}

/** 3x3 as it is read: 3×3. @param {string} text */
export const withTimes = (text) => text.replace(/(\d)x(\d)/g, "$1×$2");

/** The first paragraph below the title, in the string that a text begins with. @param {string} source */
export function summaryOf(source) {
  const [, said = ""] = source.match(/^\s*"""[^\n]*\n\s*\n([\s\S]*?)"""/) ?? [];
  return withTimes(
    said
      .trim()
      .split(/\n\s*\n/)[0]
      .replace(/\s+/g, " "),
  );
}
