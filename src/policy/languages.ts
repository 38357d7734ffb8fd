/**
 * Chooses the language of a message. Intl is not used, since the gate starts without it; the tables have the likely
 * subtags (CLDR) of languages in which B2C shows its pages.
 */
import type { Texts } from './messages.ts';

/** A tag in lower case, and the text in that language. */
type Found = readonly [language: string, text: string];

/** Language tags are short (RFC 5646, section 4.4.1), but the person can put any text into `ui_locales`. */
const MAX_TAG_CHARS = 100;

/** Other codes of the same language. */
const SAME_LANGUAGE: ReadonlyMap<string, string> = new Map([
  ['no', 'nb'],
  ['nb', 'no'],
  ['iw', 'he'],
  ['he', 'iw'],
  ['in', 'id'],
  ['id', 'in'],
  ['tl', 'fil'],
  ['fil', 'tl'],
]);
/** Languages that their speakers read too. */
const RELATED_LANGUAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['nn', ['nb', 'no']],
  ['nb', ['nn']],
  ['no', ['nn']],
]);
/** The script of languages that are not written in Latin letters, as languages and their script. */
const SCRIPTS =
  'arab ar fa ps ur,armn hy,beng bn,cyrl be bg kk ky mk mn ru sr tg uk,deva hi mr ne,ethi am,geor ka,grek el,gujr gu,' +
  'guru pa,hebr he iw,jpan ja,khmr km,knda kn,kore ko,laoo lo,mlym ml,mymr my,sinh si,taml ta,telu te,thai th';
const USUAL_SCRIPT: ReadonlyMap<string, string> = new Map(
  SCRIPTS.split(',').flatMap((row) => {
    const [script = '', ...languages] = row.split(' ');
    return languages.map((language) => [language, script] as const);
  }),
);
/** Regions in which Chinese is written in traditional characters. */
const TRADITIONAL = new Set(['tw', 'hk', 'mo']);

/**
 * Tries the languages in order of preference, each as RFC 4647 section 3.4 looks it up (`de-AT`, then `de`), then in
 * the other codes of the language and in its likely script (`zh-TW` is `zh-Hant`). Then it tries other regions of each
 * language (`pt-BR` for `pt-PT`), and related languages. Undefined when nothing fits.
 */
export function inLanguages(texts: Texts, languages: readonly string[]): Found | undefined {
  const tags = languages.map((tag) => tag.slice(0, MAX_TAG_CHARS).toLowerCase().replaceAll('_', '-'));
  for (const tag of tags) {
    const found = inLanguage(texts, tag) ?? inLanguage(texts, renamed(tag)) ?? inScript(texts, tag);
    if (found !== undefined) return found;
  }
  for (const tag of tags) {
    const found = inOtherRegion(texts, tag);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inLanguage(texts: Texts, tag: string): Found | undefined {
  let range = tag;
  while (range !== '') {
    const text = texts.get(range);
    if (text !== undefined) return [range, text];
    // A single-letter subtag introduces the next one, so both are removed.
    range = range.slice(0, Math.max(0, range.lastIndexOf('-'))).replace(/-[a-z0-9]$/, '');
  }
  return undefined;
}

const languageOf = (tag: string) => tag.slice(0, `${tag}-`.indexOf('-'));

const renamed = (tag: string): string => {
  const language = languageOf(tag);
  const other = SAME_LANGUAGE.get(language);
  return other === undefined ? '' : other + tag.slice(language.length);
};

/** A tag of Mandarin or Cantonese as one of Chinese; any other one unchanged. */
const asChinese = (tag: string): string => tag.replace(/^cmn(?=-|$)|^yue(?=-)/, 'zh').replace(/^yue$/, 'zh-hk');

/** The script subtag, or for Chinese the likely script of the region; `''` when it is the usual one. */
function scriptOf(tag: string): string {
  const [language = '', ...subtags] = asChinese(tag).split('-');
  const script = subtags.find((subtag) => /^[a-z]{4}$/.test(subtag));
  if (script === (USUAL_SCRIPT.get(language) ?? 'latn')) return '';
  if (script !== undefined || language !== 'zh') return script ?? '';
  return subtags.some((subtag) => TRADITIONAL.has(subtag)) ? 'hant' : 'hans';
}

function inScript(texts: Texts, tag: string): Found | undefined {
  const chinese = asChinese(tag);
  if (languageOf(chinese) !== 'zh') return undefined;
  return inLanguage(texts, chinese) ?? inLanguage(texts, `zh-${scriptOf(tag)}`);
}

function inOtherRegion(texts: Texts, tag: string): Found | undefined {
  const language = languageOf(asChinese(tag));
  if (language === '') return undefined;
  for (const related of [language, SAME_LANGUAGE.get(language) ?? [], RELATED_LANGUAGES.get(language) ?? []].flat()) {
    for (const found of texts)
      if (languageOf(found[0]) === related && scriptOf(found[0]) === scriptOf(tag)) return found;
  }
  return undefined;
}
