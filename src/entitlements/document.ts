/** What we hold about a person in Workers KV, versioned and checked on write and on read; and what it means for one application. */
import * as z from 'zod/mini';

/** A space would make two roles of one, since the claim is a list joined by spaces. */
export const ROLE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;
export const MAX_ROLES = 100;
/** A token and the cookies that carry it suffer long before any limit of B2C's (contract 2.6). */
export const MAX_CLAIM_CHARS = 2_000;
export const MAX_ATTRIBUTES = 50;
export const MAX_APPLICATIONS = 50;
/** Names that are read, the forbidden ones included: somebody may have written by hand. */
const MAX_NAMES_READ = 1_000;

/** A list of names, each once. */
export const namesOf = (item: z.ZodMiniType<string, string>, most: number) =>
  z.pipe(
    z.array(item).check(z.maxLength(most, `at most ${most} names`)),
    z.transform((list: string[]) => [...new Set(list)]),
  );

const value = z.union([z.string().check(z.maxLength(2_000)), z.number(), z.boolean()], {
  error: 'an attribute is a text of at most 2,000 characters, a number, or true or false',
});
export const attributesSchema = z
  .record(z.string().check(z.minLength(1), z.maxLength(100)), value)
  .check(z.refine((record) => Object.keys(record).length <= MAX_ATTRIBUTES, `at most ${MAX_ATTRIBUTES} attributes`));

const clientId = z.string().check(z.trim(), z.toLowerCase(), z.minLength(1), z.maxLength(128));
/** Roles and groups by client id, in lower case. */
export const applicationsOf = <Names extends z.ZodMiniType<string[], string[]>>(names: Names) =>
  z
    .record(clientId, z.strictObject({ roles: z.optional(names), groups: z.optional(names) }))
    .check(
      z.refine((record) => Object.keys(record).length <= MAX_APPLICATIONS, `at most ${MAX_APPLICATIONS} applications`),
    );

// Nothing is changed on the way: this is read at every call, and roles are made unique where they are used.
const kept = z.array(z.string()).check(z.maxLength(MAX_NAMES_READ));

/** What lies in KV. Names that break the rule are dropped on read, not refused: somebody may have written by hand. */
export const entitlementsSchema = z.object({
  v: z.literal(1),
  roles: kept,
  groups: kept,
  attributes: attributesSchema,
  applications: applicationsOf(kept),
  // Postgres has no year 0; an attempt keeps this time.
  updatedAt: z.iso.datetime().check(z.refine((at) => at >= '1970')),
  updatedBy: z.string(),
});
export type Entitlements = z.infer<typeof entitlementsSchema>;

/** The part of a record that says what somebody may do. */
interface Held {
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly attributes: { readonly [name: string]: string | number | boolean };
  readonly applications: {
    readonly [clientId: string]: {
      readonly roles?: readonly string[] | undefined;
      readonly groups?: readonly string[] | undefined;
    };
  };
}

/** What a record says for one application. */
export interface Entitled {
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly attributes: Held['attributes'];
  /** How many names were left out, because they break the rule or there were too many. */
  readonly dropped: number;
}

/** The roles and groups of a person in one application: the general ones and the application's, each once, at most what a claim holds. */
export function entitledTo(record: Held, clientId: string): Entitled {
  const own = record.applications[clientId.toLowerCase()];
  const roles = allowed([...record.roles, ...(own?.roles ?? [])]);
  const groups = allowed([...record.groups, ...(own?.groups ?? [])]);
  return {
    roles: roles.names,
    groups: groups.names,
    attributes: record.attributes,
    dropped: roles.dropped + groups.dropped,
  };
}

function allowed(listed: readonly string[]) {
  const all = [...new Set(listed)];
  const names: string[] = [];
  let chars = -1;
  for (const name of all) {
    if (!ROLE_NAME.test(name) || names.length === MAX_ROLES || chars + 1 + name.length > MAX_CLAIM_CHARS) continue;
    names.push(name);
    chars += 1 + name.length;
  }
  return { names, dropped: all.length - names.length };
}

/** Collections cannot be claims, so that roles travel as one string joined by spaces (contract 1.6). */
export const claimOf = (roles: readonly string[]): string => roles.join(' ');
