import { expect, test } from 'vitest'
import { openNetDriver } from '../net/driver.ts'
import { openFfiDriver } from './driver.ts'

const isHere = openFfiDriver()
if (isHere.ok) await isHere.value.close()
const nobody = (): never => expect.unreachable()

test.runIf(isHere.ok)('a port that was about to open when the driver closed does not stay open', async () => {
  const opened = openFfiDriver()
  if (!opened.ok) throw new Error(opened.error)
  const net = openNetDriver()
  const before = await net.listen({ host: '127.0.0.1', port: 0 }, nobody)
  await before.close()
  const port = { host: '127.0.0.1', port: before.port }
  const opening = opened.value.listen(port, nobody)
  await opened.value.close()
  await expect(opening).rejects.toMatchObject({ code: 'BW_HTTP_LISTEN_FAILED' })
  await (await net.listen(port, nobody)).close()
})
