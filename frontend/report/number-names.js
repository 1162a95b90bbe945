// Numbers of runs in the editor: {{01a2… test_accuracy}} is shown as {{Test accuracy of MLP on digits}}, and written back
// as it was.

import { runName } from "../lib/run-name.js";
import { NUMBERS } from "./numbers.js";

/** @import { Sources } from "./sources.js" */

const SOURCE = /\{\{\s*([0-9a-f-]{8,36})\s+([a-z_]+)\s*\}\}/g;
const BRACES = /\{\{[^{}\n]*\}\}/g;
/** What a run that is not known is called by. */
const SHORT_ID = 8;

export class NumberNames {
  /** @param {Pick<Sources, "run">} sources */
  constructor(sources) {
    this.sources = sources;
    /** The source of each name that was shown. @type {Map<string, string>} */
    this.sourceOf = new Map();
  }

  /** The text as the editor shows it. @param {string} source */
  shown(source) {
    return source.replace(SOURCE, (written, id, number) => {
      const known = Object.hasOwn(NUMBERS, number) ? NUMBERS[number] : null;
      return known ? this.#nameFor(`${known.title} of ${this.#run(id)}`, written) : written;
    });
  }

  /** The text as it is saved. @param {string} shown */
  source(shown) {
    return shown.replace(BRACES, (braces) => this.sourceOf.get(braces) ?? braces);
  }

  /** @param {string} id */
  #run(id) {
    try {
      return runName(this.sources.run(id)).replace(/[{}\n]/g, " ");
    } catch {
      return `run ${id.slice(0, SHORT_ID)}`;
    }
  }

  /** A name of its own for each number. @param {string} words @param {string} written */
  #nameFor(words, written) {
    for (let times = 1; ; times += 1) {
      const name = times === 1 ? `{{${words}}}` : `{{${words} (${times})}}`;
      const taken = this.sourceOf.get(name);
      if (taken !== undefined && taken !== written) continue;
      this.sourceOf.set(name, written);
      return name;
    }
  }
}
