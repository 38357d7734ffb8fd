/** The policy of local development: a file that is checked before the start, then put in force at each edit. */
import { existsSync, unwatchFile, watchFile } from 'node:fs';
import { administratorAt, type Gatehouse } from '../../cli/administrator.ts';
import * as server from '../../cli/policy/policy-api.ts';
import { type PolicyFile, readPolicy } from '../../cli/policy/policy-file.ts';
import { located, refusalOf, warningsOf } from '../../cli/policy/problems.ts';
import { claimNamesGiven } from '../../cli/policy/settings.ts';
import { CommandRefusal } from '../../cli/refusal.ts';
import { SAMPLE_CREDENTIALS } from '../../platform/credential-settings.ts';

/** In the project's folder, for `npm run dev` and the commands. */
const PRESET = 'policy.json';
/** Instead of a file: the built-in policy, even if `policy.json` exists. */
const NONE = 'none';
/** An editor that writes in several steps is done by the next check. */
const LOOK_EVERY_MS = 300;

/** Returns the given file, or `policy.json` if it exists. Rejects when the file could not be saved as a policy. */
export async function policyToBeginWith(asked: string | undefined): Promise<string | undefined> {
  if (asked === NONE || (asked === undefined && !existsSync(PRESET))) return undefined;
  const file = asked ?? PRESET;
  try {
    await read(file);
  } catch (error) {
    if (!(error instanceof CommandRefusal)) throw error;
    throw new CommandRefusal(
      `${error.message}\nGatehouse was not started. Correct the file, or start without a policy: npm run dev -- --policy none`,
    );
  }
  return file;
}

/** Puts the file in force now and at each edit. An invalid edit is printed and changes nothing. Returns how to stop. */
export async function keepInForce(url: string, file: string): Promise<() => void> {
  const gatehouse = administratorAt(url, SAMPLE_CREDENTIALS.admin);
  const first = putInForce(gatehouse, file).then(console.log);

  let saving = first.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const again = () => {
    saving = saving.then(() => putInForce(gatehouse, file)).then(console.log, printInvalid);
  };
  // Polling also sees an edit behind a symbolic link, on a network folder, and by an editor that replaces the file.
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

/** Returns the result as a sentence. */
async function putInForce(gatehouse: Gatehouse, file: string): Promise<string> {
  const { source, document, warnings } = await read(file);
  if (warnings.length > 0) console.log(warningsOf(file, warnings));
  const before = await server.inForce(gatehouse);
  try {
    // Saves nothing when the document is unchanged, but publishes it again if KV was deleted.
    const saved = await server.save(gatehouse, document, before?.number, 'npm run dev');
    if (saved.number === before?.number) return `Policy: ${file} is version ${before.number}, which is in force.`;
    return `Policy: ${file} is saved as version ${saved.number}, in force at the next call.`;
  } catch (error) {
    if (!(error instanceof server.DocumentRefused)) throw error;
    throw new CommandRefusal(refusalOf(file, located(error.problems, source)));
  }
}

const read = async (file: string): Promise<PolicyFile> => readPolicy(file, (await claimNamesGiven({})).rolesClaim);

function printInvalid(error: unknown): void {
  console.error(`${error instanceof Error ? error.message : error}\nThe policy in force is unchanged.`);
}
