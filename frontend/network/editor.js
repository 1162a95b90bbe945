// The editor of a network's text: CodeMirror with Python's syntax, completion, and mistakes in place.
//
// It stands in a shadow root, where CodeMirror adds its styles as constructed style sheets: the site's content security
// policy forbids `<style>` elements.

import {
  autocompletion,
  bracketMatching,
  closeBrackets,
  closeBracketsKeymap,
  Compartment,
  completionKeymap,
  Decoration,
  defaultKeymap,
  drawSelection,
  EditorState,
  EditorView,
  foldKeymap,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSelectionMatches,
  history,
  historyKeymap,
  hoverTooltip,
  indentOnInput,
  indentUnit,
  indentWithTab,
  keymap,
  LanguageSupport,
  lineNumbers,
  lintGutter,
  lintKeymap,
  localCompletionSource,
  Prec,
  pythonLanguage,
  search,
  searchKeymap,
  setDiagnostics,
  StateEffect,
  StateField,
} from "../../static/vendor/codemirror/codemirror.js";
import { h } from "../lib/dom.js";
import { completionSource, signaturesOf } from "./completion.js";
import { editorTheme } from "./editor-theme.js";
import { foldParameters, folding } from "./folding.js";
import { hangingIndent } from "./hanging-indent.js";

/** @import { Language } from "./types" */
/** @import { Mistake } from "./problems.js" */

