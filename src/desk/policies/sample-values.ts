/** The sample calls of an expression: first each value that can change the result of an input, then random values. */

import { MAX_PERSON_ROLES, MAX_ROLE_TEXT, MAX_SCOPE_IDENTITIES, MAX_TEXT_READ } from '../../expressions/limits.ts';
import { listText } from '../../expressions/list.ts';
import type { ScopeInputs } from '../../expressions/scope.ts';
import { subtrees, type Tree } from '../../expressions/tree.ts';
import { TEXT_CLAIMS } from '../../sign-in/event.ts';
import type { ClaimType } from './rule-place.ts';

/** Undefined: absent. */
export type Sample = string | number | boolean | readonly string[] | undefined;

/** A value of the call or a list of the policy that an expression reads. */
export interface SampledInput {
  readonly variable: 'claims' | 'attributes' | 'personId' | 'identity' | 'identities' | 'request' | 'person' | 'lists';
  readonly name: string;
  readonly mayBeAbsent: boolean;
  /** The usual value, then one of each type. The first ones run even with little work left. */
  readonly samples: readonly [Sample, ...Sample[]];
  /** Long values cost most and run last. */
  readonly long: readonly Sample[];
}

/** One value for each input, in the order of the inputs. */
export type SampleCall = readonly Sample[];

const RANDOM_CALLS = 300;

/** Yields the same calls for the same inputs and seed. */
export function* sampleCalls(inputs: readonly SampledInput[], seed: string): Generator<SampleCall> {
  const random = randomOf(seed);
  const usual = inputs.map(({ samples }) => samples[0]);
  // Half of the values are usual or absent, because most failures need several such inputs at once.
  const randomCall = () =>
    inputs.map(({ samples, mayBeAbsent }) => {
      const chance = random();
      if (chance < 0.25) return mayBeAbsent ? undefined : samples[0];
      return chance < 0.5 ? samples[0] : samples[Math.floor(random() * samples.length)];
    });
  // The likeliest failure and the cheapest sample.
  yield inputs.map(({ samples, mayBeAbsent }) => (mayBeAbsent ? undefined : samples[0]));
  if (inputs.length === 0) return;
  for (const others of [() => usual, randomCall]) {
    for (const [at, { mayBeAbsent }] of inputs.entries()) if (mayBeAbsent) yield others().with(at, undefined);
    for (const [at, { samples }] of inputs.entries()) for (const sample of samples) yield others().with(at, sample);
  }
  for (let count = 0; count < RANDOM_CALLS; count++) yield randomCall();
  for (const others of [() => usual, randomCall]) {
    for (const [at, { long }] of inputs.entries()) for (const sample of long) yield others().with(at, sample);
  }
  yield inputs.map(({ long, samples }) => long[0] ?? samples[0]);
}

/** Texts that functions and comparisons accept. */
const TEXTS = [
  ...['0', '7', '12345', '1234567890', '-1.5', 'true', 'jane@example.com', 'Jane Doe', 'J\u00e4ne \u{1f4a5}'],
  ...['2001-01-31', '31.01.2001', '01/31/2001', '20010131', '2026-01-31T00:00:00Z', '24h'],
];
const NUMBERS = [0, 1, -1.5, 2 ** 53, 1e300];
const LISTED = ['listed', 'Listed', 'LISTED', '7', 'jane@example.com', 'example.com'];
/** U+1D160 grows threefold in normal form C. */
const LONG_TEXTS = ['aB'.repeat(MAX_TEXT_READ), ','.repeat(200), '\u{1d160}'.repeat(5_000)];
const MOST_NAMES = Array.from({ length: MAX_PERSON_ROLES }, (_, at) => `name-${at}-`.padEnd(MAX_ROLE_TEXT, 'x'));
const MOST_IDENTITIES = Array.from({ length: MAX_SCOPE_IDENTITIES }, () => 'aB'.repeat(MAX_TEXT_READ / 2));
const MAX_LITERALS = 20;
const MAX_LONG_LITERALS = 5;

/** `claimTypes`: of the inputs of exchanges. */
export function sampledInputs(tree: Tree, claimTypes: ReadonlyMap<string, ClaimType>): readonly SampledInput[] {
  const inputs = new Map<string, SampledInput>();
  const samplesOf = samplesBeside(literalsIn(tree), claimTypes);
  const visit = (node: Tree): void => {
    for (const part of subtrees(node)) visit(part);
    const read = readBy(node);
    if (read !== undefined) inputs.set(read.join('.'), samplesOf(...read));
  };
  visit(tree);
  return [...inputs.values()];
}

function readBy(node: Tree): [variable: SampledInput['variable'], name: string] | undefined {
  if (typeof node !== 'object') return undefined;
  const [operator, first, second] = node as readonly [string, string, string];
  switch (operator) {
    case 'claims':
    case 'attributes':
    case 'identity':
    case 'request':
      return [operator, first];
    case 'person':
      return ['personId', first];
    case 'has':
      if (first === 'person') return ['personId', second];
      return [first === 'claims' ? first : 'attributes', second];
    case 'roles':
    case 'groups':
      return ['person', operator];
    case 'identities':
      // One text for all members of an identity, so that each comparison can succeed.
      return [operator, 'issuers'];
    case 'domainIn':
    case 'listed':
      return ['lists', second];
    default:
      return undefined;
  }
}

