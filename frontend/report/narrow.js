// Whether figures are drawn for a phone, where their panels stand below each other.

const NARROW = "(max-width: 640px)";

export const isNarrow = () => matchMedia(NARROW).matches;

/** @param {() => void} act called when it changes, but not for print, whose paper is wide */
export function onNarrow(act) {
  matchMedia(`screen and ${NARROW}`).addEventListener("change", act);
}
