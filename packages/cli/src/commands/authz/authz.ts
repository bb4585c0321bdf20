import { Command } from 'commander'

import { canCommand, explainCommand } from './ask.ts'
import { matrixCommand, testCommand } from './check.ts'
import { contextOf } from './policies.ts'
import type { AuthzDeps } from './policies.ts'

/** `breakwater authz …`: everything about policies that needs no gateway. */
export function authzCommand(deps: AuthzDeps = {}): Command {
  const context = contextOf(deps)
  const command = new Command('authz').description('test, explain, ship and audit the policies')
  for (const part of [testCommand, explainCommand, canCommand, matrixCommand])
    command.addCommand(part(context))
  return command
}
