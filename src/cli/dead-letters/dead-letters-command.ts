/** What can stand after `npm run dead-letters --`. */
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
    '\nAttempts and role changes are written once, however often they are replayed. Letters live as long as an ' +
      `attempt would.\n${credentialHelp()}`,
  );
  atGatehouse(program.command('list'))
    .description('Every dead letter: since when, and why.')
    .does(({ url }: Options) => list(io, administrator(io, url)));
  atGatehouse(program.command('show'))
    .description('One letter with the message in it.')
    .argument('<ID>', 'as list shows it')
    .does((id: string, { url }: Options) => show(io, administrator(io, url), id));
  atGatehouse(program.command('replay'))
    .description(
      'Sends up to 300 letters to the queue again; those that it takes are gone afterwards. A message that the database ' +
        'refuses again is back in the list within two minutes.',
    )
    .option('--kind <K>', 'only those of one kind: refused, or outage (of an earlier version of Gatehouse)')
    .does(({ url, kind }: Options) => replayLetters(io, administrator(io, url), kind));
  atGatehouse(program.command('remove'))
    .description('Gives one up: its message will never be written.')
    .argument('<ID>', 'as list shows it')
    .does((id: string, { url }: Options) => removeLetter(io, administrator(io, url), id));
};
