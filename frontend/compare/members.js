// The list of a comparison's runs, which is the legend of all its charts: labels, states, and visibility. A name leads to
// its run, and the box beside it hides its lines; hovering a row highlights them.

import { h, s, setText } from "../lib/dom.js";
import { orderOf, Palette } from "../lib/colours.js";
import { percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { settingPhrase } from "../lib/setting-labels.js";
import { isNamed } from "../lib/settings-diff.js";
import { badge } from "../lib/status.js";

/** @import { Run } from "../lib/types" */
/** @import { Stroke } from "../lib/colours.js" */

/**
 * One run, or several runs that differ only by seed.
 * @typedef {{ id: string, label: string, runs: Run[], stroke: Stroke }} Member `id`: of the first run
 */

/** So few runs stand side by side above the charts; more have a column beside them. */
const FEW = 12;

/** A sample of a run's line. @param {Stroke} stroke */
export function swatch({ token, dash }) {
  const line = s("line", {
    x1: 0,
    y1: 5,
    x2: 24,
    y2: 5,
    "stroke-width": 2.5,
    "stroke-dasharray": dash.join(" ") || undefined,
  });
  line.style.stroke = `var(${token})`;
  return s("svg", { viewBox: "0 0 24 10", width: 24, height: 10, "aria-hidden": "true", class: "swatch" }, line);
}

/**
 * @param {{
 *   hidden: Set<number>,
 *   onToggle: (member: Member) => void,
 *   onOnly: (member: Member | null) => void,
 *   onLook: (id: string) => void,
 *   onRemove: (member: Member) => void,
 * }} options `hidden`: numbers of the first runs of hidden members
 */
export function memberList({ hidden, onToggle, onOnly, onLook, onRemove }) {
  const list = h("ul", { class: "members" });
  const all = h(
    "button",
    { class: "button small quiet", type: "button", hidden: true, on: { click: () => onOnly(null) } },
    "Show all",
  );
  const heading = h("h2", {}, "Runs");
  const count = h("span", { class: "muted small" });
  const element = h(
    "section",
    { class: "card members-card", "aria-label": "Runs of this comparison" },
    h("header", { class: "card-head" }, h("div", {}, heading, count), all),
    list,
  );
  /** @type {Map<string, ReturnType<typeof item>>} */
  const items = new Map();

  /** @param {Member} member */
  function item(member) {
    let now = member;
    const state = badge();
    const name = h("a", { class: "member-name", href: member.runs[0].url });
    const value = h("b", {});
    const toggle = h(
      "button",
      {
        class: "member-toggle",
        type: "button",
        on: {
          click: (/** @type {MouseEvent} */ event) => (event.shiftKey || event.altKey ? onOnly(now) : onToggle(now)),
        },
      },
      h("span", { class: "member-box" }, icon("check", 11)),
      swatch(member.stroke),
    );
    const remove = h(
      "button",
      {
        class: "button quiet icon small",
        type: "button",
        title: "Remove from the comparison",
        on: { click: () => onRemove(now) },
      },
      icon("cross", 14),
    );
    const row = h(
      "li",
      {
        data: { member: member.id },
        on: {
          mouseenter: () => onLook(now.id),
          mouseleave: () => onLook(""),
          focusin: () => onLook(now.id),
          focusout: () => onLook(""),
        },
      },
      toggle,
      h("span", { class: "member-what" }, name, h("span", { class: "member-state" }, state.element)),
      value,
      remove,
    );
    return {
      element: row,
      /** @param {Member} next */
      show(next) {
        now = next;
        const [run] = now.runs;
        setText(name, now.label);
        name.title = now.runs.map((each) => each.name).join("\n");
        toggle.title = "Click to hide or show, Shift+click to show only this one";
        toggle.setAttribute("aria-label", `Show ${now.label}`);
        toggle.setAttribute("aria-pressed", String(!hidden.has(run.number)));
        remove.setAttribute("aria-label", `Remove ${now.label} from the comparison`);
        const active =
          now.runs.find((each) => each.status === "running") ??
          now.runs.find((each) => each.status !== "finished") ??
          run;
        state.show(active);
        row.classList.toggle("is-over", active.status === "finished" && active.reason !== "diverged");
        const best = now.runs.flatMap(({ summary }) => summary.best_validation_accuracy ?? []);
        setText(value, best.length > 0 ? percent(best.reduce((sum, each) => sum + each, 0) / best.length) : "");
        value.title = best.length > 1 ? "Best validation accuracy, mean over seeds" : "Best validation accuracy";
      },
    };
  }

  return {
    element,
    /** @param {Member[]} members */
    show(members) {
      const here = new Set(members.map(({ id }) => id));
      for (const [id, { element: row }] of items) {
        if (here.has(id)) continue;
        row.remove();
        items.delete(id);
      }
      /**
       * The previous row. Rows in the right place are not moved, since moving a thousand rows is slow.
       * @type {Element | null}
       */
      let before = null;
      for (const member of members) {
        let known = items.get(member.id);
        if (!known) {
          known = item(member);
          items.set(member.id, known);
        }
        known.show(member);
        const place = /** @type {Element | null} */ (before ? before.nextElementSibling : list.firstElementChild);
        if (place !== known.element) list.insertBefore(known.element, place);
        before = known.element;
      }
      const runs = members.reduce((sum, member) => sum + member.runs.length, 0);
      setText(
        count,
        [
          runs > members.length ? `${members.length} settings, ${runs} runs` : String(runs),
          members.some((member) => member.runs.some(({ summary }) => summary.best_validation_accuracy !== null)) &&
            "best validation accuracy",
        ]
          .filter(Boolean)
          .join(" · "),
      );
      element.classList.toggle("is-few", members.length <= FEW);
      all.hidden = hidden.size === 0;
    },
  };
}

/**
 * Makes a member of each group of runs, in the order of a legend: by the number in which they differ, or as created.
 * @param {Run[][]} groups
 * @param {Map<string, string>} labels
 * @param {Palette} [palette]
 * @returns {Member[]}
 */
export function membersOf(groups, labels, palette = new Palette()) {
  const order = orderOf(groups);
  const strokes = palette.strokes(groups, order);
  const members = groups.map((runs) => {
    const [first] = runs;
    const stroke = /** @type {Stroke} */ (strokes.get(first.id));
    return { id: first.id, runs, label: labelOf(first, labels.get(first.id) ?? first.name, order), stroke };
  });
  const place = (/** @type {Member} */ { id }) => order?.values.get(id) ?? 0;
  return order ? members.sort((a, b) => place(a) - place(b)) : members;
}

/** A run's name and the number that gives it its place in the legend. @param {Run} run @param {string} label @param {import("../lib/colours.js").Order | null} order */
function labelOf(run, label, order) {
  if (!order) return label;
  const value = settingPhrase(order.path, order.values.get(run.id), run.spec.network?.kind);
  if (!isNamed(run)) return value;
  return label.endsWith(value) ? label : `${label}, ${value}`;
}
