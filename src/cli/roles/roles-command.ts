/** `npm run roles`: who holds which roles, asked and changed from a terminal. */
import { readPersonKey } from '../../sign-in/event.ts';
import { type ApiCall, administrator, atGatehouse, credentialHelp } from '../administrator.ts';
import { readText, writeText } from '../files.ts';
import { type Io, print, warn } from '../io.ts';
import type { Define } from '../program.ts';
import { calledWrongly } from '../refusal.ts';
import { printable } from '../table.ts';
import * as people from './roles-api.ts';
import { writeRolesCsv } from './roles-csv.ts';
import { importRoles } from './roles-import.ts';

/** What commander makes of the options; each command declares its own. */
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
    '\nA change is in force everywhere within about a minute, and in a person’s token from the next interactive ' +
      `sign-in.\n${credentialHelp()}`,
  );
  atGatehouse(program.command('get'))
    .description('What is held about a person.')
    .argument('<key>', KEY)
    .does(async (key: string, { url }: Options) => get(io, administrator(io, url), await readKey(key)));
  atGatehouse(program.command('set'))
    .description('Replaces what is named and keeps everything else. Makes the record when there is none.')
    .argument('<key>', KEY)
    .option('--roles <names>', "such as a,b; '' takes all roles away", people.readNames)
    .option('--groups <names>', "such as a,b; '' takes all groups away", people.readNames)
    .option('--client-id <id>', 'roles and groups are those in this application alone')
    .option('--attribute <name=value>', 'may be repeated; name= takes that attribute away', assignment)
    .does(async (key: string, changes: Options) =>
      set(io, administrator(io, changes.url), await readKey(key), changes),
    );
  atGatehouse(program.command('remove'))
    .description('Forgets a person: no roles, no groups, no attributes.')
    .argument('<key>', KEY)
    .does(async (key: string, { url }: Options) => remove(io, administrator(io, url), await readKey(key)));
  atGatehouse(program.command('list'))
    .description('Everybody.')
    .does(({ url }: Options) => list(io, administrator(io, url)));
  atGatehouse(program.command('export'))
    .description('Everybody as CSV: key,roles,groups,clientId.')
    .option('--file <file>', 'write it there instead of to the terminal')
    .does(({ url, file }: Options) => exportRoles(io, administrator(io, url), file));
  atGatehouse(program.command('import'))
    .description(
      'Reads such a CSV, and checks the whole file before it writes anything.\n\n' +
        'A line with an empty clientId holds a person’s general roles and groups, any other line those in that ' +
        'application; names stand in one cell, separated by spaces. Each line replaces what is held for that person ' +
        'and application, and an empty cell takes all names away. What the file does not name stays: other people, ' +
        'other applications, and all attributes, which are not in the file. Without a column roles, or groups, those ' +
        'stay too. Cut off anywhere (Ctrl-C, network), it says which lines are done; running it again is safe and logs ' +
        'nothing twice.',
    )
    .summary('Reads such a CSV.')
    .argument('<file>')
    .does(async (file: string, { url }: Options) =>
      importRoles(io, administrator(io, url), await readText(file, 'Save it as "CSV UTF-8"')),
    );
};

async function get(io: Io, call: ApiCall, key: string): Promise<number> {
  const held = await people.find(call, key);
  if (held === undefined) throw people.nobodyUnder(key);
  print(io, people.showPerson(held));
  return 0;
}

async function set(io: Io, call: ApiCall, key: string, changes: Options): Promise<number> {
  const { roles, groups, clientId = '', attribute = {} } = changes;
  if (roles === undefined && groups === undefined && changes.attribute === undefined)
    throw calledWrongly('Say what to set: --roles, --groups or --attribute.', 'roles');
  const held = people.inputOf(await people.find(call, key));
  const named = people.withNames(held, clientId.trim().toLowerCase(), { roles, groups });
  const attributes = Object.entries({ ...held.attributes, ...attribute }).filter(([name]) => attribute[name] !== '');
  const saved = people.readSaved(await people.put(call, key, { ...named, attributes: Object.fromEntries(attributes) }));
  print(io, people.showPerson(saved));
  print(io, saved.changed ? `\nSaved. In force: ${saved.inForce}.` : '\nNothing changed: this is what was held.');
  if (saved.warning !== undefined) warn(io, `Note: ${saved.warning}`);
  return 0;
}

async function remove(io: Io, call: ApiCall, key: string): Promise<number> {
  const removed = await people.removePersonRecord(call, key);
  if (removed === undefined) throw people.nobodyUnder(key);
  print(io, `Removed ${key}. In force: ${removed.inForce}.`);
  return 0;
}

async function list(io: Io, call: ApiCall): Promise<number> {
  const { all, code } = await everybody(io, call);
  print(io, all.length === 0 ? 'There is nobody yet.' : people.showPeople(all));
  return code;
}

async function exportRoles(io: Io, call: ApiCall, file: string | undefined): Promise<number> {
  const { all, code } = await everybody(io, call);
  const csv = writeRolesCsv(all);
  if (file === undefined) {
    io.stdout.write(csv);
    return code;
  }
  await writeText(file, csv);
  print(io, `${all.length} people written to ${file}.`);
  return code;
}

/** Exit code 1 when a record could not be read, so that nobody takes the list for complete. */
async function everybody(io: Io, call: ApiCall) {
  const { all, unreadable } = await people.everybody(call);
  for (const key of unreadable)
    warn(io, `${printable(key)} is left out: its record cannot be read. Remove it, then set it anew.`);
  return { all, code: unreadable.length === 0 ? 0 : 1 };
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
