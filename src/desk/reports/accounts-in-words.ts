/** What support reads out about a person's accounts. Pure. */
import type { AccountJson, UserJson } from './user-json.ts';
import { TRY_GAP_MS } from './whose-calls.ts';

interface Known {
  readonly user: UserJson | null;
  readonly accounts: readonly AccountJson[];
  readonly sameAddress: { readonly users: readonly UserJson[]; readonly accounts: readonly AccountJson[] };
}

/** `isOnePerson`: false when the keys lead to several people. `now` is in milliseconds since 1970. */
interface How {
  readonly isOnePerson: boolean;
  readonly now: number;
}

/** Which provider they used last and before, sign-ups without an account, and others with the address. */
export function accountsInWords({ user, accounts, sameAddress }: Known, { isOnePerson, now }: How): string {
  // The sentences name the providers of one person only: who calls may be another.
  if (!isOnePerson)
    return `Several people or sign-ups have this address: ask for the objectId or the support code, and search for that before you tell or change anything.`;
  const [newest, ...before] = accounts.filter(({ lastSignIn }) => lastSignIn !== null);
  const unfinished = [...accounts, ...sameAddress.accounts].filter(
    ({ isUnfinished, lastSeen }) => isUnfinished && now - Date.parse(lastSeen) > TRY_GAP_MS,
  );
  const others = sameAddress.users.length;
  const nameless = namelessSignIn(user, newest);
  return [
    nameless,
    newest && `They signed in with ${named(newest)} ${nameless ? '' : 'last, '}at ${at(newest.lastSignIn)}.`,
    nameless || newest ? '' : 'No sign-in that let them in is known.',
    ...before.map((one) => `Before that with ${named(one)}, last at ${at(one.lastSignIn)}.`),
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

/** A sign-in without an identity, if it was their last: B2C does not send the identities of every provider. */
function namelessSignIn(user: UserJson | null, newest: AccountJson | undefined): string {
  const last = user?.lastSignIn?.at;
  if (last === undefined || Date.parse(last) <= Date.parse(newest?.lastSignIn ?? '')) return '';
  return `They signed in last at ${at(last)}; the call named no identity.`;
}

const named = ({ provider, issuer }: AccountJson): string => provider ?? (issuer || 'an unknown provider');
const at = (instant: string | null): string => `${(instant ?? '').slice(0, 19)}Z`;
