import { openPayments } from '../payments/payments.ts'
import { runService } from '../kit/run.ts'

await runService('payments', openPayments)
