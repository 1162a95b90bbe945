// The editor of a report's text: fields for what is written, with tools for Markdown, and between them a card for each
// figure. “Source” shows the text as it is saved. Positions and lines are those of the saved text.

import { h } from "../lib/dom.js";
import { figureCard } from "./figure-card.js";
import { history } from "./history.js";
import { NumberNames } from "./number-names.js";
import { showReferences, writeReferences } from "./reference-names.js";
import { joinPieces, lineAt, piecesOf, rewritten, startOfLine, withBlock, without, withMoved } from "./pieces.js";
import { cursorIn, grow, textField } from "./text-field.js";
import { TOOLS } from "./text-tools.js";

/** @import { FigureCard } from "./figure-card.js" */
/** @import { Piece, TextPiece } from "./pieces.js" */
/** @import { Referable } from "./reference-names.js" */
/** @import { Sources } from "./sources.js" */
/** @import { Tool } from "./text-tools.js" */

/** What stands in the editor for a piece: a text's field or a figure's card. @typedef {{ area: HTMLTextAreaElement, card: null } | { area: null, card: FigureCard }} Place */

/**
 * @param {string} text
 * @param {Sources} sources
 * @param {{
 *   onChange: (text: string) => void,
 *   onLine: (line: number) => void,
 *   onFigure: (line: number) => void,
 *   onSave: () => void,
 * }} listeners `onFigure`: change the figure of a line
 */
