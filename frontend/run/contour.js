// Where a field crosses 0: marching squares (Lorensen and Cline's marching cubes, in the plane).

/**
 * Pieces of the line, each from one point to another, in units of cells: (0, 0) is the middle of
 * the first cell.
 * @param {ArrayLike<number>} field row by row @param {number} columns @param {number} rows
 * @returns {[number, number, number, number][]}
 */
export function contour(field, columns, rows) {
  /** @type {[number, number, number, number][]} */
  const pieces = [];
  for (let j = 0; j + 1 < rows; j += 1) {
    for (let i = 0; i + 1 < columns; i += 1) {
      const at = j * columns + i;
      const [a, b, c, d] = [field[at], field[at + 1], field[at + columns + 1], field[at + columns]];
      const corners = (a > 0 ? 1 : 0) | (b > 0 ? 2 : 0) | (c > 0 ? 4 : 0) | (d > 0 ? 8 : 0);
      if (corners === 0 || corners === 15) continue;
      /** @type {[number, number]} */
      const bottom = [i + cross(a, b), j];
      /** @type {[number, number]} */
      const right = [i + 1, j + cross(b, c)];
      /** @type {[number, number]} */
      const top = [i + cross(d, c), j + 1];
      /** @type {[number, number]} */
      const left = [i, j + cross(a, d)];
      // Two opposite corners inside: the middle says which of them hang together.
      const middle = a + b + c + d > 0;
      for (const [from, to] of edges(corners, middle, { bottom, right, top, left })) pieces.push([...from, ...to]);
    }
  }
  return pieces;
}

/** How far along the way from one corner to the next the field is 0. @param {number} from @param {number} to */
function cross(from, to) {
  return from === to ? 0.5 : Math.min(1, Math.max(0, from / (from - to)));
}

/**
 * @param {number} corners @param {boolean} middle
 * @param {{ bottom: [number, number], right: [number, number], top: [number, number], left: [number, number] }} at
 * @returns {[[number, number], [number, number]][]}
 */
function edges(corners, middle, { bottom, right, top, left }) {
  switch (corners) {
    case 1:
    case 14:
      return [[left, bottom]];
    case 2:
    case 13:
      return [[bottom, right]];
    case 4:
    case 11:
      return [[right, top]];
    case 8:
    case 7:
      return [[top, left]];
    case 3:
    case 12:
      return [[left, right]];
    case 6:
    case 9:
      return [[bottom, top]];
    case 5:
      return middle ? [[left, top], [bottom, right]] : [[left, bottom], [right, top]];
    default:
      return middle ? [[left, bottom], [right, top]] : [[left, top], [bottom, right]];
  }
}
