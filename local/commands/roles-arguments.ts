/** What can stand after `npm run roles --`, and what is wrong with it. */
import { parseArgs } from 'node:util';
import { readPersonKey } from '../../src/sign-in/event.ts';
import { DEFAULT_URL, URL_HELP } from './administrator.ts';
import { calledWrongly } from './ending.ts';

export const HELP = `Usage: npm run roles -- <command> [options]

  get KEY             what is held about a person
  set KEY [--roles a,b] [--groups a,b] [--client-id ID] [--attribute name=value]…
                      replaces what is named and keeps everything else; makes the record when there is none.
                      With --client-id, roles and groups are those in that application alone.
                      --roles '' takes all roles away, --attribute name= takes that attribute away
  remove KEY          forgets the person: no roles, no groups, no attributes
  list                everybody
  export [--file F]   everybody as CSV (key,roles,groups,clientId), on the terminal when there is no --file
  import FILE         reads such a CSV; see below

KEY is oid:<objectId>, idp:<issuer>:<id> (both percent-encoded) or email:<address>.

import checks the whole file before it writes anything. A line with an empty clientId holds a person's general roles and
groups, any other line those in that application; names stand in one cell, separated by spaces. Each line replaces what is
held for that person and application, and an empty cell takes all names away. What the file does not name stays: other
people, other applications, and all attributes, which are not in the file. Without a column roles, or groups, those stay
too. Cut off anywhere (Ctrl-C, network), it says which lines are done; running it again is safe and logs nothing twice.

A change is in force everywhere within about a minute, and in a person's token from the next interactive sign-in.

${URL_HELP}`;

export type Options = ReturnType<typeof readOptions>['values'];

/** Each command with the options it takes beside --url, and what stands after its name. */
const COMMANDS = {
  get: { takes: [], wants: 'KEY' },
  set: { takes: ['roles', 'groups', 'client-id', 'attribute'], wants: 'KEY' },
  remove: { takes: [], wants: 'KEY' },
  list: { takes: [], wants: undefined },
  export: { takes: ['file'], wants: undefined },
  import: { takes: [], wants: 'FILE' },
} as const satisfies Record<string, { takes: readonly (keyof Options)[]; wants: 'KEY' | 'FILE' | undefined }>;
export type Command = keyof typeof COMMANDS;

const isCommand = (name: string): name is Command => Object.hasOwn(COMMANDS, name);

export function readOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        url: { type: 'string', default: DEFAULT_URL },
        help: { type: 'boolean', short: 'h', default: false },
        roles: { type: 'string' },
        groups: { type: 'string' },
        attribute: { type: 'string', multiple: true },
        'client-id': { type: 'string' },
        file: { type: 'string' },
      },
    });
  } catch (error) {
    throw calledWrongly(error instanceof Error ? error.message : String(error), 'roles');
  }
}

/** The command and what stands after it; `''` when the command wants nothing. */
export function readCommand([name, ...rest]: string[], options: Options): { command: Command; subject: string } {
  if (name === undefined || !isCommand(name)) {
    const said = name === undefined ? 'Say what to do' : `"${name}" is not a command`;
    throw calledWrongly(`${said}: ${Object.keys(COMMANDS).join(', ')}.`, 'roles');
  }
  const { takes, wants } = COMMANDS[name];
  const [subject, tooMuch] = wants === undefined ? ['', rest[0]] : rest;
  if (subject === undefined) throw calledWrongly(`${name} needs a ${wants} after it.`, 'roles');
  if (tooMuch !== undefined) throw calledWrongly(`"${tooMuch}" is too much after ${name}.`, 'roles');
  const foreign = (['roles', 'groups', 'attribute', 'client-id', 'file'] as const).find(
    (option) => options[option] !== undefined && !takes.some((taken) => taken === option),
  );
  if (foreign !== undefined) throw calledWrongly(`${name} does not take --${foreign}.`, 'roles');
  return { command: name, subject };
}

export async function readKey(typed: string): Promise<string> {
  const key = await readPersonKey(typed);
  if (key !== undefined) return key;
  throw calledWrongly(
    `"${typed}" is not a person key. Write oid:<objectId>, idp:<issuer>:<id> (both percent-encoded) or email:<address>.`,
    'roles',
  );
}
