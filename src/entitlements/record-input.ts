/** What an administrator may send: the written form of a record, without what KV or the change log could not give back. */
import * as z from 'zod';
import { MAX_MESSAGE_BYTES } from '../attempts/attempt.ts';
import { type EntitlementsInput, entitlementsInput } from './document.ts';

/** A message of the change log holds the record before and after, and must stay below {@link MAX_MESSAGE_BYTES}. */
const MAX_RECORD_BYTES = MAX_MESSAGE_BYTES / 2 - 2_048;

/** {@link entitlementsInput}, refusing also what could not be given back or logged as it was sent. */
export const recordInput = z
  .unknown()
  .superRefine(refuseUnstorable)
  .pipe(entitlementsInput)
  .superRefine(refuseTooLarge);

/** The same with the person key beside it, for bodies that name the person themselves. */
export const recordInputWith = <Key extends z.ZodType>(key: Key) =>
  z.unknown().superRefine(refuseUnstorable).pipe(entitlementsInput.safeExtend({ key })).superRefine(refuseTooLarge);

/** Looks at what was sent before Zod drops (`__proto__`) or merges (two spellings of one application) any of it. */
function refuseUnstorable(body: unknown, context: z.core.$RefinementCtx): void {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
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

function refuseTooLarge(input: EntitlementsInput, context: z.core.$RefinementCtx): void {
  if (new TextEncoder().encode(JSON.stringify(input)).byteLength <= MAX_RECORD_BYTES) return;
  const message = `the record takes more than ${MAX_RECORD_BYTES} bytes: use fewer or shorter attributes`;
  context.addIssue({ code: 'custom', path: [], message });
}
