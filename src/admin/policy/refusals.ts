/** How the addresses of the policy say no, and what to do then. */
import type { Context } from 'hono';
import type { AppEnv } from '../../context.ts';
import type { Problem } from '../../policy/problem.ts';
import type { Outcome } from '../../policy/save.ts';
import type { NeonRefusal } from '../../policy/version.ts';
import { problem } from '../../problem.ts';
import { etagOf, type Precondition } from './preconditions.ts';

export type PolicyContext = Context<AppEnv>;

/** A policy has its address and a shadow has its own; else they are told of alike. */
export type Kind = 'policy' | 'shadow';

const ADDRESS = { policy: '/admin/policy', shadow: '/admin/policy/shadow' } as const;

/** A problem as it stands in `errors`. */
export const faultOf = ({ path, rule, message }: Problem) => ({ path, ...(rule === '' ? {} : { rule }), message });

/** 400 for a document that may not be saved: everything that is wrong, for people in `detail` and for programs in `errors`. */
export function refusedDocument(c: PolicyContext, problems: readonly Problem[], what = 'The document'): Response {
  const said = problems.map(({ path, rule, message }) => {
    const of = rule === '' ? '' : ` (rule ${rule})`;
    return path === '' ? message : `${path}${of}: ${message}`;
  });
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return problem(c, 400, `${what} has ${count}, and nothing was saved. ${said.join(' ')}`, {
    errors: problems.map(faultOf),
  });
}

/** 404 before the first policy, or without a shadow. `current` tells programs that it is not the address that is missing. */
export const nothingSaved = (c: PolicyContext, kind: Kind): Response =>
  problem(c, 404, NOTHING_YET[kind], { current: null });

const NOTHING_YET = {
  policy:
    'No policy was saved yet. Save the first one: PUT /admin/policy with the header If-None-Match: *, or ' +
    'npm run policy -- push policy.json.',
  shadow:
    'No shadow runs. Save one beside the policy that decides: PUT /admin/policy/shadow?sample=0.1 with the header ' +
    'If-None-Match: *.',
} as const;

export const noSuchVersion = (c: PolicyContext, number: number): Response =>
  problem(c, 404, `There is no version ${number}. GET /admin/policy/versions lists those that there are.`);

/** 428: the call does not say which version it was made from. `current` undefined: there is none; null: not known right now. */
export function preconditionMissing(c: PolicyContext, kind: Kind, current: number | undefined | null): Response {
  const both = c.req.header('If-Match') !== undefined && c.req.header('If-None-Match') !== undefined;
  const why = both
    ? 'Give If-Match or If-None-Match, not both.'
    : 'Say which version you changed, so that nobody’s change is overwritten unseen' +
      (c.req.header('If-Match')?.trim() === '*' ? ' (If-Match: * would be any).' : '.');
  const present =
    current === null
      ? `GET ${ADDRESS[kind]} gives its number as ETag.`
      : current === undefined
        ? `There is none yet: send If-None-Match: *.`
        : `At present it is version ${current}: look at it (GET ${ADDRESS[kind]}), then send If-Match: ${etagOf(current)}.`;
  return problem(
    c,
    428,
    `${why} ${present} Nothing was changed.`,
    current === null ? {} : { current: current ?? null },
  );
}

/** 412: another version counts than the one that was named. */
export function stale(
  c: PolicyContext,
  kind: Kind,
  { current, same }: Extract<Outcome, { kind: 'stale' }>,
  precondition: Precondition,
): Response {
  const now = { current: current?.number ?? null };
  if (current === undefined)
    return problem(
      c,
      412,
      `Nothing was changed: there is no such ${kind} at present. To save the first one send If-None-Match: *.`,
      now,
    );
  const { number, author, createdAt } = current;
  const which = `version ${number}, saved by ${author} at ${createdAt.toISOString()}`;
  const what =
    precondition.kind === 'first'
      ? `there is one already: ${which}.`
      : `it is not the version you named that counts, but ${which}.`;
  const todo = same
    ? 'It says exactly what you sent, so that there is nothing left to do.'
    : `Look at it (GET ${ADDRESS[kind]}), take over what is new in it, and send If-Match: ${etagOf(number)}.`;
  return problem(c, 412, `Nothing was changed: ${what} ${todo}`, now, { ETag: etagOf(number) });
}

type By = Extract<Outcome, { kind: 'refused' }>['by'];

/** 503; `number`: the version may have been saved under it. */
export function refused(c: PolicyContext, by: By, number: number | undefined): Response {
  const { what, retryAfterSeconds } = FAILURES[by];
  const saved =
    number === undefined
      ? 'Nothing was saved. Make the same call again.'
      : `Whether it was saved, as version ${number}, is not known. Make the same call again, which is safe: it saves nothing twice, and says so when it is there.`;
  return problem(c, 503, `${what} ${saved}`, {}, { 'Retry-After': String(retryAfterSeconds) });
}

/** 503 for a question that Neon did not answer. */
export const unanswered = (c: PolicyContext, { reason }: NeonRefusal): Response => {
  const { what, retryAfterSeconds } = FAILURES[reason];
  const todo =
    reason === 'database-not-migrated' ? 'Then try again.' : 'Try again in a few seconds; if it stays, look at /health/ready.';
  const detail = `${what} The policy in force goes on deciding. ${todo}`;
  return problem(c, 503, detail, {}, { 'Retry-After': String(retryAfterSeconds) });
};

const FAILURES: { readonly [reason in By]: { readonly what: string; readonly retryAfterSeconds: number } } = {
  'database-unavailable': { what: 'The database did not answer as it should.', retryAfterSeconds: 5 },
  'database-not-migrated': {
    what: 'The database has no table for policies yet: run npm run migrate against it.',
    retryAfterSeconds: 60,
  },
  contended: { what: 'Several people are saving at this moment.', retryAfterSeconds: 2 },
  'kv-busy': { what: 'Workers KV takes one write a second for one key.', retryAfterSeconds: 2 },
  'kv-timeout': { what: 'Workers KV did not answer in time.', retryAfterSeconds: 5 },
  'kv-failed': { what: 'Workers KV failed.', retryAfterSeconds: 5 },
  'kv-refused': { what: 'Workers KV failed.', retryAfterSeconds: 5 },
};

/** 409: there is nothing that a shadow could run beside. */
export const nothingToShadow = (c: PolicyContext): Response =>
  problem(
    c,
    409,
    'A shadow runs beside the policy that decides, and none was saved yet: save that first (PUT /admin/policy).',
  );
