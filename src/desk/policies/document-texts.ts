/** Texts in the policy document, and the messages for members of a wrong shape. */
import * as z from 'zod/mini';
import { nameList } from '../../platform/name-list.ts';

export const isText = { error: 'not a text' };
/** Not empty. */
export const shortText = z
  .string(isText)
  .check(z.minLength(1, 'empty'), z.maxLength(200, 'longer than 200 characters'));
export const note = z.string(isText).check(z.maxLength(2_000));

/** The message for a record that is not an object. The problems of its members have their own. */
export function namedObject(what: string) {
  return (issue: { code?: string }) => (issue.code === 'invalid_type' ? `not a JSON object. Write ${what}` : undefined);
}

/** The message for a value that is not an object or has unknown members. */
export function membersOf(what: string, members: string) {
  return (issue: { code?: string; keys?: string[] }) =>
    issue.code === 'unrecognized_keys'
      ? `unknown: ${nameList(issue.keys ?? [])}. The members of ${what} are ${members}`
      : `not a JSON object. The members of ${what} are ${members}`;
}
