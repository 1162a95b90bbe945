// The page that a user takes away: it classifies photos and the webcam by itself.

import { byId, h, pageData } from "../lib/dom.js";
import { percent, plural } from "../lib/format.js";
import { predictView } from "../predict/view.js";
import { loadKernels } from "./kernels.js";
import { Network } from "./network.js";
import { draw, pixelsOf } from "./photo.js";
import { preprocess } from "../lib/resize.js";

/** @import { ClassScore } from "../predict/view.js" */
/** @import { GraphNode } from "./network.js" */
/** @import { Pixels, Preprocessing } from "../lib/resize.js" */

/** The classes of a photo. */
const TOP = 5;

/**
 * @type {{
 *   name: string, version: string, labels: string[], preprocessing: Preprocessing, graph: { nodes: GraphNode[] },
 *   bytes: number, test: { accuracy: number | null, samples: number },
 * }}
 */
const { name, version, labels, preprocessing, graph, bytes, test } = pageData();
const page = byId("page");

/** The bytes of base64 text. @param {string} text */
function decode(text) {
  const binary = atob(text);
  const decoded = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) decoded[at] = binary.charCodeAt(at);
  return decoded;
}

/** A number in six digits: those after them are not the same on every machine. @param {number} value */
const significant = (value) => Number(value.toPrecision(6));

async function open() {
  const kernels = await loadKernels(decode(byId("kernels").textContent ?? ""));
  const network = new Network(graph, kernels, bytes);
  for (const part of document.querySelectorAll(".weights")) {
    network.load(decode(part.textContent ?? ""));
    // The text would stay in memory beside the values.
    part.remove();
  }
  const input = new Float32Array(network.input.reduce((a, b) => a * b));

  /** The classes of a picture, the likeliest first. @param {Pixels} pixels @param {number} top @returns {ClassScore[]} */
  function classify(pixels, top) {
    preprocess(pixels, preprocessing, input);
    const scores = network.run(input);
    if (!scores.every(Number.isFinite))
      throw new Error("the network's scores are not numbers: the run diverged; choose an earlier checkpoint");
    const highest = Math.max(...scores);
    const powers = Array.from(scores, (score) => Math.exp(score - highest));
    const sum = powers.reduce((a, b) => a + b, 0);
    const isLogits = preprocessing.scores === "logits";
    const all = labels.map((label, at) => ({
      class: at,
      name: label,
      probability: isLogits ? significant(powers[at] / sum) : null,
      score: scores[at],
    }));
    const best = all.toSorted((a, b) => b.score - a.score).slice(0, top);
    return best.map((one) => ({ ...one, score: significant(one.score) }));
  }

  const view = predictView(
    {
      classes: labels.length,
      names: labels,
      batch: 1,
      batchBytes: Number.POSITIVE_INFINITY,
      fit: preprocessing.fit,
      async classify(photos) {
        const rows = [];
        for (const { file, path } of photos) {
          try {
            rows.push({ path, top: classify(await pixelsOf(file), TOP), error: null });
          } catch (error) {
            rows.push({ path, top: [], error: error instanceof Error ? error.message : String(error) });
          }
        }
        // The page shows its progress.
        await new Promise((resolve) => setTimeout(resolve));
        return rows;
      },
      classifyFrame: async (video) => classify(draw(video, video.videoWidth, video.videoHeight), labels.length),
    },
    "They stay on this device: the page works without a network.",
  );
  const quality =
    test.accuracy === null ? "" : ` · ${percent(test.accuracy)} of ${plural(test.samples, "test sample")} right`;
  page.replaceChildren(
    h(
      "header",
      { class: "standalone-head" },
      h("h1", {}, name),
      h("p", { class: "muted" }, `${plural(labels.length, "class", "classes")}${quality}`),
    ),
    view,
    h("p", { class: "standalone-foot" }, `Made with Vivarium ${version}.`),
  );
}

try {
  await open();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  page.replaceChildren(h("p", { class: "notice bad", role: "alert" }, `The network cannot be opened: ${text}`));
}
