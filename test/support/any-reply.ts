/** Replies of a user flow to any call: what the contract allows, their support codes, and the attempts with a code. */
import { env } from 'cloudflare:workers';
import { and, eq } from 'drizzle-orm';
import { expect, vi } from 'vitest';
import { connect } from '../../src/database/connect.ts';
import { attempts } from '../../src/database/schema.ts';
import { type Answered, WRITTEN_WITHIN_MS } from './call.ts';

export const STEPS = ['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance'] as const;
export const NO_ROLES = { version: '1.0.0', action: 'Continue', extension_Roles: '' };
export const CODE = /\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b/;

/** Expects a reply that the contract allows at a step without a decision (checklist lines 21 to 30). */
export function expectAllowed(answered: Answered, step: string | undefined) {
  const { status, contentType, json } = answered;
  expect(contentType).toBe('application/json');
  expect(json.version).toBe('1.0.0');
  expect(Object.values(json)).not.toContain(null);
  if (json.action === 'Continue') expect(status).toBe(200);
  else if (json.action === 'ShowBlockPage') {
    expect([status, step === 'PreTokenIssuance', json.userMessage !== '']).toEqual([200, false, true]);
  } else {
    expect(json.action).toBe('ValidationError');
    expect([status, json.status, step === undefined || step === 'PostAttributeCollection']).toEqual([400, 400, true]);
  }
  if (step === 'PreTokenIssuance') {
    expect(json).toHaveProperty('extension_Roles');
    expect(json).not.toHaveProperty('email');
  }
}

/** The support code in a reply. */
export const codeIn = (answered: Answered) => CODE.exec(String(answered.json.userMessage))?.[0];

/** Attempts with a support code at a step, and with `reason` if given. */
export async function rowsWithCode(code: string | undefined, step: string, count = 1, reason?: string) {
  const read = () =>
    connect(env.DATABASE_URL, WRITTEN_WITHIN_MS)
      .db.select()
      .from(attempts)
      .where(and(eq(attempts.supportCode, code ?? ''), eq(attempts.step, step)));
  return vi.waitUntil(
    async () => {
      const rows = (await read()).filter((row) => reason === undefined || row.reason === reason);
      return rows.length >= count ? rows : false;
    },
    { timeout: WRITTEN_WITHIN_MS, interval: 50 },
  );
}
