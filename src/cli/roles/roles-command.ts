/** `npm run roles`: reads and changes people's roles. */
import { clientIdOf } from '../../sign-in/normal-form.ts';
import { impossibleKey, readPersonKey } from '../../sign-in/typed-key.ts';
import { administrator, atGatehouse, credentialHelp, type Gatehouse } from '../administrator.ts';
import { readText, writeText } from '../files.ts';
import { type Io, print, warn } from '../io.ts';
import type { Define } from '../program.ts';
import { calledWrongly } from '../refusal.ts';
import { printable } from '../table.ts';
import { readAssignments, withAttributes } from './attribute-columns.ts';
import { type ErasureChoice, erasePersonData } from './erase-person.ts';
import * as people from './roles-api.ts';
import { writeRolesCsv } from './roles-csv.ts';
import { importRoles } from './roles-import.ts';

/** The options of all commands, as commander parses them. */
interface Options extends people.RoleNames {
  readonly url?: string;
  readonly clientId?: string;
  readonly attribute?: Readonly<Record<string, string>>;
  readonly file?: string;
}

const KEY = 'oid:<objectId>, idp:<issuer>:<id> (both percent-encoded) or email:<address>';

export const define: Define = (program, io) => {
  program.addHelpText(
    'after',
    '\nA change is in force everywhere within about a minute. A person’s token has it from the next interactive sign-in.' +
      `\n${credentialHelp()}`,
  );
  atGatehouse(program.command('get'))
    .description('Shows the record of a person.')
    .argument('<key>', KEY)
    .does(async (key: string, { url }: Options) => get(io, administrator(io, url), await readKey(key)));
  atGatehouse(program.command('set'))
    .description('Replaces the named members of a record and keeps the others. Creates the record if it is missing.')
    .argument('<key>', KEY)
    .option('--roles <names>', "for example a,b; '' removes all roles", names)
    .option('--groups <names>', "for example a,b; '' removes all groups", names)
    .option('--client-id <id>', 'set the roles and groups in this application only')
    .option(
      '--attribute <name=value>',
      'may be repeated; name= removes the attribute. One that is a number or true or false stays so',
      assignment,
    )
    .does(async (key: string, changes: Options) =>
      set(io, administrator(io, changes.url), await readKey(key), changes, impossibleKey(key)),
    );
  atGatehouse(program.command('remove'))
    .description('Deletes the record of a person: roles, groups and attributes.')
    .argument('<key>', KEY)
    .does(async (key: string, { url }: Options) => remove(io, administrator(io, url), await readKey(key)));
  atGatehouse(program.command('erase'))
    .description(
      'Erases a person: attempts are blinded, and records and dead letters are deleted. Shows first what would be ' +
        'erased, and asks. The proof, which names no one, is in the audit log too.',
    )
    .summary('Erases what is stored about a person.')
    .argument('<key>', `${KEY}, or name:<what they sign in with>`)
    .option('--shared', 'also under an address or a name that several accounts have used')
    .option('--yes', 'do not ask')
    .does(async (key: string, { url, ...choice }: Options & ErasureChoice) =>
      erasePersonData(io, administrator(io, url), key, choice),
    );
  atGatehouse(program.command('list'))
    .description('Lists everybody.')
    .does(({ url }: Options) => list(io, administrator(io, url)));
  atGatehouse(program.command('export'))
    .description('Writes everybody as CSV: key,roles,groups,clientId and a column for each attribute.')
    .option('--file <file>', 'write to this file instead of the terminal')
    .does(({ url, file }: Options) => exportRoles(io, administrator(io, url), file));
  atGatehouse(program.command('import'))
    .description(
      'Imports the CSV of export. Checks the whole file before it writes anything.\n\n' +
        'An empty clientId means general roles and groups; any other clientId means roles and groups in that ' +
        'application. A cell has names separated by commas or semicolons. Each line replaces the names of that person in that ' +
        'application; an empty cell removes all names. Other people and other applications do not change. Without a ' +
        'column roles, or groups, those do not change either.\n\n' +
        'A column text:<name>, number:<name> or boolean:<name> has an attribute, in the lines without clientId: a ' +
        'text, digits with a point, true or false. An empty cell removes the attribute of that person. An attribute ' +
        'without a column does not change, so a file without such columns changes no attributes. In a column of ' +
        "texts, an apostrophe precedes what a spreadsheet would change ('007, '=x) and is not part of the text; " +
        "' alone is an empty text.\n\n" +
        'When the import is interrupted (Ctrl-C, network), it prints which lines are done. Running it again is safe ' +
        'and logs nothing twice.',
    )
    .summary('Imports the CSV of export.')
    .argument('<file>')
    .does(async (file: string, { url }: Options) =>
      importRoles(io, administrator(io, url), await readText(file, 'Save it as "CSV UTF-8"')),
    );
};

