/** Calls of a connector with any credential: the result of the authentication, and the status at the door. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { authenticate, type ConnectorRoute } from '../../src/callers/authenticate.ts';
import type { Authentication } from '../../src/callers/credential.ts';
import { configOf } from '../../src/platform/config.ts';
import { basic, USER_FLOW } from './call.ts';
import worker from './worker.ts';

export const KEY = 'k3y/with+plus==and-more-chars';
export const OTHER_KEY = 'another-key-of-24-chars!';
export const TOKEN = 'a.fixed-token_of~24+chars/==';
export const FINGERPRINT = 'ab'.repeat(32);
export const SETTINGS = {
  LOCAL: '',
  SUPPORT_CODE_KEY: 'a key for tests, long enough to count',
  CONNECTOR_BASIC: 'b2c:a-password-of-24-chars-x',
  CONNECTOR_KEYS: `gateway:${KEY}\nnext:${OTHER_KEY}`,
  CONNECTOR_TOKENS: `policy:${TOKEN}`,
  CONNECTOR_CERTIFICATES: `cert-a:${FINGERPRINT}\ncert-b:${'CD:'.repeat(31)}CD`,
};
export const RIGHT = basic(SETTINGS.CONNECTOR_BASIC);
const NOW = Date.parse('2026-11-27T08:00:00Z');

/** What Cloudflare passes on about a certificate. */
export const certificate = (other: Record<string, unknown> = {}) => ({
  tlsClientAuth: {
    certPresented: '1',
    certVerified: 'SUCCESS',
    certRevoked: '0',
    certFingerprintSHA256: FINGERPRINT,
    certNotBefore: 'Nov  1 00:00:00 2025 GMT',
    certNotAfter: 'Nov  1 00:00:00 2027 GMT',
    ...other,
  },
});

export interface Presented {
  readonly headers?: Record<string, string>;
  readonly query?: string;
  readonly cf?: object;
}

const requestOf = ({ headers = {}, query = '', cf }: Presented, method = 'POST') =>
  new Request(`${USER_FLOW}/PreTokenIssuance${query}`, {
    method,
    headers,
    ...(method === 'POST' ? { body: '{"step":"PreTokenIssuance"}' } : {}),
    ...(cf === undefined ? {} : { cf: cf as CfProperties }),
  });

const credentialsOf = (settings: object) => configOf({ ...SETTINGS, DESK: {}, ...settings }).credentials.connector;

/** The result as `kind name`, or as the reason. */
export function resultOf(
  presented: Presented,
  route: ConnectorRoute = 'custom-policy',
  settings: object = {},
  now = NOW,
) {
  const result = authenticate(requestOf(presented), credentialsOf(settings), route, {
    now,
    local: false,
    later: () => undefined,
    log: () => undefined,
  }) as Authentication;
  return result.ok ? `${result.kind} ${result.name}` : result.reason;
}

/** At the door. */
export async function statusOf(presented: Presented, settings: object = {}, method = 'POST') {
  const context = createExecutionContext();
  const request = requestOf(presented, method) as Parameters<typeof worker.fetch>[0];
  const answered = await worker.fetch(request, { ...env, ...SETTINGS, ...settings }, context);
  const text = await answered.text();
  await waitOnExecutionContext(context);
  return { status: answered.status, text };
}
