/** The policy of local development: a file that is checked before anything starts, put in force, and again whenever it is edited. */
import { existsSync, unwatchFile, watchFile } from 'node:fs';
import { type ApiCall, administratorAt } from '../../cli/administrator.ts';
import * as server from '../../cli/policy/policy-api.ts';
import { type PolicyFile, readPolicy } from '../../cli/policy/policy-file.ts';
import { located, refusalOf, warningsOf } from '../../cli/policy/problems.ts';
import { claimNamesGiven } from '../../cli/policy/settings.ts';
import { CommandRefusal } from '../../cli/refusal.ts';
import { SAMPLE_CREDENTIALS } from '../../platform/config.ts';

/** What lies in the project's top folder, for `npm run dev` and the commands alike. */
const PRESET = 'policy.json';
/** Asked for instead of a file: the built-in policy, also when there is a `policy.json`. */
const NONE = 'none';
/** An editor that writes in several steps is done by the next look. */
const LOOK_EVERY_MS = 300;

/** The file to begin with: the one that was asked for, or `policy.json` when there is one. Refuses a file that may not be saved. */
export async function policyToBeginWith(asked: string | undefined): Promise<string | undefined> {
  if (asked === NONE || (asked === undefined && !existsSync(PRESET))) return undefined;
  const file = asked ?? PRESET;
  try {
    await read(file);
  } catch (error) {
    if (!(error instanceof CommandRefusal)) throw error;
    throw new CommandRefusal(
      `${error.message}\nGatehouse does not start with it: correct the file, or start without any policy: npm run dev -- --policy none`,
    );
  }
  return file;
}

/** Puts the file in force now, and again when it is edited: a broken edit is told, and what was in force stays. Returns how to stop. */
export async function keepInForce(url: string, file: string): Promise<() => void> {
  const call = administratorAt(url, SAMPLE_CREDENTIALS.admin);
  const first = putInForce(call, file).then(console.log);

  let saving = first.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const again = () => {
    saving = saving.then(() => putInForce(call, file)).then(console.log, tellBroken);
  };
  // Looked at, and not watched by the system: an edit counts also behind a symbolic link, on a folder of another machine,
  // and when an editor puts a new file in the place of the old one.
  const edited = () => {
    clearTimeout(timer);
    timer = setTimeout(again, LOOK_EVERY_MS);
  };
  watchFile(file, { interval: LOOK_EVERY_MS }, edited);
  await first;
  return () => {
    unwatchFile(file, edited);
    clearTimeout(timer);
  };
}

/** Returns what happened, in a sentence. */
async function putInForce(call: ApiCall, file: string): Promise<string> {
  const { source, document, warnings } = await read(file);
  if (warnings.length > 0) console.log(warningsOf(file, warnings));
  const before = await server.inForce(call);
  try {
    // Saves nothing when it says the same, but publishes it where KV was deleted.
    const saved = await server.save(call, document, before?.number, 'npm run dev');
    if (saved.number === before?.number) return `Policy: ${file} is version ${before.number}, which is in force.`;
    // One isolate asks KV, which is on this machine, at least once a minute.
    return `Policy: ${file} is saved as version ${saved.number}, in force at the next call.`;
  } catch (error) {
    if (!(error instanceof server.DocumentRefused)) throw error;
    throw new CommandRefusal(refusalOf(file, located(error.problems, source)));
  }
}

const read = async (file: string): Promise<PolicyFile> => readPolicy(file, (await claimNamesGiven({})).rolesClaim);

function tellBroken(error: unknown): void {
  console.error(`${error instanceof Error ? error.message : error}\nThe policy that was in force stays.`);
}
