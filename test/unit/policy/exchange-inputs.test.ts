/** Inputs of exchanges: what arrives under which name, and that no body makes reading slow. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readInputs } from '../../../src/policy/exchange-inputs.ts';

const reading = (from: readonly string[], root: unknown) =>
  readInputs(
    { inputs: [{ claim: 'word', from, type: 'string' }] },
    { root, members: Object.entries(root as Record<string, unknown>) },
  );

describe('paths', () => {
  it('of a name that repeats in other case, the last value that is not empty counts, at any depth', () => {
    for (const user of [
      { lang: 'de', LANG: '' },
      { LANG: 'en', lang: 'de' },
      { Lang: 'de', lang: null },
    ])
      expect(reading(['user.lang'], { user }).claims.word).toBe('de');
    expect(reading(['user.lang'], { USER: { lang: 'de' }, user: '' }).claims.word).toBe('de');
  });

  it('nothing that an object inherits is a value', () => {
    const inherited = fc.constantFrom(
      ...['__proto__.x', 'constructor.name', '__proto__.constructor.name', 'a.constructor.name', 'a.__proto__.b'],
      ...['a.toString.name', 'a.length', 'list.length', 'list.0.length', 'list.constructor.name', 'a.valueOf'],
    );
    fc.assert(
      fc.property(inherited, (path) => {
        expect(reading([path], { a: 'text', list: ['text'], b: {} }).claims).toEqual({});
      }),
    );
    expect(reading(['__proto__.x'], JSON.parse('{"__proto__":{"x":"own"}}')).claims.word).toBe('own');
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it('an object is read once, however many paths lead through it', () => {
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`m${at}`, 1]));
    const entries = vi.spyOn(Object, 'entries');
    readInputs(
      {
        inputs: Array.from({ length: 50 }, (_, at) => ({
          claim: `c${at}`,
          from: Array.from({ length: 20 }, (_, name) => `wide.p${at}.q${name}`),
          type: 'string' as const,
        })),
      },
      { root: { wide }, members: [] },
    );
    expect(entries.mock.calls.filter(([object]) => object === wide)).toHaveLength(1);
    entries.mockRestore();
  });
});

describe('the name of a custom attribute', () => {
  it('is read in any letter case and with any application id, in the call and in the inputs', () => {
    const spelling = fc
      .tuple(
        fc.mixedCase(fc.constant('extension_')),
        fc.constantFrom('', '25883231668a4f0c9d7e1b2a3c4d5e6f_', '25883231-668A-4f0c-9d7e-1b2a3c4d5e6f_'),
        fc.mixedCase(fc.constant('Code')),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(spelling, spelling, fc.boolean(), (sent, declared, isNested) => {
        const root = isNested ? { user: { [sent]: 'RIGHT' } } : { [sent]: 'RIGHT' };
        const { claims, unread } = reading([isNested ? `user.${declared}` : declared], root);
        expect([claims.word, unread]).toEqual(['RIGHT', []]);
      }),
    );
  });
});

describe('members that no input reads', () => {
  const unread = (members: readonly (readonly [string, unknown])[]) =>
    readInputs({ inputs: [] }, { root: undefined, members }).unread;

  it('are named when they have a value', () => {
    expect(
      unread([
        ['error-codes', 'x'],
        ['@odata.type', 1],
        ['Größe', true],
        ['empty', ''],
        ['none', null],
      ]),
    ).toEqual(['error-codes', '@odata.type', 'Größe']);
  });

  it('are not named when the name is other text than a name: it may be a value', () => {
    for (const name of ['a secret', 'password=hunter2', '4711', 'a/b', '"x"', 'a'.repeat(101), 'p@ss!', ''])
      expect(unread([[name, 'x']]), name).toEqual([]);
  });
});