function literalsIn(tree: Tree): readonly (string | number)[] {
  if (typeof tree === 'boolean') return [];
  if (typeof tree !== 'object') return [tree];
  if (tree[0] === '#') return [Number(tree[1])];
  const keys = tree[0] === 'map' ? tree.slice(1).map((entry) => (entry as readonly [string, Tree])[0]) : [];
  return [...new Set([...keys, ...subtrees(tree).flatMap(literalsIn)])].slice(0, MAX_LITERALS);
}

/** Returns the samples for an expression with these literals. */
function samplesBeside(literals: readonly (string | number)[], claimTypes: ReadonlyMap<string, ClaimType>) {
  const words = literals.filter((literal) => typeof literal === 'string');
  const numbers = [5, ...literals.filter((literal) => typeof literal === 'number'), ...NUMBERS];
  const texts = ['', 'listed', ...words.flatMap(around), ...TEXTS];
  const long = [
    ...LONG_TEXTS,
    ...words.slice(0, MAX_LONG_LITERALS).map((word) => word.repeat(MAX_TEXT_READ / (word.length || 1))),
  ];
  return (variable: SampledInput['variable'], name: string): SampledInput => {
    const mayBeAbsent = variable === 'claims' || variable === 'attributes' || variable === 'personId';
    const input = { variable, name, mayBeAbsent };
    if (variable === 'personId') return { ...input, samples: [SAMPLE_ID], long: [] };
    if (variable === 'lists') return { ...input, samples: [LISTED, [...LISTED, ...words]], long: [] };
    if (variable === 'identities')
      return {
        ...input,
        samples: [['a'], [], ['listed', 'a'], ...words.map((word) => [word])],
        long: [MOST_IDENTITIES],
      };
    if (variable === 'person')
      return { ...input, samples: [['a'], [], ['listed'], ...words.map((word) => [word])], long: [MOST_NAMES] };
    switch (variable === 'claims' ? (claimTypes.get(name) ?? userFlowType(name)) : mayBeAbsent ? 'custom' : 'text') {
      case 'text':
        return { ...input, samples: ['a', ...texts], long };
      case 'number':
        return { ...input, samples: [5, ...numbers], long: [] };
      case 'truth':
        return { ...input, samples: [true, false], long: [] };
      case 'custom':
        return { ...input, samples: ['a', ...numbers.slice(0, 1), true, ...texts, ...numbers.slice(1), false], long };
    }
  };
}

const userFlowType = (claim: string): ClaimType => (TEXT_CLAIMS.includes(claim) ? 'text' : 'custom');

/** Texts that begin with the word, end with it, or have it as a separator. */
const around = (word: string) => [word, `${word}7`, `7${word}`, Array(9).fill('7').join(word)];

const NOON = Date.UTC(2026, 10, 21, 12);

const SAMPLE_ID = '9b2f6c1e-4a5d-8e3f-a1b2-c3d4e5f60718';

/** Converts a sample call to the inputs of a scope. */
export function scopeInputsOf(inputs: readonly SampledInput[], call: SampleCall): ScopeInputs {
  const claims: Record<string, string | number | boolean> = {};
  const attributes: Record<string, string | number | boolean> = {};
  const lists = new Map<string, string>();
  let personId: string | undefined;
  const others = new Map<string, string | readonly string[]>();
  for (const [at, { variable, name }] of inputs.entries()) {
    const value = call[at];
    if (value === undefined) continue;
    if (typeof value !== 'object' && variable === 'claims') claims[name] = value;
    else if (typeof value !== 'object' && variable === 'attributes') attributes[name] = value;
    else if (variable === 'personId') personId = String(value);
    else if (typeof value === 'object' && variable === 'lists') lists.set(name, listText(value) ?? '');
    else if (typeof value === 'object' || typeof value === 'string') others.set(name, value);
  }
  const text = (name: string) => String(others.get(name) ?? '');
  const names = (name: string) => [others.get(name) ?? []].flat();
  return {
    ...{ claims, attributes, personId, lists, now: NOON, roles: names('roles'), groups: names('groups') },
    identities: names('issuers').map((value) => ({ issuer: value, issuerAssignedId: value, signInType: value })),
    identity: { issuer: text('issuer'), issuerAssignedId: text('id'), signInType: text('signInType') },
    ...{ step: text('step'), clientId: text('clientId'), application: text('application') },
    ...{ locale: text('locale'), channel: text('channel') },
  };
}

/** Random numbers in [0, 1): mulberry32, seeded with the FNV-1a hash of a text. */
function randomOf(seed: string): () => number {
  let state = 0x811c9dc5;
  for (let at = 0; at < seed.length; at++) state = Math.imul(state ^ seed.charCodeAt(at), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
