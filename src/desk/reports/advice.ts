/** What support tells the person: the advice of the rule that refused, else a built-in text. Pure. */
import { inLanguages } from '../../policy/languages.ts';
import { ADVICE_TEXTS, type AdviceKey } from './advice-texts.ts';
import type { Judged } from './attempt-verdict.ts';

export interface Advice {
  readonly text: string;
  /** BCP 47 tag of the text, in lower case. */
  readonly language: string;
  readonly source: 'rule' | 'built-in';
}

/** The advice of the policy in force. */
export interface RuleAdvice {
  /** Texts by rule, then by BCP 47 tag in lower case. */
  readonly ofRule: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Every rule with advice has a text in this language. */
  readonly defaultLanguage: string;
}

export const DEFAULT_LANGUAGES: readonly string[] = ['en'];

export const NO_RULE_ADVICE: RuleAdvice = { ofRule: new Map(), defaultLanguage: 'en' };

/** `languages` are BCP 47 tags in order of preference. */
export function adviceOn(
  { outcome, rule }: Pick<Judged, 'outcome' | 'rule'>,
  key: AdviceKey,
  { ofRule, defaultLanguage }: RuleAdvice,
  languages: readonly string[],
): Advice {
  const own = outcome === 'block' || outcome === 'invalid' ? ofRule.get(rule) : undefined;
  const found =
    own && (inLanguages(own, languages) ?? inLanguages(own, DEFAULT_LANGUAGES) ?? inLanguages(own, [defaultLanguage]));
  if (found !== undefined) return { text: found[1], language: found[0], source: 'rule' };
  const texts = ADVICE_TEXTS[key];
  const [language, text] = inLanguages(texts, languages) ?? ['en', texts.get('en') ?? ''];
  return { text, language, source: 'built-in' };
}
