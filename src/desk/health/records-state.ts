/** The keys of people's records in Workers KV: how far their move is, and what keeps records from being found. */
import { countsEmailRecords } from '../../entitlements/look-up.ts';
import { PERSON_PREFIX } from '../../entitlements/record-keys.ts';
import type { Config } from '../../platform/config.ts';
import { keyIdOf } from '../../platform/digest.ts';
import { type GateState, keyOfGate } from '../../platform/gate-state.ts';
import { confirmKey, readState } from '../rekey/state.ts';

export interface RecordsState {
  /** `done`: every person key that is personal data is a digest under the newest `EMAIL_KEY`. */
  readonly rekey: 'waiting' | 'copy' | 'delete' | 'done';
  /** Records that were moved since the newest `EMAIL_KEY` is in both Workers. */
  readonly moved: number;
  readonly stuck: number;
  readonly foreign: number;
  readonly gateHasKey: boolean;
  readonly anyOfEmail: boolean;
}

/** Also starts the move once the gate has the newest key. Rejects when KV does. */
export async function recordsState(
  kv: KVNamespace,
  { EMAIL_KEY: keys }: Config,
  gate: GateState | undefined,
  now: number,
): Promise<RecordsState> {
  const [newest] = keys;
  const gateHasKey = newest !== undefined && (await keyOfGate(keys, gate)) === newest;
  if (gateHasKey) await confirmKey(kv, newest, now);
  const [state, listed] = await Promise.all([readState(kv), kv.list({ prefix: `${PERSON_PREFIX}email:`, limit: 1 })]);
  const anyOfEmail = listed.keys.length > 0;
  if (state === undefined || newest === undefined || state.keyId !== (await keyIdOf(newest)))
    return { rekey: 'waiting', moved: 0, stuck: 0, foreign: 0, gateHasKey, anyOfEmail };
  const { done, walk, moved, stuck, foreign } = state;
  return { rekey: done ? 'done' : walk.step, moved, stuck, foreign, gateHasKey, anyOfEmail };
}

/** Warnings for the operator. Pure. */
export function recordsWarnings(state: RecordsState, config: Config, gate: GateState | undefined): string[] {
  const { rekey, moved, stuck, foreign, gateHasKey, anyOfEmail } = state;
  const { EMAIL_KEY, EMAIL_COLLECTED_ON_PAGE, EMAIL_TRUSTED_ISSUERS } = config;
  const warnings: string[] = [];
  if (gate !== undefined && EMAIL_KEY.length > 0 && !gateHasKey) warnings.push(GATE_LACKS_KEY);
  if (rekey !== 'done' && EMAIL_KEY.length > 1) warnings.push(`${KEEP_LINES} ${moved} records are moved so far.`);
  if (stuck > 0)
    warnings.push(
      `${stuck} records in Workers KV are under an earlier line of EMAIL_KEY and cannot be read, so they stay there. List people, then save or remove these records.`,
    );
  if (foreign > 0)
    warnings.push(
      `${foreign} records of people are under a line of EMAIL_KEY that is not set, so no call finds them. Add that line below the others in both Workers.`,
    );
  if (anyOfEmail && !countsEmailRecords(config)) warnings.push(EMAIL_NOT_COUNTED);
  else if (anyOfEmail && EMAIL_TRUSTED_ISSUERS.length > 0 && EMAIL_COLLECTED_ON_PAGE === '')
    warnings.push(EMAIL_UNCONFIRMED);
  return warnings;
}

const GATE_LACKS_KEY =
  'The gate does not have the first line of the desk’s EMAIL_KEY, so records are not moved to it. Set the same lines in both Workers.';
const KEEP_LINES =
  'Records of people are being moved to the first line of EMAIL_KEY. Keep the other lines until records.rekey is "done".';
const EMAIL_NOT_COUNTED =
  'Records under email: keys exist, and none of them counts in a user flow: no issuer is trusted for e-mail, or people can type their address. ' +
  'Use oid: or idp: keys, or set EMAIL_TRUSTED_ISSUERS.';
const EMAIL_UNCONFIRMED =
  'Records under email: keys exist, and it is not confirmed that people cannot type their address on a page of B2C. ' +
  'Check the user flow, then set EMAIL_COLLECTED_ON_PAGE.';
