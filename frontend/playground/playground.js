// The state of the playground: settings, data, training, and the address that holds the settings. Pictures and controls
// read it and change it through its methods.

import { generate } from "./data.js";
import { LESSONS } from "./lessons.js";
import { beginsAnew, fromQuery, toQuery } from "./settings.js";
import { createTrainer } from "./train.js";

/** @import { Lesson } from "./lessons.js" */
/** @import { Settings } from "./settings.js" */

/** @typedef {ReturnType<typeof createPlayground>} Playground */

/** @param {() => void} changed called when settings or weights changed, and not for a step of training */
export function createPlayground(changed) {
  /** @type {Lesson | null} */
  let lesson = null;
  /** @type {string[]} */
  let faults = [];
  let settings = read();
  let data = generate(settings);
  let trainer = createTrainer(data, settings);
  /** Whether the last change is one of several that belong together, as while a slider is dragged. */
  let dragging = false;

  addEventListener("popstate", () => {
    dragging = false;
    apply(read());
  });

  function read() {
    const query = new URLSearchParams(location.search);
    const id = query.get("lesson");
    lesson = LESSONS.find((one) => one.id === id) ?? null;
    const found = fromQuery(query, lesson?.settings);
    faults = found.faults;
    if (id !== null && !lesson) faults.push(`lesson “${id}”: ${LESSONS.map((one) => one.id).join(", ")}`);
    return found.settings;
  }

  /** @param {Settings} next */
  function apply(next) {
    const anew = beginsAnew(settings, next);
    settings = next;
    if (anew) begin();
    changed();
  }

  function begin() {
    data = generate(settings);
    trainer = createTrainer(data, settings);
  }

  /** The address of settings, within the lesson. @param {Settings} of */
  function address(of) {
    const query = toQuery(of, lesson?.settings);
    const text = new URLSearchParams([...(lesson ? [["lesson", lesson.id]] : []), ...query]).toString();
    return text ? `?${text}` : location.pathname;
  }

  return {
    get settings() {
      return settings;
    },
    get data() {
      return data;
    },
    get trainer() {
      return trainer;
    },
    get lesson() {
      return lesson;
    },
    /** What of the address could not be read, and what is allowed. */
    get faults() {
      return faults;
    },
    /** @param {Partial<Settings>} some @param {{ more?: boolean }} [how] `more`: further changes follow, as of a slider */
    change(some, { more = false } = {}) {
      const next = { ...settings, ...some };
      if (address(next) !== address(settings) || faults.length > 0) {
        faults = [];
        if (dragging) history.replaceState(null, "", address(next));
        else history.pushState(null, "", address(next));
        apply(next);
      }
      dragging = more;
    },
    /** @param {Lesson} next */
    open(next) {
      lesson = next;
      faults = [];
      const query = address(next.settings);
      if (query !== location.search) history.pushState(null, "", query);
      // A lesson begins at its beginning, also when its settings are those of before.
      settings = next.settings;
      begin();
      changed();
    },
    /** Begins the training anew, from the first weights. */
    reset() {
      begin();
      changed();
    },
    /** Changes a weight or a bias by hand. @param {Float64Array} values @param {number} index @param {number} value */
    edit(values, index, value) {
      values[index] = value;
      changed();
    },
  };
}
