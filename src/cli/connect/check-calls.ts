/** The calls of a check: one for each step of a user flow and each exchange of a policy, with a made-up person. */
import { exchangesOf } from '../../desk/policies/exchanges.ts';
import type { PolicyDocument } from '../../desk/policies/policy-document.ts';
import type { ExchangeInput } from '../../policy/exchange.ts';
import type { Step } from '../../sign-in/event.ts';
import { STEPS } from '../../sign-in/steps.ts';

export interface CheckCall {
  readonly channel: 'user-flow' | 'custom-policy';
  readonly step: Step;
  /** The path after `/connectors`. */
  readonly path: string;
  /** Names no real person: reserved names of RFC 2606, and an objectId that no directory issues. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The claims that the policy declares as outputs. */
  readonly outputs: readonly string[];
  /** B2C writes the claims of the reply to the new account. */
  readonly isStored: boolean;
}

const OBJECT_ID = '00000000-0000-4000-8000-000000000000';
const CLIENT_ID = '00000000-0000-4000-8000-000000000001';
const PERSON = { email: 'check@gatehouse.example', displayName: 'Gatehouse Check', givenName: 'Gatehouse' } as const;

/** By claim. A rule that asks for another value refuses the call, which is a valid reply. */
const VALUES: { readonly [claim: string]: string } = {
  ...PERSON,
  surname: 'Check',
  objectId: OBJECT_ID,
  client_id: CLIENT_ID,
  ui_locales: 'en-US',
  correlationId: OBJECT_ID,
  policyId: 'B2C_1A_check',
  ipAddress: '192.0.2.1',
};
const BY_TYPE = { string: 'check', number: 1, boolean: true } as const;

export function checkCallsOf(document: Pick<PolicyDocument, 'exchanges'>): CheckCall[] {
  const flow = STEPS.map(
    (step): CheckCall => ({
      channel: 'user-flow',
      step,
      path: `/user-flow/${step}`,
      body: bodyAt(step),
      outputs: [],
      isStored: step !== 'PreTokenIssuance',
    }),
  );
  const exchanges = exchangesOf(document).map(
    ({ name, inputs, outputs, emptyReply }): CheckCall => ({
      channel: 'custom-policy',
      step: name,
      path: `/custom-policy/${encodeURIComponent(name)}`,
      body: bodyFor(inputs),
      outputs: emptyReply ? [] : Object.keys(outputs),
      isStored: false,
    }),
  );
  return [...flow, ...exchanges];
}

const bodyAt = (step: Step) => ({
  step,
  client_id: CLIENT_ID,
  ui_locales: 'en-US',
  ...PERSON,
  ...(step === 'PreTokenIssuance'
    ? { objectId: OBJECT_ID }
    : { identities: [{ signInType: 'federated', issuer: 'gatehouse.example', issuerAssignedId: 'check' }] }),
});

/** The first name of each input. A path such as `email.0.emailValue` is the name of a member too. */
const bodyFor = (inputs: readonly ExchangeInput[]) =>
  Object.fromEntries(inputs.map(({ claim, from, type }) => [from[0] ?? claim, VALUES[claim] ?? BY_TYPE[type]]));
