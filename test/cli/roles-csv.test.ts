/** The CSV of `roles export` and `roles import`: import reads what export writes, and every error has its line. */
import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { inputOf, type RolesOfPerson } from '../../src/cli/roles/roles-api.ts';
import { readRolesCsv, withLine, writeRolesCsv } from '../../src/cli/roles/roles-csv.ts';
import { recordInput } from '../../src/desk/admin/record-input.ts';
import { ROLE_NAME } from '../../src/entitlements/stored-record.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,9}$/), { maxLength: 4 });
/** Texts of what a spreadsheet or a CSV parser could change, execute or split, among any others. */
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc
    .array(
      fc.constantFrom(
        ...'=\'+-@,;"\t\r\n :0179.eE',
        '\u00a0',
        '\ufeff',
        '＝',
        'a',
        'true',
        'MAR1',
        '\r\n',
        "'='",
        '1E+15',
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('')),
  fc.constantFrom('760.50', '007', '1e5', '4111111111111111111', '', ' ', "'", '=SUM(A1)', 'a;=1', "a;'=1", '1/2'),
);
const clientId = anyText.map((text) => text.trim().toLowerCase()).filter((text) => text !== '' && text !== '__proto__');
const value = fc.oneof(anyText, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger(), fc.boolean());
const person: fc.Arbitrary<RolesOfPerson> = fc
  .record({
    key: fc.uuid().map((id) => `oid:${id}`),
    roles: names,
    groups: names,
    attributes: fc.dictionary(fc.oneof(anyText, fc.constantFrom('points', 'constructor')), value, { maxKeys: 6 }),
    applications: fc.dictionary(clientId, fc.record({ roles: names, groups: names }, { requiredKeys: [] })),
  })
  .map(({ key, ...record }) => {
    // A record as the API keeps it: JSON knows no -0.
    const accepted = recordInput.safeParse(JSON.parse(JSON.stringify(record)));
    return accepted.success && { ...accepted.data, key, updatedAt: '2026-11-01T12:00:00.000Z', updatedBy: 'admin' };
  })
  .filter((accepted) => accepted !== false);
const everybody = fc.uniqueArray(person, { minLength: 1, maxLength: 5, selector: ({ key }) => key });

/** What import makes of a record with the lines of a file. */
async function imported(csv: string, key: string, before: RolesOfPerson | undefined) {
  const read = await readRolesCsv(csv);
  if (!read.ok) throw new Error(read.errors.join('\n'));
  return read.lines.filter((line) => line.key === key).reduce(withLine, inputOf(before));
}

