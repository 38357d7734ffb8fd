/** Checks the advice of rules: what support tells the person. Staff read it, so no claim is filled in. */
import { CONTROL, isLanguage, NO_LANGUAGE } from './check-messages.ts';
import type { CheckedRule } from './check-rules.ts';
import { DEFAULT_LANGUAGE, type PolicyDocument } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';

export function checkAdvice(
  { defaultLanguage = DEFAULT_LANGUAGE }: PolicyDocument,
  rules: readonly CheckedRule[],
): Problem[] {
  return rules.flatMap(({ document: { id, advice }, path }) => {
    if (advice === undefined) return [];
    const at = (member: string, message: string): Problem => ({ rule: id, path: `${path}.advice${member}`, message });
    const tags = Object.keys(advice).map((tag) => tag.toLowerCase());
    return [
      ...(tags.includes(defaultLanguage.toLowerCase())
        ? []
        : [at('', `No advice in the default language. To fix it, add "${defaultLanguage}".`)]),
      ...Object.entries(advice).flatMap(([language, text], index) =>
        [
          ...(isLanguage(language) ? [] : [NO_LANGUAGE]),
          ...(tags.indexOf(language.toLowerCase()) < index
            ? ['The same language twice in different case. Keep one.']
            : []),
          ...textProblems(text),
        ].map((message) => at(`.${language}`, message)),
      ),
    ];
  });
}

const IN_BRACES = /\{[^{}]*\}/;

function textProblems(text: string): string[] {
  const [placeholder] = IN_BRACES.exec(text) ?? [];
  const problems: string[] = [];
  if (text.trim() === '') problems.push('Empty. Write what support tells the person, or remove the advice.');
  if (CONTROL.test(text)) problems.push('It contains control characters. Delete them.');
  if (placeholder !== undefined)
    problems.push(
      `Advice shows ${placeholder} as it is written: claims and support codes are not filled in, since the attempt beside it has them. Say it without the braces.`,
    );
  else if (/[{}]/.test(text)) problems.push('Advice has no placeholders. Delete the brace.');
  return problems;
}
