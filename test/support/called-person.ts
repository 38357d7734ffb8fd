/** A person with calls of now, through the gate, and with attempts of the past. */
import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import { readConfig } from '../../src/platform/config.ts';
import { MINUTE_MS } from '../../src/platform/duration.ts';
import { admin, inPath } from './admin-call.ts';
import { changesOf, changesOfOnce } from './admin-changes.ts';
import { anAttempt } from './attempt.ts';
import { callWith, newClient, newObjectId, rowsOf, rowsOfOnce } from './call.ts';
import { database } from './reports-call.ts';
import { STORED } from './support-desk.ts';

const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS);
export const second = (instant: string) => `${instant.slice(0, 19)}Z`;
/** Writes attempts as the consumer does. */
export async function past(...some: Attempt[]) {
  expect(await writeMessages(readConfig({ DATABASE_URL: env.DATABASE_URL }), some, 20_000)).toEqual({ refused: [] });
}
/** Other files may have summed later hours: then counts of an hour come from the sums. */
export const summed = () => sumDue(database, new Date());

/** A person of one application, with the calls that B2C makes for them. */
export function someone(domain = 'example.com', clientId = newClient()) {
  const objectId = newObjectId();
  const email = `${objectId}@${domain}`;
  const identityOf = (issuer: string) => ({ signInType: 'federated', issuer, issuerAssignedId: objectId });
  const body = (step: string, more: object = {}) => ({
    step,
    client_id: clientId,
    ui_locales: 'de-DE',
    email,
    identities: [identityOf('google.com')],
    ...(step === 'PreTokenIssuance' ? { objectId } : {}),
    ...more,
  });
  return {
    objectId,
    email,
    clientId,
    oid: `oid:${objectId}`,
    /** Calls the gate, one after the other, and waits for the attempts. Returns the support code of the last reply. */
    async calls(...some: (string | [step: string, more: object])[]): Promise<string> {
      const before = (await rowsOf(clientId)).length;
      let message = '';
      for (const one of some) {
        const { json } = await callWith(STORED, typeof one === 'string' ? body(one) : body(...one));
        message = String(json.userMessage ?? '');
      }
      await rowsOfOnce(clientId, before + some.length);
      return /[0-9A-Z]{5}-[0-9A-Z]{5}/.exec(message)?.[0] ?? '';
    },
    /** An attempt of a time in the past, or some minutes ago. */
    attempt: (when: number | Date, step: string, more: Partial<Attempt> = {}) =>
      anAttempt({
        at: typeof when === 'number' ? ago(when) : when,
        clientId,
        step,
        email,
        emailKey: `email:${email}`,
        issuer: 'google.com',
        signInType: 'federated',
        idpKey: `idp:google.com:${objectId}`,
        fingerprint: crypto.randomUUID(),
        ...(step === 'PreTokenIssuance' ? { objectId, oidKey: `oid:${objectId}` } : { objectId: '', oidKey: '' }),
        ...more,
      }),
  };
}
/** Sets the roles of a person, and waits for the change in the audit log. */
export async function grant(key: string, roles: string[]) {
  const before = (await changesOf(key)).length;
  expect((await admin('PUT', inPath(key), { roles })).status).toBe(200);
  await changesOfOnce(key, before + 1);
}
export const started = (minutes: number, email: string, more: Partial<Attempt> = {}) =>
  anAttempt({
    at: ago(minutes),
    channel: 'custom-policy',
    step: 'SignInStarted',
    reply: 'Claims',
    objectId: '',
    emailKey: `email:${email}`,
    correlationId: crypto.randomUUID(),
    ...more,
  });