describe('the CSV of roles export', () => {
  it('changes nothing when it is imported into the same store, and restores names and attributes in an empty one', async () => {
    await fc.assert(
      fc.asyncProperty(everybody, async (people) => {
        const csv = writeRolesCsv(people);
        for (const held of people) {
          expect(await imported(csv, held.key, held)).toEqual(inputOf(held));
          const restored = await imported(csv, held.key, undefined);
          const { roles, groups, attributes } = held;
          expect(restored).toMatchObject({ roles, groups });
          expect(restored.attributes).toEqual(attributes);
          for (const [id, { roles = [], groups = [] }] of Object.entries(held.applications))
            expect({ roles: [], groups: [], ...restored.applications[id] }).toEqual({ roles, groups });
        }
      }),
    );
  });

  it('has no cell that a spreadsheet evaluates as a formula, whatever its separator of lists is', async () => {
    await fc.assert(
      fc.property(everybody, (people) => {
        const rows = Papa.parse<string[]>(writeRolesCsv(people).trimEnd(), { delimiter: ',' }).data;
        const types = (rows[0] ?? []).map((header) => header.split(':')[0]);
        for (const row of rows.slice(1)) {
          row.forEach((cell, column) => {
            if (types[column] === 'number') expect(cell).toMatch(/^(?:-?\d[\d.e+-]*)?$/);
            else expect(cell).not.toMatch(/(?:^|[;\t\r\n])[\s"]*[=+\-@＝]|^[\t\r\n]/);
          });
        }
        for (const header of rows[0] ?? []) expect(header).not.toMatch(/(?:^|[;\t\r\n])[\s"]*[=+\-@＝]/);
      }),
    );
    const applications = { '=cmd': { roles: ['a'] } };
    const people = [{ ...inputOf(undefined), applications, key: 'oid:1', updatedAt: '', updatedBy: '' }];
    expect(writeRolesCsv(people)).toBe("key,roles,groups,clientId\noid:1,,,\noid:1,a,,'=cmd\n");
  });

  it('marks with an apostrophe each text that a spreadsheet would save as something else', () => {
    const attributes = {
      balance: '760.50',
      code: 'MAR1',
      loyalty: '007',
      note: 'is gold',
      empty: '',
      points: -5,
      vip: true,
    };
    const people = [{ ...inputOf(undefined), attributes, key: ONE, updatedAt: '', updatedBy: '' }];
    expect(writeRolesCsv(people)).toBe(
      'key,roles,groups,clientId,text:balance,text:code,text:empty,text:loyalty,text:note,number:points,boolean:vip\n' +
        `${ONE},,,,'760.50,'MAR1,','007,is gold,-5,true\n`,
    );
  });
});

const ONE = 'oid:0f8fad5b-d9cb-469f-a165-70867728950e';
const attributesIn = async (csv: string) => {
  const read = await readRolesCsv(csv);
  return read.ok ? read.lines.map(({ attributes }) => Object.fromEntries(attributes)) : read.errors;
};

describe('a column of attributes', () => {
  it('has the type that its name begins with: digits in a column of texts stay a text', async () => {
    expect(
      await attributesIn(
        `key,TEXT:balance,text: loyalty,Number:points,boolean:vip,text:note\n${ONE},760.50,0012345678901234567890,1e3,TRUE,"a, ""b""\nc"`,
      ),
    ).toEqual([{ balance: '760.50', loyalty: '0012345678901234567890', points: 1000, vip: true, note: 'a, "b"\nc' }]);
  });

  it('loads what the walkthroughs of Microsoft return, without any column of roles', async () => {
    expect(
      await readRolesCsv('key,text:loyaltyNumber,text:promotionCode\nemail:ann@example.com,0045,BLACK FRIDAY'),
    ).toMatchObject({
      ok: true,
      lines: [{ key: 'email:ann@example.com', clientId: '', names: { roles: undefined, groups: undefined } }],
    });
  });

  it('removes the attribute of a person where its cell is empty, and a missing column leaves it', async () => {
    const held = {
      ...inputOf(undefined),
      attributes: { a: 1, b: 'x', c: true },
      key: ONE,
      updatedAt: '',
      updatedBy: '',
    };
    const afterImport = async (csv: string) => (await imported(csv, ONE, held)).attributes;
    expect(await afterImport(`key,roles,groups,clientId\n${ONE},r,g,`)).toEqual({ a: 1, b: 'x', c: true });
    expect(await afterImport(`key,text:b\n${ONE}, `)).toEqual({ a: 1, c: true });
    expect(await afterImport(`key,text:b\n${ONE},'`)).toEqual({ a: 1, b: '', c: true });
    // One attribute may have different types for different people.
    expect(await afterImport(`key,text:a,number:a\n${ONE},seven,`)).toEqual({ a: 'seven', b: 'x', c: true });
    expect(await afterImport(`key,text:a,number:a\n${ONE},,`)).toEqual({ b: 'x', c: true });
    expect(await afterImport(`key,roles,clientId,text:b\n${ONE},r,shop,`)).toEqual({ a: 1, b: 'x', c: true });
  });

  it.each([
    ['number:n', '"760,50"', /^line 2: column number:n: "760,50" is not a number\. Write digits and a point/],
    ['number:n', 'abc', /^line 2: column number:n: "abc" is not a number/],
    ['number:n', '0x10', /^line 2: column number:n: /],
    ['number:n', 'Infinity', /^line 2: column number:n: /],
    ['number:n', '1e999', /^line 2: column number:n: .*more digits than a number holds\. Use the column text:n/],
    ['number:n', '9007199254740993', /^line 2: column number:n: .*(?:more digits|beyond 2\^53)/],
    ['number:n', '9007199254740994', /^line 2: column number:n: .*beyond 2\^53/],
    ['number:n', '0.12345678901234567890', /^line 2: column number:n: .*more digits/],
    ['boolean:b', '1', /^line 2: column boolean:b: "1" is not a boolean\. Write true or false/],
    ['boolean:b', 'yes', /^line 2: column boolean:b: /],
    ['text:t', '1.23457E+15', /^line 2: column text:t: .*a spreadsheet makes of a long number/],
    ['text:t', 'x'.repeat(2_001), /^line 2: column text:t: not an attribute\. Write a text of at most 2,000/],
    ['text:t', 'a\0b', /^line 2: column text:t: .*NUL/],
    ['text:a,number:a', 'x,1', /^line 2: column number:a: text:a has a value too/],
  ])('is refused with its line and its name: %s with %s', async (column, cell, message) => {
    expect(await attributesIn(`key,${column}\n${ONE},${cell}`)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    ['a name twice', 'text:a,text: a', /^line 1: a column is listed twice, text:a/],
    ['no type', 'loyaltyId', /^line 1: "loyaltyId" is not a column: .*text:<name>/],
    ['an unknown type', 'date:born', /^line 1: "date:born" is not a column: .*text:<name>/],
    ['no name', 'text:', /^line 1: column text:: not the name of an attribute/],
    ['a name that is too long', `text:${'x'.repeat(101)}`, /^line 1: column text:x+: not the name of an attribute/],
    ['a name that cannot be stored', 'text:__proto__', /^line 1: column text:__proto__: this name cannot be stored/],
  ])('is refused in the header with %s', async (_, column, message) => {
    expect(await attributesIn(`key,${column}\n${ONE},1,2`)).toEqual([expect.stringMatching(message)]);
  });

  it('is refused in the line of an application, since an attribute is the same in all', async () => {
    expect(await attributesIn(`key,roles,clientId,text:a\n${ONE},r,shop,x`)).toEqual([
      expect.stringMatching(/^line 2: column text:a: .*Write it in a line without a clientId/),
    ]);
  });

  it('does not decide the separator of the file by what is in its name', async () => {
    for (const name of ['a;b', 'a\tb', 'a;key;b', ';', 'a,b']) {
      const held = { ...inputOf(undefined), attributes: { [name]: 'x' }, key: ONE, updatedAt: '', updatedBy: '' };
      expect(await attributesIn(writeRolesCsv([held]))).toEqual([{ [name]: 'x' }]);
    }
    expect(await attributesIn(`key;text:a,b\n${ONE};x`)).toEqual([{ 'a,b': 'x' }]);
  });
});

const KEY = 'oid:a0000000-0000-4000-8000-000000000001';
/** Parts of cells: names, words, separators and the spaces that spreadsheets and web pages contain. */
const cellOfNames = fc
  .array(fc.constantFrom('editor', 'Read', 'Only', 'Admin', ',', ';', ' ', '\u00a0', '\t', '\n', '\u2003'), {
    maxLength: 9,
  })
  .map((parts) => parts.join(''));

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
