import { openCatalog } from '../catalog/catalog.ts'
import { runService } from '../kit/run.ts'

await runService('catalog', openCatalog)
