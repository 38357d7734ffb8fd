/** Every operation of the API description, by the right that it needs, and the types of its client. */
import type * as z from 'zod/mini';
import { adminComponents } from '../admin/admin-answers.ts';
import { adminOperations } from '../admin/admin-operations.ts';
import { policyComponents } from '../admin/policy/policy-answers.ts';
import { policyOperations } from '../admin/policy/policy-operations.ts';
import { healthOperations } from '../health/health-operations.ts';
import type { Operations } from '../http/operation.ts';
import { faultAnswer, matchesAnswer, problemAnswer } from '../http/problem-answer.ts';
import { attemptComponents } from '../reports/attempt-answer.ts';
import { callersComponents } from '../reports/callers-answer.ts';
import { completenessComponents } from '../reports/completeness-answer.ts';
import { reportedPolicyComponents } from '../reports/policy/reported-policy-answers.ts';
import { reportOperations } from '../reports/report-operations.ts';
import { rolesComponents } from '../reports/roles/roles-answers.ts';
import { summaryComponents } from '../reports/summary-answer.ts';
import { usersComponents } from '../reports/users-answer.ts';

/** A group of operations that one credential opens. */
export interface OperationGroup {
  readonly right: 'reports' | 'admin';
  /** The heading of the reference. */
  readonly tag: string;
  readonly operations: Operations;
}

export const GROUPS: readonly OperationGroup[] = [
  { right: 'reports', tag: 'Reports', operations: reportOperations },
  { right: 'admin', tag: 'People, changes and dead letters', operations: adminOperations },
  { right: 'admin', tag: 'Policy', operations: policyOperations },
  { right: 'reports', tag: 'Health', operations: healthOperations },
];

/** Schemas of answers that have a name in the description. Others are named after their operation. */
export const COMPONENTS: { readonly [name: string]: z.ZodMiniType } = {
  Problem: problemAnswer,
  Fault: faultAnswer,
  Matches: matchesAnswer,
  ...attemptComponents,
  ...summaryComponents,
  ...callersComponents,
  ...usersComponents,
  ...completenessComponents,
  ...reportedPolicyComponents,
  ...rolesComponents,
  ...adminComponents,
  ...policyComponents,
};
