/** Responses of the policy endpoints: versions, and the outcome of a save. */
import { type Config, configOf } from '../../../platform/config.ts';
import type { Fault } from '../../http/error-codes.ts';
import { namesIn, pointerTo } from '../../http/json-pointer.ts';
import { firstFaults, refuse } from '../../http/problem-details.ts';
import type { Problem } from '../../policies/policy-problem.ts';
import type { SavedPolicy, SaveOutcome } from '../../policies/save.ts';
import { shownVersion, type Version } from '../../policies/saved-version.ts';
import type { PolicyContext } from './policy-inputs.ts';
import { etagOf } from './preconditions.ts';

export const faultOf = ({ path, rule, message }: Problem): Fault => ({
  path,
  ...(rule === '' ? {} : { rule }),
  message,
});

/** The same for a document that is in the request's body, below the member `at`; `''`: the body is the document. */
export const bodyFaultOf = (problem: Problem, at = ''): Fault => {
  const fault = faultOf(problem);
  const path = [at, fault.path].filter((part) => part !== '').join('.');
  return { ...fault, path, ...(path === '' ? {} : { pointer: pointerTo(namesIn(path)) }) };
};

export const shownWithDocument = (version: Version) => ({
  ...shownVersion(version),
  document: version.text === null ? null : (JSON.parse(version.text) as unknown),
});

/** Returns 200 for a saved version, also when an earlier call saved it. */
function savedAnswer(c: PolicyContext, saved: SavedPolicy, warnings: readonly Problem[], more: object): Response {
  const { version, changed, previous, comparedWith, changes, published } = saved;
  const { number, use, sample, author, note, createdAt } = shownVersion(version);
  const body = {
    number,
    use,
    ...(sample === undefined ? {} : { sample }),
    changed,
    ...more,
    previous: previous ?? null,
    author,
    note,
    createdAt,
    comparedWith: comparedWith ?? null,
    changes,
    warnings: firstFaults(warnings.map(faultOf)),
    published,
    inForce: inForceSentence(saved, configOf(c.env)),
  };
  return c.json(body, 200, use === 'no-shadow' ? {} : { ETag: etagOf(number) });
}

/** https://developers.cloudflare.com/kv/concepts/how-kv-works/ */
const PROPAGATION = 'everywhere within about a minute, the propagation time of Workers KV';

function inForceSentence({ version, published }: SavedPolicy, config: Config): string {
  if (config.POLICY === 'built-in') {
    const locally = config.local ? 'start npm run dev again with --policy and a file; elsewhere ' : '';
    return `not yet, since the built-in policy decides. To use the saved policy, ${locally}set POLICY = "stored" in wrangler.toml and deploy`;
  }
  const inForce = PROPAGATION + (version.use === 'shadow' ? ', beside the policy that decides' : '');
  if (published) return inForce;
  return `not yet: it is saved, but publishing it to Workers KV failed. The cron publishes it within five minutes, and then it is in force ${inForce}`;
}

/**
 * The response for each outcome of a save. `address`: the endpoint that returns the current version. `more`: members
 * of the response for a saved version.
 */
export function outcomeAnswer(
  c: PolicyContext,
  address: string,
  outcome: SaveOutcome,
  warnings: readonly Problem[],
  more: object = {},
): Response {
  switch (outcome.kind) {
    case 'saved':
      return savedAnswer(c, outcome, warnings, more);
    case 'stale': {
      if (outcome.current === undefined) return refuse(c, 'version-missing', { current: null });
      const { number, author, createdAt } = outcome.current;
      const code = outcome.same ? 'version-identical' : 'version-changed';
      return refuse(c, code, { address, current: number, author, createdAt }, { ETag: etagOf(number) });
    }
    case 'no-shadow':
      return refuse(c, 'no-shadow', { current: null });
    case 'no-policy':
      return refuse(c, 'no-policy-to-shadow');
    case 'refused':
      if (outcome.number !== undefined) return refuse(c, 'save-uncertain', { number: outcome.number });
      return refuse(c, outcome.by, { afterwards: 'nothing-changed' });
  }
}
