/**
 * Words that a person signing up can read, in their language, with what belongs between them. Plain text: B2C shows it as it
 * is, on a block page or above the attributes.
 */
import type { ClaimValue } from '../sign-in/event.ts';
import { BUILT_IN_TEXTS, type BuiltInKey } from './built-in-texts.ts';

/** Texts by BCP 47 tag in lower case. */
export type Texts = ReadonlyMap<string, string>;

export interface Messages {
  /** Tag, in lower case, of the language that every message of the policy has. */
  readonly defaultLanguage: string;
  /** By message key; a key of the built-in texts replaces that text in all its languages. */
  readonly own: ReadonlyMap<string, Texts>;
}

export const BUILT_IN_MESSAGES: Messages = { defaultLanguage: 'en', own: new Map() };

/** What a placeholder may show of a claim: enough to recognise it, too little to fill a page. */
const MAX_FILLED_CHARS = 100;
/** An attempt keeps a message up to here. */
const MAX_SHOWN_CHARS = 2_000;

/** Tags are short (RFC 5646, section 4.4.1); whoever signs up can write anything into `ui_locales`. */
const MAX_TAG_CHARS = 100;

export const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;
/** Control characters, line separators and marks of direction; angle brackets, should a page take text for HTML. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}<>]/gu;

/**
 * The text of a message, in the language of `locale` (a BCP 47 tag): `de-AT`, then `de`, then the policy's default (RFC
 * 4647, section 3.4); and the tag of the language that it came to. Without any text, or with one that comes out empty, it is
 * the built-in text `blocked`.
 */
export function messageFor(
  { own, defaultLanguage }: Messages,
  key: string,
  locale: string,
  fill: { readonly [name: string]: ClaimValue },
): { text: string; language: string } {
  const texts = own.get(key) ?? BUILT_IN_TEXTS[key as BuiltInKey] ?? BUILT_IN_TEXTS.blocked;
  const [language, text] =
    inLanguage(texts, locale) ?? inLanguage(texts, defaultLanguage) ?? inLanguage(texts, 'en') ?? NO_TEXT;
  const shown = filled(text, fill);
  // B2C takes no message without a text (contract line 24): one that is nothing but absent claims.
  if (shown.trim() !== '' || texts === BUILT_IN_TEXTS.blocked) return { text: shown, language };
  return messageFor({ own: new Map(), defaultLanguage }, 'blocked', locale, fill);
}

const NO_TEXT = ['', ''] as const;

function inLanguage(texts: Texts, locale: string): readonly [language: string, text: string] | undefined {
  let tag = locale.slice(0, MAX_TAG_CHARS).toLowerCase().replaceAll('_', '-');
  while (tag !== '') {
    const text = texts.get(tag);
    if (text !== undefined) return [tag, text];
    // A single letter introduces what follows it, and goes with it.
    tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-'))).replace(/-[a-z0-9]$/, '');
  }
  return undefined;
}

/** In one pass, so that what is filled in is never looked at again. A claim that is not there is an empty text. */
function filled(text: string, fill: { readonly [name: string]: ClaimValue }): string {
  const shown = text.replace(PLACEHOLDER, (_, name: string) =>
    Object.hasOwn(fill, name) ? shownValue(fill[name]) : '',
  );
  return shown.slice(0, MAX_SHOWN_CHARS).toWellFormed();
}

function shownValue(value: ClaimValue | undefined): string {
  const clean = String(value ?? '')
    .toWellFormed()
    .replace(UNSAFE, '');
  // By code point: half a character is none.
  return clean.length <= MAX_FILLED_CHARS
    ? clean
    : [...clean.slice(0, 2 * MAX_FILLED_CHARS)].slice(0, MAX_FILLED_CHARS).join('');
}
