/** Messages: language, placeholders and limits. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_TEXTS } from '../../../src/policy/built-in-texts.ts';
import { BUILT_IN_MESSAGES, type Messages, messageFor } from '../../../src/policy/messages.ts';

const messages: Messages = {
  defaultLanguage: 'pt',
  own: new Map([
    [
      'm',
      new Map([
        ['pt', 'pt'],
        ['de', 'de'],
        ['de-at', 'de-at'],
        ['zh-hant', 'zh-hant'],
      ]),
    ],
  ]),
};
const languageOf = (locale: string) => messageFor(messages, 'm', [locale], {}).language;

describe('messageFor: language', () => {
  it.each([
    ['de-AT', 'de-at'],
    ['de-CH', 'de'],
    ['DE', 'de'],
    ['de_AT', 'de-at'],
    ['zh-Hant-TW', 'zh-hant'],
    ['zh-Hans', 'pt'],
    // A single-letter subtag is removed together with the next one (RFC 4647, section 3.4).
    ['de-x-odd', 'de'],
    ['fr', 'pt'],
    ['', 'pt'],
    ['-', 'pt'],
    ['*', 'pt'],
    ['__proto__', 'pt'],
  ])('the message for the locale %j is in %s', (locale, expected) => expect(languageOf(locale)).toBe(expected));

  it('a built-in text is in the language of the page, else in the policy’s default, else in English', () => {
    const own = new Map();
    const of = (locale: string, defaultLanguage: string) =>
      messageFor({ defaultLanguage, own }, 'blocked', [locale], {}).language;
    expect([of('nl-BE', 'de'), of('sv', 'de-at'), of('sv', 'sv')]).toEqual(['nl', 'de', 'en']);
  });
});

describe('messageFor: a long locale', () => {
  it('the look-up reads only as much of the locale as a language tag may have', () => {
    const tags: string[] = [];
    const texts = new Map([['de', 'Nein']]);
    texts.get = (tag) => {
      tags.push(tag);
      return Map.prototype.get.call(texts, tag);
    };
    const own = new Map([['no', texts]]);
    const { text } = messageFor({ own, defaultLanguage: 'de' }, 'no', ['de-at-'.repeat(20_000)], {});
    expect(text).toBe('Nein');
    expect(tags.length).toBeLessThan(100);
  });
});

describe('built-in texts', () => {
  it('every text contains the support code once and has the same languages, English among them', () => {
    const languages = [...BUILT_IN_TEXTS.blocked.keys()];
    for (const [key, texts] of Object.entries(BUILT_IN_TEXTS)) {
      expect([key, [...texts.keys()]]).toEqual([key, languages]);
      for (const [language, text] of texts)
        expect([key, language, text.split('{supportCode}').length]).toEqual([key, language, 2]);
    }
    expect(languages).toContain('en');
  });
});

describe('messageFor: placeholders', () => {
  const shown = (text: string, fill: Record<string, string | number | boolean>) =>
    messageFor({ defaultLanguage: 'en', own: new Map([['m', new Map([['en', text]])]]) }, 'm', ['en'], fill).text;

  it('a placeholder shows the claim of its name, never a member of Object.prototype', () => {
    expect(shown('{a}{b}{c}', { a: 1, b: true, c: 'x' })).toBe('1truex');
    expect(shown('[{constructor}{toString}{hasOwnProperty}]', {})).toBe('[]');
  });

  it('a value is never expanded, neither a placeholder nor a replacement pattern in it', () => {
    expect(shown('{a} {b}', { a: '{b}', b: '$& $1' })).toBe('{b} $& $1');
  });

  it('a value is well-formed, short, and without control characters, direction marks and angle brackets', () => {
    const typed = fc.string({ unit: 'binary', maxLength: 400 });
    fc.assert(
      fc.property(typed, (value) => {
        const text = shown('[{a}]', { a: value }).slice(1, -1);
        expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029<>]/u);
        expect(text.isWellFormed()).toBe(true);
        expect([...text].length).toBeLessThanOrEqual(100);
      }),
    );
  });

  it('the built-in text replaces a message that is empty after substitution', () => {
    expect(shown('{a} {b}', { a: '<>' })).toMatch(/^You cannot sign up here/);
  });

  it('a text is never empty and never longer than an attempt stores, for every locale', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...Object.keys(BUILT_IN_TEXTS), 'no such key'), (locale, key) => {
        const { text } = messageFor(BUILT_IN_MESSAGES, key, [locale], { supportCode: 'ABCDE-12345' });
        expect(text).toContain('ABCDE-12345');
        expect(text.length).toBeLessThanOrEqual(2_000);
      }),
    );
  });
});
