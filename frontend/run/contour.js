// The zero contour of a scalar field by marching squares, the 2-D form of marching cubes (Lorensen and Cline 1987).

/**
 * A contour given by the grid edges that it crosses. The edge to the right of a cell has the index 2 · (row · columns +
 * column), the edge upwards one more; `shares` are the positions of the vertices along their edges, from 0 to 1, and
 * `links` the pairs of connected vertices.
 * @typedef {{ columns: number, edges: number[], shares: number[], links: [number, number][] }} Contour
 */

/**
 * @param {ArrayLike<number>} field row by row @param {number} columns @param {number} rows
 * @returns {Contour}
 */
export function contour(field, columns, rows) {
  /** @type {Contour} */
  const out = { columns, edges: [], shares: [], links: [] };
  /** @type {Map<number, number>} */
  const known = new Map();
  const corner = (/** @type {number} */ edge) => {
    let index = known.get(edge);
    if (index === undefined) {
      index = out.edges.length;
      known.set(edge, index);
      const from = edge >> 1;
      out.edges.push(edge);
      out.shares.push(zeroCrossing(field[from], field[from + (edge & 1 ? columns : 1)]));
    }
    return index;
  };
  for (let j = 0; j + 1 < rows; j += 1) {
    for (let i = 0; i + 1 < columns; i += 1) {
      const at = j * columns + i;
      const [a, b, c, d] = [field[at], field[at + 1], field[at + columns + 1], field[at + columns]];
      const inside = (a > 0 ? 1 : 0) | (b > 0 ? 2 : 0) | (c > 0 ? 4 : 0) | (d > 0 ? 8 : 0);
      const sides = { bottom: 2 * at, right: 2 * (at + 1) + 1, top: 2 * (at + columns), left: 2 * at + 1 };
      // Saddle: two opposite corners are inside, and the value in the middle decides how they connect.
      for (const [from, to] of crossedSides(inside, a + b + c + d > 0))
        out.links.push([corner(sides[from]), corner(sides[to])]);
    }
  }
  return out;
}

/**
 * The position of a vertex in units of cells: (0, 0) is the middle of the first cell.
 * @param {Contour} line
 * @param {number} index
 * @returns {[number, number]}
 */
export function position({ columns, edges, shares }, index) {
  const cell = edges[index] >> 1;
  const [i, j] = [cell % columns, Math.floor(cell / columns)];
  return edges[index] & 1 ? [i, j + shares[index]] : [i + shares[index], j];
}

/** The fraction of the way between two cells at which the field is 0. @param {number} from @param {number} to */
function zeroCrossing(from, to) {
  return Math.min(1, Math.max(0, from / (from - to)));
}

/** @typedef {"bottom" | "right" | "top" | "left"} Side */

/**
 * The sides of a square that the contour connects.
 * @param {number} inside bits: lower left 1, lower right 2, upper right 4, upper left 8
 * @param {boolean} middle
 * @returns {[Side, Side][]}
 */
function crossedSides(inside, middle) {
  switch (inside) {
    case 0:
    case 15:
      return [];
    case 1:
    case 14:
      return [["left", "bottom"]];
    case 2:
    case 13:
      return [["bottom", "right"]];
    case 4:
    case 11:
      return [["right", "top"]];
    case 8:
    case 7:
      return [["top", "left"]];
    case 3:
    case 12:
      return [["left", "right"]];
    case 6:
    case 9:
      return [["bottom", "top"]];
    case 5:
      return middle
        ? [
            ["left", "top"],
            ["bottom", "right"],
          ]
        : [
            ["left", "bottom"],
            ["right", "top"],
          ];
    default:
      return middle
        ? [
            ["left", "bottom"],
            ["right", "top"],
          ]
        : [
            ["left", "top"],
            ["bottom", "right"],
          ];
  }
}
