import { openBilling } from '../billing/billing.ts'
import { runService } from '../kit/run.ts'

await runService('billing', openBilling)
