/** Several credentials, or none that counts: lines 51, 68 and 105 of the wire contract's checklist. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectorRoute } from '../../src/callers/authenticate.ts';
import type { CallerKind } from '../../src/callers/credential.ts';
import { configOf } from '../../src/platform/config.ts';
import { basic, newClient, rowsOfOnce, USER_FLOW } from '../support/call.ts';
import {
  certificate,
  KEY,
  OTHER_KEY,
  type Presented,
  RIGHT,
  resultOf,
  SETTINGS,
  TOKEN,
} from '../support/connector-call.ts';
import worker from '../support/worker.ts';

describe('several credentials', () => {
  /** Each kind, right and wrong, strongest first. Only one of them can be in `Authorization`. */
  const KINDS: readonly (readonly [kind: CallerKind, right: Presented, wrong: Presented])[] = [
    ['certificate', { cf: certificate() }, { cf: certificate({ certRevoked: '1' }) }],
    ['api-key', { headers: { 'x-functions-key': KEY } }, { headers: { 'x-functions-key': 'wrong' } }],
    [
      'static-bearer',
      { headers: { Authorization: `Bearer ${TOKEN}` } },
      { headers: { Authorization: 'Bearer wrong' } },
    ],
    ['basic', { headers: { Authorization: RIGHT } }, { headers: { Authorization: basic('b2c:wrong') } }],
    ['code', { query: `?code=${encodeURIComponent(KEY)}` }, { query: '?code=wrong' }],
  ];
  const choice = fc.constantFrom('absent', 'right', 'wrong');

  it('a caller is admitted exactly if all that it presents is right, and its kind is that of the strongest', () => {
    fc.assert(
      fc.property(
        fc.tuple(choice, choice, choice, choice, choice),
        fc.constantFrom<ConnectorRoute>('user-flow', 'custom-policy'),
        (choices, route) => {
          // One header can carry one of them.
          fc.pre(choices[2] === 'absent' || choices[3] === 'absent');
          let presented: Presented = {};
          KINDS.forEach(([, right, wrong], index) => {
            const one = choices[index] === 'right' ? right : choices[index] === 'wrong' ? wrong : {};
            presented = { ...presented, ...one, headers: { ...presented.headers, ...one.headers } };
          });
          const strongest = KINDS.find((_, index) => choices[index] === 'right')?.[0];
          const admitted =
            !choices.includes('wrong') &&
            strongest !== undefined &&
            (route === 'custom-policy' || strongest !== 'code');
          const result = resultOf(presented, route);
          expect(result.includes(' ') ? result.split(' ')[0] : undefined).toBe(admitted ? strongest : undefined);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('the attempt names the strongest credential', async () => {
    const clientId = newClient();
    const context = createExecutionContext();
    const request = new Request(`${USER_FLOW}?code=${encodeURIComponent(OTHER_KEY)}`, {
      method: 'POST',
      headers: { Authorization: RIGHT, 'x-api-key': KEY },
      body: JSON.stringify({ step: 'PreTokenIssuance', client_id: clientId }),
    });
    await worker.fetch(request as Parameters<typeof worker.fetch>[0], { ...env, ...SETTINGS }, context);
    await waitOnExecutionContext(context);
    expect(await rowsOfOnce(clientId, 1)).toMatchObject([{ caller: 'gateway' }]);
  });

  it('a credential inside a body authenticates no one (contract 105)', async () => {
    const body = JSON.stringify({
      step: 'PreTokenIssuance',
      ApiKey: KEY,
      auth_token: TOKEN,
      code: KEY,
      'x-api-key': KEY,
    });
    const request = new Request(USER_FLOW, { method: 'POST', body });
    const answered = await worker.fetch(
      request as Parameters<typeof worker.fetch>[0],
      { ...env, ...SETTINGS },
      createExecutionContext(),
    );
    expect(answered.status).toBe(401);
  });

  it('nothing that is presented makes the authentication throw', () => {
    const text = fc.string({ unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.dictionary(fc.constantFrom(...Object.keys(certificate().tlsClientAuth)), fc.jsonValue()),
        (header, key, query, cf) => {
          const headers = { Authorization: header, 'x-api-key': key };
          const result = resultOf({ headers, query: `?code=${encodeURI(query)}`, cf: { tlsClientAuth: cf } });
          expect(result).not.toContain(' ');
        },
      ),
    );
  });

  it('with no credential configured every caller is refused, whatever it presents (contract 51)', () => {
    const none = { CONNECTOR_BASIC: '', CONNECTOR_KEYS: '', CONNECTOR_TOKENS: '', CONNECTOR_CERTIFICATES: '' };
    for (const [, right] of KINDS) expect(resultOf(right, 'custom-policy', none)).toBe('none-configured');
  });

  it('a kind alone may be configured: Basic is not needed beside keys', () => {
    const only = { CONNECTOR_BASIC: '', CONNECTOR_TOKENS: '', CONNECTOR_CERTIFICATES: '' };
    expect(resultOf({ headers: { 'x-api-key': KEY } }, 'user-flow', only)).toBe('api-key gateway');
    expect(resultOf({ headers: { Authorization: RIGHT } }, 'user-flow', only)).toBe('unsupported-scheme');
    expect(configOf({ ...SETTINGS, ...only, DESK: {} }).problems.join()).not.toContain('CONNECTOR_BASIC');
  });
});
