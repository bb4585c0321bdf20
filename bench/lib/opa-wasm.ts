// What of OPA's WebAssembly interface (https://www.openpolicyagent.org/docs/wasm) a benchmark needs: one entry point, data that is
// loaded once, and `opa_eval`, the shortest way through it (interface 1.2 and later).

/** The part of WebAssembly's interface that is used here: the types of Node.js leave it to those of browsers. */
declare global {
  namespace WebAssembly {
    class Module {
      constructor(bytes: Uint8Array)
      readonly [Symbol.toStringTag]: string
    }
    class Memory {
      constructor(limits: { readonly initial: number })
      readonly buffer: ArrayBuffer
      grow(pages: number): number
    }
    class Instance {
      constructor(module: Module, imports: { readonly env: Readonly<Record<string, unknown>> })
      readonly exports: object
    }
  }
}

/** What a compiled policy exports, as far as it is used here. Addresses and lengths are in the shared memory. */
interface Exports {
  readonly opa_wasm_abi_version: { readonly value: number }
  readonly opa_wasm_abi_minor_version: { readonly value: number }
  builtins(): number
  opa_malloc(bytes: number): number
  opa_json_parse(address: number, bytes: number): number
  opa_json_dump(value: number): number
  opa_heap_ptr_get(): number
  opa_eval(
    reserved: 0,
    entryPoint: number,
    data: number,
    input: number,
    inputBytes: number,
    heap: number,
    format: number,
  ): number
}

/** 16 MiB: room for the constants of some ten thousand rules. The policy lets it grow. */
const PAGES = 256
const PAGE_BYTES = 65_536
const YES = '[{"result":true}]'

/** One policy with its data, ready to be asked. */
export class OpaPolicy {
  readonly #memory: WebAssembly.Memory
  readonly #exports: Exports
  readonly #data: number
  readonly #heap: number

  /** @throws Error for a policy that calls back for functions, which are not here, or one of another interface. */
  constructor(compiled: WebAssembly.Module, data: unknown) {
    this.#memory = new WebAssembly.Memory({ initial: PAGES })
    const fail = (address: number): never => {
      throw new Error(`OPA: ${this.#textAt(address)}`)
    }
    const absent = (): never => {
      throw new Error('OPA: a function of the host is called')
    }
    const env: Record<string, unknown> = {
      memory: this.#memory,
      opa_abort: fail,
      opa_println: () => undefined,
    }
    for (let operands = 0; operands <= 4; operands += 1) env[`opa_builtin${operands}`] = absent
    const { exports } = new WebAssembly.Instance(compiled, { env })
    this.#exports = exports as Exports
    const { opa_wasm_abi_version: major, opa_wasm_abi_minor_version: minor } = this.#exports
    if (major.value !== 1 || minor.value < 2)
      throw new Error(`OPA: interface ${major.value}.${minor.value}, expected 1.2 or later`)
    const needed = this.#textAt(this.#exports.opa_json_dump(this.#exports.builtins()))
    if (needed !== '{}') throw new Error(`OPA: the policy needs functions of the host: ${needed}`)
    const text = Buffer.from(JSON.stringify(data))
    const at = this.#exports.opa_malloc(text.length)
    this.#write(text, at)
    this.#data = this.#exports.opa_json_parse(at, text.length)
    if (this.#data === 0) throw new Error('OPA: the data are not taken')
    this.#heap = this.#exports.opa_heap_ptr_get()
  }

  /** Whether the entry point is true for an input, which is JSON text as bytes. All memory it takes is free again at the next call. */
  isTrue(input: Uint8Array): boolean {
    this.#write(input, this.#heap)
    const after = this.#heap + input.length
    const answer = this.#exports.opa_eval(0, 0, this.#data, this.#heap, input.length, after, 0)
    return Buffer.from(this.#memory.buffer, answer, YES.length).toString('latin1') === YES
  }

  #write(bytes: Uint8Array, at: number): void {
    const missing = at + bytes.length - this.#memory.buffer.byteLength
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES))
    new Uint8Array(this.#memory.buffer).set(bytes, at)
  }

  #textAt(address: number): string {
    const bytes = Buffer.from(this.#memory.buffer)
    return bytes.toString('utf8', address, bytes.indexOf(0, address))
  }
}
