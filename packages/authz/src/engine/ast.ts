import type { PatternElement } from '../values/like.ts'
import type { Long } from '../values/long.ts'

/** The request's parts that a policy can name. */
export type VariableName = 'principal' | 'action' | 'resource' | 'context'

export type BinaryOperator =
  | '=='
  | '!='
  | 'in'
  | '<'
  | '<='
  | '>'
  | '>='
  | '+'
  | '-'
  | '*'
  | 'contains'
  | 'containsAll'
  | 'containsAny'
  | 'getTag'
  | 'hasTag'

export type UnaryOperator = '!' | 'neg' | 'isEmpty'

/** An entity named in a policy. */
export interface EntityName {
  readonly type: string
  readonly id: string
}

/** An expression of a policy; `at` is its first character's offset in the text. */
export type Expression = { readonly at: number } & (
  | { readonly kind: 'literal'; readonly value: boolean | Long | string }
  | { readonly kind: 'entity'; readonly entity: EntityName }
  | { readonly kind: 'variable'; readonly name: VariableName }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly argument: Expression }
  | {
      readonly kind: 'binary'
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
    }
  | {
      readonly kind: 'logic'
      readonly operator: '&&' | '||'
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'if'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly kind: 'attribute'; readonly target: Expression; readonly name: string }
  | { readonly kind: 'has'; readonly target: Expression; readonly path: readonly string[] }
  | { readonly kind: 'like'; readonly target: Expression; readonly pattern: readonly PatternElement[] }
  | {
      readonly kind: 'is'
      readonly target: Expression
      readonly entityType: string
      readonly within: Expression | undefined
    }
  | { readonly kind: 'set'; readonly elements: readonly Expression[] }
  | { readonly kind: 'record'; readonly entries: readonly (readonly [string, Expression])[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
)

/** An entity, or the slot of a template. */
export type ScopeTarget = EntityName | 'slot'

export type ScopeConstraint =
  | { readonly op: 'all' }
  | { readonly op: '=='; readonly target: ScopeTarget }
  | { readonly op: 'in'; readonly target: ScopeTarget }
  | { readonly op: 'is'; readonly entityType: string; readonly within: ScopeTarget | undefined }

export type ActionConstraint =
  | { readonly op: 'all' }
  | { readonly op: '=='; readonly entity: EntityName }
  | { readonly op: 'in'; readonly entities: readonly EntityName[]; readonly list: boolean }

export interface Condition {
  readonly kind: 'when' | 'unless'
  readonly body: Expression
  readonly at: number
  /** Offset behind the last character. */
  readonly end: number
}

/** One policy or template as it stands in a text. */
export interface PolicyNode {
  readonly effect: 'permit' | 'forbid'
  readonly annotations: readonly (readonly [string, string | undefined])[]
  readonly principal: ScopeConstraint
  readonly action: ActionConstraint
  readonly resource: ScopeConstraint
  readonly conditions: readonly Condition[]
  readonly at: number
  readonly end: number
}
