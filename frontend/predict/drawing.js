// A pad to draw on, and what the network takes the drawing for while it is drawn.

import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { classBars, inOrder } from "./bars.js";
import { preprocess } from "../lib/resize.js";
import { framed, groundOf } from "./ground.js";

/** @import { Ground } from "./ground.js" */
/** @import { TestSample } from "./samples.js" */
/** @import { ClassScore, Network } from "./view.js" */

/** A line: points as shares of the pad's side. @typedef {[number, number][]} Stroke */

/** The side of the pad, in pixels of the canvas. */
const SIDE = 560;

/** The side of the image that the network is sent. */
const SENT = 128;

/** Samples whose ground is measured. */
const MEASURED = 24;

/** Classes that are told by name. */
const MOST_NAMED = 12;

/**
 * Hidden until the samples have shown that the network knows figures on a plain ground.
 * @param {Network} network @param {Promise<TestSample[]>} samples
 * @returns {{ element: HTMLElement, measured: Promise<void> }} `measured`: whether it is shown is decided
 */
export function drawingPanel(network, samples) {
  const pad = h("canvas", { class: "pad", width: SIDE, height: SIDE, role: "img", "aria-label": "Drawing pad" });
  const sent = h("canvas", { width: SENT, height: SENT });
  const [rows, columns] = network.size ?? [SENT, SENT];
  const seen = h("canvas", { class: "pad-seen", width: columns, height: rows, "aria-hidden": "true" });
  const invitation = h("p", { class: "pad-invitation" });
  const bars = classBars();
  const answer = h("p", { class: "pad-answer", role: "status" });
  const trouble = h("div", { class: "notice bad", role: "alert", hidden: true });
  const undo = button("reset", "Undo", () => change(() => strokes.pop()));
  const clear = button("trash", "Clear", () => change(() => (strokes = [])));
  const inside = button("layers", "Look inside", lookInside);
  inside.title = "How the network comes to its answer; keeps the drawing among your uploaded photos";
  const answered = h(
    "div",
    { class: "drawing-answer" },
    h(
      "header",
      {},
      seen,
      h(
        "div",
        {},
        answer,
        h(
          "p",
          { class: "muted small" },
          `What the network gets: ${columns} × ${rows} pixels, and the drawing as large as the samples that it learnt from.`,
        ),
      ),
    ),
    bars.element,
  );
  const element = h(
    "section",
    { class: "card drawing", "aria-label": "Drawing", hidden: true },
    h(
      "header",
      {},
      h("h2", {}, "Draw one yourself"),
      h("p", { class: "muted small" }, "The network says with each stroke what it takes the drawing for."),
    ),
    h(
      "div",
      { class: "drawing-pad" },
      h("div", { class: "pad-frame" }, pad, invitation),
      h("div", { class: "photo-buttons" }, undo, clear, network.insideOf && inside),
    ),
    answered,
    trouble,
  );
  const classify = network.classifyDrawing ?? (async () => []);
  /** @type {Ground} */
  let ground;
  /** @type {Stroke[]} */
  let strokes = [];
  let isDrawing = false;
  let isAsking = false;
  let isStale = false;

  const measured = samples.then(
    async (found) => {
      const images = await Promise.all(found.slice(0, MEASURED).map(({ src }) => pixelsOf(src)));
      const measured = groundOf(images);
      if (!measured) return;
      ground = measured;
      const names = [...new Set(found.map(({ label }) => label))].sort((a, b) =>
        a.localeCompare(b, "en", { numeric: true }),
      );
      setText(
        invitation,
        names.length <= MOST_NAMED
          ? `Draw one of these: ${names.join(", ")}`
          : `Draw one of ${plural(names.length, "class", "classes")}`,
      );
      element.classList.toggle("dark", ground.isDark);
      element.hidden = false;
      show();
      tell(nothing());
    },
    () => {},
  );

  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pad.setPointerCapture(event.pointerId);
    isDrawing = true;
    change(() => strokes.push([place(event)]));
  });
  pad.addEventListener("pointermove", (event) => {
    if (!isDrawing) return;
    // A fast hand moves through several points between two events.
    const points = event.getCoalescedEvents?.() ?? [event];
    change(() => strokes.at(-1)?.push(...points.map(place)));
  });
  for (const type of ["pointerup", "pointercancel"]) pad.addEventListener(type, () => (isDrawing = false));

  /** Where a pointer is. @param {PointerEvent} event @returns {[number, number]} */
  function place({ clientX, clientY }) {
    const { left, top, width, height } = pad.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  /** @param {() => void} edit */
  function change(edit) {
    edit();
    show();
    isStale = true;
    if (!isAsking) void ask();
  }

  function show() {
    const isEmpty = strokes.length === 0;
    invitation.hidden = !isEmpty;
    undo.disabled = clear.disabled = inside.disabled = isEmpty;
    draw(pad, strokes, ground, { scale: 1, x: 0, y: 0 });
    draw(sent, strokes, ground, framed(strokes.flat(), ground));
    scale(sent, seen);
  }

  /** Asks for one answer after the other until the newest drawing has one. */
  async function ask() {
    isAsking = true;
    trouble.hidden = true;
    try {
      while (isStale) {
        isStale = false;
        tell(strokes.length > 0 ? await classify(await fileOf(sent)) : nothing());
      }
    } catch (error) {
      fail(error);
    }
    isAsking = false;
  }

  /** @param {ClassScore[]} top the likeliest first */
  function tell(top) {
    const isAnswer = strokes.length > 0;
    bars.show(inOrder(top, network.classes), { best: isAnswer ? top[0]?.class : null });
    bars.element.classList.toggle("is-empty", !isAnswer);
    setText(answer, isAnswer ? (top[0]?.name ?? "") : "");
  }

  /** Of a pad without a drawing: every class, and nothing is known of any. */
  const nothing = () => network.names.map((name, at) => ({ class: at, name, probability: 0, score: 0 }));

  async function lookInside() {
    try {
      if (network.insideOf) location.assign(await network.insideOf(await fileOf(sent)));
    } catch (error) {
      fail(error);
    }
  }

  /** @param {unknown} error */
  function fail(error) {
    trouble.replaceChildren(icon("warning"), h("p", {}, error instanceof Error ? error.message : String(error)));
    trouble.hidden = false;
  }

  return { element, measured };
}

