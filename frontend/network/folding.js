// Folds the parameters of a function, whose options take more lines than what the function does. What is left reads as
// its signature: `def mlp(classes, hidden=[128, 64], activation=ReLU):`.

import {
  codeFolding,
  foldEffect,
  foldGutter,
  foldService,
  pythonLanguage,
  syntaxTree,
} from "../../static/vendor/codemirror/codemirror.js";
import { h } from "../lib/dom.js";

/** @import { EditorState, EditorView } from "../../static/vendor/codemirror/codemirror.js" */

/** @typedef {ReturnType<typeof pythonLanguage.parser.parse>} Tree */
/** @typedef {Tree["topNode"]} Node */

/** Lists of parameters with fewer lines than this are not folded at first. */
const FEW_LINES = 5;

/** Longer lists are counted: the defaults would be a wall of numbers. */
const LONG_LIST = 120;

/** Longer calls are cut after their first argument. */
const LONG_CALL = 40;

export const folding = [
  foldService.of((state, lineStart, lineEnd) => {
    const lists = parameterLists(syntaxTree(state));
    return lists.map(within).find(({ from, to }) => from > lineStart && from <= lineEnd && to > lineEnd) ?? null;
  }),
  codeFolding({
    preparePlaceholder: (state, { from }) => {
      const list = parameterLists(wholeTree(state)).find((each) => within(each).from === from);
      return list ? signature(list, (a, b) => state.sliceDoc(a, b)) : "…";
    },
    // Not a button: the text breaks across lines like the text around it.
    placeholderDOM: (_, onclick, text) =>
      h("span", { class: "cm-foldPlaceholder", title: "Show all of it", on: { click: onclick } }, text),
  }),
  foldGutter(),
];

/** Folds all long lists of parameters, and begins with the network's own function, which is the last. @param {EditorView} view */
export function foldParameters(view) {
  const { state } = view;
  const lineOf = (/** @type {number} */ at) => state.doc.lineAt(at).number;
  const lists = parameterLists(wholeTree(state));
  const long = lists.filter(({ from, to }) => lineOf(to) - lineOf(from) >= FEW_LINES);
  view.dispatch({ effects: long.map((list) => foldEffect.of(within(list))) });
  const last = lists.at(-1);
  if (!last) return;
  beginWith(view, last.from);
}

/**
 * Scrolls so that a place is at the top, and tells style sheets how high the text from there on is (`--text-height`) and whether it
 * goes on below (`is-cut`). Not by an effect, which would scroll the page too. The heights of lines that were
 * never shown are estimates, so that a few tries may be needed.
 * @param {EditorView} view @param {number} place
 */
function beginWith(view, place, tries = 3) {
  view.requestMeasure({
    read: () => ({
      top: view.lineBlockAt(place).top + view.documentPadding.top,
      height: view.lineBlockAt(view.state.doc.length).bottom - view.lineBlockAt(place).top,
    }),
    write: ({ top, height }) => {
      const { scrollDOM, contentDOM, root } = view;
      if (root instanceof ShadowRoot && root.host instanceof HTMLElement) {
        root.host.style.setProperty("--text-height", `${Math.ceil(height)}px`);
        // The last line is empty.
        root.host.classList.toggle("is-cut", height - view.defaultLineHeight > scrollDOM.clientHeight);
      }
      if (scrollDOM.scrollHeight <= scrollDOM.clientHeight) return;
      // So that the function can begin at the top, however short it is.
      contentDOM.style.paddingBottom = `${scrollDOM.clientHeight - view.defaultLineHeight}px`;
      scrollDOM.scrollTop = top;
      if (tries > 1) beginWith(view, place, tries - 1);
    },
  });
}

/** The tree of all of a text: the editor's own is of its first lines until it has had the time. @param {EditorState} state */
const wholeTree = (state) => pythonLanguage.parser.parse(state.doc.toString());

/** The lists of parameters of a text's functions. @param {Tree} tree */
export function parameterLists(tree) {
  return tree.topNode.getChildren("FunctionDefinition").flatMap((made) => made.getChildren("ParamList"));
}

/** What stands between the brackets. @param {Node} list */
const within = ({ from, to }) => ({ from: from + 1, to: to - 1 });

/**
 * A list of parameters in one line, where an option is its default alone; of a long list, how many options there are.
 * @param {Node} list
 * @param {(from: number, to: number) => string} textOf
 */
export function signature(list, textOf) {
  /** @type {{ name: string, value: string }[]} */
  const parameters = [];
  let isNext = true;
  for (let node = list.firstChild?.nextSibling; node?.nextSibling; node = node.nextSibling) {
    if (node.name === "Comment") continue;
    if (node.name === ",") {
      isNext = true;
      continue;
    }
    if (isNext) parameters.push({ name: "", value: "" });
    isNext = false;
    const parameter = parameters[parameters.length - 1];
    if (node.name === "AssignOp" || parameter.value !== "") parameter.value += shortText(node, textOf);
    else parameter.name += textOf(node.from, node.to);
  }
  const whole = parameters.map(({ name, value }) => name + value).join(", ");
  if (whole.length <= LONG_LIST) return whole;
  const given = parameters.filter(({ value }) => value === "").map(({ name }) => name);
  return [...given, `${parameters.length - given.length} options`].join(", ");
}

/**
 * The default in `option(default, …)`, and of other long calls the first argument.
 * @param {Node} node
 * @param {(from: number, to: number) => string} textOf
 */
function shortText(node, textOf) {
  const text = textOf(node.from, node.to);
  const called = node.name === "CallExpression" ? node.firstChild : null;
  const first = node.getChild("ArgList")?.firstChild?.nextSibling;
  if (!called || !first) return text;
  const name = textOf(called.from, called.to);
  const value = textOf(first.from, first.to);
  if (name === "option") return value;
  return text.length > LONG_CALL ? `${name}(${value}, …)` : text;
}
