// Completion in a network's text: modules, functions, keywords, and the arguments of the call around the cursor.

import { syntaxTree } from "../../static/vendor/codemirror/codemirror.js";
import { argumentsOf } from "./signature.js";

/** @import { Language, Word } from "./types" */

/** The keywords that the language has; Python has more. */
const KEYWORDS = [
  ..."and assert break continue def elif else for if in is lambda not or pass raise return while".split(" "),
  ...["False", "None", "True"],
];

/** @param {Language} language */
export function completionSource({ modules, functions }) {
  const words = [
    ...modules.map((word) => option(word, "class", 1)),
    ...functions.map((word) => option(word, "function", 0)),
    ...KEYWORDS.map((label) => ({ label, type: "keyword", boost: -1 })),
  ];
  const signatures = signaturesOf({ modules, functions });
  /** @param {any} context */
  return (context) => {
    const word = context.matchBefore(/\w*/);
    if (!context.explicit && (!word || word.from === word.to)) return null;
    const node = syntaxTree(context.state).resolveInner(context.pos, -1);
    if (["Comment", "String", "FormatString", "Number"].includes(node.name)) return null;
    const from = word?.from ?? context.pos;
    if (context.state.sliceDoc(from - 1, from) === ".") return null;
    return {
      from,
      options: [...argumentOptions(calledName(context.state, node), signatures), ...words],
      validFor: /^\w*$/,
    };
  };
}

/** @param {Language} language @returns {Map<string, Word>} */
export const signaturesOf = ({ modules, functions }) =>
  new Map([...modules, ...functions].map((word) => [word.name, word]));

/** @param {Word} word @param {string} type @param {number} boost */
function option({ name, signature, help }, type, boost) {
  return {
    label: name,
    type,
    boost,
    detail: signature.startsWith(name) ? signature.slice(name.length) : "",
    info: help,
  };
}

/** @param {string | null} name @param {Map<string, Word>} signatures */
function argumentOptions(name, signatures) {
  const word = name === null ? undefined : signatures.get(name);
  if (!word) return [];
  return argumentsOf(word.signature).map((argument) => ({
    label: `${argument.name}=`,
    type: "property",
    boost: 2,
    detail: argument.standard === null ? "" : argument.standard,
    info: word.help,
  }));
}

/** The function whose arguments a node is among. @param {any} state @param {any} node @returns {string | null} */
function calledName(state, node) {
  for (let at = node; at; at = at.parent) {
    if (at.name !== "ArgList") continue;
    const called = at.parent?.firstChild;
    return called?.name === "VariableName" ? state.sliceDoc(called.from, called.to) : null;
  }
  return null;
}