async function get(io: Io, gatehouse: Gatehouse, key: string): Promise<number> {
  const held = await people.find(gatehouse, key);
  if (held === undefined) throw people.nobodyUnder(key);
  print(io, people.showPerson(held));
  return 0;
}

async function set(io: Io, gatehouse: Gatehouse, key: string, changes: Options, problem?: string): Promise<number> {
  const { roles, groups, clientId = '', attribute = {} } = changes;
  if (roles === undefined && groups === undefined && changes.attribute === undefined)
    throw calledWrongly('Nothing to set. Use --roles, --groups or --attribute.', 'roles');
  // A record under a key that no call can have would never be used.
  if (problem !== undefined) throw calledWrongly(`"${key}": ${problem}.`, 'roles');
  const held = people.inputOf(await people.find(gatehouse, key));
  const named = people.withNames(held, clientIdOf(clientId), { roles, groups });
  const typed = readAssignments(held.attributes, attribute);
  if (typed.faults.length > 0) throw calledWrongly(typed.faults.join('\n'), 'roles');
  const saved = people.readSaved(
    await people.put(gatehouse, key, { ...named, attributes: withAttributes(held.attributes, typed.changes) }),
  );
  print(io, people.showPerson(saved));
  print(io, saved.changed ? `\nSaved. In force: ${saved.inForce}.` : '\nNothing changed: the record is the same.');
  if (saved.warning !== undefined) warn(io, `Note: ${saved.warning}`);
  return 0;
}

async function remove(io: Io, gatehouse: Gatehouse, key: string): Promise<number> {
  const removed = await people.removePersonRecord(gatehouse, key);
  if (removed === undefined) throw people.nobodyUnder(key);
  print(io, `Removed ${key}. In force: ${removed.inForce}.`);
  return 0;
}

async function list(io: Io, gatehouse: Gatehouse): Promise<number> {
  const { all, code } = await everybody(io, gatehouse);
  print(io, all.length === 0 ? 'There are no records yet.' : people.showPeople(all));
  return code;
}

async function exportRoles(io: Io, gatehouse: Gatehouse, file: string | undefined): Promise<number> {
  const { all, code } = await everybody(io, gatehouse);
  const csv = writeRolesCsv(all);
  if (file === undefined) {
    io.stdout.write(csv);
    return code;
  }
  await writeText(file, csv);
  print(io, `${all.length} people written to ${file}.`);
  return code;
}

/** Exit code 1 when a record cannot be parsed: the list is incomplete. */
async function everybody(io: Io, gatehouse: Gatehouse) {
  const { all, unreadable } = await people.everybody(gatehouse);
  for (const key of unreadable)
    warn(io, `${printable(key)} is left out: its record cannot be parsed. Remove it, then set it again.`);
  return { all, code: unreadable.length === 0 ? 0 : 1 };
}

function names(typed: string): readonly string[] {
  const read = people.readNames(typed);
  const fault = read.map(people.spacesFault).find((found) => found !== undefined);
  if (fault !== undefined) throw calledWrongly(`${fault}.`, 'roles');
  return read;
}

function assignment(typed: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = typed.indexOf('=');
  if (at < 1) throw calledWrongly(`--attribute ${typed} must be name=value.`, 'roles');
  return { ...before, [typed.slice(0, at)]: typed.slice(at + 1) };
}

async function readKey(typed: string): Promise<string> {
  const key = await readPersonKey(typed);
  if (key !== undefined) return key;
  throw calledWrongly(`"${typed}" is not a person key. Write ${KEY}.`, 'roles');
}
