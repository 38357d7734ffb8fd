/** Reports: unusual and invalid parameters. */

import { expect, test } from 'vitest';
import type { Summary } from '../../src/desk/reports/summary.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import { type Listed, type Problem, report } from '../support/reports-call.ts';

const day = (daysFromNow: number) => new Date(Date.now() + daysFromNow * DAY_MS).toISOString().slice(0, 10);
const LONG = 'x'.repeat(10_240);
const MANY = Array.from({ length: 50 }, (_, nth) => `filter${nth}`);
const cursorOf = (parts: unknown) => btoa(JSON.stringify(parts)).replaceAll('=', '');
const ID = '019aa3f1-7c00-7abc-8def-0123456789ab';

test.each<[what: string, path: string, names: string]>([
  ['a list that ends before it begins', `/attempts?from=${day(-1)}&to=${day(-2)}`, 'from'],
  ['a list that ends where it begins', `/attempts?from=${day(-1)}&to=${day(-1)}`, 'from'],
  ['a file that ends before it begins', `/attempts.csv?from=${day(-1)}&to=${day(-2)}`, 'from'],
  ['a summary that ends before it begins', `/summary?from=${day(-1)}&to=${day(-2)}`, 'from'],
  ['a summary of the future', `/summary?from=${day(2)}`, 'from'],
  ['a summary with an unknown part', '/summary?include=minutes,hours', 'include'],
  ['a summary with an empty part', '/summary?include=minutes,', 'include'],
  ['a summary file with a part', '/summary.csv?include=minutes', 'unknown: include'],
  ['a summary of a year by hour', `/summary?from=${day(-365)}`, 'from'],
  ['50 filters that do not exist', `/attempts?${MANY.map((name) => `${name}=1`).join('&')}`, 'and 30 more'],
  ['a filter 50 times', `/summary?${MANY.map((name) => `rule=${name}`).join('&')}`, 'rule'],
  ['a filter 50 times in a list', `/attempts?${MANY.map((name) => `rule=${name}`).join('&')}`, 'rule'],
  ['a cursor of an earlier version', `/attempts?cursor=${cursorOf([1, ID, null])}`, 'cursor'],
  ['a cursor of a later version', `/attempts?cursor=${cursorOf([1, ID, null, 'hash', 2])}`, 'cursor'],
  ['a cursor of another request', `/attempts?cursor=${cursorOf([1, ID, null, 'AAAAAAAAAAAAAAAA'])}`, 'cursor'],
  ['a client id of 10 kB', `/attempts?clientId=${LONG}`, 'clientId'],
  ['a rule of 10 kB in a file', `/attempts.csv?rule=${LONG}`, 'rule'],
  ['a person of 10 kB', `/attempts?objectId=${LONG}`, 'objectId'],
  ['a summary of a client id of 10 kB', `/summary?clientId=${LONG}`, 'clientId'],
  ['a cursor of 10 kB', `/attempts?cursor=${LONG}`, 'cursor'],
])('%s is a 400 that names the parameter', async (_, path, name) => {
  const response = await report(path);
  expect(response.status).toBe(400);
  const { errors } = await response.json<Problem>();
  expect(errors?.map(({ path: at, message }) => `${at} ${message}`).join('\n')).toContain(name);
});

test.each<[what: string, path: string]>([
  ['a list of the future', `/attempts?from=${day(2)}`],
  ['a list of a range before retention', `/attempts?from=2001-01-01&to=2001-02-01&clientId=a`],
  ['a list of everything since 2000', `/attempts?from=2000-01-01&clientId=unknown&issuer=nowhere`],
  [
    'every filter at once',
    `/attempts?${every()}&objectId=a&email=a@example.com&supportCode=ABCDE-FGHJK&correlationId=a&shadow=same`,
  ],
])('%s is an empty list without a next page', async (_, path) => {
  const response = await report(path);
  expect(response.status).toBe(200);
  expect(await response.json<Listed>()).toEqual({ attempts: [], matches: { count: 0, isMore: false } });
});

test.each<[what: string, path: string]>([
  ['every filter at once', `/summary?${every()}`],
  ['every filter at once, by day', `/summary?${every()}&interval=day`],
  ['days across the start of retention', `/summary?clientId=unknown&interval=day&from=${day(-200)}&to=${day(-10)}`],
  ['hours before retention', `/summary?clientId=unknown&from=${day(-200)}T01:00:00Z&to=${day(-190)}T05:00:00Z`],
  ['a range that ends in the future', `/summary?clientId=unknown&from=${day(-1)}&to=${day(5)}`],
])('a summary of %s without attempts is a 200 with zeros', async (_, path) => {
  const response = await report(path);
  expect(response.status, await response.clone().text()).toBe(200);
  const { totals, series, durationMs } = await response.json<Summary>();
  expect(totals.attempts).toBe(0);
  expect(series.length).toBeGreaterThan(0);
  expect(durationMs).toEqual({ p50: null, p95: null, p99: null });
});

test('a search body with 50 unknown filters is a 400 that names them', async () => {
  const response = await report('/attempts/search', Object.fromEntries(MANY.map((name) => [name, 'a'])));
  expect(response.status).toBe(400);
  expect((await response.json<Problem>()).detail).toContain('and 30 more');
});

function every(): string {
  return 'step=PreTokenIssuance&outcome=block&clientId=a&issuer=b&rule=c';
}
