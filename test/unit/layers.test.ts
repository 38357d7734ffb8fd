/** Imports run one way: each folder of `src` imports only folders of the rows before its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');

/** From the ground up: a folder (or file), and what it may import. A row names only rows above itself. */
const LAYERS: readonly (readonly [room: string, imports: string])[] = [
  ['platform/digest.ts', ''],
  ['sign-in', 'platform/digest.ts'],
  ['platform/timeout.ts', ''],
  ['callers', 'platform/timeout.ts'],
  ['expressions', ''],
  ['platform', 'platform/digest.ts platform/timeout.ts sign-in callers'],
  ['database', 'platform'],
  // The queue's message is a row of the table: its types, nothing else (the gate's bundle holds no Drizzle).
  ['attempts', 'sign-in callers platform database/schema.ts'],
  ['policy', 'sign-in platform expressions'],
  ['entitlements', 'sign-in platform/digest.ts policy expressions/limits.ts'],
  ['gate', 'sign-in callers platform attempts policy entitlements'],
  ['desk/env.ts', ''],
  [
    'desk/http',
    'callers expressions/dates.ts platform attempts database/unavailable.ts database/matches.ts desk/env.ts',
  ],
  ['desk/aggregates', 'sign-in platform database attempts'],
  ['desk/erasure', 'platform database attempts'],
  ['desk/users', 'sign-in platform database'],
  ['desk/consume', 'platform database attempts desk/env.ts desk/aggregates desk/users desk/erasure'],
  ['desk/policies', 'sign-in expressions platform database attempts policy entitlements'],
  ['desk/audit', 'sign-in platform database desk/http'],
  [
    'desk/reports',
    'sign-in callers expressions platform database attempts policy entitlements desk/env.ts desk/http desk/aggregates desk/users desk/consume desk/policies',
  ],
  ['desk/rekey', 'platform entitlements'],
  // A policy is tried, and readiness is asked, on the road of a call.
  [
    'desk/health',
    'callers platform entitlements database policy gate desk/env.ts desk/http desk/aggregates desk/users desk/consume desk/policies desk/rekey',
  ],
  [
    'desk/admin',
    'sign-in platform database attempts policy entitlements gate desk/env.ts desk/http desk/aggregates desk/users desk/erasure desk/consume desk/policies desk/audit',
  ],
  ['desk/api', 'desk/http desk/reports desk/health desk/admin'],
  [
    'desk',
    'platform database attempts desk/env.ts desk/http desk/aggregates desk/consume desk/policies desk/reports desk/rekey desk/health desk/admin desk/api',
  ],
  [
    'cli',
    'sign-in expressions platform database attempts policy entitlements gate desk/http desk/aggregates desk/users desk/policies desk/reports desk/admin desk/api',
  ],
  [
    'local',
    'sign-in platform database attempts policy gate desk/aggregates desk/users desk/consume desk/policies desk/reports desk/samples.ts cli',
  ],
];

const rooms = LAYERS.map(([room]) => room);
/** The row of a file or folder below `src`: the longest that fits. */
const roomOf = (path: string) =>
  rooms.filter((room) => path === room || path.startsWith(`${room}/`)).toSorted((a, b) => b.length - a.length)[0];

const IMPORT = /(?:from|import|import\()\s*'(\.[^']+)'/g;

interface Arrow {
  readonly from: string;
  readonly to: string;
}

/**
 * Every import between rooms, lazy and type-only ones too. Paths are below `src`; one that leaves it begins with
 * `..`.
 */
const arrows: readonly Arrow[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.includes('.wrangler'))
  .flatMap((file) =>
    [...readFileSync(join(SRC, file), 'utf8').matchAll(IMPORT)].map(([, path = '']) => ({
      from: file,
      to: relative(SRC, join(SRC, dirname(file), path)),
    })),
  )
  .filter(({ from, to }) => roomOf(from) === undefined || roomOf(from) !== roomOf(to));

/** Whether the row of `from` names `to`: its room, or the one file of it. */
function mayImport({ from, to }: Arrow): boolean {
  const row = LAYERS.find(([room]) => room === roomOf(from));
  const allowed = row?.[1].split(' ') ?? [];
  // Migrations are checked against the schema that drizzle-kit reads.
  if (to === '../drizzle.config.ts') return from === 'cli/migrations-check.ts';
  return allowed.some((name) => to === name || to.startsWith(`${name}/`));
}

describe('layers', () => {
  it('every folder and file below src has a row', () => {
    const known = readdirSync(SRC).filter((name) => !LAYERS.some(([room]) => room.split('/')[0] === name));
    expect(known).toEqual([]);
  });

  it('a row names only rows above it, so that no arrow can run up', () => {
    LAYERS.forEach(([room, imports], index) => {
      const above = rooms.slice(0, index);
      const unknown = imports.split(' ').filter((name) => name !== '' && !above.includes(roomOf(name) ?? ''));
      expect({ room, unknown }).toEqual({ room, unknown: [] });
    });
  });

  it('every import between folders is in the row of its folder', () => {
    expect(arrows.length).toBeGreaterThan(300);
    expect(arrows.filter((arrow) => !mayImport(arrow)).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('every row is needed: each name in it is imported', () => {
    const unused = LAYERS.flatMap(([room, imports]) =>
      imports
        .split(' ')
        .filter((name) => name !== '')
        .filter(
          (name) => !arrows.some(({ from, to }) => roomOf(from) === room && (to === name || to.startsWith(`${name}/`))),
        )
        .map((name) => `${room}: ${name}`),
    );
    expect(unused).toEqual([]);
  });
});
