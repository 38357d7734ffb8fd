/** The commands of `npm run dead-letters`. */
import { administrator, atGatehouse, credentialHelp } from '../administrator.ts';
import type { Define } from '../program.ts';
import { list, removeLetter, replayLetters, show } from './letters.ts';

interface Options {
  readonly url?: string;
  readonly kind?: string;
}

export const define: Define = (program, io) => {
  program.addHelpText(
    'after',
    '\nReplaying is idempotent: each attempt and role change is written once. A dead letter is kept as long as an ' +
      `attempt.\n${credentialHelp()}`,
  );
  atGatehouse(program.command('list'))
    .description('Lists every dead letter with its time and reason.')
    .does(({ url }: Options) => list(io, administrator(io, url)));
  atGatehouse(program.command('show'))
    .description('Shows one dead letter with its message.')
    .argument('<ID>', 'the id that list shows')
    .does((id: string, { url }: Options) => show(io, administrator(io, url), id));
  atGatehouse(program.command('replay'))
    .description(
      'Sends up to 300 dead letters to the queue again and removes them from the list. A message that the database ' +
        'refuses again is back in the list within two minutes.',
    )
    .option('--kind <K>', 'only dead letters of this kind: refused, or outage (from an earlier version of Gatehouse)')
    .does(({ url, kind }: Options) => replayLetters(io, administrator(io, url), kind));
  atGatehouse(program.command('remove'))
    .description('Deletes one dead letter. Its message will never be written.')
    .argument('<ID>', 'the id that list shows')
    .does((id: string, { url }: Options) => removeLetter(io, administrator(io, url), id));
};
