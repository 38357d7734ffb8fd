/** Words that people read: which language, what is filled in, and that no text and no claim breaks them. */
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
const languageOf = (locale: string) => messageFor(messages, 'm', locale, {}).language;

describe('the language of a message', () => {
  it.each([
    ['de-AT', 'de-at'],
    ['de-CH', 'de'],
    ['DE', 'de'],
    ['de_AT', 'de-at'],
    ['zh-Hant-TW', 'zh-hant'],
    ['zh-Hans', 'pt'],
    // A single letter goes with what it introduces (RFC 4647, section 3.4).
    ['de-x-odd', 'de'],
    ['fr', 'pt'],
    ['', 'pt'],
    ['-', 'pt'],
    ['*', 'pt'],
    ['__proto__', 'pt'],
  ])('of a page in %j is %s', (locale, expected) => expect(languageOf(locale)).toBe(expected));

  it('of a built-in text is the page’s where there is a translation, then the policy’s default, then English', () => {
    const own = new Map();
    const of = (locale: string, defaultLanguage: string) =>
      messageFor({ defaultLanguage, own }, 'blocked', locale, {}).language;
    expect([of('nl-BE', 'de'), of('sv', 'de-at'), of('sv', 'sv')]).toEqual(['nl', 'de', 'en']);
  });
});

describe('what somebody wrote for a language', () => {
  it('is followed for as long as tags are, and no longer', () => {
    const looked: string[] = [];
    const texts = new Map([['de', 'Nein']]);
    texts.get = (tag) => {
      looked.push(tag);
      return Map.prototype.get.call(texts, tag);
    };
    const own = new Map([['no', texts]]);
    const { text } = messageFor({ own, defaultLanguage: 'de' }, 'no', 'de-at-'.repeat(20_000), {});
    expect(text).toBe('Nein');
    expect(looked.length).toBeLessThan(100);
  });
});

describe('built-in texts', () => {
  it('all have English, all carry the code, and all have the same languages', () => {
    const languages = [...BUILT_IN_TEXTS.blocked.keys()];
    for (const [key, texts] of Object.entries(BUILT_IN_TEXTS)) {
      expect([key, [...texts.keys()]]).toEqual([key, languages]);
      for (const [language, text] of texts)
        expect([key, language, text.split('{supportCode}').length]).toEqual([key, language, 2]);
    }
    expect(languages).toContain('en');
  });
});

describe('what is filled in', () => {
  const shown = (text: string, fill: Record<string, string | number | boolean>) =>
    messageFor({ defaultLanguage: 'en', own: new Map([['m', new Map([['en', text]])]]) }, 'm', 'en', fill).text;

  it('is the claim of that name and nothing that lies behind objects', () => {
    expect(shown('{a}{b}{c}', { a: 1, b: true, c: 'x' })).toBe('1truex');
    expect(shown('[{constructor}{toString}{hasOwnProperty}]', {})).toBe('[]');
  });

  it('is looked at once: a claim cannot smuggle in a placeholder, and a dollar sign is a dollar sign', () => {
    expect(shown('{a} {b}', { a: '{b}', b: '$& $1' })).toBe('{b} $& $1');
  });

  it('holds no control character, mark of direction or angle bracket, is well-formed and short, whatever was typed', () => {
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

  it('that leaves nothing to read makes way for the built-in text', () => {
    expect(shown('{a} {b}', { a: '<>' })).toMatch(/^You cannot sign up here/);
  });

  it('never makes a text empty or longer than an attempt keeps, whatever the locale', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...Object.keys(BUILT_IN_TEXTS), 'no such key'), (locale, key) => {
        const { text } = messageFor(BUILT_IN_MESSAGES, key, locale, { supportCode: 'ABCDE-12345' });
        expect(text).toContain('ABCDE-12345');
        expect(text.length).toBeLessThanOrEqual(2_000);
      }),
    );
  });
});
