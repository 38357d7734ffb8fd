/** JSON Pointers of problem details. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { namesIn, pointerTo } from '../../../src/desk/http/json-pointer.ts';

/** The member that a pointer names (RFC 6901, section 4). */
const memberAt = (pointer: string, document: unknown): unknown =>
  pointer
    .slice('#'.length)
    .split('/')
    .slice(1)
    .map((token) => decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((value, name) => (value as Record<string, unknown>)[name], document);

it('a JSON Pointer leads to its member, whatever characters the names have', () => {
  const name = fc.string({ unit: fc.constantFrom(...'aZ09~/%# ."äж'), minLength: 1 });
  fc.assert(
    fc.property(fc.array(name, { maxLength: 5 }), (names) => {
      const document = names.reduceRight<unknown>((value, member) => ({ [member]: value }), 'here');
      expect(memberAt(pointerTo(names), document)).toBe('here');
    }),
  );
});

it.each([
  ['', '#'],
  ['rules[2].when', '#/rules/2/when'],
  ['lists.blockedDomains[0]', '#/lists/blockedDomains/0'],
])('the path %j as people write it has the pointer %s', (path, pointer) => {
  expect(pointerTo(namesIn(path))).toBe(pointer);
});

it('a JSON Pointer is made of any names, half a character in them too', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (names) => {
      expect(pointerTo([...names, '\ud83d']).isWellFormed()).toBe(true);
    }),
  );
});
