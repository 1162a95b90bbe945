// What the user's system says of motion.

/** Whether the user prefers no motion. */
export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
