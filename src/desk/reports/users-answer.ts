/** The schemas of users and their accounts. */
import * as z from 'zod/mini';
import { describing } from '../http/operation.ts';
import { instant, matchesAnswer, next, said } from '../http/problem-answer.ts';
import type { listUsers } from './queries/users.ts';

const text = z.string();
const texts = z.array(text);

const account = z.object({
  key: text,
  issuer: text,
  provider: z.exactOptional(text),
  signInType: text,
  objectId: said('Null when no call with this identity had one.', z.nullable(text)),
  email: text,
  firstSeen: instant,
  lastSeen: instant,
  firstSignIn: said(
    'What the person signed in with. Null: only seen beside another identity, or in a sign-up.',
    z.nullable(text),
  ),
  lastSignIn: z.nullable(text),
  isUnfinished: said('A sign-up that began and from which no account came.', z.boolean()),
});

const user = {
  key: text,
  objectId: text,
  email: text,
  name: said('Empty unless `KEEP_CLAIMS` keeps `displayName`.', text),
  firstSeen: instant,
  lastSeen: instant,
  lastSignIn: said(
    'The newest call that let the person in; null when none did.',
    z.nullable(z.object({ at: instant, clientId: text, application: z.exactOptional(z.optional(text)), roles: texts })),
  ),
};
const userAnswer = z.object(user);

/** What a person's answer says about users and accounts, on a first page with attempts. */
export const personAccountsMembers = {
  user: said('The user; null when none is known.', z.exactOptional(z.nullable(userAnswer))),
  accounts: z.exactOptional(z.array(account)),
  sameAddress: said(
    'Users, and identities without one, that have the same address. They may be other people.',
    z.exactOptional(z.object({ users: z.array(userAnswer), accounts: z.array(account) })),
  ),
  accountsInWords: said('All of it in sentences that can be read out.', z.exactOptional(text)),
};

export const usersAnswer = describing<Awaited<ReturnType<typeof listUsers>>>()(
  z.object({
    users: z.array(
      z.object({
        ...user,
        accounts: z.array(account),
        attempts: said('By outcome, up to `countedTo`.', z.record(text, z.int())),
      }),
    ),
    countedTo: said('Attempts of users are counted up to this time.', instant),
    searchedTo: said(
      'Set when the page ended early: everyone last seen from this time on was searched.',
      z.exactOptional(instant),
    ),
    next,
    matches: said('How many match. Only on the first page.', z.exactOptional(matchesAnswer)),
  }),
);

export const usersComponents = { User: userAnswer, Account: account, UserList: usersAnswer };
