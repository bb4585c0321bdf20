// Fails when a package imports one from its own layer or a higher one, reaches into another package's folders,
// or passes the file-size limit. Run by `npm test`; alone: node tools/layers.ts
import { globSync, readFileSync } from 'node:fs'

const layers = [
  ['core'],
  ['contract'],
  ['resilience', 'drill'],
  ['authz'],
  ['http', 'telemetry'],
  ['gateway', 'control'],
  ['breakwater'],
] as const

/** Why a package may still import a neighbour. */
const exceptions = new Set([
  'control gateway', // the admin API shows and steers the gateway that runs beside it in one process
])

const MAX_LINES = 400
const levelOf = new Map<string, number>(
  layers.flatMap((names, level) => names.map((name) => [name, level] as const)),
)
const nameOf = (folder: string): string => (folder === 'cli' ? 'breakwater' : folder)

/** The entrances that a package declares: `.`, `./machines` … */
const doorsOf = memoize((name: string): ReadonlySet<string> => {
  const folder = name === 'breakwater' ? 'cli' : name
  const manifest = JSON.parse(readFileSync(`packages/${folder}/package.json`, 'utf8')) as { exports: object }
  return new Set(Object.keys(manifest.exports))
})

function memoize<Value>(compute: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>()
  return (key) => {
    const value = known.get(key) ?? compute(key)
    known.set(key, value)
    return value
  }
}

function offencesIn(file: string): string[] {
  const [, folder = '', area = ''] = file.split(/[\\/]/)
  const from = nameOf(folder)
  const text = readFileSync(file, 'utf8')
  const isTestCode =
    area === 'test' || area === 'bench' || file.endsWith('.test.ts') || file.endsWith('.test-d.ts')
  const offences: string[] = []
  const lines = text.split('\n').length - 1
  if (lines > MAX_LINES) offences.push(`${file}: ${lines} lines, the limit is ${MAX_LINES}`)
  for (const [, to = '', inside] of text.matchAll(
    /(?:from|import\()\s*'(?:@breakwater\/)?(breakwater|(?<=@breakwater\/)[a-z]+)((?:\/[^']+)?)'/g,
  )) {
    if (inside !== undefined && inside !== '' && !doorsOf(to).has(`.${inside}`)) {
      offences.push(`${file}: reaches into ${to}${inside}, which is no door of that package`)
    }
    if (isTestCode || to === from) continue
    if (area === 'drills' && (to === 'drill' || to === 'testkit')) continue
    if (exceptions.has(`${from} ${to}`)) continue
    const [fromLevel, toLevel] = [levelOf.get(from), levelOf.get(to)]
    if (from === 'testkit') continue
    if (fromLevel === undefined || toLevel === undefined || toLevel >= fromLevel) {
      offences.push(`${file}: ${from} must not import ${to}`)
    }
  }
  return offences
}

const files = globSync('packages/*/{src,test,drills,bench}/**/*.ts').filter(
  (file) => !file.includes('node_modules'),
)
const offences = files.flatMap(offencesIn)
for (const offence of offences) console.error(offence)
console.log(`layers: ${files.length} files, ${offences.length} offences`)
process.exitCode = offences.length === 0 ? 0 : 1
