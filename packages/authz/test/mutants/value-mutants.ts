import { inFile } from './mutant.ts'
import type { Mutant } from './mutant.ts'

/** Wrong values, readers and stores, each with one mistake that somebody could make. */
export const VALUE_MUTANTS: readonly Mutant[] = [
  ...inFile(
    'values/long.ts',
    ['integers are doubles', 'if (Number.isSafeInteger(sum)) return sum', 'return sum'],
    [
      'differences are doubles',
      'if (Number.isSafeInteger(difference)) return difference',
      'return difference',
    ],
    ['products are doubles', 'if (Number.isSafeInteger(product)) return product', 'return product'],
    [
      'overflow wraps',
      'return value >= LONG_MIN && value <= LONG_MAX ? value : undefined',
      'return BigInt.asIntN(64, value)',
    ],
    ['literals are rounded', 'return longOf(BigInt(digits))', 'return longOf(BigInt(Number(digits)))'],
    ['the smallest long is out of range', 'value >= LONG_MIN &&', 'value > LONG_MIN &&'],
    ['the largest long is out of range', 'value <= LONG_MAX ?', 'value < LONG_MAX ?'],
    [
      'one value has two spellings',
      'if (value >= -9007199254740991n && value <= 9007199254740991n)',
      'if (value > -9007199254740991n && value < 9007199254740991n)',
    ],
  ),
  ...inFile(
    'values/equality.ts',
    [
      'entities are equal by id',
      'return left.id === right.id && left.type === right.type',
      'return left.id === right.id',
    ],
    [
      'strings and numbers share keys',
      "return typeof value === 'string' ? JSON.stringify(value) : `${value}`",
      'return `${value}`',
    ],
    ['composite values are never equal', 'return left.key === right.key', 'return false'],
  ),
  ...inFile(
    'values/set.ts',
    ['sets keep duplicates', 'if (primitives.has(element)) continue', 'if (false) continue'],
    ['sets keep deep duplicates', 'if (keys.has(key)) continue', 'if (false) continue'],
    ['sets have an order', 'this.elements.map(keyOf).sort().join()', 'this.elements.map(keyOf).join()'],
  ),
  ...inFile('values/record.ts', ['records have an order', '.sort()\n', '\n']),
  ...inFile(
    'values/like.ts',
    ['* does not match the empty text', 'while (codes[index] === WILDCARD) index += 1', 'void 0'],
    ['like is a prefix test', 'return index === codes.length', 'return true'],
    [
      'like gives up at the first mismatch',
      '} else if (restartIndex >= 0) {',
      '} else if (restartIndex >= 99) {',
    ],
    [
      'like counts UTF-16 units',
      'const code = text.codePointAt(at) ?? 0',
      'const code = text.charCodeAt(at)',
    ],
  ),
  ...inFile('literals/string-literal.ts', [
    'an escaped star is a wildcard',
    "star: single === '*' ? 'escaped'",
    "star: single === '*' ? 'bare'",
  ]),
  ...inFile(
    'values/decimal.ts',
    ['five digits behind the point', '[0-9]{1,4}', '[0-9]{1,5}'],
    ['no digit before the point', '^-?[0-9]+', '^-?[0-9]*'],
    ['the fraction is not scaled', ".padEnd(4, '0')", ".padStart(4, '0')"],
    ['a plus sign is fine', '/^-?', '/^[+-]?'],
  ),
  ...inFile(
    'values/ip-address.ts',
    [
      'addresses are equal by range',
      'return `ip${this.bits}(${this.address}/${this.prefix})`',
      'return `ip${this.bits}(${this.#first}/${this.prefix})`',
    ],
    ['families are not told apart', 'this.bits === range.bits && this.#first', 'this.#first'],
    ['a range includes what overlaps it', 'this.#last <= range.#last', 'this.#first <= range.#last'],
    [
      'a loopback range may be wide',
      'this.address >> 24n === 127n && this.prefix >= 8',
      'this.address >> 24n === 127n',
    ],
    [
      'an IPv6 loopback range may be wide',
      'this.address === 1n && this.prefix === 128',
      'this.address === 1n',
    ],
    [
      'a multicast range may be wide',
      'this.address >> 28n === 14n && this.prefix >= 4',
      'this.address >> 28n === 14n',
    ],
    [':: stands for nothing', 'missing < 1', 'missing < 0'],
    ['a prefix may be too long', 'return prefix <= bits ? prefix : undefined', 'return prefix'],
  ),
  ...inFile(
    'values/datetime.ts',
    [
      'the offset is added',
      "match[8] === '-' ? local + offsetMs : local - offsetMs",
      "match[8] === '-' ? local - offsetMs : local + offsetMs",
    ],
    [
      '30 February is 1 March',
      'if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined',
      'void 0',
    ],
    [
      'the year 99 is 1999',
      'date.setUTCFullYear(year, month - 1, day)',
      'date.setTime(Date.UTC(year, month - 1, day))',
    ],
    ['leap seconds exist', 'second > 59', 'second > 60'],
    ['offsets of 24 hours exist', 'offsetHour > 23', 'offsetHour > 24'],
    [
      'days before 1970 round up',
      '((BigInt(this.epochMs) % DAY_MS) + DAY_MS) % DAY_MS',
      'BigInt(this.epochMs) % DAY_MS',
    ],
    ['units floor', 'longOf(BigInt(this.ms) / BigInt(unitMs)) ?? 0', 'Math.floor(Number(this.ms) / unitMs)'],
    ['a duration may be empty', "match === null || text === '' || text === '-'", 'match === null'],
    ['the minus of a duration is lost', "longOf(match[1] === '-' ? -total : total)", 'longOf(total)'],
    [
      'the smallest duration overflows',
      "longOf(match[1] === '-' ? -total : total)",
      "(longOf(total) === undefined ? undefined : longOf(match[1] === '-' ? -total : total))",
    ],
  ),
  ...inFile(
    'values/extension.ts',
    ['decimals compare the wrong way', 'a.scaled < b.scaled', 'a.scaled > b.scaled'],
    ['more arguments are ignored', 'args.length !== 2', 'args.length < 2'],
    ['an hour has 3600 milliseconds', 'span.in(3_600_000)', 'span.in(3600)'],
  ),
  ...inFile(
    'entities/hierarchy.ts',
    [
      'ancestors stop at the grandparents',
      'for (const above of done.get(parent) ?? parent.record?.ancestors ?? []) ancestors.add(above)',
      'void 0',
    ],
    ['parents are no ancestors', 'ancestors.add(parent)\n', '\n'],
  ),
  ...inFile('entities/read-value.ts', [
    'an entity escape is a record',
    "if (key === '__entity') return readTypeAndId",
    "if (key === '__entity_') return readTypeAndId",
  ]),
  ...inFile(
    'schema/read-typed-value.ts',
    ['required attributes are optional', 'if (required && !fields.has(name)) throw', 'if (false) throw'],
    [
      'plain strings stay strings',
      "typeof json === 'string' ? constructed(json, type.name, where) : undefined",
      'undefined',
    ],
  ),
  ...inFile('engine/request.ts', [
    'requests are not checked',
    'if (schema !== undefined && declared !== undefined) requireAllowed(principal, declared, resource, schema)',
    'void requireAllowed',
  ]),
]
