/** A user and an account as JSON: times in ISO 8601 UTC, keys as people type them, names beside raw values. Pure. */
import type { accounts, users } from '../../database/schema.ts';
import { providerNameOf } from './provider-names.ts';

export type UserRow = Omit<typeof users.$inferSelect, 'nameWords'>;
export type AccountRow = typeof accounts.$inferSelect;
export type UserJson = ReturnType<typeof userJson>;
export type AccountJson = ReturnType<typeof accountJson>;

/** `applications`: names by client id. */
export const userJson = (
  { oidKey, email, name, firstSeen, lastSeen, lastSignIn, clientId, roles }: UserRow,
  applications: ReadonlyMap<string, string>,
) => ({
  key: oidKey,
  objectId: objectIdOf(oidKey),
  email,
  /** `''` unless `KEEP_CLAIMS` keeps `displayName`. */
  name,
  firstSeen: firstSeen.toISOString(),
  lastSeen: lastSeen.toISOString(),
  /** The newest call that let the person in; null when none did. */
  lastSignIn: lastSignIn && {
    at: lastSignIn.toISOString(),
    clientId,
    ...(applications.has(clientId) && { application: applications.get(clientId) }),
    roles,
  },
});

export function accountJson(row: AccountRow) {
  const { key, signInType, oidKey, email, firstSeen, lastSeen, firstSignIn, lastSignIn } = row;
  const issuer = issuerOf(row);
  const provider = providerNameOf(issuer);
  return {
    key,
    issuer,
    ...(provider !== undefined && { provider }),
    signInType,
    /** Null when no call with this identity had one. */
    objectId: oidKey === '' ? null : objectIdOf(oidKey),
    email,
    firstSeen: firstSeen.toISOString(),
    lastSeen: lastSeen.toISOString(),
    /** What the person signed in with. Null: only seen beside another identity, in a sign-up, or long ago. */
    firstSignIn: firstSignIn?.toISOString() ?? null,
    lastSignIn: lastSignIn?.toISOString() ?? null,
    /** A sign-up that began and that no later call named. */
    isUnfinished: isUnfinished(row),
  };
}

export const isUnfinished = ({ oidKey, firstSignIn }: AccountRow): boolean => oidKey === '' && firstSignIn === null;

/** A long objectId is only known by its digest. */
const objectIdOf = (oidKey: string): string => oidKey.replace(/^oid:/, '');

function issuerOf({ key, issuer }: AccountRow): string {
  if (!key.startsWith('idp:')) return issuer;
  try {
    return decodeURIComponent(issuer);
  } catch {
    return issuer;
  }
}
