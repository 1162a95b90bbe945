// Icons on a 16×16 grid, drawn in the current text colour.

import { s } from "./dom.js";

/** Paths to stroke; paths that begin with "fill:" are filled. */
const PATHS = /** @type {const} */ ({
  stop: ["fill:M4 4h8v8H4z"],
  play: ["fill:M5 3.2v9.6L12.6 8z"],
  pause: ["M5.5 3.5v9M10.5 3.5v9"],
  copy: ["M5.5 5.5h8v8h-8z", "M3 10.5h-.5v-8h8V3"],
  trash: ["M2.5 4.5h11M6 4.3V2.5h4v1.8M4 4.5l.7 9h6.6l.7-9M6.7 7v4M9.3 7v4"],
  pencil: ["M3 13l.6-2.8L10.8 3l2.2 2.2L5.8 12.4z"],
  plus: ["M8 3v10M3 8h10"],
  minus: ["M3 8h10"],
  more: ["M3.5 8h.01M8 8h.01M12.5 8h.01"],
  tag: ["M2.5 2.5h5l6 6-5 5-6-6zM5.4 5.4h.01"],
  check: ["M3 8.5l3.2 3L13 4.5"],
  cross: ["M4 4l8 8M12 4l-8 8"],
  chevron: ["M6 3.5L10.5 8 6 12.5"],
  down: ["M3.5 6L8 10.5 12.5 6"],
  sun: [
    "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  ],
  moon: ["M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z"],
  info: ["M8 14.2a6.2 6.2 0 1 0 0-12.4 6.2 6.2 0 0 0 0 12.4M8 7.3v4M8 4.7v.1"],
  warning: ["M8 2.2l6.3 11.3H1.7zM8 6.5v3.2M8 11.6v.1"],
  search: ["M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3l3.2 3.2"],
  download: ["M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13.2h10"],
  reset: ["M3.2 6.5A5.2 5.2 0 1 1 3 9.6M3 3v3.6h3.6"],
  refresh: ["M13 6.5A5.2 5.2 0 1 0 13 9.6M13 3v3.6H9.4"],
  sliders: ["M2.5 4.5h6M12 4.5h1.5M2.5 11.5h1.5M7.5 11.5h6M10.2 2.8v3.4M5.7 9.8v3.4"],
  cloud: ["M2 2l12 12M5.2 5.3A3.5 3.5 0 0 0 4.5 12h7M8.3 4.2a3.6 3.6 0 0 1 3.5 2.9 2.6 2.6 0 0 1 1.7 3.8"],
  text: ["M3.5 2.5h9v11h-9zM5.8 5.5h4.4M5.8 8h4.4M5.8 10.5h2.6"],
  chart: ["M2.5 2.5v11h11M4.5 10.5l3-3.5 2 2 3.5-4.5"],
  camera: ["M2 5h2.6l1.2-1.8h4.4L11.4 5H14v8H2zM8 6.6a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z"],
  photo: ["M2.5 3h11v10h-11zM2.5 11l3.2-3.4 2.6 2.6 1.9-1.8 3.3 3M10.4 5.8h.01"],
  target: ["M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6M8 8h.01"],
  transfer: ["M2.5 8h7.5M7 5l3 3-3 3M13.5 3v10"],
  layers: ["M8 2.5l5.5 3L8 8.5l-5.5-3zM2.5 8.3L8 11.3l5.5-3M2.5 11L8 14l5.5-3"],
});

/** @typedef {keyof typeof PATHS} IconName */

/** @param {IconName} name @param {number} [size] */
export function icon(name, size = 16) {
  const paths = PATHS[name].map((d) =>
    d.startsWith("fill:")
      ? s("path", {
          d: d.slice(5),
          fill: "currentColor",
          stroke: "currentColor",
          "stroke-width": 1.2,
          "stroke-linejoin": "round",
        })
      : s("path", {
          d,
          stroke: "currentColor",
          "stroke-width": 1.5,
          "stroke-linecap": "round",
          "stroke-linejoin": "round",
        }),
  );
  return s("svg", { viewBox: "0 0 16 16", width: size, height: size, fill: "none", "aria-hidden": "true" }, ...paths);
}
