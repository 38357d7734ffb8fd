/** Checks the messages, languages and applications of a policy. */
import { secretNames } from '../../attempts/secret-names.ts';
import { BUILT_IN_TEXTS } from '../../policy/built-in-texts.ts';
import { PLACEHOLDER } from '../../policy/messages.ts';
import { comparableName, isLongName } from '../../sign-in/claim-names.ts';
import type { CheckedRule } from './check-rules.ts';
import { inputClaim } from './exchanges.ts';
import { DEFAULT_LANGUAGE, type PolicyDocument } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';
import { problemSentence } from './problem-sentences.ts';
import { IN_USER_FLOW, type RulePlace } from './rule-place.ts';
import { readPath } from './variables.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters on purpose.
export const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f]/;

/** Keeps a message within the limit for stored messages, even when every value has its maximum length. */
const MAX_PLACEHOLDERS = 10;

interface Found {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export function checkMessages(
  { messages = {}, applications = {}, ...document }: PolicyDocument,
  rules: readonly CheckedRule[],
): Found {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const at = (path: string, message: string) => ({ rule: '', path, message });
  const defaultLanguage = document.defaultLanguage ?? DEFAULT_LANGUAGE;
  if (!isLanguage(defaultLanguage)) problems.push(at('defaultLanguage', NO_LANGUAGE));

  for (const [key, byLanguage] of Object.entries(messages)) {
    const seen = new Set<string>();
    const places = placesOf(key, rules);
    for (const [language, text] of Object.entries(byLanguage)) {
      const path = `messages.${key}.${language}`;
      const tag = language.toLowerCase();
      if (!isLanguage(language)) problems.push(at(path, NO_LANGUAGE));
      if (seen.has(tag)) problems.push(at(path, 'The same language twice in different case. Keep one.'));
      seen.add(tag);
      problems.push(
        ...[...textProblems(text), ...placeholderProblems(text, places)].map((message) => at(path, message)),
      );
    }
    if (!seen.has(defaultLanguage.toLowerCase()))
      problems.push(at(`messages.${key}`, `No text in the default language. To fix it, add "${defaultLanguage}".`));
    const without = Object.entries(byLanguage).filter(([, text]) => !text.includes('{supportCode}'));
    if (without.length > 0)
      warnings.push(
        at(
          `messages.${key}`,
          `Without {supportCode} in ${without.map(([tag]) => tag).join(', ')}, support cannot find a call by its code. Add it.`,
        ),
      );
    const secrets = new Set(Object.values(byLanguage).flatMap(secretsShown));
    if (secrets.size > 0)
      warnings.push(
        at(
          `messages.${key}`,
          `It shows ${[...secrets].join(', ')}: the name says that the value is a secret. Delete it, since pages and B2C's logs can keep it.`,
        ),
      );
    if (!isUsed(key, document.rules))
      warnings.push(
        at(`messages.${key}`, 'No rule uses it, and no built-in text has this name. Delete it, or name it in a rule.'),
      );
  }

  const names = Object.keys(applications).filter((name) => name !== 'onlyThese');
  const folded = new Set(names.map((name) => name.trim().toLowerCase()));
  if (folded.size < names.length)
    problems.push(at('applications', 'The same client id twice in different case. Keep one.'));
  for (const name of names) {
    if (name.trim() === '' || name.length > 128)
      problems.push(at(`applications.${name}`, 'Not a client id. Write the application (client) id that Azure shows.'));
  }
  if (applications.onlyThese === true && names.length === 0)
    problems.push(
      at('applications.onlyThese', 'It blocks every sign-up, because the policy names no application. Name them.'),
    );
  return { problems, warnings };
}

const isSecretName = secretNames([]);
/** The placeholders of secrets, with their braces. */
const secretsShown = (text: string): string[] =>
  [...text.matchAll(PLACEHOLDER)].filter(([, name = '']) => isSecretName(name)).map(([placeholder]) => placeholder);

export const NO_LANGUAGE = 'Not a BCP 47 language tag. Write one such as en, de or de-AT.';

export function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

function textProblems(text: string): string[] {
  const problems: string[] = [];
  if (text.trim() === '') problems.push('Empty. Write a text, since B2C requires one.');
  if (CONTROL.test(text)) problems.push('It contains control characters. Delete them, since B2C shows plain text.');
  if (/[{}]/.test(text.replace(PLACEHOLDER, '')))
    problems.push(
      'A brace is not part of a placeholder. Placeholders are {supportCode}, {email} and names of claims, such as {givenName}.',
    );
  if ((text.match(PLACEHOLDER)?.length ?? 0) > MAX_PLACEHOLDERS)
    problems.push(`It has more than ${MAX_PLACEHOLDERS} placeholders. Shorten it.`);
  if (/\{extension_[0-9a-f]{32}_/i.test(text))
    problems.push('It names a claim in the long form. Write {extension_X}, without the id of the extensions app.');
  return problems;
}

/** Placeholders that are always empty in every place. {@link textProblems} reports the long form of a name. */
function placeholderProblems(text: string, places: readonly RulePlace[]): string[] {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  return [...new Set(names)].flatMap((name) => {
    if (name === 'supportCode' || isLongName(name)) return [];
    if (name.toLowerCase() === 'supportcode') return [`{${name}} is always empty. Write {supportCode}.`];
    const reads = places.map((place) => readPath(['claims', name], new Set(), place));
    const [first] = reads;
    if (reads.some(({ ok }) => ok)) return canonicalProblem(name, places);
    return first === undefined || first.ok ? [] : [`{${name}} is always empty. ${problemSentence(first.fault)}`];
  });
}

/** A message is filled with the claims under their own names, and expressions accept others. */
function canonicalProblem(name: string, places: readonly RulePlace[]): string[] {
  const claim = inputClaim(name);
  if (comparableName(name) === comparableName(claim) || !places.every(({ isUserFlow }) => !isUserFlow)) return [];
  return [`{${name}} is always empty. Write {${claim}}.`];
}

/** The places of the rules that use a message. Texts with a built-in key can be shown in user flows too. */
function placesOf(key: string, rules: readonly CheckedRule[]): readonly RulePlace[] {
  const places = rules.filter(({ document }) => document.block === key || document.invalid === key);
  return places.length === 0 || Object.hasOwn(BUILT_IN_TEXTS, key) ? [IN_USER_FLOW] : places.map(({ place }) => place);
}

const isUsed = (key: string, rules: PolicyDocument['rules']) =>
  Object.hasOwn(BUILT_IN_TEXTS, key) || rules.some(({ block, invalid }) => block === key || invalid === key);
