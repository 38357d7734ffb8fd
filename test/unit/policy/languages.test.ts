/** The language of a message: every tag of `ui_locales` in order, then related languages, then the default. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvent } from '../../../src/gate/user-flow/request.ts';
import { refusing, triesOf } from '../../support/try-policy.ts';

const languageFor = async (uiLocales: string, ...languages: string[]) => {
  const texts = Object.fromEntries(['en', ...languages].map((tag) => [tag, `text in ${tag}`]));
  const tried = await triesOf({ messages: { m: texts }, rules: [refusing('true', { invalid: 'm' })] });
  return (await tried({ ui_locales: uiLocales })).reply.body.userMessage;
};

describe('the language of a message', () => {
  it.each([
    ['pt-PT de en', ['de'], 'de'],
    ['fr-CA de', ['de'], 'de'],
    ['fr,de;q=0.9', ['de'], 'de'],
    ['fr-CA fr de', ['de', 'fr'], 'fr'],
    ['xx zz de-AT', ['de'], 'de'],
    ['xx', ['de'], 'en'],
    ['', ['de'], 'en'],
    ['en-GB de', ['de'], 'en'],
    ['de_DE.UTF-8', ['de-DE'], 'de-DE'],
  ])('is the first one of ui_locales that the message has: %s of %j is %s', async (tags, languages, found) => {
    expect(await languageFor(tags, ...languages)).toBe(`text in ${found}`);
  });

  it.each([
    ['zh-TW', ['zh-Hant'], 'zh-Hant'],
    ['zh-HK', ['zh-Hant', 'zh-Hans'], 'zh-Hant'],
    ['zh-MO', ['zh-Hans', 'zh-Hant'], 'zh-Hant'],
    ['zh-Hant-TW', ['zh-TW'], 'zh-TW'],
    ['zh-CN', ['zh-Hans', 'zh-Hant'], 'zh-Hans'],
    ['zh', ['zh-Hant', 'zh-Hans'], 'zh-Hans'],
    ['zh-SG', ['zh-CN'], 'zh-CN'],
    ['zh-TW', ['zh-Hans'], 'en'],
    ['zh-TW en', ['zh-Hant'], 'zh-Hant'],
    ['no', ['nb'], 'nb'],
    ['no-NO', ['nb-NO'], 'nb-NO'],
    ['nb', ['no'], 'no'],
    ['nn-NO', ['nb'], 'nb'],
    ['nn-NO', ['nb', 'nn'], 'nn'],
    ['pt-PT', ['pt-BR'], 'pt-BR'],
    ['pt-BR', ['pt-PT'], 'pt-PT'],
    ['pt', ['pt-BR'], 'pt-BR'],
    ['es-419', ['es-ES'], 'es-ES'],
    ['iw', ['he'], 'he'],
    ['in-ID', ['id'], 'id'],
    ['sr-Latn', ['sr-Cyrl'], 'en'],
    ['sr-RS', ['sr-Latn'], 'en'],
    ['sr-Cyrl-RS', ['sr-RS'], 'sr-RS'],
    ['sr-RS', ['sr-Cyrl'], 'sr-Cyrl'],
    ['sr-Latn-RS', ['sr-RS', 'sr-Latn-BA'], 'sr-Latn-BA'],
    ['az-Latn-AZ', ['az-AZ'], 'az-AZ'],
    ['uz-UZ', ['uz-Latn'], 'uz-Latn'],
    ['ja-Jpan-JP', ['ja-JP'], 'ja-JP'],
    ['hi-Latn', ['hi-IN'], 'en'],
    ['cmn-Hans-CN', ['zh-Hant', 'zh-Hans'], 'zh-Hans'],
    ['zh-cmn-Hant-TW', ['zh-Hans', 'zh-Hant'], 'zh-Hant'],
    ['cmn-TW de', ['de', 'zh-Hant'], 'zh-Hant'],
    ['yue', ['zh-Hans', 'zh-Hant'], 'zh-Hant'],
    ['yue-HK', ['zh-TW', 'zh-CN'], 'zh-TW'],
    ['yue-Hans', ['zh-Hant', 'zh-Hans'], 'zh-Hans'],
    ['yue-HK', ['zh-Hant', 'yue'], 'yue'],
    ['no-NO', ['nn'], 'nn'],
    ['nb', ['nn'], 'nn'],
    ['x-klingon de-AT', ['de'], 'de'],
    ['de-x-private-de', ['de'], 'de'],
    ['de-DE-u-co-phonebk', ['de', 'de-DE'], 'de-DE'],
    ['pt-PT de', ['pt-BR', 'de'], 'de'],
  ])('is a related one before the default: %s of %j is %s', async (tags, languages, found) => {
    expect(await languageFor(tags, ...languages)).toBe(`text in ${found}`);
  });

  it('is never an error, and request.locale stays the first tag, whatever ui_locales contains', async () => {
    const tried = await triesOf({ rules: [refusing('true')] });
    const odd = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(' ', ',', ';', '-', 'zh', '_')));
    await fc.assert(
      fc.asyncProperty(odd, async (parts) => {
        const ui_locales = parts.join('');
        expect((await tried({ ui_locales })).reply.body.userMessage).not.toBe('');
        const { locale } = await readEvent({ ui_locales }, undefined);
        expect(locale).toBe(ui_locales.split(/[\s,;]+/).find((tag) => tag !== '') ?? '');
      }),
    );
  });
});
