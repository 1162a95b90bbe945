// The random numbers of `models/src/random.rs`: ChaCha with 8 rounds, from a seed and a purpose. With the same numbers
// the playground has the points, the initial weights and the order of the samples that a run has.

import { sha256 } from "./sha256.js";

/** "expand 32-byte k" */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const ROUNDS = 8;

/** A sequence of random numbers. */
export class Generator {
  /** @param {number} seed @param {string} purpose such as `init net.0.weight` */
  constructor(seed, purpose) {
    const text = new TextEncoder().encode(`vivarium/1/\0\0\0\0\0\0\0\0${purpose}`);
    new DataView(text.buffer).setBigUint64(11, BigInt(seed), true);
    // The key is read as little-endian words; a hash is written as big-endian ones.
    const key = new DataView(new ArrayBuffer(32));
    for (const [i, word] of sha256(text).entries()) key.setUint32(4 * i, word);
    this.state = new Uint32Array(16);
    this.state.set(CONSTANTS);
    for (let i = 0; i < 8; i += 1) this.state[4 + i] = key.getUint32(4 * i, true);
    this.block = new Uint32Array(16);
    this.used = 16;
    this.low = 0;
    this.high = 0;
  }

  /** Draws 64 bits into `low` and `high`. */
  next() {
    if (this.used === 16) {
      chacha(this.state, this.block);
      this.state[12] += 1;
      this.used = 0;
    }
    this.low = this.block[this.used];
    this.high = this.block[this.used + 1];
    this.used += 2;
  }

  /** A uniform number in [0, 1), a multiple of 2⁻⁵³. */
  unit() {
    this.next();
    return (this.high * 2 ** 21 + (this.low >>> 11)) / 2 ** 53;
  }

  /** @param {number} low @param {number} high */
  uniform(low, high) {
    return low + (high - low) * this.unit();
  }

  /** A normal number with mean 0 and standard deviation 1 (Box and Muller 1958). */
  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    return radius * Math.cos(2 * Math.PI * this.unit());
  }

  /** A uniform integer in 0..n (Lemire 2019). @param {number} n from 1 to 2²⁰ */
  below(n) {
    const rejected = (2 ** 32 % n) ** 2 % n;
    for (;;) {
      this.next();
      // The 96 bits of the product with n, in parts that a number holds exactly.
      const lowest = this.low * n;
      const rest = this.high * n + Math.floor(lowest / 2 ** 32);
      if (rest % 2 ** 32 > 0 || lowest % 2 ** 32 >= rejected) return Math.floor(rest / 2 ** 32);
    }
  }

  /** Shuffles in place (Fisher and Yates). @template T @param {T[]} items */
  shuffle(items) {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [items[last], items[other]] = [items[other], items[last]];
    }
    return items;
  }
}

/** The block of a state (Bernstein 2008). @param {Uint32Array} state @param {Uint32Array} block */
export function chacha(state, block) {
  block.set(state);
  for (let round = 0; round < ROUNDS; round += 2) {
    for (let i = 0; i < 4; i += 1) quarter(block, i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i += 1) quarter(block, i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
  }
  for (let i = 0; i < 16; i += 1) block[i] += state[i];
}

/** @param {Uint32Array} x @param {number} a @param {number} b @param {number} c @param {number} d */
function quarter(x, a, b, c, d) {
  x[a] += x[b];
  x[d] = turn(x[d] ^ x[a], 16);
  x[c] += x[d];
  x[b] = turn(x[b] ^ x[c], 12);
  x[a] += x[b];
  x[d] = turn(x[d] ^ x[a], 8);
  x[c] += x[d];
  x[b] = turn(x[b] ^ x[c], 7);
}

/** @param {number} word @param {number} by */
const turn = (word, by) => (word << by) | (word >>> (32 - by));
