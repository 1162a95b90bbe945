// The editor's look, from the site's tokens, so that it follows the theme.

import { EditorView, HighlightStyle, syntaxHighlighting, tags } from "../../static/vendor/codemirror/codemirror.js";

const look = EditorView.theme({
  "&": {
    color: "var(--ink)",
    backgroundColor: "var(--surface)",
    fontSize: "var(--code-size, var(--text-s))",
    height: "100%",
  },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-line": { padding: "0 12px 0 6px" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "1.5px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--live) 24%, transparent)",
  },
  "& ::selection": { backgroundColor: "color-mix(in srgb, var(--live) 24%, transparent)" },
  // A style sheet may leave out the numbers.
  ".cm-lineNumbers": { display: "var(--line-numbers, flex) !important" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-3)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 6px 0 4px", minWidth: "26px" },
  // Who reads has no line of their own.
  "&.cm-focused .cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--ink) 4%, transparent)" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  ".cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLineGutter": {
    backgroundColor: "color-mix(in srgb, var(--ink) 4%, transparent)",
    color: "var(--ink)",
  },
  ".cm-lit": { backgroundColor: "var(--accent-soft)" },
  "&.cm-focused .cm-matchingBracket, .cm-matchingBracket": {
    backgroundColor: "color-mix(in srgb, var(--accent) 22%, transparent)",
    outline: "1px solid color-mix(in srgb, var(--accent) 45%, transparent)",
  },
  "&.cm-focused .cm-nonmatchingBracket": { color: "var(--bad)", backgroundColor: "var(--bad-soft)" },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--warn) 18%, transparent)" },
  ".cm-searchMatch": { backgroundColor: "color-mix(in srgb, var(--warn) 28%, transparent)" },
  ".cm-searchMatch-selected": { backgroundColor: "color-mix(in srgb, var(--warn) 55%, transparent)" },
  ".cm-foldGutter .cm-gutterElement": { color: "var(--ink-3)", cursor: "pointer" },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--calm-soft)",
    border: "none",
    color: "var(--ink-2)",
    padding: "0 4px",
  },
  // The library's marks have colours of their own, which are too light on one of the two themes.
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--bad) 1.5px",
    textUnderlineOffset: "3px",
    textDecorationSkipInk: "none",
  },
  ".cm-gutter-lint": { width: "14px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "0 2px" },
  ".cm-lint-marker": { width: "10px", height: "100%" },
  ".cm-lint-marker-error": { content: "none", position: "relative" },
  ".cm-lint-marker-error::after": {
    content: '""',
    position: "absolute",
    inset: "calc(50% - 4px) auto auto 1px",
    width: "8px",
    height: "8px",
    borderRadius: "50%",
    backgroundColor: "var(--bad)",
  },
  ".cm-diagnostic": { fontFamily: "var(--font)", padding: "4px 8px", maxWidth: "52ch", whiteSpace: "normal" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    border: "1px solid var(--line)",
    borderRadius: "var(--radius-m)",
    boxShadow: "var(--shadow-float)",
    color: "var(--ink)",
    overflow: "hidden",
    zIndex: 15,
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "14em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--ink-2)", fontStyle: "normal", marginLeft: "0.3em" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionIcon": { display: "none" },
  ".cm-tooltip.cm-completionInfo": {
    padding: "8px 12px",
    maxWidth: "34ch",
    fontFamily: "var(--font)",
    overflow: "visible",
  },
  ".cm-word-help": { padding: "8px 12px", maxWidth: "46ch", fontFamily: "var(--font)" },
  ".cm-word-help code": { fontFamily: "var(--mono)", display: "block", marginBottom: "2px" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)", fontFamily: "var(--font)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "6px 28px 6px 8px" },
  ".cm-panel.cm-search label": { fontSize: "var(--text-xs)", whiteSpace: "nowrap" },
  ".cm-textfield": {
    backgroundColor: "var(--surface)",
    border: "1px solid var(--control)",
    borderRadius: "var(--radius-s)",
    padding: "3px 8px",
    fontSize: "var(--text-s)",
  },
  ".cm-button": {
    backgroundImage: "none",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--line-strong)",
    borderRadius: "var(--radius-s)",
    padding: "3px 8px",
    fontSize: "var(--text-s)",
    textTransform: "capitalize",
  },
  ".cm-panel button[name=close]": { fontSize: "18px", color: "var(--ink-2)", inset: "4px 8px auto auto" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--bad-soft)" },
  "&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine": { backgroundColor: "var(--good-soft)" },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": {
    background: "color-mix(in srgb, var(--bad) 26%, transparent)",
  },
  "&.cm-merge-b .cm-changedText": { background: "color-mix(in srgb, var(--good) 26%, transparent)" },
  "@media print": {
    "&": { height: "auto" },
    ".cm-scroller": { overflow: "visible" },
    ".cm-cursorLayer": { display: "none" },
  },
  // The library's marks are missing in many fonts.
  "&.cm-editor .cm-collapsedLines": {
    background: "var(--sunken)",
    color: "var(--ink-2)",
    "&:before, &:after": { content: '"⋯"' },
  },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword, tags.operatorKeyword], color: "var(--data-4)" },
  { tag: [tags.string, tags.special(tags.string)], color: "color-mix(in srgb, var(--data-3) 85%, var(--ink))" },
  { tag: [tags.number, tags.bool, tags.null], color: "color-mix(in srgb, var(--data-2) 85%, var(--ink))" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  { tag: tags.function(tags.variableName), color: "var(--data-1)" },
  { tag: tags.function(tags.definition(tags.variableName)), color: "var(--data-1)", fontWeight: "600" },
  { tag: tags.propertyName, color: "var(--ink)" },
  { tag: [tags.operator, tags.punctuation, tags.bracket], color: "var(--ink-2)" },
]);

export const editorTheme = [look, syntaxHighlighting(colours)];
