import { openOrders } from '../orders/orders.ts'
import { runService } from '../kit/run.ts'

await runService('orders', openOrders)
