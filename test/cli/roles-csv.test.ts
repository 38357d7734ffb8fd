/** The CSV of `roles export` and `roles import`: import reads what export writes, and every error has its line. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputOf, type RolesOfPerson, withNames } from '../../src/cli/roles/roles-api.ts';
import { readRolesCsv, writeRolesCsv } from '../../src/cli/roles/roles-csv.ts';
import { ROLE_NAME } from '../../src/entitlements/stored-record.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,9}$/), { maxLength: 4 });
const clientId = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((text) => text.trim().toLowerCase())
  .filter((text) => text !== '' && text !== '__proto__' && !text.startsWith("'"));
const person: fc.Arbitrary<RolesOfPerson> = fc.record({
  key: fc.uuid().map((id) => `oid:${id}`),
  roles: names,
  groups: names,
  attributes: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.string()),
  applications: fc.dictionary(clientId, fc.record({ roles: names, groups: names }, { requiredKeys: [] })),
  updatedAt: fc.constant('2026-11-01T12:00:00.000Z'),
  updatedBy: fc.constant('admin'),
});
const everybody = fc.uniqueArray(person, { minLength: 1, maxLength: 5, selector: ({ key }) => key });

describe('the CSV of roles export', () => {
  it('changes nothing when it is imported into the same store, and restores all names in an empty one', async () => {
    await fc.assert(
      fc.asyncProperty(everybody, async (people) => {
        const read = await readRolesCsv(writeRolesCsv(people));
        expect(read).toMatchObject({ ok: true });
        for (const held of people) {
          const lines = read.ok ? read.lines.filter(({ key }) => key === held.key) : [];
          const importedInto = (before: RolesOfPerson | undefined) =>
            lines.reduce((input, line) => withNames(input, line.clientId, line.names), inputOf(before));
          expect(importedInto(held)).toEqual(inputOf(held));
          const restored = importedInto(undefined);
          expect(restored).toMatchObject({ roles: held.roles, groups: held.groups });
          for (const [id, { roles = [], groups = [] }] of Object.entries(held.applications))
            expect({ roles: [], groups: [], ...restored.applications[id] }).toEqual({ roles, groups });
        }
      }),
    );
  });

  it('has no cell that a spreadsheet evaluates as a formula', () => {
    const held = inputOf(undefined);
    const applications = { '=cmd': { roles: ['a'] } };
    const people = [{ ...held, applications, key: 'oid:1', updatedAt: '', updatedBy: '' }];
    expect(writeRolesCsv(people)).toBe('key,roles,groups,clientId\noid:1,,,\noid:1,a,,"\'=cmd"\n');
  });
});

const KEY = 'oid:a0000000-0000-4000-8000-000000000001';
/** Parts of cells: names, words, separators and the spaces that spreadsheets and web pages contain. */
const cellOfNames = fc
  .array(fc.constantFrom('editor', 'Read', 'Only', 'Admin', ',', ';', ' ', '\u00a0', '\t', '\n', '\u2003'), {
    maxLength: 9,
  })
  .map((parts) => parts.join(''));
const ONE = 'oid:0f8fad5b-d9cb-469f-a165-70867728950e';

