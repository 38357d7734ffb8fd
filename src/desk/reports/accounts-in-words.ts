/** What support reads out about a person's accounts. Pure. */
import { toSeconds } from './seconds.ts';
import type { AccountJson, UserJson } from './user-json.ts';
import { TRY_GAP_MS } from './whose-calls.ts';

interface Known {
  readonly user: UserJson | null;
  readonly accounts: readonly AccountJson[];
  readonly sameAddress: { readonly users: readonly UserJson[]; readonly accounts: readonly AccountJson[] };
}

/**
 * Which provider they used last and before, sign-ups without an account, and others with the address. `isShared`: what
 * was asked for, an address or a name, identifies no one. Then several people get no sentence about one of them. `now`
 * is in milliseconds since 1970.
 */
export function accountsInWords(known: Known, isShared: boolean, now: number): string {
  const { user, accounts, sameAddress } = known;
  const people = peopleIn(known);
  if (isShared && people > 1)
    return `${people} users or sign-ups without an account have this address or name, and may be several people. Ask again with the objectId or a support code before you name a provider or change anything.`;
  const used = accounts.filter(({ lastSignIn }) => lastSignIn !== null);
  const unfinished = [...accounts, ...sameAddress.accounts].filter(
    ({ isUnfinished, lastSeen }) => isUnfinished && now - Date.parse(lastSeen) > TRY_GAP_MS,
  );
  const others = sameAddress.users.length;
  return [
    ...signInsOf(user, used),
    ...unfinished.map(
      (one) => `A sign-up with ${named(one)} was last seen at ${at(one.lastSeen)}, and no later call named it.`,
    ),
    others === 0
      ? ''
      : `${others === 1 ? 'One other user has' : `${others} other users have`} the same address: compare the objectIds before you tell or change anything.`,
  ]
    .filter((sentence) => sentence)
    .join(' ');
}

/** Users, and identities without one. */
function peopleIn({ user, accounts, sameAddress }: Known): number {
  const identities = [...accounts, ...sameAddress.accounts];
  const objectIds = [user, ...sameAddress.users, ...identities].flatMap((one) => one?.objectId ?? []);
  return new Set(objectIds).size + identities.filter(({ objectId }) => objectId === null).length;
}

/** `used` is newest first. */
function signInsOf(user: UserJson | null, used: readonly AccountJson[]): string[] {
  const [newest, ...before] = used;
  const last = user?.lastSignIn?.at;
  const beforeThat = (some: readonly AccountJson[]) =>
    some.map((one) => `Before that with ${named(one)}, last at ${at(one.lastSignIn)}.`);
  if (last !== undefined && last > (newest?.lastSignIn ?? ''))
    return [`They signed in last at ${at(last)}; the call named no identity.`, ...beforeThat(used)];
  return newest === undefined
    ? ['No sign-in that let them in is known.']
    : [`They signed in with ${named(newest)} last, at ${at(newest.lastSignIn)}.`, ...beforeThat(before)];
}

const named = ({ provider, issuer }: AccountJson): string => provider ?? (issuer || 'an unknown provider');
const at = (instant: string | null): string => (instant === null ? 'an unknown time' : toSeconds(instant));
