// A growing column of numbers. Appending copies existing values only when the buffer doubles.

export class Column {
  constructor(capacity = 1024) {
    /** Values beyond `length` are unused. */
    this.data = new Float64Array(capacity);
    this.length = 0;
    /** Increases when values are removed: derived columns must then start again. */
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

  /** The last value, or NaN if the column is empty. */
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
 * The number of values below `value` among the first `length`, which are sorted in ascending order.
 * @param {ArrayLike<number>} data
 * @param {number} length
 * @param {number} value
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

/** A column computed value by value from another one, incrementally as that one grows. */
export class DerivedColumn {
  /** @param {Column} source @param {() => (value: number) => number} makeMap called at each restart */
  constructor(source, makeMap) {
    this.source = source;
    this.makeMap = makeMap;
    this.column = new Column(Math.max(16, source.data.length));
    this.version = -1;
    /** @type {(value: number) => number} */
    this.map = (value) => value;
  }

  /** The column, brought up to date. */
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
