/** What messages, languages and applications of a policy must mean. */
import { BUILT_IN_TEXTS } from '../../policy/built-in-texts.ts';
import { PLACEHOLDER } from '../../policy/messages.ts';
import { isLongName } from '../../sign-in/claim-names.ts';
import { DEFAULT_LANGUAGE, type PolicyDocument } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';
import { problemSentence } from './problem-sentences.ts';
import { readPath } from './variables.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f]/;

/** With as much as each may fill in, a message is still kept whole. */
const MAX_PLACEHOLDERS = 10;

interface Found {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export function checkMessages({ messages = {}, applications = {}, ...document }: PolicyDocument): Found {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const at = (path: string, message: string) => ({ rule: '', path, message });
  const defaultLanguage = document.defaultLanguage ?? DEFAULT_LANGUAGE;
  if (!isLanguage(defaultLanguage)) problems.push(at('defaultLanguage', NO_LANGUAGE));

  for (const [key, byLanguage] of Object.entries(messages)) {
    const seen = new Set<string>();
    for (const [language, text] of Object.entries(byLanguage)) {
      const path = `messages.${key}.${language}`;
      const tag = language.toLowerCase();
      if (!isLanguage(language)) problems.push(at(path, NO_LANGUAGE));
      if (seen.has(tag)) problems.push(at(path, 'The same language twice, in other letters: keep one.'));
      seen.add(tag);
      problems.push(...[...textProblems(text), ...placeholderProblems(text)].map((message) => at(path, message)));
    }
    if (!seen.has(defaultLanguage.toLowerCase()))
      problems.push(at(`messages.${key}`, `No text in the default language: add "${defaultLanguage}".`));
    const without = Object.entries(byLanguage).filter(([, text]) => !text.includes('{supportCode}'));
    if (without.length > 0)
      warnings.push(
        at(
          `messages.${key}`,
          `Without {supportCode} in ${without.map(([tag]) => tag).join(', ')}: support cannot find the call by a code.`,
        ),
      );
    if (!isUsed(key, document.rules))
      warnings.push(at(`messages.${key}`, 'No rule uses it, and it is not the name of a built-in text.'));
  }

  const names = Object.keys(applications).filter((name) => name !== 'onlyThese');
  const folded = new Set(names.map((name) => name.trim().toLowerCase()));
  if (folded.size < names.length)
    problems.push(at('applications', 'The same client id twice, in other letters: keep one.'));
  for (const name of names) {
    if (name.trim() === '' || name.length > 128)
      problems.push(at(`applications.${name}`, 'Not a client id: give the application (client) id as Azure shows it.'));
  }
  if (applications.onlyThese === true && names.length === 0)
    problems.push(at('applications.onlyThese', 'No application is named, so that nobody could sign up: name them.'));
  return { problems, warnings };
}

const NO_LANGUAGE = 'Not a BCP 47 language tag: write one such as en, de or de-AT.';

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

function textProblems(text: string): string[] {
  const problems: string[] = [];
  if (text.trim() === '') problems.push('Empty: B2C takes no message without a text.');
  if (CONTROL.test(text)) problems.push('Holds control characters: B2C shows plain text.');
  if (/[{}]/.test(text.replace(PLACEHOLDER, '')))
    problems.push(
      'Holds a brace that is no placeholder: those are {supportCode}, {email} and the names of claims, such as {givenName}.',
    );
  if ((text.match(PLACEHOLDER)?.length ?? 0) > MAX_PLACEHOLDERS)
    problems.push(`Has more than ${MAX_PLACEHOLDERS} placeholders: nobody would read it.`);
  if (/\{extension_[0-9a-f]{32}_/i.test(text))
    problems.push('Names a claim in its long form: write {extension_X}, whatever the id of the extensions app.');
  return problems;
}

/** What would come out empty, whoever signs up. The long form has a sentence of its own. */
function placeholderProblems(text: string): string[] {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  return [...new Set(names)].flatMap((name) => {
    if (name !== 'supportCode' && name.toLowerCase() === 'supportcode')
      return [`{${name}} stays empty: write {supportCode}.`];
    const read = readPath(['claims', name], new Set());
    return read.ok || isLongName(name) ? [] : [`{${name}} stays empty: ${problemSentence(read.fault)}`];
  });
}

const isUsed = (key: string, rules: PolicyDocument['rules']) =>
  Object.hasOwn(BUILT_IN_TEXTS, key) || rules.some(({ block, invalid }) => block === key || invalid === key);
