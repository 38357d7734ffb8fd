/** The calls that the document of custom policies shows: Microsoft's two walkthroughs, over each transport. */
import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import readme from '../../src/gate/custom-policy/README.md?raw';
import policy from '../fixtures/policy-custom/policy.json';
import { B2C } from '../support/call.ts';
import { send } from '../support/exchange-call.ts';
import { publish } from '../support/policy-call.ts';

/** The curl lines of each block of the document that a block of JSON follows, and the reply in it. */
const examples = [...readme.matchAll(/```sh\n((?:curl .*\n)+)```\n```json\n(.*)\n```/g)].map(
  ([, lines = '', reply = '']) => ({
    commands: lines.trim().split('\n'),
    reply,
  }),
);

const quoted = (command: string, option: string) =>
  [...command.matchAll(new RegExp(` -${option} '([^']*)'`, 'g'))].map(([, value = '']) => value);

/** The request that a curl line makes. */
function requestOf(command: string): Request {
  const [url = ''] = /http:\/\/localhost:8787[^' ]+/.exec(command) ?? [];
  const headers = new Headers({ Authorization: B2C });
  for (const header of quoted(command, 'H')) {
    const [name = '', value = ''] = header.split(/: (.*)/s);
    headers.set(name, value);
  }
  const [body] = quoted(command, 'd');
  if (body === undefined) return new Request(url, { headers });
  if (!headers.has('Content-Type')) headers.set('Content-Type', 'application/x-www-form-urlencoded');
  return new Request(url, { method: 'POST', headers, body });
}

/** KV keys of the records. Other files call as the people of the documentation too, and expect no records. */
const held = new Set<string>();
afterAll(async () => {
  for (const place of held) await env.GATEHOUSE.delete(place);
});

beforeAll(async () => {
  const record = (attributes: object) =>
    JSON.stringify({
      v: 1,
      roles: [],
      groups: [],
      attributes,
      applications: {},
      updatedAt: '2026-11-01T12:00:00.000Z',
      updatedBy: 'admin',
    });
  // The lines of people.csv in the document.
  const people = {
    'person:email:david@contoso.com': { loyaltyId: '1234', promoCode: '24534' },
    'person:oid:ab3ec3b2-a435-45e4-b93a-56a005e88bb7': { balance: '760.50' },
  };
  for (const [place, attributes] of Object.entries(people)) {
    held.add(place);
    await env.GATEHOUSE.put(place, record(attributes));
  }
  await publish(policy);
});

describe('a call of a walkthrough in the document of custom policies', () => {
  it('is shown over four transports for both exchanges, and once refused', () => {
    expect(examples.map(({ commands }) => commands.length)).toEqual([4, 1, 4]);
  });

  for (const { commands, reply } of examples)
    for (const command of commands)
      it(`gets the reply that the document shows: ${command.slice(command.indexOf('custom-policy/'), 180)}`, async () => {
        const { status, text } = await send(requestOf(command));
        const shown = JSON.parse(reply) as { status?: number };
        expect(status).toBe(shown.status ?? 200);
        expect(text.replace(/"requestId":"[^"]+"/, '"requestId":"…"')).toBe(reply);
      });
});
