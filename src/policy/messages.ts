/**
 * Renders the messages for a person who signs up, in their language, with placeholders filled in. B2C shows them as
 * plain text on a block page or above the attributes.
 */
import { claimNamed } from '../sign-in/claim-names.ts';
import type { ClaimValue } from '../sign-in/event.ts';
import { BUILT_IN_TEXTS, type BuiltInKey } from './built-in-texts.ts';
import { inLanguages } from './languages.ts';

/** Texts by BCP 47 tag in lower case. */
export type Texts = ReadonlyMap<string, string>;

export interface Messages {
  /** Lower-case tag. Every message of the policy has a text in this language. */
  readonly defaultLanguage: string;
  /** By message key. A built-in key replaces that text in all languages. */
  readonly own: ReadonlyMap<string, Texts>;
}

export const BUILT_IN_MESSAGES: Messages = { defaultLanguage: 'en', own: new Map() };

/** The text to show for a claim, whose value is `shown`. Called for each placeholder that is not blank. */
export type Quote = (name: string, shown: string) => string;

const asShown: Quote = (_, shown) => shown;

/** The longest value of a placeholder: recognisable, but it cannot fill a page. */
const MAX_FILLED_CHARS = 100;
/** The longest message that an attempt stores. */
const MAX_SHOWN_CHARS = 2_000;

export const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;
/** Control characters, line separators, direction marks, and angle brackets in case a page renders HTML. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}<>]/gu;

/**
 * The text of a message and the tag of its language: the best of `languages`, BCP 47 tags in order of preference, or
 * the policy's default. The built-in text `blocked` replaces a missing or empty text.
 */
export function messageFor(
  { own, defaultLanguage }: Messages,
  key: string,
  languages: readonly string[],
  fill: { readonly [name: string]: ClaimValue },
  quote: Quote = asShown,
): { text: string; language: string } {
  const texts = own.get(key) ?? BUILT_IN_TEXTS[key as BuiltInKey] ?? BUILT_IN_TEXTS.blocked;
  const [language, text] = inLanguages(texts, languages) ?? inLanguages(texts, [defaultLanguage, 'en']) ?? NO_TEXT;
  const shown = filled(text, fill, quote);
  // A message of absent claims only is empty, and B2C rejects an empty message (contract line 24).
  if (shown.trim() !== '' || texts === BUILT_IN_TEXTS.blocked) return { text: shown, language };
  return messageFor({ own: new Map(), defaultLanguage }, 'blocked', languages, fill, quote);
}

const NO_TEXT = ['', ''] as const;

/** Fills placeholders in one pass, so a value is never expanded. A missing claim gives an empty text. */
function filled(text: string, fill: { readonly [name: string]: ClaimValue }, quote: Quote): string {
  const shown = text.replace(PLACEHOLDER, (_, name: string) => {
    const value = shownValue(claimNamed(fill, name));
    return value.trim() === '' ? value : quote(name, value);
  });
  return shown.slice(0, MAX_SHOWN_CHARS).toWellFormed();
}

function shownValue(value: ClaimValue | undefined): string {
  const clean = String(value ?? '')
    .toWellFormed()
    .replace(UNSAFE, '');
  // Counted in code points, so that no surrogate pair is split.
  return clean.length <= MAX_FILLED_CHARS
    ? clean
    : [...clean.slice(0, 2 * MAX_FILLED_CHARS)].slice(0, MAX_FILLED_CHARS).join('');
}
