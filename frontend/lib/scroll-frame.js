// A box that scrolls sideways and shows where it goes on: its edges fade, and a button brings the next columns.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** A click scrolls by this share of what is in sight. */
const STEP = 0.8;

/** Puts a frame around a box that scrolls. @param {HTMLElement} box @param {string} what its columns, for the button's label */
export function scrollFrame(box, what = "columns") {
  const next = h(
    "button",
    {
      class: "button icon small scroll-next",
      type: "button",
      title: `Further ${what}`,
      "aria-label": `Scroll to further ${what}`,
      on: { click: () => box.scrollBy({ left: box.clientWidth * STEP, behavior: "smooth" }) },
    },
    icon("chevron", 14),
  );
  const frame = h("div", { class: "scroll-frame" }, box, next);
  const show = () => {
    const rest = box.scrollWidth - box.clientWidth - box.scrollLeft;
    frame.classList.toggle("more-left", box.scrollLeft > 1);
    frame.classList.toggle("more-right", rest > 1);
  };
  box.addEventListener("scroll", show);
  const sizes = new ResizeObserver(show);
  sizes.observe(box);
  for (const child of box.children) sizes.observe(child);
  return frame;
}
