/** The settings of callers: what is unusable, weak or missing is named, without its text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCertificateLines } from '../../../src/callers/certificate.ts';
import { readIssuers } from '../../../src/callers/issuers.ts';
import { readConfig } from '../../../src/platform/config.ts';

const STRONG = 'Zk3v0b7s9QmX2pLr8TtY';
/** A deployed gate. */
const gate = (settings: object) =>
  readConfig({
    DESK: {},
    SUPPORT_CODE_KEY: STRONG + STRONG,
    EMAIL_KEY: `${STRONG}-${STRONG}`,
    CONNECTOR_BASIC: `b2c:${STRONG}`,
    ...settings,
  });
const FINGERPRINT = '0a'.repeat(32);

describe.each([
  ['CONNECTOR_KEYS', 'key'],
  ['CONNECTOR_TOKENS', 'token'],
])('%s', (setting, what) => {
  it('unusable, short, joined and sample lines are named by their number and never by their text', () => {
    const lines = [
      'a:short-one',
      'no colon here',
      `"b:${STRONG}"`,
      `c:${STRONG};d:${STRONG}`,
      'Test:Test',
      `e:${STRONG}`,
    ];
    const { problems, credentials } = gate({ [setting]: lines.join('\n') });
    const ours = problems.filter((problem) => problem.startsWith(setting));
    expect(ours).toEqual([
      expect.stringMatching(new RegExp(`line 2, 3: not a plain name:${what} `)),
      expect.stringContaining('line 4: looks like several pairs'),
      expect.stringContaining(`line 1, 5: the ${what} has fewer than 20 characters`),
      expect.stringContaining('contains a sample credential'),
    ]);
    for (const text of ['short-one', 'no colon here', STRONG]) expect(ours.join()).not.toContain(text);
    const { keys, tokens } = credentials.connector;
    const names = [...keys, ...tokens].map(({ name }) => name);
    expect(names).toEqual(['a', '"b', 'c', 'e']);
  });

  it('the desk does not read it', () => {
    const { keys, tokens } = readConfig({ [setting]: `a:${STRONG}` }).credentials.connector;
    expect([...keys, ...tokens]).toEqual([]);
  });
});

describe('CONNECTOR_BASIC', () => {
  it('every request is refused without it only when no other kind is configured', () => {
    const missing = 'CONNECTOR_BASIC has no usable line: every request is refused. Set the secret.';
    expect(gate({ CONNECTOR_BASIC: '' }).problems).toContain(missing);
    for (const other of [{ CONNECTOR_KEYS: `a:${STRONG}` }, { CONNECTOR_CERTIFICATES: `a:${FINGERPRINT}` }])
      expect(gate({ CONNECTOR_BASIC: '', ...other }).problems).not.toContain(missing);
  });
});

describe('CONNECTOR_KEY_HEADERS', () => {
  it('names that no header has, and Authorization, are named as a problem and not read', () => {
    const { problems, credentials } = gate({ CONNECTOR_KEY_HEADERS: 'X-One, x two,Authorization\nx-one,x:y,' });
    expect(credentials.connector.keyHeaders).toEqual(['x-one']);
    expect(problems).toEqual([expect.stringContaining('CONNECTOR_KEY_HEADERS')]);
  });
});

describe('CONNECTOR_CERTIFICATES', () => {
  it('a fingerprint is read with or without colons and in any letter case, and every other line is named', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(digits, (fingerprint) => {
        const withColons = fingerprint.replace(/(..)(?=.)/g, '$1:');
        const { certificates, faulty } = readCertificateLines(
          `a:${fingerprint}\n b : ${withColons} \nc:${fingerprint}0\n:x`,
        );
        expect(certificates).toEqual(['a', 'b'].map((name) => ({ name, fingerprint: fingerprint.toLowerCase() })));
        expect(faulty).toEqual([3, 4]);
      }),
    );
  });

  it('one certificate alone is a problem, and two with one fingerprint are one', () => {
    const one = (lines: string) => gate({ CONNECTOR_CERTIFICATES: lines }).problems.join();
    expect(one(`a:${FINGERPRINT}`)).toContain('CONNECTOR_CERTIFICATES has one certificate');
    expect(one(`a:${FINGERPRINT}\nb:${FINGERPRINT}`)).toContain('CONNECTOR_CERTIFICATES has one certificate');
    expect(one(`a:${FINGERPRINT}\nb:${'0b'.repeat(32)}`)).toBe('');
    expect(one('')).toBe('');
  });
});

