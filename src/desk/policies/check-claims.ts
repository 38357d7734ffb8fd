/** Checks the names of the claims that a rule sets: at steps of user flows, and at exchanges. */

import { didYouMean } from '../../platform/closest-name.ts';
import type { Exchange } from '../../policy/exchange.ts';
import { ALIASES, isLongName, shortName } from '../../sign-in/claim-names.ts';
import type { RuleDocument } from './policy-document.ts';
import { problemSentence } from './problem-sentences.ts';
import type { RulePlace } from './rule-place.ts';
import { readPath } from './variables.ts';

/** Members of the protocol, in lower case (contract 1.4, 2.1). Setting one breaks the reply or changes the identity. */
const NEVER_SET = new Set([
  'version',
  'status',
  'action',
  'usermessage',
  'code',
  'step',
  'client_id',
  'clientid',
  'ui_locales',
  'identities',
  'objectid',
]);
/** Azure's names of attributes. Only a custom policy has claims with hyphens and dots. */
const USER_FLOW_CLAIM = /^[A-Za-z][A-Za-z0-9_]{0,99}$/;

type Refuse = (message: string) => void;

/** A claim must be possible at every step of its rule. */
export function checkClaim(
  claim: string,
  steps: RuleDocument['steps'],
  { exchanges, isUserFlow }: RulePlace,
  refuse: Refuse,
): void {
  if (isUserFlow) checkUserFlowClaim(claim, steps, refuse);
  for (const exchange of exchanges) if (!Object.hasOwn(exchange.outputs, claim)) refuse(noOutput(claim, exchange));
}

function noOutput(claim: string, { name, outputs }: Exchange): string {
  const declared = Object.keys(outputs);
  if (declared.length === 0)
    return `${name} has no outputs. Declare ${claim} in its outputs, or set it at another step.`;
  return `${name} has no output ${claim}.${didYouMean(claim, declared)} Its outputs are ${declared.join(', ')}.`;
}

function checkUserFlowClaim(claim: string, steps: RuleDocument['steps'], refuse: Refuse): void {
  if (!USER_FLOW_CLAIM.test(claim)) {
    refuse('Not the name of a claim. Write letters, digits and underscores.');
    return;
  }
  const name = claim.toLowerCase();
  const alias = ALIASES.get(name);
  if (NEVER_SET.has(name)) {
    refuse(`The claim ${claim} belongs to the protocol and cannot be set. Choose another.`);
    return;
  }
  if (name === 'email' && steps.includes('PreTokenIssuance'))
    refuse('B2C does not accept email at PreTokenIssuance. Set it at another step, or choose another claim.');
  if (isLongName(claim))
    refuse(
      `${claim} is a long name. Write ${shortName(claim)}. With EXTENSIONS_APP_ID, Gatehouse sends the long name.`,
    );
  if (alias !== undefined && claim !== alias) refuse(`B2C calls this claim ${alias}. Write ${alias}.`);
  const read = readPath(['claims', claim], new Set());
  if (alias === undefined && !name.startsWith('extension_') && !read.ok)
    refuse(`B2C ignores ${claim}. ${problemSentence(read.fault)}`);
  if (name.startsWith('extension_') && !claim.startsWith('extension_'))
    refuse('The name of a custom claim begins in lower case. Write extension_.');
}
