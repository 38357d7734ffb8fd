/** What the expressions of a rule can read, and what their values become, at the steps of the rule. */
import type { Purpose } from '../../expressions/results.ts';
import type { Exchange, ExchangeInput, ExchangeOutput } from '../../policy/exchange.ts';
import { comparableName } from '../../sign-in/claim-names.ts';
import { TEXT_CLAIMS } from '../../sign-in/event.ts';
import { USER_FLOW } from '../../sign-in/steps.ts';
import { inputClaim } from './exchanges.ts';

/** `custom`: a text, a number, true or false. */
export type ClaimType = 'text' | 'number' | 'truth' | 'custom';

/** A claim that exchanges of the rule have as an input. */
export interface InputClaim {
  readonly claim: string;
  readonly type: ClaimType;
}

/** Where the value of an expression goes: a condition, a claim of a user flow, or an output of an exchange. */
export type ResultForm = Purpose | NamedOutput;
export interface NamedOutput extends ExchangeOutput {
  readonly name: string;
}

export interface RulePlace {
  /** The exchanges among the steps. */
  readonly exchanges: readonly Exchange[];
  /** Whether a user flow is among the steps: its claims may have any name. */
  readonly isUserFlow: boolean;
  /** By {@link comparableName}. */
  readonly inputs: ReadonlyMap<string, InputClaim>;
}

export const IN_USER_FLOW: RulePlace = { exchanges: [], isUserFlow: true, inputs: new Map() };

/** An unknown step counts as one of a user flow: its own problem says enough. */
export function placeOf(steps: readonly string[], exchanges: ReadonlyMap<string, Exchange>): RulePlace {
  const named = [...new Set(steps)].flatMap((step) => exchanges.get(step) ?? []);
  const isUserFlow = steps.some((step) => USER_FLOW.has(step) || !exchanges.has(step));
  const inputs = new Map<string, InputClaim>();
  for (const input of named.flatMap((exchange) => exchange.inputs)) {
    const key = comparableName(input.claim);
    const type = typeOf(input, isUserFlow);
    const other = inputs.get(key);
    inputs.set(key, { claim: input.claim, type: other === undefined || other.type === type ? type : 'custom' });
  }
  return { exchanges: named, isUserFlow, inputs };
}

const TYPES = { string: 'text', number: 'number', boolean: 'truth' } as const;

/** In a user flow, custom attributes have the type in which they came. */
function typeOf({ claim, type }: ExchangeInput, isUserFlow: boolean): ClaimType {
  if (!isUserFlow) return TYPES[type];
  return type === 'string' && TEXT_CLAIMS.includes(claim) ? 'text' : 'custom';
}

/** The input of a claim, under any name that a document may give it. */
export const inputNamed = ({ inputs }: RulePlace, name: string): InputClaim | undefined =>
  inputs.get(comparableName(inputClaim(name)));

/** What the value of a claim that the rule sets becomes. The same form twice counts once. */
export function formsOf(claim: string, { exchanges, isUserFlow }: RulePlace): readonly ResultForm[] {
  const outputs = new Map(
    exchanges.flatMap(({ outputs }) => {
      const output = Object.hasOwn(outputs, claim) ? outputs[claim] : undefined;
      return output === undefined ? [] : [[`${output.type} ${output.join ?? ''}`, { name: claim, ...output }] as const];
    }),
  );
  return isUserFlow || outputs.size === 0 ? ['value', ...outputs.values()] : [...outputs.values()];
}
