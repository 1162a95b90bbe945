// The state that all parts of the page share: the run, its network, its film, and the current choices.

import { imageRef, frameImage } from "./image-ref.js";
import { comparedWith, frameWords, isFrame } from "./view.js";

/** @import { Film, Inside, Layer, Run } from "../lib/types" */
/** @import { ViewState } from "./view.js" */
/** @import { Query } from "./cache.js" */
/** @import { ImageRef } from "./image-ref.js" */

/** @type {Layer[]} */
const NONE = [];

export class InsideContext {
  /** @param {Run} run @param {ViewState} state */
  constructor(run, state) {
    this.run = run;
    this.state = state;
    /** @type {Inside | null} */
    this.inside = null;
    /** @type {Film | null} */
    this.film = null;
    /**
     * The other run of a comparison.
     * @type {{ run: string, name: string, spec: Run["spec"], film: Film | null, inside: Inside | null } | null}
     */
    this.second = null;
  }

  /** `best`, `last` or a frame of the film. */
  get checkpoint() {
    return this.state.now.checkpoint ?? String(this.inside?.checkpoint ?? "best");
  }

  /** Whether a frame of the film is shown, which has pictures of one image and no weights. */
  get filming() {
    return isFrame(this.checkpoint);
  }

  /**
   * The shown image, as named in requests. A frame of the film shows the image that was pinned at that time. Null if
   * that image is deleted.
   */
  get image() {
    return this.pictured().image;
  }

  /**
   * The image that is shown for a checkpoint or a frame.
   * @param {string} [checkpoint]
   * @param {string} [run]
   * @returns {ImageRef}
   */
  pictured(checkpoint = this.checkpoint, run = this.run.id) {
    const own = run === this.run.id;
    const [film, spec] = own ? [this.film, this.run.spec] : [this.second?.film, this.second?.spec ?? this.run.spec];
    return isFrame(checkpoint) ? frameImage(film, checkpoint, spec) : imageRef(this.wanted(run), film, spec);
  }

  /**
   * The chosen image as named in requests to another run, where another image may be pinned.
   * @param {string} run
   */
  wanted(run) {
    const { image } = this.state.now;
    return image === "pinned" && run !== this.run.id ? (this.film?.pinned.image ?? image) : image;
  }

  /**
   * The image of a frame if it is not the currently pinned one, otherwise null.
   * @param {string} [checkpoint]
   * @returns {ImageRef | null}
   */
  otherImage(checkpoint = this.checkpoint) {
    const pictured = this.pictured(checkpoint);
    return isFrame(checkpoint) && pictured.image !== "pinned" && pictured.key !== this.pictured("last").key
      ? pictured
      : null;
  }

  /** The network's layers; none before they are fetched. @returns {Layer[]} */
  get layers() {
    return this.inside?.layers ?? NONE;
  }

  /** @returns {Layer | null} */
  get layer() {
    const { layer } = this.state.now;
    return this.layers.find(({ name }) => name === layer) ?? null;
  }

  /**
   * The scale of the colours. Neurons are compared with each other; filters are shapes, which show best each on its own
   * scale.
   */
  get scale() {
    return this.state.now.scale ?? (this.layer?.kind === "linear" ? "layer" : "tile");
  }

  /** The checkpoint to compare with. */
  get beside() {
    return comparedWith(this.state.now.beside, this.run.id);
  }

  /** The moment of this run since which the changes are shown; null where none are. */
  get since() {
    const { beside } = this;
    return beside?.run === this.run.id && this.state.now.compared === "change" ? beside.checkpoint : null;
  }

  /** The frame of the film, or that after the epoch of a checkpoint; null where the film has none. */
  get frame() {
    const frames = this.film?.frames ?? [];
    if (this.filming) return frames.find(({ name }) => name === this.checkpoint) ?? null;
    const epoch = this.inside?.checkpoints.find(({ name }) => name === this.checkpoint)?.epoch ?? null;
    return frames.find(({ name }) => name === String(epoch)) ?? null;
  }

  /**
   * The query of requests for a checkpoint, and the stamp of its state.
   * @param {string} [checkpoint]
   * @param {string} [run]
   * @returns {{ run: string, query: Query, stamp: string }}
   */
  of(checkpoint = this.checkpoint, run = this.run.id) {
    const own = run === this.run.id;
    const [film, inside] = own ? [this.film, this.inside] : [this.second?.film, this.second?.inside];
    if (isFrame(checkpoint)) {
      const version = film?.frames.find(({ name }) => name === checkpoint)?.version;
      return { run, query: { checkpoint, v: version }, stamp: version ?? "" };
    }
    const about = inside?.checkpoints.find(({ name }) => name === checkpoint);
    const image = this.wanted(run);
    const pin = image === "pinned" ? (film?.pinned.image ?? "") : "";
    return { run, query: { checkpoint, image }, stamp: `${about?.step ?? ""} ${pin}` };
  }

  /** A checkpoint in words. @param {string} checkpoint @param {string} [run] */
  words(checkpoint, run = this.run.id) {
    const own = run === this.run.id;
    const inside = own ? this.inside : this.second?.inside;
    const name = own ? "" : `${this.second?.name ?? "another run"}, `;
    if (isFrame(checkpoint)) return `${name}${frameWords(checkpoint)}`;
    const epoch = inside?.checkpoints.find((of) => of.name === checkpoint)?.epoch;
    return `${name}${checkpoint}${epoch === null || epoch === undefined ? "" : `, epoch ${epoch}`}`;
  }
}
