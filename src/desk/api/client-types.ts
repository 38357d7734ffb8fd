/** The type of the management API for Hono's client (`hc<ManagementApi>`), made from the operations. Types only. */
import type { Hono } from 'hono';
import type { BlankEnv } from 'hono/types';
import type { ClientErrorStatusCode, ServerErrorStatusCode } from 'hono/utils/http-status';
import type * as z from 'zod/mini';
import type { adminOperations } from '../admin/admin-operations.ts';
import type { policyOperations } from '../admin/policy/policy-operations.ts';
import type { healthOperations } from '../health/health-operations.ts';
import type { Operation } from '../http/operation.ts';
import type { problemAnswer } from '../http/problem-answer.ts';
import type { reportOperations } from '../reports/report-operations.ts';

type AllOperations = typeof reportOperations &
  typeof adminOperations &
  typeof policyOperations &
  typeof healthOperations;

type Address = keyof AllOperations;
type PathOf<A extends Address> = A extends `${string} ${infer Path}` ? Path : never;

type Part<Op, Name extends 'query' | 'json'> = Op extends { readonly [N in Name]: infer Schema extends z.ZodMiniType }
  ? { [N in Name]: z.input<Schema> }
  : unknown;

interface Versions {
  readonly 'If-Match'?: string;
  readonly 'If-None-Match'?: string;
}

/** Parts of a path are sent as they are: percent-encode them. */
type InputOf<Op> = object &
  (Op extends { readonly param: infer Schema extends z.ZodMiniType }
    ? { param: { [Name in keyof z.input<Schema>]: string } }
    : unknown) &
  Part<Op, 'query'> &
  Part<Op, 'json'> &
  (Op extends { readonly precondition: string } ? { header?: Versions } : unknown);

type StatusOf<Op> = 200 | (Op extends { readonly also: { readonly status: infer Also } } ? Also & 202 : never);

type EndpointOf<Op extends Operation> =
  | (Op['answer'] extends z.ZodMiniType
      ? { input: InputOf<Op>; output: z.output<Op['answer']>; outputFormat: 'json'; status: StatusOf<Op> }
      : { input: InputOf<Op>; output: string; outputFormat: 'text'; status: 200 })
  | {
      input: InputOf<Op>;
      output: z.output<typeof problemAnswer>;
      outputFormat: 'json';
      status: ClientErrorStatusCode | ServerErrorStatusCode;
    };

export type ManagementApi = Hono<
  BlankEnv,
  {
    [Path in PathOf<Address>]: {
      [A in Address as A extends `${infer Method} ${Path}` ? `$${Lowercase<Method>}` : never]: EndpointOf<
        AllOperations[A]
      >;
    };
  },
  '/'
>;
