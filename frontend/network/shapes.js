// Shapes in words. No DOM here.

/** [3, 32, 32] → "3 × 32 × 32". @param {readonly number[]} shape */
export const shapeText = (shape) => shape.join(" × ");
