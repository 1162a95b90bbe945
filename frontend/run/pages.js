// The pages about one run, and links to them.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { hasNoCheckpoint } from "./no-checkpoint.js";

/** @import { Run } from "../lib/types" */
/** @import { IconName } from "../lib/icons.js" */

/**
 * `images`: only for runs on images; `weights`: only for runs with a checkpoint. An imported run has only curves, and none
 * of these pages.
 * @type {{ path: string, label: string, icon: IconName, title: string, dense?: string, images?: boolean, weights?: boolean }[]}
 *   `dense`: the title for a network without convolutions
 */
const PAGES = [
  {
    path: "inside",
    label: "Look inside",
    icon: "layers",
    title: "Filters, feature maps and the film of their training",
    dense: "Weights, activations and the film of their training",
    images: true,
  },
  {
    path: "evaluation",
    label: "Evaluation",
    icon: "target",
    title: "How good the network is, for each class and with intervals",
    weights: true,
  },
  {
    path: "predict",
    label: "Predict",
    icon: "photo",
    title: "Classify photos, folders and the webcam",
    images: true,
    weights: true,
  },
];

/**
 * Links to the other pages about a run.
 * @param {Run} run
 * @param {string} [current] the page that they stand on
 */
export function pageLinks(run, current) {
  const links = PAGES.filter(({ path }) => path !== current).map((page) => ({
    page,
    element: h(
      "a",
      { class: "button", href: `${run.url}/${page.path}`, title: (!hasConvolutions(run) && page.dense) || page.title },
      icon(page.icon, 14),
      page.label,
    ),
  }));
  let isPlane = false;
  /** Hides the pages that this run does not have. @param {Run} now */
  function show(now) {
    for (const { page, element } of links)
      element.hidden =
        now.source !== null || (isPlane && page.images === true) || (page.weights === true && hasNoCheckpoint(now));
  }
  show(run);
  return {
    elements: links.map(({ element }) => element),
    /** The first of them that this run has. */
    first: () => links.find(({ element }) => !element.hidden)?.element ?? null,
    /** Hides the pages that points in the plane do not have. */
    hideImages() {
      isPlane = true;
      for (const { page, element } of links) if (page.images) element.hidden = true;
    },
    show,
  };
}

/** The built-in networks of fully connected layers alone. */
const DENSE = ["perceptron", "mlp", "mlp-wide"];

/** Whether a run's network has convolutions, as far as its name tells. @param {Run} run */
export const hasConvolutions = ({ spec }) => !DENSE.includes(String(spec.network?.kind));

/** Whether the data of a run are images, not points in the plane. @param {Run} run */
export const isOfImages = (run) => "size" in Object(run.spec.data);

/** What is counted in the speed of runs. @param {Run[]} runs */
export const speedTitle = (runs) => (runs.every(isOfImages) ? "Images/s" : "Samples/s");