const lightLines = /** @type {typeof StateEffect.define<number[]>} */ (StateEffect.define)();
const lit = Decoration.line({ class: "cm-lit" });
/** The lines of the layers under the pointer. */
const litLines = StateField.define({
  create: () => Decoration.none,
  update(lines, change) {
    const effect = change.effects.find((each) => each.is(lightLines));
    if (!effect) return lines.map(change.changes);
    const { doc } = change.state;
    const inside = effect.value.filter((/** @type {number} */ line) => line >= 1 && line <= doc.lines);
    return Decoration.set([...new Set(inside)].sort((a, b) => a - b).map((line) => lit.range(doc.line(line).from)));
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** After Escape, Tab leaves the editor for two seconds, also if Escape closed a list of completions. */
const tabLeavesAfterEscape = EditorView.domEventHandlers({
  keydown(event, view) {
    if (event.key === "Escape") view.setTabFocusMode(2000);
  },
});

/** A quote that is typed after two of its kind ends a string, or begins one of three quotes: no more are added. */
const tripleQuotes = EditorView.inputHandler.of((view, from, to, typed) => {
  if (from !== to || (typed !== '"' && typed !== "'")) return false;
  if (view.state.sliceDoc(from - 2, from) !== typed + typed) return false;
  if (view.state.sliceDoc(from, from + 1) === typed) return false;
  view.dispatch({ changes: { from, insert: typed }, selection: { anchor: from + 1 }, userEvent: "input.type" });
  return true;
});

/** The extensions of every view of a text, also of a comparison. */
export const textView = [
  lineNumbers(),
  drawSelection(),
  // Half a window is too narrow for many lines, and paper does not scroll.
  EditorView.lineWrapping,
  new LanguageSupport(pythonLanguage),
  indentUnit.of("    "),
  EditorState.tabSize.of(4),
  editorTheme,
  hangingIndent,
];

/**
 * @param {string} source
 * @param {{
 *   language: Language,
 *   readOnly: boolean,
 *   onChange: (source: string) => void,
 *   onLine: (line: number) => void,
 *   onHover: (line: number | null) => void,
 *   onRefused: () => void,
 * }} options `onLine`: the line of the cursor; `onRefused`: someone typed in a text that cannot be changed
 */
export function textEditor(source, { language, readOnly, onChange, onLine, onHover, onRefused }) {
  const element = h("div", { class: "network-editor" });
  const root = element.attachShadow({ mode: "open" });
  const writable = new Compartment();
  let isReadOnly = readOnly;
  let line = 0;
  let hasMistakes = false;
  let litNow = "";
  /** @type {number | null} */
  let hovered = null;
  const support = new LanguageSupport(pythonLanguage, [
    pythonLanguage.data.of({ autocomplete: completionSource(language) }),
    pythonLanguage.data.of({ autocomplete: localCompletionSource }),
  ]);
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({ doc: source, extensions: extensions() }),
  });
  // Who reads wants to see what the network does; who edits wants to see all of it.
  if (readOnly) foldParameters(view);
  view.contentDOM.addEventListener("keydown", (event) => {
    const types = event.key.length === 1 || ["Backspace", "Delete", "Enter"].includes(event.key);
    if (isReadOnly && types && !event.ctrlKey && !event.metaKey && !event.altKey) onRefused();
  });

  function extensions() {
    return [
      lintGutter(),
      textView,
      support,
      writable.of(EditorState.readOnly.of(readOnly)),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      folding,
      history(),
      indentOnInput(),
      bracketMatching(),
      Prec.highest(tripleQuotes),
      closeBrackets(),
      autocompletion({ icons: false }),
      search(),
      highlightSelectionMatches(),
      help(language),
      litLines,
      Prec.highest(tabLeavesAfterEscape),
      keymap.of([
        ...closeBracketsKeymap,
        ...defaultKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...foldKeymap,
        ...completionKeymap,
        ...lintKeymap,
        indentWithTab,
      ]),
      EditorView.contentAttributes.of({
        "aria-label": "The network’s text",
        "aria-describedby": "editor-keys",
        // The content of a text that is read only has no focus of its own.
        tabindex: "0",
      }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(update.state.doc.toString());
        const now = update.state.doc.lineAt(update.state.selection.main.head).number;
        if (now === line) return;
        line = now;
        onLine(line);
      }),
      EditorView.domEventHandlers({ mousemove: (event) => hover(lineAt(event)), mouseleave: () => hover(null) }),
    ];
  }

  /** @param {MouseEvent} event */
  function lineAt(event) {
    const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
    return at === null ? null : view.state.doc.lineAt(at).number;
  }

  /** @param {number | null} now */
  function hover(now) {
    if (now === hovered) return;
    hovered = now;
    onHover(now);
  }

  return {
    element,
    value: () => view.state.doc.toString(),
    /** Replaces the text; undo brings it back. @param {string} text */
    set(text) {
      if (text !== view.state.doc.toString())
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    /** @param {boolean} now */
    setReadOnly(now) {
      isReadOnly = now;
      view.dispatch({ effects: writable.reconfigure(EditorState.readOnly.of(now)) });
    },
    /** @param {Mistake[]} mistakes */
    setMistakes(mistakes) {
      // Most texts have none, as the one before; every update has a price.
      if (mistakes.length === 0 && !hasMistakes) return;
      hasMistakes = mistakes.length > 0;
      view.dispatch(
        setDiagnostics(
          view.state,
          mistakes.map(({ line: number, column, message }) => ({
            ...rangeOf(view.state, number, column),
            severity: /** @type {const} */ ("error"),
            message,
          })),
        ),
      );
    },
    /** Lights up lines. @param {number[]} lines */
    light(lines) {
      const wanted = lines.join();
      if (wanted === litNow) return;
      litNow = wanted;
      view.dispatch({ effects: lightLines.of(lines) });
    },
    /** Puts the cursor on a line. @param {number} number @param {number} [column] */
    goTo(number, column) {
      const { doc } = view.state;
      const { from, to, text } = doc.line(Math.max(1, Math.min(number, doc.lines)));
      const at = column === undefined ? from + text.search(/\S|$/) : Math.min(from + column - 1, to);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    focus: () => view.focus(),
  };
}

/**
 * The word at a place, or else a character.
 * @param {EditorState} state
 * @param {number} number
 * @param {number} column
 */
function rangeOf(state, number, column) {
  const line = state.doc.line(Math.max(1, Math.min(number, state.doc.lines)));
  const at = Math.min(line.from + Math.max(0, column - 1), line.to);
  const word = state.wordAt(at);
  if (word && word.from <= at && word.to > at) return { from: at, to: word.to };
  return at < line.to ? { from: at, to: at + 1 } : { from: Math.max(line.from, line.to - 1), to: line.to };
}

/** Shows the signature and the help of the word under the pointer. @param {Language} language */
function help(language) {
  const words = signaturesOf(language);
  return hoverTooltip((view, at) => {
    const range = view.state.wordAt(at);
    const word = range && words.get(view.state.sliceDoc(range.from, range.to));
    if (!word) return null;
    return {
      pos: range.from,
      end: range.to,
      above: true,
      create: () => ({ dom: h("div", { class: "cm-word-help" }, h("code", {}, word.signature), word.help) }),
    };
  });
}