describe('CONNECTOR_ISSUERS', () => {
  const entry = {
    name: 'tenant',
    issuer: 'https://login.example/tenant/v2.0',
    audience: 'api://gatehouse',
    clients: ['231c70e8-8424-48ac-9b5d-5623b9e4ccf3'],
    kind: 'connector',
  };
  const { issuer: _, ...withoutIssuer } = entry;
  const read = (...entries: unknown[]) => readIssuers(JSON.stringify(entries), false);

  it('an entry has its metadata at the well-known address of its issuer, or at the one that it names', () => {
    expect(read(entry).issuers).toMatchObject([
      { metadata: 'https://login.example/tenant/v2.0/.well-known/openid-configuration', audience: ['api://gatehouse'] },
    ]);
    expect(read({ ...withoutIssuer, metadata: 'https://login.example/meta' }).issuers).toMatchObject([
      { metadata: 'https://login.example/meta' },
    ]);
  });

  it.each<[unknown, string]>([
    [7, 'not an object'],
    [null, 'not an object'],
    [[], 'not an object'],
    [{ ...entry, audiences: [] }, 'unknown member "audiences"'],
    [{ ...entry, name: ' ' }, '"name" must be'],
    [{ ...entry, name: 'x'.repeat(101) }, '"name" must be'],
    [withoutIssuer, '"issuer" or "metadata" is missing'],
    [{ ...entry, issuer: 'http://login.example' }, '"issuer" must be an https URL'],
    [{ ...entry, issuer: 'http://127.0.0.1:1' }, '"issuer" must be an https URL'],
    [{ ...entry, issuer: 'https://user:secret@login.example' }, '"issuer" must be an https URL'],
    [{ ...entry, metadata: 'login.example' }, '"metadata" must be an https URL'],
    [{ ...entry, metadata: 7 }, '"metadata" must be an https URL'],
    [{ ...entry, audience: [] }, '"audience" must be'],
    [{ ...entry, audience: [''] }, '"audience" must be'],
    [{ ...entry, audience: undefined }, '"audience" must be'],
    [{ ...entry, clients: [] }, '"clients" must be'],
    [{ ...entry, clients: [7] }, '"clients" must be'],
    [{ ...entry, kind: 'everything' }, '"kind" must be one of connector'],
    [{ ...entry, kind: undefined }, '"kind" must be one of connector'],
  ])('an entry is left out and named: %j', (faulty, why) => {
    const { issuers, faults } = read(faulty, { ...entry, name: 'other' });
    expect(faults).toEqual([expect.stringContaining(`entry 1: ${why}`)]);
    expect(issuers.map(({ name }) => name)).toEqual(['other']);
  });

  it('two entries with one name are one, and a text that is no JSON list is a problem of the setting', () => {
    expect(read(entry, entry).faults).toEqual(['entry 2: another entry has the same "name"']);
    expect(gate({ CONNECTOR_ISSUERS: '{' }).problems).toEqual([
      'CONNECTOR_ISSUERS, not JSON. Correct it in wrangler.toml.',
    ]);
    expect(gate({ CONNECTOR_ISSUERS: '{}' }).problems).toEqual([
      'CONNECTOR_ISSUERS, not a list. Correct it in wrangler.toml.',
    ]);
    expect(gate({ CONNECTOR_ISSUERS: ' ' }).problems).toEqual([]);
  });

  it('connectors admit only entries of their kind', () => {
    const list = [entry, { ...entry, name: 'people', kind: 'staff' }];
    expect(gate({ CONNECTOR_ISSUERS: JSON.stringify(list) }).credentials.connector.issuers).toMatchObject(
      [entry.name].map((name) => ({ name })),
    );
  });

  it('no text makes the reading throw', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void readIssuers(text, false)));
  });
});
