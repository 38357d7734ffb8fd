/** Resolves the exchanges of a document to the form that the gate reads. */
import {
  BUILT_IN_EXCHANGES,
  BUILT_IN_INPUTS,
  type Exchange,
  type ExchangeInput,
  exchangeKey,
  TRUSTED_EMAIL_INPUT,
} from '../../policy/exchange.ts';
import type { Policy } from '../../policy/policy.ts';
import { canonicalName } from '../../sign-in/claim-names.ts';
import type { Step } from '../../sign-in/event.ts';
import { STEPS, stepNamed } from '../../sign-in/steps.ts';
import type { ExchangeDocument } from './exchange-document.ts';
import type { PolicyDocument } from './policy-document.ts';

/** The exchanges of a document, and the built-in ones that it does not declare. */
export function exchangesOf({ exchanges = {} }: Pick<PolicyDocument, 'exchanges'>): Exchange[] {
  const declared = Object.entries(exchanges).map(([name, document]) => exchangeOf(name, document));
  const names = new Set(declared.map(({ name }) => exchangeKey(name)));
  return [...declared, ...BUILT_IN_EXCHANGES.filter(({ name }) => !names.has(exchangeKey(name)))];
}

/** Every step of a document: those of user flows, then its exchanges. */
export const stepsOf = (document: Pick<PolicyDocument, 'exchanges'>): string[] => [
  ...STEPS,
  ...exchangesOf(document).map(({ name }) => name),
];

/** The step or exchange of a policy by a name in any case. */
export const stepOrExchange = (typed: string, { exchanges }: Pick<Policy, 'exchanges'>): Step | undefined =>
  stepNamed(typed) ?? exchanges.get(exchangeKey(typed))?.name;

function exchangeOf(name: string, document: ExchangeDocument): Exchange {
  const {
    kind,
    issuer = '',
    inputs = {},
    identifies = DEFAULT_IDENTIFIES,
    outputs = {},
    emptyReply = false,
  } = document;
  const own = Object.entries(inputs).map(([claim, input]) => exchangeInputOf(claim, input));
  const claims = new Set(own.map(({ claim }) => claim));
  return {
    name,
    kind,
    issuer,
    inputs: [
      ...own.filter(({ from }) => from.length > 0),
      ...builtInInputs(identifies).filter(({ claim }) => !claims.has(claim)),
    ],
    identifies: {
      ...(identifies.email && { email: { trusted: identifies.email.trusted ?? false } }),
      ...(identifies.objectId && { objectId: { form: identifies.objectId.form ?? 'guid' } }),
    },
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([output, type]) => [output, typeof type === 'string' ? { type } : type]),
    ),
    emptyReply,
  };
}

const DEFAULT_IDENTIFIES: NonNullable<ExchangeDocument['identifies']> = { email: {}, objectId: {} };

const builtInInputs = ({ email }: NonNullable<ExchangeDocument['identifies']>): readonly ExchangeInput[] =>
  email?.trusted
    ? BUILT_IN_INPUTS.map((input) => (input.claim === TRUSTED_EMAIL_INPUT.claim ? TRUSTED_EMAIL_INPUT : input))
    : BUILT_IN_INPUTS;

type InputDocument = NonNullable<ExchangeDocument['inputs']>[string];

export function exchangeInputOf(claim: string, input: InputDocument): ExchangeInput {
  const { from, type = 'string' } = typeof input === 'string' || Array.isArray(input) ? { from: input } : input;
  return { claim: inputClaim(claim), from: [from].flat(), type };
}

/** People write `locale` and `clientId`, as rules read them in `request`. */
export const inputClaim = (claim: string): string =>
  claim.toLowerCase() === 'locale' ? 'ui_locales' : canonicalName(claim);