/** @param {import("../lib/icons.js").IconName} picture @param {string} label @param {() => void} onClick */
function button(picture, label, onClick) {
  return h("button", { class: "button", type: "button", on: { click: onClick } }, icon(picture, 14), label);
}

/**
 * Draws lines on a plain ground, each point moved as `to` says.
 * @param {HTMLCanvasElement} canvas @param {Stroke[]} strokes @param {Ground} ground
 * @param {{ scale: number, x: number, y: number }} to
 */
function draw(canvas, strokes, { isDark, pen }, to) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const side = canvas.width;
  context.fillStyle = isDark ? "#000" : "#fff";
  context.fillRect(0, 0, side, side);
  context.strokeStyle = isDark ? "#fff" : "#000";
  context.lineWidth = pen * side;
  context.lineCap = context.lineJoin = "round";
  for (const points of strokes) {
    context.beginPath();
    for (const [x, y] of points) context.lineTo((to.scale * x + to.x) * side, (to.scale * y + to.y) * side);
    // A line to its own beginning is a dot.
    if (points.length === 1)
      context.lineTo((to.scale * points[0][0] + to.x) * side, (to.scale * points[0][1] + to.y) * side);
    context.stroke();
  }
}

/** Scales a picture as the network's input is made. @param {HTMLCanvasElement} from @param {HTMLCanvasElement} to */
function scale(from, to) {
  const context = to.getContext("2d");
  const pixels = from.getContext("2d")?.getImageData(0, 0, from.width, from.height);
  if (!context || !pixels) return;
  const { width, height } = to;
  const grey = new Float32Array(width * height);
  preprocess(
    pixels,
    { size: [height, width], channels: "grey", fit: "stretch", round: true, mean: [0], std: [1], scores: "logits" },
    grey,
  );
  const image = context.createImageData(width, height);
  grey.forEach((value, at) => image.data.set([255 * value, 255 * value, 255 * value, 255], 4 * at));
  context.putImageData(image, 0, 0);
}

/** @param {HTMLCanvasElement} canvas */
async function fileOf(canvas) {
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve));
  if (!blob) throw new Error("The drawing cannot be read.");
  return new File([blob], "drawing.png", { type: "image/png" });
}

/** The pixels of a picture. @param {string} src */
async function pixelsOf(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height);
}
