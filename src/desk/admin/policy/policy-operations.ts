/** The entries of the policy in the API description (`http/operation.ts`). */
import type { Operations } from '../../http/operation.ts';
import { policySchema } from '../../policies/policy-document.ts';
import { versionsPage } from '../inputs.ts';
import { listBody, listParam } from './lists.ts';
import {
  documentAnswer,
  savedAnswerSchema,
  savedListAnswer,
  triedAnswer,
  versionsAnswer,
  versionWithDocumentAnswer,
} from './policy-answers.ts';
import { noteOnly, nothing, rollbackBody, shadowQuery, versionParam } from './policy-inputs.ts';
import { trialBody } from './try.ts';

const NEON = ['database-unavailable', 'database-not-migrated'] as const;
const SAVE = [
  ...NEON,
  'kv-timeout',
  'kv-failed',
  'kv-refused',
  'kv-busy',
  'contended',
  'save-uncertain',
  'precondition-missing',
  'version-missing',
  'version-changed',
  'version-identical',
] as const;
const SAVE_DOCUMENT = ['invalid-policy', ...SAVE] as const;

const POLICY = {
  rules: [{ id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } }],
};
const LIST_CHANGE = {
  param: listParam,
  query: noteOnly,
  json: listBody,
  example: { add: ['mailinator.com'] },
  described: {
    add: ['Entries to add at the end. One that is there already is named in `unchanged`.'],
    remove: ['Entries to remove. One that is not there is named in `unchanged`.'],
  },
  precondition: 'optional',
  answer: savedListAnswer,
} as const;

export const policyOperations = {
  'GET /admin/policy': {
    id: 'readPolicy',
    summary: 'The document of the version in force, with its number as ETag.',
    query: nothing,
    answer: documentAnswer,
    refusals: ['no-policy', ...NEON],
  },
  'PUT /admin/policy': {
    id: 'savePolicy',
    summary: 'Saves a document as the next version.',
    query: noteOnly,
    json: policySchema,
    example: POLICY,
    precondition: 'required',
    answer: savedAnswerSchema,
    refusals: SAVE_DOCUMENT,
  },
  'GET /admin/policy/versions': {
    id: 'listVersions',
    summary: 'Lists the versions, newest first.',
    query: versionsPage.query,
    answer: versionsAnswer,
    refusals: NEON,
  },
  'GET /admin/policy/versions/:number': {
    id: 'readVersion',
    summary: 'One version with its document.',
    param: versionParam,
    query: nothing,
    answer: versionWithDocumentAnswer,
    refusals: ['no-such-version', ...NEON],
  },
  'POST /admin/policy/rollback': {
    id: 'rollBack',
    summary: 'Saves the document of an earlier version as the next version.',
    query: nothing,
    json: rollbackBody,
    example: { to: 7, note: 'back to the rules of Monday' },
    described: { to: ['The number of the version whose document is saved again.', 7] },
    precondition: 'required',
    answer: savedAnswerSchema,
    refusals: ['no-such-version', ...SAVE_DOCUMENT],
  },
  'GET /admin/policy/shadow': {
    id: 'readShadow',
    summary: 'The version that runs as shadow, with its number as ETag.',
    query: nothing,
    answer: versionWithDocumentAnswer,
    refusals: ['no-shadow', ...NEON],
  },
  'PUT /admin/policy/shadow': {
    id: 'saveShadow',
    summary: 'Saves a document as shadow: it is evaluated beside the policy that decides, and has no effect.',
    query: shadowQuery,
    json: policySchema,
    example: POLICY,
    precondition: 'required',
    answer: savedAnswerSchema,
    refusals: ['no-policy-to-shadow', ...SAVE_DOCUMENT],
  },
  'DELETE /admin/policy/shadow': {
    id: 'endShadow',
    summary: 'Ends the shadow.',
    query: noteOnly,
    precondition: 'required',
    answer: savedAnswerSchema,
    refusals: ['no-shadow', ...SAVE],
  },
  'POST /admin/policy/lists/:name': {
    id: 'changeList',
    summary: 'Saves a version with entries of one list added and removed.',
    ...LIST_CHANGE,
    refusals: ['no-policy', 'no-such-list', ...SAVE_DOCUMENT],
  },
  'POST /admin/policy/shadow/lists/:name': {
    id: 'changeShadowList',
    summary: 'The same for the shadow.',
    ...LIST_CHANGE,
    refusals: ['no-shadow', 'no-policy-to-shadow', 'no-such-list', ...SAVE_DOCUMENT],
  },
  'POST /admin/policy/try': {
    id: 'tryPolicy',
    summary: 'The reply that B2C would get to a call, and the reason. Nothing is recorded.',
    json: trialBody,
    example: { call: { step: 'PreTokenIssuance', email: 'jane@example.com' }, entitlements: { roles: ['editor'] } },
    described: {
      call: ['The body that B2C sends.'],
      step: ['The step or exchange of the URL. Absent: the one of the body.', 'PreTokenIssuance'],
      policy: ['A draft. Absent: the policy in force decides.'],
      entitlements: ["What the person has. Absent: the person's record counts."],
      now: ['The time of the call. Absent: now.', '2026-11-21T08:00:00Z'],
    },
    answer: triedAnswer,
    refusals: ['nothing-decides'],
  },
} as const satisfies Operations;