export function editor(text, sources, { onChange, onLine, onFigure, onSave }) {
  const names = new NumberNames(sources);
  const undone = history({ text, cursor: text.length });
  const element = h("div", { class: "report-text", on: { keydown: keys, mousedown: toTheEnd } });
  /** @type {Piece[]} */
  let pieces = [];
  /** @type {Place[]} */
  let places = [];
  /** Cards by source, so that a change beside a figure leaves its card alone. @type {Map<string, FigureCard[]>} */
  let cards = new Map();
  let plain = false;
  /** The figures and tables of the report, by which references are shown. @type {Referable[]} */
  let figures = [];
  /** The field that the tools change. */
  let active = 0;
  let line = -1;

  /** A field shows names in place of ids, and what references read as. */
  const shown = (/** @type {string} */ source) => (plain ? source : showReferences(names.shown(source), figures));
  const written = (/** @type {string} */ now) => (plain ? now : names.source(writeReferences(now)));

  /** @param {string} next */
  function show(next) {
    pieces = plain ? [{ lead: "", text: next, tail: "", block: null }] : piecesOf(next);
    const before = cards;
    cards = new Map();
    places = pieces.map((piece, i) => (piece.block === null ? field(piece, i) : cardOf(piece.block, i, before)));
    element.classList.toggle("is-one", pieces.length === 1);
    element.replaceChildren(...places.map(({ area, card }) => card?.element ?? /** @type {HTMLElement} */ (area)));
    active = Math.min(active, places.length - 1);
    if (places[active].card) active -= 1;
    for (const { area } of places) if (area) grow(area);
  }

  /** @param {TextPiece} piece @param {number} i @returns {Place} */
  function field(piece, i) {
    const many = (pieces.length + 1) / 2;
    const part = many > 1 ? `, part ${i / 2 + 1} of ${many}` : "";
    const area = textField({
      label: `Text of the report${part}, in Markdown`,
      placeholder: many > 1 ? "Write here" : "Write here, in Markdown",
      spellcheck: !plain,
      source: written,
      onInput: () => typed(i, true),
      onCut: () => edit(i, { from: area.selectionStart, to: area.selectionEnd, text: "" }),
      onFocus: () => (active = i),
      onBlur: () => renew(i),
      onHistory: go,
    });
    area.value = shown(piece.text);
    return { area, card: null };
  }

  /** @param {string} block @param {number} i @param {Map<string, FigureCard[]>} before @returns {Place} */
  function cardOf(block, i, before) {
    const card = before.get(block)?.shift() ?? figureCard(block, sources);
    cards.set(block, [...(cards.get(block) ?? []), card]);
    card.use({
      change: () => onFigure(lineOf(i)),
      move(way) {
        const next = withMoved(value(), lineOf(i), way);
        if (!next) return;
        apply(next.text, startOfLine(next.text, next.line));
      },
      remove: () => apply(without(value(), lineOf(i)), offsetOf(i)),
      leave(way) {
        const area = /** @type {HTMLTextAreaElement} */ (places[i + way].area);
        const at = way < 0 ? area.value.length : 0;
        area.focus();
        area.setSelectionRange(at, at);
      },
    });
    return { area: null, card };
  }

  const value = () => joinPieces(pieces);
  /** Where a piece begins in the text. @param {number} i */
  const offsetOf = (i) => joinPieces(pieces.slice(0, i)).length + pieces[i].lead.length;
  /** @param {number} i */
  const lineOf = (i) => lineAt(value(), offsetOf(i));

  /** Where the cursor is in the text. @param {number} i */
  const cursorOf = (i) => {
    const { area } = places[i];
    return offsetOf(i) + (area ? cursorIn(area, written) : 0);
  };

  /** Takes over what a field has now. @param {number} i @param {boolean} typing */
  function typed(i, typing) {
    const { area } = places[i];
    const piece = pieces[i];
    if (!area || piece.block !== null) return;
    pieces[i] = rewritten(piece, written(area.value), {
      first: i === 0,
      last: i === pieces.length - 1,
    });
    grow(area);
    const now = value();
    const cursor = cursorOf(i);
    undone.push({ text: now, cursor }, typing);
    // A figure that was written or pasted becomes a card.
    if (!plain && piecesOf(pieces[i].text).length > 1) {
      show(now);
      focusAt(cursor);
    }
    onChange(now);
  }

  /** Changes a field's text. @param {number} i @param {{ from: number, to: number, text: string, select?: [number, number] }} change */
  function edit(i, { from, to, text: put, select }) {
    const { area } = places[i];
    if (!area) return;
    area.focus();
    area.setRangeText(put, from, to, "end");
    if (select) area.setSelectionRange(...select);
    typed(i, false);
  }

  /** Shows names for ids that were pasted, and the numbers that references have now. @param {number} i */
  function renew(i) {
    const { area } = places[i] ?? {};
    if (!area?.isConnected || written(area.value) !== pieces[i].text) return;
    const next = shown(pieces[i].text);
    if (next === area.value) return;
    const isWrittenIn = area === document.activeElement;
    // What is selected would be lost; it is renewed when the field is left.
    if (isWrittenIn && area.selectionStart !== area.selectionEnd) return;
    const cursor = cursorIn(area, written);
    area.value = next;
    grow(area);
    if (!isWrittenIn) return;
    const at = shown(pieces[i].text.slice(0, cursor)).length;
    area.setSelectionRange(at, at);
  }

  /** Shows a changed text, with the cursor at a place in it. @param {string} next @param {number} cursor */
  function apply(next, cursor) {
    undone.push({ text: next, cursor }, false);
    show(next);
    focusAt(cursor);
    onChange(next);
  }

  /** @param {"undo" | "redo"} way */
  function go(way) {
    const moment = undone.go(way);
    if (!moment) return;
    show(moment.text);
    focusAt(moment.cursor);
    onChange(moment.text);
  }

  /** Moves the cursor to a place in the text: into its field, or onto its card. @param {number} offset */
  function focusAt(offset) {
    let i = pieces.length - 1;
    while (i > 0 && offset < joinPieces(pieces.slice(0, i)).length) i -= 1;
    const { area, card } = places[i];
    if (!area) return card.focus();
    const at = shown(pieces[i].text.slice(0, Math.max(0, offset - offsetOf(i)))).length;
    active = i;
    area.focus({ preventScroll: true });
    area.setSelectionRange(at, at);
    reveal(area, at);
  }

  /** Scrolls to a position of a field, which grows with its text and so never scrolls itself. @param {HTMLTextAreaElement} area @param {number} at */
  function reveal(area, at) {
    const share = at / Math.max(1, area.value.length);
    const top = area.offsetTop - element.offsetTop + share * area.offsetHeight;
    const { scrollTop, clientHeight } = element;
    if (top < scrollTop + 20 || top > scrollTop + clientHeight - 40) element.scrollTop = top - clientHeight / 3;
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    const { area } = places.find((place) => place.area === event.target) ?? {};
    if (area && !event.altKey && !event.shiftKey && leaves(area, event)) return event.preventDefault();
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const tool = TOOLS.find((one) => one.key === key);
    if (key === "z") go(event.shiftKey ? "redo" : "undo");
    else if (key === "y") go("redo");
    else if (event.shiftKey) return;
    else if (tool) use(tool);
    else if (key === "s") onSave();
    else return;
    event.preventDefault();
  }

  /** Arrow keys and Backspace lead from a field to the card beside it. @param {HTMLTextAreaElement} area @param {KeyboardEvent} event */
  function leaves(area, { key, ctrlKey, metaKey }) {
    if (ctrlKey || metaKey || area.selectionStart !== area.selectionEnd) return false;
    const i = places.findIndex((place) => place.area === area);
    const isFirst = area.selectionStart === 0;
    const isLast = area.selectionStart === area.value.length;
    const back = isFirst && (key === "ArrowUp" || key === "ArrowLeft" || key === "Backspace");
    const on = isLast && (key === "ArrowDown" || key === "ArrowRight" || key === "Delete");
    const { card } = places[back ? i - 1 : on ? i + 1 : -1] ?? {};
    card?.focus();
    return card !== undefined && card !== null;
  }

  /** A click below the last line writes at the end. @param {MouseEvent} event */
  function toTheEnd(event) {
    if (event.target !== element) return;
    event.preventDefault();
    const { area } = places[places.length - 1];
    area?.focus();
    area?.setSelectionRange(area.value.length, area.value.length);
  }

  /** @param {Tool} tool */
  function use(tool) {
    const { area } = places[active];
    if (area) edit(active, tool.edit(area));
  }

  document.addEventListener("selectionchange", () => {
    const i = places.findIndex(
      ({ area, card }) => area === document.activeElement || card?.element.contains(document.activeElement),
    );
    if (i < 0) return;
    const now = lineAt(value(), cursorOf(i));
    if (now === line) return;
    line = now;
    onLine(line);
  });
  show(text);
  // Until a field is chosen, a figure is inserted at the end.
  active = places.length - 1;

  return {
    element,
    tools: TOOLS.map((tool) =>
      h(
        "button",
        {
          class: "button quiet small tool",
          type: "button",
          title: tool.title,
          "aria-label": tool.title,
          on: { click: () => use(tool) },
        },
        tool.label,
      ),
    ),
    value,
    /** Inserts at the cursor. @param {string} put as it is saved */
    insert(put) {
      const { area } = places[active];
      if (area) edit(active, { from: area.selectionStart, to: area.selectionEnd, text: shown(put) });
    },
    /** Inserts a figure at the cursor's place. @param {string} block */
    insertBlock(block) {
      const { text: next, at } = withBlock(value(), cursorOf(active), block);
      apply(next, at);
    },
    /**
     * @param {number} from
     * @param {number} to the last line
     * @param {string} put
     * @param {{ stay?: boolean }} [options] `stay`: the cursor stays where it is
     */
    replaceLines(from, to, put, { stay = false } = {}) {
      const { selectionStart, selectionEnd } = places[active].area ?? {};
      const lines = value().split("\n");
      const next = [...lines.slice(0, from), put, ...lines.slice(to + 1)].join("\n");
      apply(next, startOfLine(next, from));
      const { area } = places[active];
      if (!stay || !area || selectionStart === undefined || selectionEnd === undefined) return;
      area.focus();
      area.setSelectionRange(selectionStart, selectionEnd);
    },
    /** Moves the cursor to a line and scrolls to it. @param {number} to */
    goTo(to) {
      line = to;
      focusAt(startOfLine(value(), to));
    },
    /** Shows the text as it is saved, or with names and cards. @param {boolean} is */
    setPlain(is) {
      plain = is;
      element.classList.toggle("is-plain", is);
      show(value());
    },
    /** Shows references by the numbers of these figures and tables. @param {Referable[]} now those of the report */
    refer(now) {
      figures = now;
      places.forEach((_, i) => renew(i));
    },
    /** Shows the names of runs that are known by now. */
    renew: () => places.forEach((_, i) => renew(i)),
    /** @param {string} next */
    set(next) {
      undone.push({ text: next, cursor: next.length }, false);
      show(next);
    },
  };
}
