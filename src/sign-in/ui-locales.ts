/** Reads the languages of a call, as `ui_locales` has them (OpenID Connect Core 3.1.2.1). */
import { MAX_LANGUAGES } from './event.ts';

export interface UiLocales {
  /** The first tag; `''` when there is none. */
  readonly locale: string;
  /** The tags in order of preference, without parameters such as `q=0.9`. At most {@link MAX_LANGUAGES}. */
  readonly languages: readonly string[];
}

export function uiLocalesIn(text: string): UiLocales {
  const tags = text.split(/[\s,;]+/).filter((tag) => tag !== '');
  return { locale: tags[0] ?? '', languages: tags.filter((tag) => !tag.includes('=')).slice(0, MAX_LANGUAGES) };
}
