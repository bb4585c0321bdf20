import { openStorefront } from '../storefront/storefront.ts'
import { runService } from '../kit/run.ts'

await runService('storefront', openStorefront)
