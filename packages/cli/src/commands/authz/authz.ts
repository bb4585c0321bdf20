import { Command } from 'commander'

import { canCommand, explainCommand } from './ask.ts'
import { logCommand, shadowCommand } from './audit.ts'
import { bundleCommand } from './bundle.ts'
import { matrixCommand, testCommand } from './check.ts'
import { fuzzBolaCommand } from './fuzz-bola.ts'
import { contextOf } from './policies.ts'
import type { AuthzDeps } from './policies.ts'
import { testTokenCommand } from './test-token.ts'

/** `breakwater authz …`: everything about policies that needs no gateway. */
export function authzCommand(deps: AuthzDeps = {}): Command {
  const context = contextOf(deps)
  const parts = [
    testCommand,
    explainCommand,
    canCommand,
    matrixCommand,
    shadowCommand,
    logCommand,
    bundleCommand,
    testTokenCommand,
    fuzzBolaCommand,
  ]
  const command = new Command('authz').description('test, explain, ship and audit the policies')
  for (const part of parts) command.addCommand(part(context))
  return command
}
