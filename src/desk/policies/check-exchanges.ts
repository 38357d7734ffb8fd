/** Checks the exchanges of a policy: each by itself, and which of their members its rules use. */
import { BUILT_IN_TEXTS } from '../../policy/built-in-texts.ts';
import { BUILT_IN_EXCHANGES, CALL_CLAIMS, type Exchange, exchangeKey } from '../../policy/exchange.ts';
import { PLACEHOLDER } from '../../policy/messages.ts';
import { comparableName } from '../../sign-in/claim-names.ts';
import { stepNamed } from '../../sign-in/steps.ts';
import type { CheckedRule } from './check-rules.ts';
import type { ExchangeDocument } from './exchange-document.ts';
import { exchangeInputOf, exchangesOf, inputClaim } from './exchanges.ts';
import { MAX_RULES, type PolicyDocument } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';
import { problemSentence } from './problem-sentences.ts';
import { readPath } from './variables.ts';

/** The events of External ID (contract 5.1), in lower case. Microsoft writes them with and without `On`. */
const EXTERNAL_ID_EVENTS: ReadonlySet<string> = new Set(
  [
    'attributecollectionstart',
    'attributecollectionsubmit',
    'tokenissuancestart',
    'passwordsubmit',
    'emailotpsend',
    'phoneotpsend',
  ].flatMap((name) => [name, `on${name}`]),
);
/** Rules times their exchanges: twice the number of rules that a policy can have. */
const MAX_NAMINGS = 2 * MAX_RULES;
/** These identify the person or describe the call, so they are texts. */
const TEXT_INPUTS: readonly string[] = ['email', 'objectId', ...CALL_CLAIMS];

type Found = (path: string, message: string) => void;

export function checkExchanges(document: PolicyDocument, rules: readonly CheckedRule[]) {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const resolved = new Map(exchangesOf(document).map((exchange) => [exchange.name, exchange]));
  const names = new Map<string, string>();
  for (const [name, declared] of Object.entries(document.exchanges ?? {})) {
    const into =
      (found: Problem[]): Found =>
      (path, message) =>
        found.push({ rule: '', path: `exchanges.${name}${path}`, message });
    const refuse = into(problems);
    const taken = takenBy(name, names);
    if (taken !== undefined) refuse('', taken);
    names.set(exchangeKey(name), name);
    checkInputs(declared, refuse);
    checkIdentifies(declared, resolved.get(name), refuse);
    checkOutputs(declared, refuse, into(warnings));
    warnOfUnused(name, declared, document, rules, into(warnings));
  }
  const namings = rules.reduce((sum, { place }) => sum + place.exchanges.length, 0);
  if (namings > MAX_NAMINGS) {
    const message = `All rules together name exchanges ${namings} times. The limit is ${MAX_NAMINGS}, since every isolate compiles a rule for each exchange. Name fewer.`;
    problems.push({ rule: '', path: 'rules', message });
  }
  return { problems, warnings };
}

/** The reason why an exchange may not have the name. */
function takenBy(name: string, before: ReadonlyMap<string, string>): string | undefined {
  const key = exchangeKey(name);
  if (stepNamed(name) !== undefined) return `${name} is a step of user flows. Rename the exchange.`;
  if (EXTERNAL_ID_EVENTS.has(key)) return `${name} is a step of Microsoft Entra External ID. Rename the exchange.`;
  const other = before.get(key);
  if (other !== undefined) return `${other} and ${name} differ only in case, and URLs have any case. Rename one.`;
  const builtIn = BUILT_IN_EXCHANGES.find((exchange) => exchangeKey(exchange.name) === key)?.name;
  return builtIn === undefined || builtIn === name
    ? undefined
    : `The built-in exchange is called ${builtIn}. Write ${builtIn}.`;
}

