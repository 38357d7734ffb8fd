/** What an administrator may send: the written form of a record, without what KV or the change log could not give back. */
import * as z from 'zod/mini';
import { MAX_MESSAGE_BYTES } from '../../attempts/text-limits.ts';
import {
  claimOf,
  MAX_APPLICATIONS,
  MAX_ATTRIBUTE_CHARS,
  MAX_ATTRIBUTE_NAME_CHARS,
  MAX_ATTRIBUTES,
  MAX_CLAIM_CHARS,
  MAX_CLIENT_ID_CHARS,
  MAX_ROLES,
  ROLE_NAME,
} from '../../entitlements/stored-record.ts';
import { strict } from '../http/input-rules.ts';

/** A list of names, each once. */
const namesOf = (item: z.ZodMiniType<string, string>, most: number) =>
  z.pipe(
    z.array(item).check(z.maxLength(most, `at most ${most} names`)),
    z.transform((list: string[]) => [...new Set(list)]),
  );

const attribute = z.union([z.string().check(z.maxLength(MAX_ATTRIBUTE_CHARS)), z.number(), z.boolean()], {
  error: 'an attribute is a text of at most 2,000 characters, a number, or true or false',
});
const attributesSchema = z
  .record(z.string().check(z.minLength(1), z.maxLength(MAX_ATTRIBUTE_NAME_CHARS)), attribute)
  .check(z.refine((record) => Object.keys(record).length <= MAX_ATTRIBUTES, `at most ${MAX_ATTRIBUTES} attributes`));

const clientId = z.string().check(z.trim(), z.toLowerCase(), z.minLength(1), z.maxLength(MAX_CLIENT_ID_CHARS));
/** Roles and groups by client id, in lower case. */
const applicationsOf = <Names extends z.ZodMiniType<string[], string[]>>(names: Names) =>
  z
    .record(clientId, z.strictObject({ roles: z.optional(names), groups: z.optional(names) }))
    .check(
      z.refine((record) => Object.keys(record).length <= MAX_APPLICATIONS, `at most ${MAX_APPLICATIONS} applications`),
    );

const anyNames = z.array(z.string());
/** A stored record as `/admin/people` shows it. */
export const shownRecord = z.object({
  roles: anyNames,
  groups: anyNames,
  attributes: attributesSchema,
  applications: applicationsOf(anyNames),
  updatedAt: z.string(),
  updatedBy: z.string(),
});

/** A message of the change log holds the record before and after, and must stay below {@link MAX_MESSAGE_BYTES}. */
const MAX_RECORD_BYTES = MAX_MESSAGE_BYTES / 2 - 2_048;

const ROLE_NAME_RULE =
  'a role or group name is 1 to 64 characters: letters, digits and . _ : / - , beginning with a letter or digit';
const names = namesOf(z.string().check(z.regex(ROLE_NAME, ROLE_NAME_RULE)), MAX_ROLES);

const members = {
  roles: z._default(names, []),
  groups: z._default(names, []),
  attributes: z._default(attributesSchema, {}),
  applications: z._default(applicationsOf(names), {}),
};

const record = strict(members);
export type EntitlementsInput = z.infer<typeof record>;

const sent = z.unknown().check((payload) => refuseUnstorable(payload.value, payload));
const fits = z.refine<EntitlementsInput>((input) => claimOf(rolesIn(input)).length <= MAX_CLAIM_CHARS, {
  message: `the roles make a claim longer than ${MAX_CLAIM_CHARS} characters: use fewer or shorter names`,
});
const small = z.refine<EntitlementsInput>((input) => bytesOf(input) <= MAX_RECORD_BYTES, {
  message: `the record takes more than ${MAX_RECORD_BYTES} bytes: use fewer or shorter attributes`,
});

/** What an administrator writes: unknown members, bad names, and what could not be given back or logged as it was sent are refused. */
export const recordInput = z.pipe(sent, record.check(fits, small));

/** The same with the person key beside it, for bodies that name the person themselves. */
export const recordInputWith = <Key extends z.ZodMiniType<string>>(key: Key) =>
  z.pipe(sent, strict({ ...members, key }).check(fits, small));

/** Looks at what was sent before Zod drops (`__proto__`) or merges (two spellings of one application) any of it. */
function refuseUnstorable(body: unknown, { issues }: z.core.ParsePayload): void {
  const refuse = (path: string[], message: string) => issues.push({ code: 'custom', input: body, path, message });
  const seen = new Set<string>();
  for (const [member, name, value] of [...namesIn(body, 'attributes'), ...namesIn(body, 'applications')]) {
    if (name === '__proto__') refuse([member, name], 'this name cannot be stored: choose another');
    if (!isStorable(name)) refuse([member, name], 'a name must be valid Unicode without the NUL character');
    if (typeof value === 'string' && !isStorable(value)) {
      refuse([member, name], 'a text must be valid Unicode without the NUL character');
    }
    if (member === 'attributes') continue;
    const clientId = name.trim().toLowerCase();
    if (seen.has(clientId)) refuse([member, name], 'the same application stands here twice: write it once');
    seen.add(clientId);
  }
}

function namesIn(body: unknown, member: 'attributes' | 'applications'): [typeof member, string, unknown][] {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, member)) return [];
  const value: unknown = Reflect.get(body, member);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([name, inner]) => [member, name, inner]);
}

/** Postgres, where the change log lies, has neither in a jsonb value. */
const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0');

const bytesOf = (input: EntitlementsInput): number => new TextEncoder().encode(JSON.stringify(input)).byteLength;

/** Every role that could meet in one claim: the general ones with those of the fullest application. */
function rolesIn(input: { roles: string[]; applications: Record<string, { roles?: string[] | undefined }> }): string[] {
  const perApplication = Object.values(input.applications).map((application) => application.roles ?? []);
  const fullest = perApplication.sort((a, b) => claimOf(b).length - claimOf(a).length)[0] ?? [];
  return [...new Set([...input.roles, ...fullest])];
}
