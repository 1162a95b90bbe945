// The options of a network as fields, whose values the text is checked with. They are no part of the text: a run has
// its own.

import { control } from "../form/control.js";
import { toText, toValue } from "../form/values.js";
import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { withTimes } from "./names.js";

/** @import { Field } from "../lib/types" */
/** @import { Control } from "../form/control.js" */
/** @import { Typed } from "../form/values.js" */

const WIDE = "(min-width: 641px)";
/** So many options fit into a row where there is room. More are folded, or the network would begin below the window. */
const FEW = 4;
/** Every network has it, and it changes nothing that the picture shows. */
const INITIALISATION = "network.init";

/** @param {() => void} onChange */
export function optionFields(onChange) {
  /** Typed values by path; they stay while the text has a mistake. @type {Map<string, Typed>} */
  const typed = new Map();
  /** @type {Map<string, { control: Control, described: string }>} */
  const controls = new Map();
  /** @type {Field[]} */
  let fields = [];

  const list = h("div", { class: "option-fields" });
  const about = h("span", { class: "option-note" });
  const reset = h(
    "button",
    { class: "button small quiet reset-all", type: "button", hidden: true, on: { click: resetAll } },
    icon("reset", 12),
    "Reset options",
  );
  const wide = matchMedia(WIDE);
  const element = h("details", { class: "options", hidden: true }, h("summary", {}, "Options ", about), list);
  // Where there is room, the style sheet hides the summary of few, and with it the way to open them.
  wide.addEventListener("change", openFew);

  function openFew() {
    element.classList.toggle("few", fields.length <= FEW);
    if (wide.matches && fields.length <= FEW) element.open = true;
  }

  /** @param {Field} field @param {Typed | undefined} value `undefined` for the default */
  function set(field, value) {
    if (value === undefined || value === standardOf(field)) typed.delete(field.path);
    else typed.set(field.path, value);
    showValues();
    onChange();
  }

  function resetAll() {
    typed.clear();
    showValues();
    onChange();
  }

  function showValues() {
    for (const field of fields) {
      const value = typed.get(field.path);
      const standard = JSON.parse(field.default);
      controls.get(field.path)?.control.show(value ?? toText(field, standard), standard, value !== undefined, false);
    }
    const changed = fields.filter(({ path }) => typed.has(path)).length;
    reset.hidden = changed === 0;
    setText(about, changed === 0 ? namesOf(fields) : `${plural(changed, "option")} changed`);
  }

  return {
    element,
    /** The values that differ from the defaults, by name. */
    values() {
      const all = fields.filter(({ path }) => typed.has(path));
      return Object.fromEntries(all.map((field) => [nameOf(field.path), toValue(field, typed.get(field.path) ?? "")]));
    },
    /** The same as settings in the address of the form: `network.hidden:64, 32`. @returns {string[]} */
    settings: () => fields.flatMap(({ path }) => (typed.has(path) ? [`${path}:${typed.get(path)}`] : [])),
    /** Shows the options of a text; fields that stay the same keep their focus. @param {Field[]} next */
    show(next) {
      const own = next.filter(({ path }) => path !== INITIALISATION);
      // Those that matter most come first, as in the form of a new run.
      fields = own.toSorted((a, b) => Number(a.topic !== null) - Number(b.topic !== null));
      element.hidden = fields.length === 0;
      openFew();
      const paths = new Set(fields.map(({ path }) => path));
      for (const [path, { control: old }] of controls) {
        if (paths.has(path)) continue;
        old.element.remove();
        controls.delete(path);
      }
      fields.forEach((field, place) => {
        const described = JSON.stringify({ ...field, default: "" });
        let made = controls.get(field.path);
        if (made?.described !== described) {
          made?.control.element.remove();
          const fresh = control(
            field,
            (value) => set(field, value),
            () => set(field, undefined),
          );
          made = { control: fresh, described };
          controls.set(field.path, made);
        }
        const at = list.children[place];
        if (at !== made.control.element) list.insertBefore(made.control.element, at ?? null);
      });
      list.append(reset);
      showValues();
    },
    /** @param {Map<string, string>} errors messages by path @returns {string[]} those without a field */
    setErrors(errors) {
      for (const [path, made] of controls) made.control.setError(errors.get(path) ?? "");
      return [...errors]
        .filter(([path]) => !controls.has(path))
        .map(([path, message]) => `${nameOf(path)}: ${message}`);
    },
    /** Forgets values of options that the text no longer has. @param {string[]} names @returns {boolean} whether there were any */
    forget(names) {
      return names.map((name) => typed.delete(`network.${name}`)).some(Boolean);
    },
  };
}

/** A few by name, and how many more there are. @param {Field[]} fields */
function namesOf(fields) {
  const named = fields.length > FEW + 1 ? fields.slice(0, FEW) : fields;
  const more = fields.length - named.length;
  return `${named.map(({ label }) => withTimes(label)).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** @param {Field} field */
const standardOf = (field) => toText(field, JSON.parse(field.default));

/** @param {string} path */
const nameOf = (path) => path.slice("network.".length);
