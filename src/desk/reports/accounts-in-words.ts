/** What support reads out about a person's accounts. Pure. */
import type { AccountJson, UserJson } from './user-json.ts';

interface Known {
  readonly user: UserJson | null;
  readonly accounts: readonly AccountJson[];
  readonly sameAddress: { readonly users: readonly UserJson[]; readonly accounts: readonly AccountJson[] };
}

/** Which provider they used last and before, sign-ups without an account, and others with the address. */
export function accountsInWords({ user, accounts, sameAddress }: Known): string {
  const used = accounts.filter(({ lastSignIn }) => lastSignIn !== null);
  const [newest, ...before] = used;
  const unfinished = [...accounts, ...sameAddress.accounts].filter(({ isUnfinished }) => isUnfinished);
  const others = sameAddress.users.length;
  return [
    newest === undefined ? neverSeen(user) : `They signed in with ${named(newest)} last, at ${at(newest.lastSignIn)}.`,
    ...before.map((one) => `Before that with ${named(one)}, last at ${at(one.lastSignIn)}.`),
    ...unfinished.map(
      (one) => `A sign-up with ${named(one)} was last seen at ${at(one.lastSeen)}, and no account came of it.`,
    ),
    others === 0
      ? ''
      : `${others === 1 ? 'One other user has' : `${others} other users have`} the same address: compare the objectIds before you tell or change anything.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

const neverSeen = (user: UserJson | null): string => {
  if (user?.lastSignIn) return `They signed in last at ${at(user.lastSignIn.at)}; the call named no identity.`;
  return 'No sign-in that let them in is known.';
};

const named = ({ provider, issuer }: AccountJson): string => provider ?? (issuer || 'an unknown provider');
const at = (instant: string | null): string => `${(instant ?? '').slice(0, 19)}Z`;
