/** What support reads out about a person's accounts. */
import { describe, expect, it } from 'vitest';
import { accountsInWords } from '../../../src/desk/reports/accounts-in-words.ts';

type Known = Parameters<typeof accountsInWords>[0];
const user = (objectId: string, at?: string): NonNullable<Known['user']> => ({
  key: `oid:${objectId}`,
  objectId,
  email: '',
  name: '',
  firstSeen: '2026-01-01T00:00:00.000Z',
  lastSeen: '2026-11-20T00:00:00.000Z',
  lastSignIn: at === undefined ? null : { at, clientId: 'shop', roles: [] },
});
const account = (provider: string, objectId: string | null, lastSignIn: string | null): Known['accounts'][number] => ({
  key: `idp:${provider}:1`,
  issuer: provider,
  provider,
  signInType: 'federated',
  objectId,
  email: '',
  firstSeen: '2026-01-01T00:00:00.000Z',
  lastSeen: '2026-11-20T00:00:00.000Z',
  firstSignIn: lastSignIn,
  lastSignIn,
  isUnfinished: objectId === null,
});
const NOW = Date.parse('2026-11-21T00:00:00Z');
const MARCH = '2026-03-01T08:00:00.123Z';
const YESTERDAY = '2026-11-20T08:00:00.456Z';
const NO_ONE: Known['sameAddress'] = { users: [], accounts: [] };

describe('accounts in words', () => {
  it('begin with a newer sign-in that named no identity, and with the provider otherwise', () => {
    const google = account('Google', 'ada', MARCH);
    const said = (at: string) =>
      accountsInWords({ user: user('ada', at), accounts: [google], sameAddress: NO_ONE }, false, NOW);
    expect(said(YESTERDAY)).toBe(
      'They signed in last at 2026-11-20T08:00:00Z; the call named no identity. Before that with Google, last at 2026-03-01T08:00:00Z.',
    );
    expect(said(MARCH)).toBe('They signed in with Google last, at 2026-03-01T08:00:00Z.');
  });

  it.each<[string, Known]>([
    ['two users', { user: user('ada'), accounts: [account('Google', 'bob', MARCH)], sameAddress: NO_ONE }],
    [
      'another user',
      {
        user: user('ada'),
        accounts: [account('Google', 'ada', MARCH)],
        sameAddress: { ...NO_ONE, users: [user('bob')] },
      },
    ],
    ['a sign-up', { user: user('ada'), accounts: [account('Google', null, null)], sameAddress: NO_ONE }],
  ])('name no provider for an address that %s may share with the person', (_, known) => {
    expect(accountsInWords(known, true, NOW)).toMatch(
      /^2 users or sign-ups .* may be several people\. Ask again with the /,
    );
    expect(accountsInWords(known, true, NOW)).not.toContain('Google');
    expect(accountsInWords(known, false, NOW)).toContain('Google');
  });

  it('name the provider for an address that one person has', () => {
    const known = { user: user('ada', MARCH), accounts: [account('Google', 'ada', MARCH)], sameAddress: NO_ONE };
    expect(accountsInWords(known, true, NOW)).toMatch(/^They signed in with Google last/);
  });
});