describe('the CSV of roles import', () => {
  it('never reads a name with spaces as several names: only commas and semicolons separate roles and groups', async () => {
    await fc.assert(
      fc.asyncProperty(cellOfNames, fc.constantFrom('roles', 'groups'), async (cell, column) => {
        const read = await readRolesCsv(`key,${column}\n${KEY},"${cell}"\n`);
        const intended = cell.split(/[,;]/).map((name) => name.trim());
        const isClear = intended.every((name) => !/\s/.test(name));
        expect(read.ok).toBe(isClear);
        if (read.ok)
          expect(read.lines[0]?.names[column === 'roles' ? 'roles' : 'groups']).toEqual(intended.filter(Boolean));
      }),
    );
  });

  it('refuses names that are separated by spaces and shows both ways to write them', async () => {
    expect(await readRolesCsv(`key,roles,groups\n${KEY},Read Only Admin,Sales Team`)).toEqual({
      ok: false,
      errors: [
        'line 2: "Read Only Admin" contains spaces: write Read-Only-Admin for one name, or "Read, Only, Admin" for several names',
        'line 2: "Sales Team" contains spaces: write Sales-Team for one name, or "Sales, Team" for several names',
      ],
    });
  });

  it('yields for any file either valid lines or errors with line numbers', async () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom(ONE, 'editor', '"', ',', ';', '\n', ''));
    const file = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.array(cell).map((cells) => cells.join(',')))
        .map((rows) => ['key,roles,groups,clientId', ...rows].join('\n')),
    );
    await fc.assert(
      fc.asyncProperty(file, async (text) => {
        const read = await readRolesCsv(text);
        if (read.ok) {
          for (const line of read.lines) {
            expect(line.key).toMatch(/^(oid|idp|email|sha256):./);
            expect(
              [...(line.names.roles ?? []), ...(line.names.groups ?? [])].every((name) => ROLE_NAME.test(name)),
            ).toBe(true);
          }
          return;
        }
        expect(read.errors.length).toBeGreaterThan(0);
        for (const error of read.errors) expect(error).toMatch(/^line \d+: .|^The file is empty|^There is no line/s);
      }),
    );
  });

  it('may have a header in any letter case and the separator line of Excel', async () => {
    for (const text of [
      `KEY;Roles;clientID\n${ONE};editor;Shop`,
      `sep=;\r\nkey;roles;clientId\r\n${ONE};editor;Shop\r\n`,
      `\ufeff"sep=|"\nkey|roles|clientid\n${ONE}|editor|shop`,
      `sep=,\nkey,roles,clientId\n${ONE},editor;,shop`,
    ]) {
      const lines = [expect.objectContaining({ key: ONE, clientId: 'shop', names: { roles: ['editor'] } })];
      expect([text, await readRolesCsv(text)]).toEqual([text, { ok: true, lines }]);
    }
    expect(await readRolesCsv(`sep=;\nkey;roles\n${ONE};two!`)).toMatchObject({
      errors: [expect.stringMatching(/^line 3: "two!"/)],
    });
  });

  it('has exactly one error when the header is wrong', async () => {
    for (const header of ['key|roles|groups|clientId', 'Anna,Bert,Carl', 'key,key,name', 'roles', 'key,roles,Roles']) {
      const read = await readRolesCsv(`${header}\noid:1,a`);
      expect(read).toEqual({
        ok: false,
        errors: [expect.stringMatching(/^line 1: .*the first line must be key,roles,groups,clientId/)],
      });
    }
  });

  it('is refused when Excel shortened an id, in every notation', async () => {
    for (const key of [
      'idp:google.com:1.08451E+12',
      'idp:google.com:1.08451E%2B12',
      'idp:google.com:"1,08451E+12"',
      'idp:google.com:1e12',
      'oid:1.08451E+12',
    ]) {
      const cell = `"${key.replaceAll('"', '')}"`;
      expect([key, await readRolesCsv(`key,roles\n${cell},a`)]).toEqual([
        key,
        {
          ok: false,
          errors: [expect.stringMatching(/^line 2: .*Excel shortened this number\. Format the column as text/)],
        },
      ]);
    }
    for (const key of ['idp:google.com:1084512345678', 'idp:google.com:12e3f', 'email:1e5@example.com']) {
      expect(await readRolesCsv(`key,roles\n${key},a`)).toMatchObject({ ok: true });
    }
  });

  it('is refused for a key that no call can have, with the line and what to write', async () => {
    for (const key of [
      'oid:jane@example.com',
      'oid:1',
      `${ONE}0`,
      ONE.slice(0, -1),
      'email:jane',
      'email:a@b@c.example',
    ]) {
      expect([key, await readRolesCsv(`key,roles\n${key},a`)]).toEqual([
        key,
        { ok: false, errors: [expect.stringMatching(/^line 2: ".*": no.*(?:objectId|address).*[Ww]rite email:/)] },
      ]);
    }
    const forms = [`oid:{${ONE.slice(4)}}`, `oid:urn:uuid:${ONE.slice(4)}`, `OID:${ONE.slice(4).replaceAll('-', '')}`];
    for (const key of forms) {
      expect(await readRolesCsv(`key,roles\n${key},a`)).toMatchObject({ ok: true, lines: [{ key: ONE }] });
    }
  });

  it('has the line numbers of an editor, also after a cell with line breaks', async () => {
    const read = await readRolesCsv(`key,roles\n\n"${ONE}","a,\nb,\r\nc"\n${ONE},two!\n`);
    expect(read).toMatchObject({ ok: false, errors: [expect.stringMatching(/^line 6: "two!"/)] });
  });

  it.each([
    ['empty', '', /^The file is empty\. The first line must be key,roles,groups,clientId$/],
    ['a header without lines', 'key,roles\n', /^There is no line after the header/],
    [
      'with an unknown column',
      'person,roles\noid:1,a',
      /^line 1: "person" is not a column: the first line must be key,/,
    ],
    ['without the column key', 'roles\na', /^line 1: the column key is missing: the first line must be key,/],
    [
      'without the columns roles and groups',
      'key,clientId\noid:1,shop',
      /^line 1: the columns roles and groups are missing: the first line must be key,/,
    ],
    ['with a column twice', 'key,roles,roles\noid:1,a,b', /^line 1: a column is listed twice/],
    ['with a quote that never ends', 'key,roles\n"oid:1,a', /^line 2: .*quote/i],
  ])('is refused when it is %s', async (_, text, message) => {
    const read = await readRolesCsv(text);
    expect(read.ok ? '' : read.errors.join('\n')).toMatch(message);
  });
});
