/** The gate's state for the readiness check. The desk cannot read the gate's settings and secrets. */
import type { Config } from './config.ts';
import { hexOf, hmac, keyIdOf } from './digest.ts';

/** The gate sets it on every request, in place of one that came from outside. Only the gate calls the desk. */
const HEADER = 'X-Gatehouse-Gate';

export interface GateState {
  /** Problems for the operator to fix, as sentences without secrets. */
  readonly problems: readonly string[];
  /** Each connector credential, signed with `SUPPORT_CODE_KEY`, which both Workers have. */
  readonly pairs: readonly string[];
  /** Each line of `EMAIL_KEY`, as its id. Absent: the gate is of an earlier version, which has none. */
  readonly emailKeys?: readonly string[];
}

/** Sets the state of the gate that has these settings. */
export async function withState(request: Request, config: Config): Promise<Request> {
  const pairs = await signedPairs(config.SUPPORT_CODE_KEY, config.credentials.connector);
  const emailKeys = await Promise.all(config.EMAIL_KEY.map(keyIdOf));
  const state: GateState = { problems: config.problems, pairs, emailKeys };
  const extended = new Request(request);
  extended.headers.set(HEADER, encodeURIComponent(JSON.stringify(state)));
  return extended;
}

/** The state in a request; undefined when the gate did not send it. */
export function stateOf(request: Request): GateState | undefined {
  const header = request.headers.get(HEADER);
  return header === null ? undefined : (JSON.parse(decodeURIComponent(header)) as GateState);
}

/** Signatures, which can be compared without knowledge of the credentials. */
export const signedPairs = (secret: string, pairs: readonly { readonly line: Uint8Array }[]): Promise<string[]> =>
  Promise.all(pairs.map(async ({ line }) => hexOf(await hmac(secret, line))));

/** The newest of the desk's lines of `EMAIL_KEY` that the gate has too; undefined when it has none of them. */
export async function keyOfGate(lines: readonly string[], gate: GateState | undefined): Promise<string | undefined> {
  for (const line of lines) if (gate?.emailKeys?.includes(await keyIdOf(line))) return line;
  return undefined;
}
