/** Compares a reply with the expected one, member by member. */
import { isDeepStrictEqual } from 'node:util';
import { printable } from '../table.ts';

/** Returns lines about each member that differs, `[]` when none does. */
export function differingMembers(expected: Record<string, unknown>, received: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(received)]);
  return [...names].flatMap((name) => {
    const [wanted, got] = [valueIn(expected, name), valueIn(received, name)];
    return isDeepStrictEqual(wanted, got) ? [] : differing(name, wanted, got);
  });
}

/** Lines about one difference. Undefined is shown as `nothing`. */
export const differing = (name: string, wanted: unknown, got: unknown): string[] => [
  printable(name),
  `  expected ${shown(wanted)}`,
  `  received ${shown(got)}`,
];

const valueIn = (record: Record<string, unknown>, name: string) =>
  Object.hasOwn(record, name) ? record[name] : undefined;

const shown = (value: unknown) => (value === undefined ? 'nothing' : printable(JSON.stringify(value)));
