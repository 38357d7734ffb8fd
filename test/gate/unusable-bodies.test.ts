/** Any body at any path: the reply that the contract allows, and an attempt. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeIn, expectAllowed, NO_ROLES, rowsWithCode, STEPS } from '../support/any-reply.ts';
import { call, callWith, newClient, rowsOfOnce } from '../support/call.ts';

describe('unusable body', () => {
  const deep = (open: string, close: string) => open.repeat(10_000) + close.repeat(10_000);
  const GZIP = 'H4sIAAAAAAAAA6tWKi5JLVCyUgooSg3Jz07N8ywuLk3MS05VqgUAWOEwPBsAAAA=';
  const gzipped = () => Uint8Array.from(atob(GZIP), (character) => character.charCodeAt(0));
  const bodies: [string, () => unknown, string, Record<string, string>?][] = [
    ['an empty body', () => '', 'not-json'],
    ['half a body', () => '{"step":"PreTokenIssuance","objectId":"', 'not-json'],
    ['text', () => 'hello', 'not-json'],
    ['null', () => 'null', 'not-an-object'],
    ['a list', () => '[]', 'not-an-object'],
    ['a number', () => '1e999', 'not-an-object'],
    ['1 MB', () => JSON.stringify({ email: 'x'.repeat(1_000_000) }), 'too-large'],
    ['1 MB without a length', () => new Blob([JSON.stringify({ email: 'x'.repeat(1_000_000) })]).stream(), 'too-large'],
    ['10,000 nested lists', () => deep('[', ']'), 'not-an-object'],
    ['10,000 nested lists as a claim', () => `{"extension_X":${deep('[', ']')}}`, 'nested-too-deep'],
    ['10,000 nested objects', () => `{"x":${deep('{"x":', '').slice(0, -1)}${'}'.repeat(10_000)}`, 'not-json'],
    ['one byte too many', () => `{"email":"${'x'.repeat(256 * 1024 - 11)}"}`, 'too-large'],
    ['random bytes', () => crypto.getRandomValues(new Uint8Array(500)).fill(0xff, 0, 1), 'not-utf-8'],
    [
      'JSON in UTF-16',
      () => new Uint8Array([0xff, 0xfe, ...[...'{"step":"x"}'].flatMap((c) => [c.charCodeAt(0), 0])]),
      'not-utf-8',
    ],
    ['text of another charset', () => '+AHs-', 'not-utf-8', { 'Content-Type': 'application/json; charset=utf-16' }],
    ['JSON in gzip', gzipped, 'compressed'],
    ['JSON in gzip, as its header says', gzipped, 'compressed', { 'Content-Encoding': 'gzip' }],
    ['what its header calls compressed', () => 'hello', 'compressed', { 'Content-Encoding': 'br' }],
  ];
  for (const [name, body, reason, headers] of bodies) {
    it(`${name} gets the reply for the step in the URL, and its attempt is an error with the reason`, async () => {
      const token = await call(body(), '/PreTokenIssuance', headers);
      expect([token.status, token.json]).toEqual([200, NO_ROLES]);
      const blocked = await call(body(), '/PostFederationSignup', headers);
      expect(blocked).toMatchObject({
        status: 200,
        contentType: 'application/json',
        json: { version: '1.0.0', action: 'ShowBlockPage' },
      });
      expect(codeIn(blocked)).toBeDefined();
      for (const path of ['/PostAttributeCollection', '']) {
        const invalid = await call(body(), path, headers);
        expect(invalid).toMatchObject({
          status: 400,
          contentType: 'application/json',
          json: { version: '1.0.0', status: 400, action: 'ValidationError' },
        });
        expect(codeIn(invalid)).toBeDefined();
      }
      const rows = await rowsWithCode(codeIn(blocked), 'PostFederationSignup', 1, reason);
      expect(rows[0]).toMatchObject({ outcome: 'error', reply: 'ShowBlockPage', status: 200 });
    });
  }

  it('a body of exactly the maximum size or depth is accepted', async () => {
    const largest = `{"email":"${'x'.repeat(256 * 1024 - 12)}"}`;
    expect((await call(largest, '/PostFederationSignup')).json).toEqual({ version: '1.0.0', action: 'Continue' });
    const nested = `{"x":${'['.repeat(30)}${']'.repeat(30)}}`;
    expect((await call(nested, '/PostFederationSignup')).json).toEqual({ version: '1.0.0', action: 'Continue' });
  });

  it('a body that breaks off gets a reply, and its attempt is an error', async () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode('{"step":"PreTokenIss'));
        controller.error(new Error('connection lost'));
      },
    });
    const answered = await callWith({}, broken, '/PostAttributeCollection');
    expect(answered).toMatchObject({ status: 400, json: { action: 'ValidationError' } });
    expect(await rowsWithCode(codeIn(answered), 'PostAttributeCollection', 1, 'cut-off')).toMatchObject([
      { outcome: 'error' },
    ]);
  });
});

describe('every body at every path', () => {
  const oddName = fc.constantFrom(
    'step',
    'client_id',
    'clientId',
    'email',
    'identities',
    'ui_locales',
    'objectId',
    'displayName',
    'surname',
    'extension_Roles',
    'extension_d683a96de17e4f92bb31a015d243ca03_X',
    '__proto__',
    'action',
    'version',
    'status',
  );
  const stepValue = fc.constantFrom(...STEPS, 'PreTokenApplicationClaims', 'Unknown', '');
  const member = fc.tuple(fc.oneof(oddName, fc.string()), fc.oneof(stepValue, fc.jsonValue({ depthSize: 'small' })));
  const anyObject = fc
    .array(member, { maxLength: 12 })
    .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`);
  const anyBody = fc.oneof(
    { weight: 5, arbitrary: anyObject },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.json() },
  );
  const anyPath = fc.constantFrom('', ...STEPS.map((step) => `/${step}`), '/nonsense', '/preTokenIssuance?code=secret');

  it('a call gets a reply that the contract allows at its step, and one attempt with that reply', async () => {
    const clientId = newClient();
    const replies: string[] = [];
    await fc.assert(
      fc.asyncProperty(anyBody, anyPath, async (body, path) => {
        // JSON.parse uses the last value of a repeated name.
        const marked =
          body.trimEnd().endsWith('}') && !/^\s*\{\s*\}\s*$/.test(body)
            ? body.replace(/\}\s*$/, `,"client_id":"${clientId}"}`)
            : body;
        const answered = await call(marked, path);
        const urlStep = STEPS.find((step) => `/${step}`.toLowerCase() === path.split('?')[0]?.toLowerCase());
        expectAllowed(answered, stepIn(marked) ?? urlStep);
        if (isMarked(marked, clientId)) replies.push(`${answered.status} ${answered.json.action}`);
      }),
      { numRuns: 300 },
    );
    const rows = await rowsOfOnce(clientId, replies.length);
    expect(rows.map(({ status, reply }) => `${status} ${reply}`).toSorted()).toEqual(replies.toSorted());
  });

  function stepIn(body: string): string | undefined {
    const step = objectIn(body)?.step;
    if (typeof step !== 'string') return undefined;
    return (
      STEPS.find((known) => known === step) ?? (step === 'PreTokenApplicationClaims' ? 'PreTokenIssuance' : undefined)
    );
  }
  function isMarked(body: string, clientId: string): boolean {
    return objectIn(body)?.client_id === clientId;
  }
  function objectIn(body: string): Record<string, unknown> | undefined {
    try {
      const parsed: unknown = JSON.parse(body);
      return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
    } catch {
      return undefined;
    }
  }
});
