// The webcam before a network, live: a bar for each class, which moves.

import { closeCamera, openCamera } from "../lib/camera.js";
import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { announce } from "../lib/shell.js";
import { classBars, inOrder } from "./bars.js";

/** @import { ClassScore, Network } from "./view.js" */

/** @param {Network} network */
export function webcamPanel(network) {
  const button = h(
    "button",
    { class: "button", type: "button", "aria-pressed": "false", on: { click: () => (stream ? end() : start()) } },
    icon("camera", 14),
    h("span", {}, "Use the webcam"),
  );
  // What the network sees: the middle square, where photos are cropped.
  const look = network.fit === "crop" ? "webcam-video square" : "webcam-video";
  const video = h("video", { class: look, playsinline: true, muted: true, "aria-label": "The webcam" });
  // The attribute alone does not mute.
  video.muted = true;
  const bars = classBars();
  const speed = h("p", { class: "muted small webcam-speed" });
  const trouble = h("div", { class: "notice warn", role: "alert", hidden: true });
  const live = h("div", { class: "webcam-live" }, video, h("div", { class: "webcam-classes" }, bars.element, speed));
  const element = h("section", { class: "card webcam", "aria-label": "Webcam", hidden: true }, live, trouble);
  /** @type {MediaStream | null} */
  let stream = null;
  let stop = new AbortController();

  async function start() {
    element.hidden = false;
    trouble.hidden = true;
    live.hidden = true;
    button.disabled = true;
    stop = new AbortController();
    const { signal } = stop;
    try {
      const given = await openCamera();
      if (signal.aborted) {
        // The page was left while the user was asked.
        closeCamera(given);
        return;
      }
      stream = given;
      for (const track of stream.getTracks())
        track.addEventListener("ended", () => fail(new Error("The webcam was unplugged or switched off.")));
      video.srcObject = stream;
      await video.play();
      live.hidden = false;
      setText(/** @type {Node} */ (button.lastChild), "Stop the webcam");
      button.setAttribute("aria-pressed", "true");
      announce("The webcam is on");
      void watch(signal);
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
    button.disabled = false;
  }

  /** Classifies one frame after the other, as fast as they are answered. @param {AbortSignal} signal */
  async function watch(signal) {
    let frames = 0;
    let since = performance.now();
    try {
      while (!signal.aborted) {
        const top = await network.classifyFrame(video, signal);
        if (signal.aborted) return;
        show(top);
        frames += 1;
        const seconds = (performance.now() - since) / 1000;
        if (seconds >= 1) {
          const rate = frames / seconds;
          setText(speed, `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} frames per second`);
          frames = 0;
          since = performance.now();
        }
        // A hidden page has no frames.
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
  }

  /** @param {ClassScore[]} top the likeliest first */
  function show(top) {
    bars.show(inOrder(top, network.classes), { best: top[0]?.class });
  }

  function end() {
    stop.abort();
    closeCamera(stream);
    stream = null;
    video.srcObject = null;
    element.hidden = true;
    button.disabled = false;
    setText(/** @type {Node} */ (button.lastChild), "Use the webcam");
    button.setAttribute("aria-pressed", "false");
    setText(speed, "");
  }

  /** @param {unknown} error */
  function fail(error) {
    end();
    element.hidden = false;
    live.hidden = true;
    trouble.hidden = false;
    trouble.replaceChildren(icon("warning"), h("p", {}, error instanceof Error ? error.message : String(error)));
  }

  // Nobody is watched by a page that nobody looks at.
  document.addEventListener("visibilitychange", () => document.hidden && end());
  addEventListener("pagehide", end);
  return { element, button };
}
