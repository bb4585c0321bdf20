const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DELAY_SECONDS = /^\d{1,10}$/
// RFC 9110 §5.6.7: a recipient accepts all three forms.
const IMF_FIXDATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/
const RFC_850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/

/**
 * The wait a `Retry-After` field asks for (RFC 9110 §10.2.3), in milliseconds: delay-seconds or any form of HTTP-date.
 * `undefined` when it is neither. A date needs the wall clock, `nowEpochMs`; one in the past asks for no wait.
 */
export function parseRetryAfter(value: string, nowEpochMs: number): number | undefined {
  const text = value.trim()
  if (DELAY_SECONDS.test(text)) return Number(text) * 1000
  const atMs = httpDate(text, nowEpochMs)
  return atMs === undefined ? undefined : Math.max(0, atMs - nowEpochMs)
}

function httpDate(text: string, nowEpochMs: number): number | undefined {
  const fix = IMF_FIXDATE.exec(text)
  if (fix !== null) return epochMs(Number(fix[3]), fix[2], fix[1], fix[4], fix[5], fix[6])
  const old = RFC_850.exec(text)
  if (old !== null)
    return epochMs(fullYear(Number(old[3]), nowEpochMs), old[2], old[1], old[4], old[5], old[6])
  const asc = ASCTIME.exec(text)
  if (asc !== null) return epochMs(Number(asc[6]), asc[1], asc[2], asc[3], asc[4], asc[5])
  return undefined
}

/** A two-digit year more than 50 years ahead is the last one of that ending (RFC 9110 §5.6.7). */
function fullYear(twoDigits: number, nowEpochMs: number): number {
  const thisYear = new Date(nowEpochMs).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + twoDigits
  return year > thisYear + 50 ? year - 100 : year
}

function epochMs(
  year: number,
  monthName: string | undefined,
  ...rest: readonly (string | undefined)[]
): number | undefined {
  const month = MONTHS.indexOf(monthName ?? '')
  const [day = 0, hour = 0, minute = 0, second = 0] = rest.map(Number)
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return undefined
  const date = new Date(Date.UTC(year, month, day))
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month) return undefined
  return Date.UTC(year, month, day, hour, minute, second)
}
