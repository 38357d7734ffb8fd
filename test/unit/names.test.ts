/** One name, one meaning: in exports, and in the names of files. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');
/** Every command has a `define`, and every program a `main`. Every front door implements `FrontDoor`. */
const SHARED_EXPORTS = ['define', 'main', 'parse', 'understand', 'replyTo'];
/**
 * Both Workers have an entry and its bindings; every folder that answers HTTP has routes; every front door has the same
 * files.
 */
const SHARED_FILES = ['index.ts', 'env.ts', 'routes.ts', 'run.ts', 'door.ts', 'request.ts', 'reply.ts'];

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.includes('.wrangler'),
);

const EXPORT = /^export (?:async )?(?:const|function\*?|class|interface|type) (\w+)/gm;

/** The keys that occur more than once, each with its places. */
function repeated(pairs: readonly (readonly [key: string, place: string])[], shared: readonly string[]) {
  const places = Map.groupBy(pairs, ([key]) => key);
  return [...places]
    .filter(([key, found]) => found.length > 1 && !shared.includes(key))
    .map(([key, found]) => `${key}: ${found.map(([, place]) => place).join(', ')}`);
}

it('no two modules export the same name', () => {
  const exported = files.flatMap((file) =>
    [...readFileSync(join(SRC, file), 'utf8').matchAll(EXPORT)].map(([, name = '']) => [name, file] as const),
  );
  expect(exported.length).toBeGreaterThan(500);
  expect(repeated(exported, SHARED_EXPORTS)).toEqual([]);
});

it('no two files have the same name', () => {
  const named = files.map((file) => [basename(file), file] as const);
  expect(repeated(named, SHARED_FILES)).toEqual([]);
});
