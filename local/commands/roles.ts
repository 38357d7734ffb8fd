/** `npm run roles`: who holds which roles, asked and changed from a terminal. */
import { readFile, writeFile } from 'node:fs/promises';
import type { EntitlementsInput } from '../../src/entitlements/record-input.ts';
import { administratorAt, type Call } from './administrator.ts';
import { calledWrongly, end, Refusal } from './ending.ts';
import * as people from './people.ts';
import { HELP, type Options, readCommand, readKey, readOptions } from './roles-arguments.ts';
import { writeRolesCsv } from './roles-csv.ts';
import { importRoles } from './roles-import.ts';
import { printable } from './table.ts';

await end(async (args) => {
  const { values, positionals } = readOptions(args);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const { command, subject } = readCommand(positionals, values);
  const call = administratorAt(values.url, process.env.GATEHOUSE_ADMIN);
  switch (command) {
    case 'get':
      return get(call, await readKey(subject));
    case 'set':
      return set(call, await readKey(subject), values);
    case 'remove':
      return remove(call, await readKey(subject));
    case 'list':
      return list(call);
    case 'export':
      return exportRoles(call, values.file);
    case 'import':
      return importRoles(call, await readText(subject));
  }
});

async function get(call: Call, key: string): Promise<number> {
  const held = await people.find(call, key);
  if (held === undefined) throw people.nobodyUnder(key);
  console.log(people.showPerson(held));
  return 0;
}

async function set(call: Call, key: string, options: Options): Promise<number> {
  if ([options.roles, options.groups, options.attribute].every((option) => option === undefined)) {
    throw calledWrongly('Say what to set: --roles, --groups or --attribute.', 'roles');
  }
  const held = people.inputOf(await people.find(call, key));
  const names = { roles: namesOf(options.roles), groups: namesOf(options.groups) };
  const named = people.withNames(held, (options['client-id'] ?? '').trim().toLowerCase(), names);
  const saved = people.readSaved(await people.put(call, key, withAttributes(named, options.attribute ?? [])));
  console.log(people.showPerson(saved));
  console.log(saved.changed ? `\nSaved. In force: ${saved.inForce}.` : '\nNothing changed: this is what was held.');
  if (saved.warning !== undefined) process.stderr.write(`Note: ${saved.warning}\n`);
  return 0;
}

async function remove(call: Call, key: string): Promise<number> {
  const removed = await people.remove(call, key);
  if (removed === undefined) throw people.nobodyUnder(key);
  console.log(`Removed ${key}. In force: ${removed.inForce}.`);
  return 0;
}

async function list(call: Call): Promise<number> {
  const { all, code } = await everybody(call);
  console.log(all.length === 0 ? 'There is nobody yet.' : people.showPeople(all));
  return code;
}

async function exportRoles(call: Call, file: string | undefined): Promise<number> {
  const { all, code } = await everybody(call);
  const csv = writeRolesCsv(all);
  if (file === undefined) {
    process.stdout.write(csv);
    return code;
  }
  try {
    await writeFile(file, csv);
  } catch (error) {
    throw new Refusal(`${file} could not be written: ${error instanceof Error ? error.message : error}`);
  }
  console.log(`${all.length} people written to ${file}.`);
  return code;
}

/** Exit code 1 when a record could not be read, so that nobody takes the list for complete. */
async function everybody(call: Call) {
  let code = 0;
  const all: people.Person[] = [];
  const onUnreadable = (key: string) => {
    process.stderr.write(`${printable(key)} is left out: its record cannot be read. Remove it, then set it anew.\n`);
    code = 1;
  };
  for await (const person of people.everybody(call, onUnreadable)) all.push(person);
  return { all, code };
}

function namesOf(option: string | undefined) {
  return option === undefined ? undefined : people.readNames(option);
}

function withAttributes(held: EntitlementsInput, assignments: readonly string[]): EntitlementsInput {
  const attributes = { ...held.attributes };
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1) throw calledWrongly(`--attribute ${assignment} must be name=value.`, 'roles');
    const name = assignment.slice(0, at);
    const value = assignment.slice(at + 1);
    if (value === '') delete attributes[name];
    else attributes[name] = value;
  }
  return { ...held, attributes };
}

async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(await readFile(file));
  } catch (error) {
    const reason = error instanceof TypeError ? 'it is not UTF-8. Save it as "CSV UTF-8"' : readFailure(error);
    throw new Refusal(`${file} could not be read: ${reason}.`, 2);
  }
}

function readFailure(error: unknown): string {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : String(error);
}
