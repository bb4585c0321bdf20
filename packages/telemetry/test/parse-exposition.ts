/** One sample of the text format, read back by the grammar of Prometheus' documentation, not by our writer's code. */
export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

export interface ParsedFamily {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: readonly Sample[]
}

/** Throws at the first character that the format does not allow. */
export function parseExposition(text: string): readonly ParsedFamily[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line must end with a line feed')
  const families: { name: string; help: string; type: string; samples: Sample[] }[] = []
  const seen = new Set<string>()
  let help: { name: string; text: string } | undefined
  for (const line of text.split('\n').slice(0, -1)) {
    const helpLine = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line)
    const typeLine = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/.exec(line)
    if (helpLine !== null) {
      help = { name: helpLine[1] ?? '', text: unescape(helpLine[2] ?? '', false) }
    } else if (typeLine !== null) {
      const name = typeLine[1] ?? ''
      if (help?.name !== name) throw new Error(`TYPE without its HELP: ${line}`)
      if (families.some((family) => family.name === name)) throw new Error(`family twice: ${name}`)
      families.push({ name, help: help.text, type: typeLine[2] ?? '', samples: [] })
    } else {
      const sample = parseSample(line)
      const identity = JSON.stringify([
        sample.name,
        [...sample.labels].map((pair) => pair.join('=')).toSorted(),
      ])
      if (seen.has(identity)) throw new Error(`sample twice: ${line}`)
      seen.add(identity)
      const family = families.at(-1)
      const base = sample.name.replace(/_(?:bucket|sum|count)$/, '')
      if (family === undefined || (family.name !== sample.name && family.name !== base)) {
        throw new Error(`sample outside its family: ${line}`)
      }
      family.samples.push(sample)
    }
  }
  return families
}

function parseSample(line: string): Sample {
  let at = 0
  const take = (pattern: RegExp): string => {
    const sticky = new RegExp(pattern, 'y')
    sticky.lastIndex = at
    const match = sticky.exec(line)
    if (match === null) throw new Error(`expected ${pattern} at ${at}: ${line}`)
    at = sticky.lastIndex
    return match[0]
  }
  const name = take(/[a-zA-Z_:][a-zA-Z0-9_:]*/)
  const labels = new Map<string, string>()
  if (line[at] === '{') {
    at++
    while (line[at] !== '}') {
      if (labels.size > 0) take(/,/)
      const label = take(/[a-zA-Z_][a-zA-Z0-9_]*/)
      take(/="/)
      const value = unescape(take(/(?:[^"\\\n]|\\[\\"n])*/), true)
      take(/"/)
      if (labels.has(label)) throw new Error(`label twice: ${line}`)
      labels.set(label, value)
    }
    at++
  }
  take(/ /)
  const value = take(/[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/)
  if (at !== line.length) throw new Error(`text after the value: ${line}`)
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

function unescape(text: string, quotes: boolean): string {
  return text.replace(/\\(.)/gs, (whole, char: string) => {
    if (char === 'n') return '\n'
    if (char === '\\' || (quotes && char === '"')) return char
    throw new Error(`unknown escape ${whole}`)
  })
}
