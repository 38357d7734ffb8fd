/**
 * How the API description (`desk/api`) describes a route: an entry of a table beside the routes
 * (`report-operations.ts`, `admin-operations.ts`, `policy-operations.ts`), under method and path. The entry names the
 * schemas that the route's validators check; a test compares them.
 */
import type * as z from 'zod/mini';
import type { Code } from './error-codes.ts';

/** What a reader should know about a parameter or a member of a body. */
export type Described = readonly [description: string, example?: unknown];

/** Media types of answers that are not JSON. */
export type FileType = 'text/csv' | 'text/html';

export interface Operation {
  /** What generated clients call it. */
  readonly id: string;
  /** One sentence. */
  readonly summary: string;
  readonly description?: string;
  readonly param?: z.ZodMiniType;
  readonly query?: z.ZodMiniType;
  readonly json?: z.ZodMiniType;
  /** A body that the API accepts. */
  readonly example?: unknown;
  /** Parameters and members that mean something else here than in `desk/api/parameters.ts`. */
  readonly described?: { readonly [name: string]: Described };
  /** Whether If-Match or If-None-Match names the version that the caller saw. */
  readonly precondition?: 'required' | 'optional';
  /** The answer with status 200. */
  readonly answer: z.ZodMiniType | FileType;
  /** Another status of the same answer. */
  readonly also?: { readonly status: 202 | 503; readonly meaning: string };
  /** Codes of its own. `desk/api/document.ts` adds those of guards and validators. */
  readonly refusals?: readonly Code[];
}

/** By method and path, as Hono writes them: `GET /reports/attempts/:attempt`. */
export interface Operations {
  readonly [methodAndPath: `${Uppercase<string>} /${string}`]: Operation;
}

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: DeepReadonly<T[Name]> }
    : T;

/** The type of an answer: that of its schema. */
export type AnswerOf<Schema extends z.ZodMiniType> = DeepReadonly<z.output<Schema>>;

type Same<A, B> =
  (<T>() => T extends DeepReadonly<A> ? 1 : 2) extends <T>() => T extends DeepReadonly<B> ? 1 : 2 ? true : false;

/** For an answer whose type is not made from a schema: does not compile unless the schema has exactly this type. */
export const describing =
  <Type>() =>
  <Schema extends z.ZodMiniType>(schema: Same<z.output<Schema>, Type> extends true ? Schema : never): Schema =>
    schema;
