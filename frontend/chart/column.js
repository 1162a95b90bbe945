// A growing column of numbers. Appending never copies what is there but when the buffer doubles.

export class Column {
  constructor(capacity = 1024) {
    /** What lies beyond `length` means nothing. */
    this.data = new Float64Array(capacity);
    this.length = 0;
    /** Moves when something was taken back: what was derived from the column must be derived anew. */
    this.version = 0;
  }

  /** @param {number} value */
  push(value) {
    if (this.length === this.data.length) {
      const larger = new Float64Array(this.data.length * 2);
      larger.set(this.data);
      this.data = larger;
    }
    this.data[this.length] = value;
    this.length += 1;
  }

  /** The last value; not a number when there is none. */
  last() {
    return this.length > 0 ? this.data[this.length - 1] : Number.NaN;
  }

  /** Keeps the first `length` values. @param {number} length */
  truncate(length) {
    if (length >= this.length) return;
    this.length = length;
    this.version += 1;
  }
}

/**
 * How many of the first `length` numbers, which ascend, are below `value`.
 * @param {ArrayLike<number>} data @param {number} length @param {number} value
 */
export function bisectLeft(data, length, value) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A column that is computed from another, number by number, only as far as that one has grown. */
export class DerivedColumn {
  /** @param {Column} source @param {() => (value: number) => number} makeMap called for each fresh start */
  constructor(source, makeMap) {
    this.source = source;
    this.makeMap = makeMap;
    this.column = new Column(Math.max(16, source.data.length));
    this.version = -1;
    /** @type {(value: number) => number} */
    this.map = (value) => value;
  }

  /** The column, up to date. */
  get() {
    if (this.version !== this.source.version) {
      this.version = this.source.version;
      this.column.truncate(0);
      this.map = this.makeMap();
    }
    const { data, length } = this.source;
    for (let i = this.column.length; i < length; i += 1) this.column.push(this.map(data[i]));
    return this.column;
  }
}
