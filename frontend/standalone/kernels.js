// The kernels of the networks' operations, in WebAssembly: `kernels.wat` has their source.

/**
 * `gemm(a, b, c, bias, m, k, strips, row)`: C = A·B + bias. A is [m, k], m a multiple of 4. B is in strips of 8 columns,
 * [strips, k, 8]. C has `row` bytes from one row to the next. `bias`: a value a row.
 * `gemv(a, x, y, bias, m, k)`: y = A·x + bias. Of n values each, `axpy`: y += a·x; `affine`: y = a·y + b; `clamp`: y between a
 * and b. Addresses are in bytes.
 * @typedef {{
 *   memory: WebAssembly.Memory,
 *   gemm: (a: number, b: number, c: number, bias: number, m: number, k: number, strips: number, row: number) => void,
 *   gemv: (a: number, x: number, y: number, bias: number, m: number, k: number) => void,
 *   axpy: (y: number, x: number, n: number, a: number) => void,
 *   affine: (y: number, n: number, a: number, b: number) => void,
 *   clamp: (y: number, n: number, a: number, b: number) => void,
 * }} Kernels
 */

/** The size of a page of memory. */
const PAGE = 65_536;

/** The columns of a strip. */
export const STRIP = 8;

/** Instantiates the kernels. @param {BufferSource} wasm @returns {Promise<Kernels>} */
export async function loadKernels(wasm) {
  const { instance } = await WebAssembly.instantiate(wasm);
  return /** @type {any} */ (instance.exports);
}

/** Memory of the kernels: parts are taken one after the other, and given back all at once or one by one. */
export class Arena {
  /** @param {Kernels} kernels */
  constructor(kernels) {
    this.memory = kernels.memory;
    this.end = 16;
    /** Parts that were given back: their addresses by their sizes in bytes. @type {Map<number, number[]>} */
    this.free = new Map();
  }

  /** Takes memory for values of f32. @param {number} values @returns {number} its address */
  take(values) {
    const bytes = (values * 4 + 63) & ~63;
    const again = this.free.get(bytes)?.pop();
    if (again !== undefined) return again;
    const address = this.end;
    // Addresses are unsigned: beyond 2 GiB they have no sign.
    this.end += bytes;
    const missing = this.end - this.memory.buffer.byteLength;
    if (missing > 0) {
      try {
        this.memory.grow(Math.ceil(missing / PAGE));
      } catch {
        throw new Error("The browser has too little memory for this network.");
      }
    }
    return address;
  }

  /** Gives memory back. @param {number} address @param {number} values */
  give(address, values) {
    const bytes = (values * 4 + 63) & ~63;
    const parts = this.free.get(bytes);
    if (parts) parts.push(address);
    else this.free.set(bytes, [address]);
  }

  /** The values at an address. It is valid until memory is taken. @param {number} address @param {number} values */
  view(address, values) {
    return new Float32Array(this.memory.buffer, address, values);
  }
}
