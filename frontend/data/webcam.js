// A data set from the webcam: a class for each button, recorded while the button is held.

import { closeCamera, listCameras, openCamera } from "../lib/camera.js";
import { confirm } from "../lib/dialog.js";
import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { frameList } from "./frames.js";

/** @import { FileWithPath } from "../lib/upload.js" */

/** Time between two recorded frames, in milliseconds. */
const EVERY_MS = 100;

/** Characters that a folder's name cannot have. */
const NOT_IN_NAMES = /[/\\\p{Cc}]/u;

/** @typedef {{ element: HTMLElement, name: HTMLInputElement, frames: ReturnType<typeof frameList> }} Recorded */

/** @param {{ done: (files: FileWithPath[]) => void, cancel: () => void }} acts */
export function webcamPart({ done, cancel }) {
  /** @type {MediaStream | null} */
  let stream = null;
  /** Counts the openings, so that a camera that comes too late is closed again. */
  let opening = 0;
  /** @type {Recorded[]} */
  let classes = [];
  /** @type {Recorded | null} */
  let recording = null;
  const canvas = h("canvas");
  const video = h("video", { class: "webcam-view", autoplay: true, playsinline: true, muted: true });
  // The attribute alone does not silence a video that a script creates.
  video.muted = true;
  const trouble = h("div", { class: "notice bad", role: "alert", hidden: true });
  const cameras = h("select", {
    class: "input",
    "aria-label": "Camera",
    hidden: true,
    on: { change: () => void open(cameras.value) },
  });
  const list = h("div", { class: "webcam-classes" });
  const hint = h("p", { class: "muted small", id: "webcam-hint", role: "status" });
  const make = h(
    "button",
    { class: "button primary", type: "button", "aria-describedby": "webcam-hint", on: { click: finish } },
    icon("check", 14),
    "Make a data set",
  );
  const element = h(
    "section",
    { class: "webcam", "aria-label": "Webcam" },
    h("div", { class: "webcam-camera" }, video, trouble, cameras),
    h(
      "div",
      { class: "webcam-side" },
      list,
      h(
        "button",
        { class: "button small", type: "button", on: { click: () => addClass().name.select() } },
        icon("plus", 14),
        "Add a class",
      ),
      hint,
      h(
        "div",
        { class: "set-actions" },
        make,
        h("button", { class: "button", type: "button", on: { click: leave } }, "Close"),
      ),
    ),
  );

  /** @param {string} [id] the camera */
  async function open(id) {
    const turn = ++opening;
    closeCamera(stream);
    stream = null;
    trouble.hidden = true;
    try {
      const opened = await openCamera(id);
      if (turn !== opening) return closeCamera(opened);
      stream = opened;
      const [track] = opened.getVideoTracks();
      track.addEventListener("ended", () => fail("The camera was disconnected."));
      video.srcObject = opened;
      video.hidden = false;
      const all = await listCameras();
      cameras.replaceChildren(...all.map((camera) => h("option", { value: camera.id }, camera.label)));
      cameras.value = track.getSettings().deviceId ?? "";
      cameras.hidden = all.length < 2;
    } catch (error) {
      if (turn === opening) fail(error instanceof Error ? error.message : String(error));
    }
    check();
  }

  /** @param {string} message */
  function fail(message) {
    recording = null;
    closeCamera(stream);
    stream = null;
    video.hidden = true;
    trouble.replaceChildren(
      icon("warning", 16),
      h(
        "div",
        {},
        h("p", {}, message),
        h("button", { class: "button small", type: "button", on: { click: () => void open() } }, "Try again"),
      ),
    );
    trouble.hidden = false;
    check();
  }

  /** Closes the camera; what was recorded stays. */
  function pause() {
    opening += 1;
    recording = null;
    closeCamera(stream);
    stream = null;
    video.srcObject = null;
  }

  function addClass() {
    const name = h("input", {
      class: "input",
      "aria-label": "Name of the class",
      value: `Class ${classes.length + 1}`,
      maxlength: 60,
      autocomplete: "off",
      spellcheck: false,
      on: { input: () => frames.show() },
    });
    const frames = frameList({ nameOf: () => name.value.trim(), changed: check });
    const record = h("button", { class: "button tonal record", type: "button" }, icon("camera", 14), "Hold to record");
    const removal = h(
      "button",
      {
        class: "button quiet icon small",
        type: "button",
        "aria-label": "Remove this class",
        title: "Remove this class",
      },
      icon("trash", 14),
    );
    const part = h(
      "div",
      { class: "webcam-class", role: "group", "aria-label": "Class" },
      h("div", { class: "webcam-class-head" }, name, frames.counter, removal),
      record,
      frames.strip,
    );
    /** @type {Recorded} */
    const one = { element: part, name, frames };
    removal.addEventListener("click", () => {
      classes = classes.filter((other) => other !== one);
      frames.clear();
      part.remove();
      check();
    });
    const hold = { begin: () => void start(one), end: () => stop(one) };
    holdable(record, hold);
    classes.push(one);
    list.append(part);
    check();
    return one;
  }

  /** Records frames of a class until it is stopped. @param {Recorded} one */
  async function start(one) {
    if (recording || !stream) return;
    recording = one;
    one.element.classList.add("recording");
    while (recording === one && stream && video.videoWidth > 0) {
      const next = new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      canvas.getContext("2d")?.drawImage(video, 0, 0);
      try {
        // A slow device records fewer frames, and none waits in line.
        await Promise.all([one.frames.add(canvas), next]);
      } catch (error) {
        fail(error instanceof Error ? error.message : String(error));
      }
    }
    if (recording === one) recording = null;
    one.element.classList.remove("recording");
  }

  /** @param {Recorded | null} one */
  function stop(one) {
    if (recording === one) recording = null;
  }

  /** What keeps the classes from becoming a set. */
  function fault() {
    const names = classes.map(({ name }) => name.value.trim());
    if (names.some((name) => name === "")) return "Every class needs a name.";
    const wrong = names.find((name) => NOT_IN_NAMES.test(name));
    if (wrong) return `“${wrong}” cannot be a name: it must be without slashes and control characters.`;
    const dots = names.find((name) => name === "." || name === "..");
    if (dots) return `“${dots}” cannot be a name: it must have more than dots.`;
    const twice = names.find((name, i) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) < i);
    if (twice) return `Two classes are called “${twice}”.`;
    if (classes.length < 2) return "A classifier needs at least two classes.";
    const empty = classes.findIndex(({ frames }) => frames.blobs.length === 0);
    if (empty >= 0) return `“${names[empty]}” has no images yet.`;
    return "";
  }

  function check() {
    const wrong = fault();
    setText(hint, wrong);
    hint.hidden = wrong === "";
    make.disabled = wrong !== "";
  }

  function finish() {
    if (fault() !== "") return;
    pause();
    const files = classes.flatMap(({ name, frames }) =>
      frames.blobs.map((blob, index) => {
        const file = `${String(index + 1).padStart(4, "0")}.jpg`;
        return { file: new File([blob], file, { type: "image/jpeg" }), path: `Webcam/${name.value.trim()}/${file}` };
      }),
    );
    done(files);
  }

  async function leave() {
    const recorded = classes.reduce((sum, { frames }) => sum + frames.blobs.length, 0);
    const sure =
      recorded === 0 ||
      (await confirm({
        title: "Discard what was recorded?",
        text: `${plural(recorded, "image")} of the webcam ${recorded === 1 ? "is" : "are"} not in a data set yet.`,
        yes: "Discard",
        no: "Keep",
      }));
    if (!sure) return;
    close();
    cancel();
  }

  function close() {
    pause();
    for (const { frames } of classes) frames.clear();
    removeEventListener("pagehide", pause);
    document.removeEventListener("visibilitychange", hidden);
  }

  function hidden() {
    if (document.hidden) stop(recording);
  }

  addEventListener("pagehide", pause);
  document.addEventListener("visibilitychange", hidden);
  addClass();
  addClass();
  void open();
  return { element, open: () => void open(), close };
}

/**
 * Calls `begin` while a button is held, by pointer or by key, and `end` after it, wherever it is released.
 * @param {HTMLButtonElement} button
 * @param {{ begin: () => void, end: () => void }} acts
 */
function holdable(button, { begin, end }) {
  const isKey = (/** @type {KeyboardEvent} */ event) => event.key === " " || event.key === "Enter";
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    begin();
  });
  for (const over of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(over, end);
  button.addEventListener("keydown", (event) => {
    if (!isKey(event)) return;
    event.preventDefault();
    if (!event.repeat) begin();
  });
  button.addEventListener("keyup", (event) => isKey(event) && end());
  // A long press opens a menu on phones.
  button.addEventListener("contextmenu", (event) => event.preventDefault());
}
