/** What the gate says of itself when readiness is asked for: the desk cannot see its settings and secrets. */
import type { Config } from './config.ts';
import { hexOf, hmac } from './digest.ts';

/** The gate sets it, and takes it off every request that comes from outside. The desk is called by the gate alone. */
const HEADER = 'X-Gatehouse-Gate';

export interface GateState {
  /** What an operator should correct, as sentences without secrets. */
  readonly problems: readonly string[];
  /** Each connector pair, signed under `SUPPORT_CODE_KEY`, which both Workers hold. */
  readonly pairs: readonly string[];
}

/** The request without a state that it did not get from the gate. */
export function withoutState(request: Request): Request {
  if (!request.headers.has(HEADER)) return request;
  const clean = new Request(request);
  clean.headers.delete(HEADER);
  return clean;
}

/** The request with the state of the gate whose settings these are. */
export async function withState(request: Request, config: Config): Promise<Request> {
  const pairs = await signedPairs(config.SUPPORT_CODE_KEY, config.credentials.connector);
  const state: GateState = { problems: config.problems, pairs };
  const told = new Request(request);
  told.headers.set(HEADER, encodeURIComponent(JSON.stringify(state)));
  return told;
}

/** The state that a request brings; undefined when the gate did not send it. */
export function stateOf(request: Request): GateState | undefined {
  const header = request.headers.get(HEADER);
  return header === null ? undefined : (JSON.parse(decodeURIComponent(header)) as GateState);
}

/** Pairs as they can be compared without being known. */
export const signedPairs = (secret: string, pairs: readonly { readonly line: Uint8Array }[]): Promise<string[]> =>
  Promise.all(pairs.map(async ({ line }) => hexOf(await hmac(secret, line))));
