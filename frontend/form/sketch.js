// The picture of the chosen network beside the form: its layers with their shapes, for the chosen data and options.

import { checkNetwork, getNetwork } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { networkPicture } from "../network/picture.js";
import { thumbnail } from "../network/thumbnail.js";

/** @import { Plan, RunSpec } from "../lib/types" */

/** Larger networks begin with their groups closed. */
const MANY_LAYERS = 24;

export function sketchPart() {
  const picture = networkPicture({ isRead: true, onPoint: () => {}, onGo: () => {} });
  const title = h("h2");
  const glance = h("div", { class: "sketch-glance" });
  const element = h(
    "section",
    { class: "card sketch", hidden: true, "aria-label": "The network" },
    title,
    glance,
    picture.element,
  );
  /** The texts of networks by name and revision. @type {Map<string, Promise<string>>} */
  const texts = new Map();
  let drawn = "";
  /** The network whose groups were closed when it was first drawn. */
  let folded = "";
  /** @type {AbortController | undefined} */
  let running;

  /** @param {RunSpec["network"]} network */
  function textOf({ kind, source, revision }) {
    if (typeof source === "string") return Promise.resolve(source);
    const key = `${kind} ${revision ?? ""}`;
    let text = texts.get(key);
    if (!text) {
      text = getNetwork(kind).then((found) => found.source);
      // A failure is asked again.
      text.catch(() => texts.delete(key));
      texts.set(key, text);
    }
    return text;
  }

  return {
    element,
    /**
     * Draws the network of settings that were found good; without a plan, the last picture fades.
     * @param {RunSpec} spec
     * @param {Plan | null} plan
     */
    async show(spec, plan) {
      element.classList.toggle("stale", plan === null);
      if (!plan) return;
      const { kind, source: _text, revision: _version, ...options } = spec.network;
      const key = JSON.stringify([spec.network, plan.input, plan.classes.length]);
      if (key === drawn) return;
      running?.abort();
      const mine = new AbortController();
      running = mine;
      try {
        const text = await textOf(spec.network);
        if (mine.signal.aborted) return;
        const check = { source: text, input: plan.input, classes: plan.classes.length, options };
        const network = await checkNetwork(check, mine.signal);
        drawn = key;
        setText(title, network.title);
        glance.replaceChildren(thumbnail(network.stages));
        picture.show(network);
        if (folded !== kind && network.layers.length > MANY_LAYERS) picture.setAll(false);
        folded = kind;
        element.hidden = false;
      } catch {
        // The form says what is wrong with its settings. Without a picture it is complete.
        if (!mine.signal.aborted) element.hidden = true;
      }
    },
  };
}
