/** The record that an administrator sends. It must be storable in KV and in the audit log without loss. */
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
import { clientIdOf } from '../../sign-in/normal-form.ts';
import { nearGuid } from '../../sign-in/typed-key.ts';
import { strict } from '../http/input-rules.ts';

const namesOf = (item: z.ZodMiniType<string, string>, most: number) =>
  z.pipe(
    z.array(item).check(z.maxLength(most, `at most ${most} names`)),
    z.transform((list: string[]) => [...new Set(list)]),
  );

const ATTRIBUTE_RULE =
  'not an attribute. Write a text of at most 2,000 characters, a number, true or false; and a whole number beyond 2^53 as a text';
const ATTRIBUTE_NAME_RULE = `not the name of an attribute. Write 1 to ${MAX_ATTRIBUTE_NAME_CHARS} characters`;

const attributesOf = (number: z.ZodMiniType<number, number>) => {
  const text = z.string().check(z.maxLength(MAX_ATTRIBUTE_CHARS, ATTRIBUTE_RULE));
  const attribute = z.union([text, number, z.boolean()], { error: ATTRIBUTE_RULE });
  const name = z.string().check(z.minLength(1), z.maxLength(MAX_ATTRIBUTE_NAME_CHARS));
  return z
    .record(name, attribute, { error: ({ code }) => (code === 'invalid_key' ? ATTRIBUTE_NAME_RULE : undefined) })
    .check(z.refine((record) => Object.keys(record).length <= MAX_ATTRIBUTES, `at most ${MAX_ATTRIBUTES} attributes`));
};
/** JSON.parse rounds whole numbers beyond 2^53. */
const exact = z
  .number()
  .check(z.refine((number) => !Number.isInteger(number) || Number.isSafeInteger(number), ATTRIBUTE_RULE));

const clientId = (form: (typed: string) => string) =>
  z.string().check(z.overwrite(form), z.minLength(1), z.maxLength(MAX_CLIENT_ID_CHARS));
/** Roles and groups by client id. */
const applicationsOf = <Names extends z.ZodMiniType<string[], string[]>>(
  id: z.ZodMiniType<string, string>,
  names: Names,
) =>
  z
    .record(id, z.strictObject({ roles: z.optional(names), groups: z.optional(names) }))
    .check(
      z.refine((record) => Object.keys(record).length <= MAX_APPLICATIONS, `at most ${MAX_APPLICATIONS} applications`),
    );

const anyNames = z.array(z.string());
/** As the gate reads a stored one, which may have been written by hand. */
const foldedId = (id: string) => id.trim().toLowerCase();
/** A stored record as `/admin/people` shows it. */
export const shownRecord = z.object({
  roles: anyNames,
  groups: anyNames,
  attributes: attributesOf(z.number()),
  applications: applicationsOf(clientId(foldedId), anyNames),
  updatedAt: z.string(),
  updatedBy: z.string(),
});

/** An audit log message contains the record before and after and must stay below {@link MAX_MESSAGE_BYTES}. */
const MAX_RECORD_BYTES = MAX_MESSAGE_BYTES / 2 - 2_048;

const ROLE_NAME_RULE =
  'not a role or group name. Write 1 to 64 letters, digits and . _ : / - , beginning with a letter or digit';
const names = namesOf(z.string().check(z.regex(ROLE_NAME, ROLE_NAME_RULE)), MAX_ROLES);

const members = {
  roles: z._default(names, []),
  groups: z._default(names, []),
  attributes: z._default(attributesOf(exact), {}),
  applications: z._default(applicationsOf(clientId(clientIdOf), names), {}),
};

const record = strict(members);
export type EntitlementsInput = z.infer<typeof record>;

const sent = z.unknown().check((payload) => refuseUnstorable(payload.value, payload));
const fits = z.refine<EntitlementsInput>((input) => claimOf(rolesIn(input)).length <= MAX_CLAIM_CHARS, {
  message: `the roles make a claim longer than ${MAX_CLAIM_CHARS} characters. Use fewer or shorter names`,
});
const small = z.refine<EntitlementsInput>((input) => bytesOf(input) <= MAX_RECORD_BYTES, {
  message: `the record has more than ${MAX_RECORD_BYTES} bytes. Use fewer or shorter attributes`,
});

/** A record. Rejects unknown members, invalid names, and values that cannot be stored and logged without loss. */
export const recordInput = z.pipe(sent, record.check(fits, small));

export const recordInputWith = <Key extends z.ZodMiniType>(key: Key) =>
  z.pipe(sent, strict({ ...members, key }).check(fits, small));

/** Runs before Zod, which silently drops `__proto__` and merges two spellings of one application. */
function refuseUnstorable(body: unknown, { issues }: z.core.ParsePayload): void {
  const refuse = (path: string[], message: string) => issues.push({ code: 'custom', input: body, path, message });
  const seen = new Set<string>();
  const spellings = new Map<string, string>();
  for (const [member, name, value] of [...namesIn(body, 'attributes'), ...namesIn(body, 'applications')]) {
    if (name === '__proto__') refuse([member, name], 'this name cannot be stored. Choose another');
    if (!isStorable(name)) refuse([member, name], 'the name is not valid Unicode or contains NUL. Correct it');
    if (typeof value === 'string' && !isStorable(value)) {
      refuse([member, name], 'the text is not valid Unicode or contains NUL. Correct it');
    }
    if (member === 'attributes') {
      const other = spellings.get(name.toLowerCase());
      if (other !== undefined)
        refuse([member, name], `the same attribute as ${other} in another letter case. Keep one`);
      spellings.set(name.toLowerCase(), name);
      continue;
    }
    const clientId = clientIdOf(name);
    const miss = nearGuid(name);
    if (miss !== undefined) refuse([member, name], `not a client id: ${miss}. Copy it from the portal`);
    if (seen.has(clientId)) refuse([member, name], 'the same application twice. Keep one');
    seen.add(clientId);
  }
}

function namesIn(body: unknown, member: 'attributes' | 'applications'): [typeof member, string, unknown][] {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, member)) return [];
  const value: unknown = Reflect.get(body, member);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([name, inner]) => [member, name, inner]);
}

/** The audit log is jsonb in Postgres, which rejects NUL and lone surrogates. */
const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0');

const bytesOf = (input: EntitlementsInput): number => new TextEncoder().encode(JSON.stringify(input)).byteLength;

/** The roles of the longest possible claim: the general ones and those of the application with the longest list. */
function rolesIn(input: { roles: string[]; applications: Record<string, { roles?: string[] | undefined }> }): string[] {
  const perApplication = Object.values(input.applications).map((application) => application.roles ?? []);
  const fullest = perApplication.sort((a, b) => claimOf(b).length - claimOf(a).length)[0] ?? [];
  return [...new Set([...input.roles, ...fullest])];
}