function checkInputs({ inputs = {} }: ExchangeDocument, refuse: Found): void {
  const names = new Map<string, string>();
  for (const [name, declared] of Object.entries(inputs)) {
    const { claim, type } = exchangeInputOf(name, declared);
    const other = names.get(comparableName(claim));
    if (other !== undefined)
      refuse(`.inputs.${name}`, `${other} and ${name} are one claim. Write its names in one input.`);
    names.set(comparableName(claim), name);
    if (type !== 'string' && TEXT_INPUTS.includes(claim))
      refuse(`.inputs.${name}`, `${name} identifies the person or describes the call, and is text. Remove the type.`);
    const read = readPath(['claims', claim], new Set());
    if (!read.ok) refuse(`.inputs.${name}`, problemSentence(read.fault));
  }
}

function checkIdentifies({ identifies = {} }: ExchangeDocument, exchange: Exchange | undefined, refuse: Found): void {
  for (const claim of Object.keys(identifies)) {
    if (exchange?.inputs.some((input) => input.claim === claim)) continue;
    refuse(`.identifies.${claim}`, `No input gives the claim ${claim}. Add one, or remove ${claim} here.`);
  }
  if (identifies.objectId?.form === 'any' && exchange?.issuer === '')
    refuse(
      '.identifies.objectId',
      'An object id that is no GUID is known only together with its issuer. Add "issuer" to the exchange.',
    );
}

function checkOutputs({ outputs = {}, emptyReply }: ExchangeDocument, refuse: Found, warn: Found): void {
  const names = Object.keys(outputs);
  if (emptyReply === true && names.length > 0)
    refuse('.emptyReply', 'An empty reply has no room for outputs. Remove emptyReply or outputs.');
  for (const [name, output] of Object.entries(outputs)) {
    if (typeof output === 'object' && output.join !== undefined && output.type !== 'list')
      refuse(`.outputs.${name}`, 'Only a list can be joined. Remove join, or write "type": "list".');
  }
  for (const spellings of Map.groupBy(names, (name) => name.toLowerCase()).values()) {
    if (spellings.length > 1)
      warn(
        '.outputs',
        `${spellings.join(' and ')} differ only in case, and the reply can contain both. Use one spelling.`,
      );
  }
}

function warnOfUnused(
  name: string,
  { inputs = {}, outputs = {}, identifies = { email: {}, objectId: {} } }: ExchangeDocument,
  document: PolicyDocument,
  rules: readonly CheckedRule[],
  warn: Found,
): void {
  const here = rules.filter((rule) => rule.document.steps.includes(name));
  const used = new Set(
    [...CALL_CLAIMS, ...Object.keys(identifies), ...here.flatMap(claimsRead), ...claimsShown(document, here)].map(
      comparableName,
    ),
  );
  for (const [input, declared] of Object.entries(inputs)) {
    const { claim, from } = exchangeInputOf(input, declared);
    if (from.length > 0 && !used.has(comparableName(claim)))
      warn(
        `.inputs.${input}`,
        'No rule reads it, and it does not identify the person. Delete it, unless KEEP_CLAIMS names it.',
      );
  }
  const set = new Set(here.flatMap((rule) => Object.keys(rule.document.set ?? {})));
  for (const output of Object.keys(outputs))
    if (!set.has(output)) warn(`.outputs.${output}`, 'No rule sets it. Set it in a rule, or delete it.');
}

const claimsRead = ({ when, set }: CheckedRule): readonly string[] =>
  [...(when === undefined ? [] : [when]), ...set.map(([, value]) => value)].flatMap(({ reads }) => reads.claims);

/** The claims in braces in the messages of the rules. Any of the texts with a built-in key can be shown anywhere. */
function claimsShown({ messages = {} }: PolicyDocument, rules: readonly CheckedRule[]): readonly string[] {
  const keys = new Set(rules.flatMap(({ document: { block, invalid } }) => [block, invalid]));
  const shown = Object.entries(messages).filter(([key]) => keys.has(key) || Object.hasOwn(BUILT_IN_TEXTS, key));
  return shown
    .flatMap(([, texts]) => Object.values(texts))
    .flatMap((text) => [...text.matchAll(PLACEHOLDER)].map(([, claim = '']) => inputClaim(claim)));
}
