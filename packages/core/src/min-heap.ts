/** A binary heap: `pop` returns the smallest item by `compare`. Push and pop cost O(log n). */
export class MinHeap<Item> {
  readonly #items: Item[] = []
  readonly #compare: (a: Item, b: Item) => number

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  peek(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    const items = this.#items
    let index = items.length
    items.push(item)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = items[parent] as Item
      if (this.#compare(above, item) <= 0) break
      items[index] = above
      index = parent
    }
    items[index] = item
  }

  pop(): Item | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (items.length > 0 && last !== undefined) this.#sink(last)
    return top
  }

  #sink(item: Item): void {
    const items = this.#items
    const half = items.length >> 1
    let index = 0
    while (index < half) {
      let child = 2 * index + 1
      const right = child + 1
      if (right < items.length && this.#compare(items[right] as Item, items[child] as Item) < 0) child = right
      const below = items[child] as Item
      if (this.#compare(item, below) <= 0) break
      items[index] = below
      index = child
    }
    items[index] = item
  }
}
