const SLOTS_PER_PAGE = 1024

/** Where one series keeps its numbers. The handle is the only reference to them, so that a series can be moved or detached. */
export interface Cell {
  slots: Float64Array
  offset: number
}

/** Hands out cells of equal width from typed-array pages and takes them back. Pages are never given up. */
export class CellPool {
  readonly #width: number
  readonly #free: Cell[] = []

  constructor(width: number) {
    this.#width = width
  }

  take(): Cell {
    if (this.#free.length === 0) this.#addPage()
    const cell = this.#free.pop()
    return cell ?? { slots: new Float64Array(this.#width), offset: 0 }
  }

  /** Takes a cell back, zeroed. The caller must have let go of it. */
  giveBack(slots: Float64Array, offset: number): void {
    slots.fill(0, offset, offset + this.#width)
    this.#free.push({ slots, offset })
  }

  #addPage(): void {
    const cells = Math.max(1, Math.floor(SLOTS_PER_PAGE / this.#width))
    const slots = new Float64Array(cells * this.#width)
    for (let cell = cells - 1; cell >= 0; cell--) this.#free.push({ slots, offset: cell * this.#width })
  }
}

/** A number that only rises. Resolve the handle once (`family.labels(…)`), then `inc` and `add` are one array write. */
export class Counter {
  /** @internal */
  readonly cell: Cell

  constructor(cell: Cell) {
    this.cell = cell
  }

  /** Adds one. */
  inc(): void {
    const { cell } = this
    cell.slots[cell.offset] = (cell.slots[cell.offset] ?? 0) + 1
  }

  /** Adds `amount`. What is negative or not a number is left out: a counter never falls and never turns into NaN. */
  add(amount: number): void {
    if (!(amount > 0)) return
    const { cell } = this
    cell.slots[cell.offset] = (cell.slots[cell.offset] ?? 0) + amount
  }

  get value(): number {
    return this.cell.slots[this.cell.offset] ?? 0
  }
}

/** A number that rises and falls. */
export class Gauge {
  /** @internal */
  readonly cell: Cell

  constructor(cell: Cell) {
    this.cell = cell
  }

  set(value: number): void {
    this.cell.slots[this.cell.offset] = value
  }

  /** Adds `amount`, which may be negative. */
  add(amount: number): void {
    const { cell } = this
    cell.slots[cell.offset] = (cell.slots[cell.offset] ?? 0) + amount
  }

  get value(): number {
    return this.cell.slots[this.cell.offset] ?? 0
  }
}

/** Counts values into buckets. Slots of its cell: one a bound, one for what is above the last bound, then the sum. */
export class Histogram {
  /** @internal */
  readonly cell: Cell
  readonly #bounds: Float64Array

  constructor(cell: Cell, bounds: Float64Array) {
    this.cell = cell
    this.#bounds = bounds
  }

  /** Counts one value, in the unit of the metric's name. NaN is left out. Costs a walk over the bounds, no allocation. */
  observe(value: number): void {
    if (Number.isNaN(value)) return
    const { cell } = this
    const bounds = this.#bounds
    const last = bounds.length
    let bucket = 0
    while (bucket < last && value > (bounds[bucket] ?? 0)) bucket++
    const sum = cell.offset + last + 1
    cell.slots[cell.offset + bucket] = (cell.slots[cell.offset + bucket] ?? 0) + 1
    cell.slots[sum] = (cell.slots[sum] ?? 0) + value
  }

  /** How many values were counted. */
  get count(): number {
    let count = 0
    for (let bucket = 0; bucket <= this.#bounds.length; bucket++) {
      count += this.cell.slots[this.cell.offset + bucket] ?? 0
    }
    return count
  }

  /** The sum of the counted values. */
  get sum(): number {
    return this.cell.slots[this.cell.offset + this.#bounds.length + 1] ?? 0
  }
}
