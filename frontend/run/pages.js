// The pages about one run, and links to them.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

/** @import { Run } from "../lib/types" */
/** @import { IconName } from "../lib/icons.js" */

/**
 * `images`: only for runs on images. An imported run has only curves, and none of these pages.
 * @type {{ path: string, label: string, icon: IconName, title: string, images?: boolean }[]}
 */
const PAGES = [
  {
    path: "inside",
    label: "Look inside",
    icon: "layers",
    title: "Weights, activations and the film of their training",
    images: true,
  },
  {
    path: "evaluation",
    label: "Evaluation",
    icon: "target",
    title: "How good the network is, for each class and with intervals",
  },
  {
    path: "predict",
    label: "Predict",
    icon: "photo",
    title: "Classify photos, folders and the webcam",
    images: true,
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
      { class: "button", href: `${run.url}/${page.path}`, title: page.title },
      icon(page.icon, 14),
      page.label,
    ),
  }));
  for (const { element } of links) element.hidden = run.source !== null;
  return {
    elements: links.map(({ element }) => element),
    /** Hides the pages that points in the plane do not have. */
    hideImages() {
      for (const { page, element } of links) if (page.images) element.hidden = true;
    },
  };
}

/** Whether the data of a run are images, not points in the plane. @param {Run} run */
export const isOfImages = (run) => "size" in Object(run.spec.data);
