// What all parts of the page look at: the run, its network, its film, and which of it is chosen.

import { isEpoch, other } from "./view.js";

/** @import { Film, Inside, Layer, Run } from "../lib/types" */
/** @import { ViewState } from "./view.js" */
/** @import { Query } from "./cache.js" */

export class Scene {
  /** @param {Run} run @param {ViewState} state */
  constructor(run, state) {
    this.run = run;
    this.state = state;
    /** @type {Inside | null} */
    this.inside = null;
    /** @type {Film | null} */
    this.film = null;
    /** The film of the run that is compared with. @type {{ run: string, name: string, film: Film | null, inside: Inside | null } | null} */
    this.second = null;
  }

  /** `best`, `last` or an epoch. */
  get checkpoint() {
    return this.state.now.checkpoint ?? String(this.inside?.checkpoint ?? "best");
  }

  /** Whether the film is looked at, which keeps pictures of one image and no weights. */
  get filming() {
    return isEpoch(this.checkpoint);
  }

  /** The image, as requests name it. A film knows its pinned one alone. */
  get image() {
    return this.filming ? "pinned" : this.state.now.image;
  }

  /** @returns {Layer | null} */
  get layer() {
    const { layer } = this.state.now;
    return this.inside?.layers.find(({ name }) => name === layer) ?? null;
  }

  /** What is compared with. */
  get beside() {
    return other(this.state.now.beside, this.run.id);
  }

  /** What requests of the chosen checkpoint say, and the moment that it is of. @param {string} [checkpoint] @param {string} [run] @returns {{ run: string, query: Query, stamp: string }} */
  of(checkpoint = this.checkpoint, run = this.run.id) {
    const own = run === this.run.id;
    const [film, inside] = own ? [this.film, this.inside] : [this.second?.film, this.second?.inside];
    if (isEpoch(checkpoint)) {
      const version = film?.frames.find(({ epoch }) => String(epoch) === checkpoint)?.version;
      return { run, query: { checkpoint, v: version }, stamp: version ?? "" };
    }
    const about = inside?.checkpoints.find(({ name }) => name === checkpoint);
    const pin = this.state.now.image === "pinned" ? (film?.pinned.image ?? "") : "";
    return { run, query: { checkpoint, image: this.state.now.image }, stamp: `${about?.step ?? ""} ${pin}` };
  }

  /** A checkpoint in words. @param {string} checkpoint @param {string} [run] */
  words(checkpoint, run = this.run.id) {
    const own = run === this.run.id;
    const inside = own ? this.inside : this.second?.inside;
    const name = own ? "" : `${this.second?.name ?? "another run"}, `;
    if (isEpoch(checkpoint)) return `${name}epoch ${checkpoint}`;
    const epoch = inside?.checkpoints.find((of) => of.name === checkpoint)?.epoch;
    return `${name}${checkpoint}${epoch === null || epoch === undefined ? "" : `, epoch ${epoch}`}`;
  }
}
