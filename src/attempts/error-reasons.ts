/** Why no policy decided a call: the codes in `reason` of an attempt whose outcome is `error`, and what each says. */

/** A body that cannot be used. */
export type BodyFault =
  | 'too-large'
  | 'cut-off'
  | 'compressed'
  | 'not-utf-8'
  | 'not-json'
  | 'not-an-object'
  | 'nested-too-deep';

export type ErrorReason = BodyFault | 'unknown-step' | 'unknown-exchange' | 'no-policy' | 'deadline' | 'exception';

const CHANGED_ON_ITS_WAY = 'B2C sends plain JSON in UTF-8: look for a proxy that changes calls';
const NOT_FROM_B2C = 'B2C sends no such body: look for another caller that has the credential';

const IN_WORDS: { readonly [reason in ErrorReason]: readonly [problem: string, advice: string] } = {
  'too-large': ['its body was larger than 256 KiB', 'Return fewer or shorter claims to B2C, or collect fewer'],
  'cut-off': [
    'its body broke off',
    'Ask the person to try again. If it happens often, look at the network before Gatehouse',
  ],
  compressed: ['its body was compressed, which Gatehouse does not read', CHANGED_ON_ITS_WAY],
  'not-utf-8': ['its body was in another encoding than UTF-8', CHANGED_ON_ITS_WAY],
  'not-json': ['its body was not JSON', CHANGED_ON_ITS_WAY],
  'not-an-object': ['its body was JSON, but not an object', NOT_FROM_B2C],
  'nested-too-deep': ['its body was nested too deeply', NOT_FROM_B2C],
  'unknown-step': [
    'neither its body nor its URL named a step that Gatehouse knows',
    'Compare the URL of the API connector with the one in the setup of the portal',
  ],
  'unknown-exchange': [
    'the policy has no exchange of the name in its URL',
    "Compare ServiceUrl in the custom policy with the policy's exchanges",
  ],
  'no-policy': ['there was no policy to decide by', 'See /health/ready, and put a policy in force'],
  deadline: [
    'it was not decided within DECISION_TIMEOUT_MS',
    'Ask the person to try again. See degraded and the notes',
  ],
  exception: ['Gatehouse failed', 'See the log line call-failed of that time, and report it to the developers'],
};

/** What was wrong with a call, and what to do. Undefined for a reason that this version does not know. */
export const errorInWords = (reason: string): { readonly problem: string; readonly advice: string } | undefined => {
  const [problem, advice] = Object.entries(IN_WORDS).find(([known]) => known === reason)?.[1] ?? [];
  return problem === undefined || advice === undefined ? undefined : { problem, advice };
};
