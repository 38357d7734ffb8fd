/** The sample calls of an expression: every value of every input that may make a difference, then values by chance. */

import { MAX_ROLE_TEXT, MAX_ROLES, MAX_TEXT_READ } from '../../expressions/limits.ts';
import { listText } from '../../expressions/list.ts';
import type { ScopeInputs } from '../../expressions/scope.ts';
import { subtrees, type Tree } from '../../expressions/tree.ts';
import { TEXT_CLAIMS } from '../../sign-in/event.ts';

/** Undefined: absent. */
export type Sample = string | number | boolean | readonly string[] | undefined;

/** A value of the call, or a list of the policy, that an expression reads. */
export interface SampledInput {
  readonly variable: 'claims' | 'attributes' | 'identity' | 'request' | 'person' | 'lists';
  readonly name: string;
  readonly mayBeAbsent: boolean;
  /** The usual one first, then one of each type: however little work is left, those are tried. */
  readonly samples: readonly [Sample, ...Sample[]];
  /** They cost most, so they are tried last. */
  readonly long: readonly Sample[];
}

/** The values of the inputs of an expression, in their order. */
export type SampleCall = readonly Sample[];

const CALLS_BY_CHANCE = 300;

/** The same for the same inputs and seed. */
export function* sampleCalls(inputs: readonly SampledInput[], seed: string): Generator<SampleCall> {
  const random = randomOf(seed);
  const usual = inputs.map(({ samples }) => samples[0]);
  // Half of the values are usual or absent: most failures need those of several inputs together.
  const byChance = () =>
    inputs.map(({ samples, mayBeAbsent }) => {
      const chance = random();
      if (chance < 0.25) return mayBeAbsent ? undefined : samples[0];
      return chance < 0.5 ? samples[0] : samples[Math.floor(random() * samples.length)];
    });
  // First what is likeliest to make it fail, and costs least.
  yield inputs.map(({ samples, mayBeAbsent }) => (mayBeAbsent ? undefined : samples[0]));
  if (inputs.length === 0) return;
  for (const others of [() => usual, byChance]) {
    for (const [at, { mayBeAbsent }] of inputs.entries()) if (mayBeAbsent) yield others().with(at, undefined);
    for (const [at, { samples }] of inputs.entries()) for (const sample of samples) yield others().with(at, sample);
  }
  for (let count = 0; count < CALLS_BY_CHANCE; count++) yield byChance();
  for (const others of [() => usual, byChance]) {
    for (const [at, { long }] of inputs.entries()) for (const sample of long) yield others().with(at, sample);
  }
  yield inputs.map(({ long, samples }) => long[0] ?? samples[0]);
}

/** Texts that some function or comparison takes. */
const TEXTS = [
  ...['0', '7', '12345', '1234567890', '-1.5', 'true', 'jane@example.com', 'Jane Doe', 'J\u00e4ne \u{1f4a5}'],
  ...['2001-01-31', '31.01.2001', '01/31/2001', '20010131', '2026-01-31T00:00:00Z', '24h'],
];
const NUMBERS = [0, 1, -1.5, 2 ** 53, 1e300];
const LISTED = ['listed', 'Listed', 'LISTED', '7', 'jane@example.com', 'example.com'];
/** U+1D160 grows threefold in normal form C. */
const LONG_TEXTS = ['aB'.repeat(MAX_TEXT_READ), ','.repeat(200), '\u{1d160}'.repeat(5_000)];
const MOST_NAMES = Array.from({ length: MAX_ROLES }, (_, at) => `name-${at}-`.padEnd(MAX_ROLE_TEXT, 'x'));
const MAX_LITERALS = 20;
const MAX_LONG_LITERALS = 5;

export function sampledInputs(tree: Tree): readonly SampledInput[] {
  const inputs = new Map<string, SampledInput>();
  const samplesOf = samplesBeside(literalsIn(tree));
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
    case 'has':
      return [first === 'claims' ? first : 'attributes', second];
    case 'roles':
    case 'groups':
      return ['person', operator];
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

/** For inputs of an expression with those literals. */
function samplesBeside(literals: readonly (string | number)[]) {
  const words = literals.filter((literal) => typeof literal === 'string');
  const numbers = [5, ...literals.filter((literal) => typeof literal === 'number'), ...NUMBERS];
  const texts = ['', 'listed', ...words.flatMap(around), ...TEXTS];
  const long = [
    ...LONG_TEXTS,
    ...words.slice(0, MAX_LONG_LITERALS).map((word) => word.repeat(MAX_TEXT_READ / (word.length || 1))),
  ];
  return (variable: SampledInput['variable'], name: string): SampledInput => {
    const mayBeAbsent = variable === 'claims' || variable === 'attributes';
    const input = { variable, name, mayBeAbsent };
    if (variable === 'lists') return { ...input, samples: [LISTED, [...LISTED, ...words]], long: [] };
    if (variable === 'person')
      return { ...input, samples: [['a'], [], ['listed'], ...words.map((word) => [word])], long: [MOST_NAMES] };
    if (!mayBeAbsent || (variable === 'claims' && TEXT_CLAIMS.includes(name)))
      return { ...input, samples: ['a', ...texts], long };
    return { ...input, samples: ['a', ...numbers.slice(0, 1), true, ...texts, ...numbers.slice(1), false], long };
  };
}

/** Texts that begin or end with it, or that it separates. */
const around = (word: string) => [word, `${word}7`, `7${word}`, Array(9).fill('7').join(word)];

const NOON = Date.UTC(2026, 10, 21, 12);

/** A call with those values, as expressions see it. */
export function scopeInputsOf(inputs: readonly SampledInput[], call: SampleCall): ScopeInputs {
  const claims: Record<string, string | number | boolean> = {};
  const attributes: Record<string, string | number | boolean> = {};
  const lists = new Map<string, string>();
  const others = new Map<string, string | readonly string[]>();
  for (const [at, { variable, name }] of inputs.entries()) {
    const value = call[at];
    if (value === undefined) continue;
    if (typeof value !== 'object' && variable === 'claims') claims[name] = value;
    else if (typeof value !== 'object' && variable === 'attributes') attributes[name] = value;
    else if (typeof value === 'object' && variable === 'lists') lists.set(name, listText(value) ?? '');
    else if (typeof value === 'object' || typeof value === 'string') others.set(name, value);
  }
  const text = (name: string) => String(others.get(name) ?? '');
  const names = (name: string) => [others.get(name) ?? []].flat();
  return {
    ...{ claims, attributes, lists, now: NOON, roles: names('roles'), groups: names('groups') },
    identity: { issuer: text('issuer'), issuerAssignedId: text('id'), signInType: text('signInType') },
    ...{ step: text('step'), clientId: text('clientId'), application: text('application') },
    ...{ locale: text('locale'), channel: text('channel') },
  };
}

/** Numbers from 0 to below 1: mulberry32, seeded with the FNV-1a hash of a text. */
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
