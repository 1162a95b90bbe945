// What a user takes away of a run.

import { apiUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";
import { menu } from "../lib/menu.js";

/** @import { Run } from "../lib/types" */

/** @type {{ format: string, label: string, title: string, ofImages?: boolean }[]} */
const FORMATS = [
  {
    format: "zip",
    label: "Everything as a zip",
    title: "Weights, ONNX, PyTorch source, programs that classify photos, and the run's figures",
    ofImages: true,
  },
  {
    format: "html",
    label: "A page that classifies by itself",
    title: "One HTML file for photos and the webcam: no server, no network",
    ofImages: true,
  },
  { format: "onnx", label: "ONNX", title: "The network with its weights, for other programs" },
  { format: "safetensors", label: "Weights", title: "Under the names of PyTorch, as safetensors" },
  { format: "pytorch", label: "PyTorch source", title: "The network as a PyTorch class" },
];

/** The formats as links of a menu, below a heading. @param {Run} run */
export function takeAwayLinks({ id }) {
  const links = FORMATS.map(({ format, label, title }) =>
    h("a", { href: apiUrl(`/runs/${id}/export?format=${format}`), download: "", title }, label),
  );
  const heading = h("p", { class: "menu-head" }, "Take away");
  let isImported = false;
  let isOfPoints = false;
  /** Whether a checkpoint has been written. */
  let isThere = false;

  function arrange() {
    heading.hidden = isImported || !isThere;
    links.forEach((link, at) => {
      link.hidden = heading.hidden || (isOfPoints && FORMATS[at].ofImages === true);
    });
  }

  return {
    heading,
    links,
    /** @param {Run} run */
    show({ summary, source }) {
      isImported ||= source !== null;
      // There is nothing to take away before the first checkpoint.
      isThere = Number(summary.epoch) >= 1;
      arrange();
    },
    /** Hides the formats that are about images. */
    hideFormatsOfImages() {
      isOfPoints = true;
      arrange();
    },
  };
}

/** The menu of the page that classifies photos. @param {Run} run */
export function takeAwayMenu(run) {
  const { links, ...more } = takeAwayLinks(run);
  const element = menu({ label: "Take away", icon: "download", title: "The network, to use it elsewhere" }, links);
  return {
    element,
    /** @param {Run} next */
    show(next) {
      more.show(next);
      element.hidden = more.heading.hidden;
    },
  };
}
