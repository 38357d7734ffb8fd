/** How far the move of records to the newest `EMAIL_KEY` is: one value in Workers KV. */
import { keyIdOf } from '../../platform/digest.ts';
import { withTimeout } from '../../platform/timeout.ts';

const STATE_KEY = 'rekey:state';
/** A tick of the schedule waits for it. */
const LIMIT_MS = 2_000;

/** A walk over the keys of all records. */
export interface Walk {
  readonly step: 'copy' | 'delete';
  /** When it may begin, in milliseconds since 1970. */
  readonly notBefore: number;
  /** KV's cursor of the next page; absent at the beginning. */
  readonly cursor?: string | undefined;
  /** Records of which a copy was not in its place. */
  readonly found: number;
  /** Copies under an earlier line that do not say whose they are. */
  readonly stuck: number;
  /** Copies under a line of `EMAIL_KEY` that is not set. */
  readonly foreign: number;
}

export interface RekeyState {
  /** The id of the newest `EMAIL_KEY`, which the gate has too. */
  readonly keyId: string;
  /** True when a whole walk found nothing to move. */
  readonly done: boolean;
  /** Records whose earlier copies are gone. */
  readonly moved: number;
  /** Of the last whole walk. */
  readonly stuck: number;
  readonly foreign: number;
  readonly walk: Walk;
}

export const newWalk = (step: Walk['step'], notBefore: number): Walk => ({
  step,
  notBefore,
  found: 0,
  stuck: 0,
  foreign: 0,
});

/** The state; undefined when no move began, or the value was written by hand. Rejects when KV does. */
export async function readState(kv: Pick<KVNamespace, 'get'>): Promise<RekeyState | undefined> {
  const text = await withTimeout(LIMIT_MS, () => kv.get(STATE_KEY));
  if (text === null) return undefined;
  try {
    const state: RekeyState = JSON.parse(text);
    return typeof state.keyId === 'string' && Number.isFinite(state.walk.notBefore) ? state : undefined;
  } catch {
    return undefined;
  }
}

export const writeState = (kv: Pick<KVNamespace, 'put'>, state: RekeyState): Promise<void> =>
  withTimeout(LIMIT_MS, () => kv.put(STATE_KEY, JSON.stringify(state)));

/** Remembers that the gate has the key `newest`: it finds records under it. Rejects when KV does. */
export async function confirmKey(kv: Pick<KVNamespace, 'get' | 'put'>, newest: string, now: number): Promise<void> {
  const keyId = await keyIdOf(newest);
  if ((await readState(kv))?.keyId === keyId) return;
  await writeState(kv, { keyId, done: false, moved: 0, stuck: 0, foreign: 0, walk: newWalk('copy', now) });
}
