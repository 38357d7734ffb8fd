/** `npm run simulate`: B2C played by a program, live at a Gatehouse or into the past of a local database. */
import { end } from './commands/ending.ts';
import { HELP, type Request, readArguments } from './simulate/arguments.ts';
import { playLive } from './simulate/live.ts';
import { playPast } from './simulate/past.ts';
import { targetAt } from './simulate/target.ts';

/** Returns the exit code. The first Ctrl-C ends in good order, the second one at once. */
export async function simulate(args: string[]): Promise<number> {
  const request = readArguments(args);
  if (request.kind === 'help') {
    console.log(HELP);
    return 0;
  }
  const controller = new AbortController();
  const cutOff = () => controller.abort();
  process.once('SIGINT', cutOff).once('SIGTERM', cutOff);
  try {
    return await run(request, controller.signal);
  } finally {
    process.off('SIGINT', cutOff).off('SIGTERM', cutOff);
  }
}

function run(request: Exclude<Request, { kind: 'help' }>, stop: AbortSignal): Promise<number> {
  if (request.kind === 'past') return playPast({ ...request, stop });
  const target = targetAt(request.url, process.env.GATEHOUSE_CONNECTOR, request.sure);
  return playLive(target, { ...request, stop });
}

if (import.meta.main) await end(simulate);
