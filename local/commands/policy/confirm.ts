/** Asks the person at the terminal before something changes for everybody. */
import { createInterface } from 'node:readline/promises';
import { Refusal } from '../ending.ts';

export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

/** Whether the answer was yes; anything else is no. Refuses where nobody can answer. */
export async function confirmed(
  question: string,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<boolean> {
  if (input.isTTY !== true)
    throw new Refusal(`${question} There is no terminal to ask at: add --yes. Nothing was changed.`, 2);
  const lines = createInterface({ input, output });
  // The end of the input is an answer too.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  const answer = await Promise.race([lines.question(`${question} [y/N] `), closed]);
  lines.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
