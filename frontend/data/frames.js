// The frames of a class: recorded, shown as thumbnails, removed.

import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";

/** Width of a thumbnail in pixels, at twice the size at which it is shown. */
const THUMBNAIL = 112;

/** @typedef {{ blob: Blob, element: HTMLButtonElement, url: string }} Frame */

/** The frames of one class. @param {{ nameOf: () => string, changed: () => void }} options */
export function frameList({ nameOf, changed }) {
  /** @type {Frame[]} */
  let frames = [];
  const counter = h("span", { class: "muted small", role: "status" });
  const strip = h("div", {
    class: "frames",
    role: "group",
    on: { click: remove, keydown: move },
  });

  /** Adds the picture of a canvas. @param {HTMLCanvasElement} canvas */
  async function add(canvas) {
    const small = h("canvas", { width: THUMBNAIL, height: Math.round((THUMBNAIL * canvas.height) / canvas.width) });
    small.getContext("2d")?.drawImage(canvas, 0, 0, small.width, small.height);
    const [blob, thumbnail] = await Promise.all([jpeg(canvas, 0.92), jpeg(small, 0.7)]);
    const url = URL.createObjectURL(thumbnail);
    const element = h(
      "button",
      { class: "frame", type: "button", title: "Remove this image", tabindex: frames.length === 0 ? 0 : -1 },
      h("img", { src: url, alt: "", loading: "lazy", width: small.width / 2, height: small.height / 2 }),
    );
    frames.push({ blob, element, url });
    strip.prepend(element);
    label(element, frames.length);
    tell();
  }

  /** @param {MouseEvent} event */
  function remove(event) {
    const element = event.target instanceof Element ? event.target.closest(".frame") : null;
    const frame = frames.find((frame) => frame.element === element);
    if (!frame) return;
    const next = frame.element.nextElementSibling ?? frame.element.previousElementSibling;
    frames = frames.filter((other) => other !== frame);
    frame.element.remove();
    URL.revokeObjectURL(frame.url);
    focus(next);
    show();
  }

  /** @param {Element} element @param {number} number */
  function label(element, number) {
    element.setAttribute("aria-label", `Remove image ${number} of ${nameOf()}`);
  }

  function tell() {
    setText(counter, frames.length === 0 ? "No images yet" : plural(frames.length, "image"));
    changed();
  }

  /** The arrow keys move among the thumbnails, of which the tab key reaches one. @param {KeyboardEvent} event */
  function move(event) {
    const here = document.activeElement;
    const next =
      event.key === "ArrowRight"
        ? here?.nextElementSibling
        : event.key === "ArrowLeft"
          ? here?.previousElementSibling
          : null;
    if (!next) return;
    event.preventDefault();
    focus(next);
  }

  /** @param {Element | null} element */
  function focus(element) {
    if (!(element instanceof HTMLElement)) return;
    for (const frame of frames) frame.element.tabIndex = -1;
    element.tabIndex = 0;
    element.focus();
  }

  /** Shows everything anew, such as under another name. */
  function show() {
    strip.setAttribute("aria-label", `Images of ${nameOf()}: press one to remove it`);
    for (const [index, { element }] of frames.entries()) label(element, index + 1);
    tell();
  }

  show();
  return {
    counter,
    strip,
    add,
    show,
    get blobs() {
      return frames.map(({ blob }) => blob);
    },
    clear() {
      for (const { url } of frames) URL.revokeObjectURL(url);
      frames = [];
      strip.replaceChildren();
    },
  };
}

/** @param {HTMLCanvasElement} canvas @param {number} quality @returns {Promise<Blob>} */
function jpeg(canvas, quality) {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("the browser cannot write a JPEG"))),
      "image/jpeg",
      quality,
    );
  });
}
