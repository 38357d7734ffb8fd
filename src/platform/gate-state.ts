/** The gate's state for the readiness check. The desk cannot read the gate's settings and secrets. */
import { certificateWarnings } from '../callers/certificate-expiry.ts';
import type { CallerKind, ConnectorCredentials, NamedSecret } from '../callers/credential.ts';
import type { Config } from './config.ts';
import { hexOf, hmac, keyIdOf } from './digest.ts';

/** The gate sets it on every request, in place of one that came from outside. Only the gate calls the desk. */
const HEADER = 'X-Gatehouse-Gate';

export interface GateState {
  /** Problems for the operator to fix, as sentences without secrets. */
  readonly problems: readonly string[];
  /** The secret of each connector credential, signed with `SUPPORT_CODE_KEY`, which both Workers have. */
  readonly pairs: readonly string[];
  /** Each line of `EMAIL_KEY`, as its id. Absent: the gate is of an earlier version, which has none. */
  readonly emailKeys?: readonly string[];
  /** The credentials of connectors, by name. Absent: the gate is of an earlier version. */
  readonly callers?: readonly ConfiguredCaller[];
}

/** A key counts as `api-key`, although it may also be presented as `code`. Lines that share a name are several. */
export interface ConfiguredCaller {
  readonly name: string;
  readonly kind: Exclude<CallerKind, 'code'>;
}

/** Of settings, which do not change in an isolate. */
const signed = new WeakMap<object, { readonly pairs: readonly string[]; readonly emailKeys: readonly string[] }>();

/** Sets the state of the gate that has these settings. */
export async function withState(request: Request, config: Config): Promise<Request> {
  const { basic, keys, tokens } = config.credentials.connector;
  const known = signed.get(config.credentials);
  const pairs = known?.pairs ?? (await signedPairs(config.SUPPORT_CODE_KEY, [...basic, ...keys, ...tokens]));
  const emailKeys = known?.emailKeys ?? (await Promise.all(config.EMAIL_KEY.map(keyIdOf)));
  signed.set(config.credentials, { pairs, emailKeys });
  const problems = [...config.problems, ...certificateWarnings(Date.now())];
  const callers = configuredCallers(config.credentials.connector);
  const state: GateState = { problems, pairs, emailKeys, callers };
  const extended = new Request(request);
  extended.headers.set(HEADER, encodeURIComponent(JSON.stringify(state)));
  return extended;
}

function configuredCallers({
  basic,
  keys,
  tokens,
  issuers,
  certificates,
}: ConnectorCredentials): readonly ConfiguredCaller[] {
  const named = (kind: ConfiguredCaller['kind'], some: readonly { readonly name: string }[]) =>
    some.map(({ name }) => ({ name, kind }));
  return [
    ...named('certificate', certificates),
    ...named('jwt', issuers),
    ...named('api-key', keys),
    ...named('static-bearer', tokens),
    ...named('basic', basic),
  ];
}

/** The state in a request; undefined when the gate did not send it. */
export function stateOf(request: Request): GateState | undefined {
  const header = request.headers.get(HEADER);
  return header === null ? undefined : (JSON.parse(decodeURIComponent(header)) as GateState);
}

/** Signatures, which can be compared without knowledge of the credentials. */
export const signedPairs = (key: string, pairs: readonly NamedSecret[]): Promise<string[]> =>
  Promise.all(pairs.map(async ({ secret }) => hexOf(await hmac(key, secret))));

/** The newest of the desk's lines of `EMAIL_KEY` that the gate has too; undefined when it has none of them. */
export async function keyOfGate(lines: readonly string[], gate: GateState | undefined): Promise<string | undefined> {
  for (const line of lines) if (gate?.emailKeys?.includes(await keyIdOf(line))) return line;
  return undefined;
}
