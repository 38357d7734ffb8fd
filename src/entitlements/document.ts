/** What we hold about a person in Workers KV, versioned and checked on write and on read; and what it means for one application. */
import * as z from 'zod';

/** A space would make two roles of one, since the claim is a list joined by spaces. */
export const ROLE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;
export const MAX_ROLES = 100;
/** A token and the cookies that carry it suffer long before any limit of B2C's (contract 2.6). */
export const MAX_CLAIM_CHARS = 2_000;
const MAX_ATTRIBUTES = 50;
const MAX_APPLICATIONS = 50;

const ROLE_NAME_RULE =
  'a role or group name is 1 to 64 characters: letters, digits and . _ : / - , beginning with a letter or digit';
const written = z.string().regex(ROLE_NAME, ROLE_NAME_RULE);
const names = (item: z.ZodString, most = MAX_ROLES) =>
  z
    .array(item)
    .max(most, `at most ${most} names`)
    .transform((list) => [...new Set(list)]);
const attributes = z
  .record(
    z.string().min(1).max(100),
    z.union([z.string().max(2_000), z.number(), z.boolean()], {
      error: 'an attribute is a text of at most 2,000 characters, a number, or true or false',
    }),
  )
  .refine((record) => Object.keys(record).length <= MAX_ATTRIBUTES, `at most ${MAX_ATTRIBUTES} attributes`);

const applications = <Names extends z.ZodType>(list: Names) =>
  z
    .record(
      z.string().trim().toLowerCase().min(1).max(128),
      z.strictObject({ roles: list.optional(), groups: list.optional() }),
    )
    .refine((record) => Object.keys(record).length <= MAX_APPLICATIONS, `at most ${MAX_APPLICATIONS} applications`);

/** What an administrator writes: unknown members and bad names are refused. */
export const entitlementsInput = z
  .strictObject({
    roles: names(written).default([]),
    groups: names(written).default([]),
    attributes: attributes.default({}),
    applications: applications(names(written)).default({}),
  })
  .refine((input) => claimOf(rolesIn(input)).length <= MAX_CLAIM_CHARS, {
    message: `the roles make a claim longer than ${MAX_CLAIM_CHARS} characters: use fewer or shorter names`,
  });
export type EntitlementsInput = z.infer<typeof entitlementsInput>;

const kept = names(z.string(), 1_000);

/** What lies in KV. Names that break the rule are dropped on read, not refused: somebody may have written by hand. */
export const entitlementsSchema = z.object({
  v: z.literal(1),
  roles: kept,
  groups: kept,
  attributes,
  applications: applications(kept),
  updatedAt: z.iso.datetime(),
  updatedBy: z.string(),
});
export type Entitlements = z.infer<typeof entitlementsSchema>;

export interface Roles {
  readonly roles: readonly string[];
  /** How many names were left out, because they break the rule or there were too many. */
  readonly dropped: number;
}

/** The roles of a person in one application: the general ones and the application's, each once, at most what a claim holds. */
export function rolesFor(record: Entitlements, clientId: string): Roles {
  const all = [...new Set([...record.roles, ...(record.applications[clientId.toLowerCase()]?.roles ?? [])])];
  const roles: string[] = [];
  let chars = -1;
  for (const role of all) {
    if (!ROLE_NAME.test(role) || roles.length === MAX_ROLES || chars + 1 + role.length > MAX_CLAIM_CHARS) continue;
    roles.push(role);
    chars += 1 + role.length;
  }
  return { roles, dropped: all.length - roles.length };
}

/** Collections cannot be claims, so that roles travel as one string joined by spaces (contract 1.6). */
export const claimOf = (roles: readonly string[]): string => roles.join(' ');

/** Every role that could meet in one claim: the general ones with those of the fullest application. */
function rolesIn(input: { roles: string[]; applications: Record<string, { roles?: string[] | undefined }> }): string[] {
  const perApplication = Object.values(input.applications).map((application) => application.roles ?? []);
  const fullest = perApplication.sort((a, b) => claimOf(b).length - claimOf(a).length)[0] ?? [];
  return [...new Set([...input.roles, ...fullest])];
}
