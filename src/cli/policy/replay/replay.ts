/** `replay`: evaluates a draft on recorded attempts and reports the differences. It changes and records nothing. */
import { SingleBar } from 'cli-progress';
import type { Gatehouse } from '../../administrator.ts';
import { type Io, print } from '../../io.ts';
import { CommandRefusal } from '../../refusal.ts';
import { readPolicy } from '../policy-file.ts';
import { claimNamesGiven, type Settings, storedClaims } from '../settings.ts';
import { atStepOf, attemptsOf, type ReplayQuestion, readQuestion, type Typed } from './replay-attempts.ts';
import { draftOf, replayed } from './replay-judge.ts';
import { keepingFor, newReplayTally, reportAsJson, reportInWords } from './replay-report.ts';

const POLICY_JSON = 'policy.json';

export interface ReplayOptions extends Typed {
  readonly policy?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Exit codes as in diff(1): 1 when decisions differ, 2 on an error. `call` has the reports credential. */
export async function replay(
  io: Io,
  gatehouse: Gatehouse,
  options: ReplayOptions,
  settings: Settings,
): Promise<number> {
  try {
    const typed = await readQuestion(options, Date.now());
    const file = options.policy ?? POLICY_JSON;
    const names = await claimNamesGiven(settings);
    const { policy } = await readPolicy(file, names.rolesClaim);
    const draft = await draftOf(policy, names);
    const question = atStepOf(typed, draft.fewest);
    const found = newReplayTally(policy.document.rules.map(({ id }) => id));

    const bar = newBar(io, question);
    try {
      for await (const page of attemptsOf(gatehouse, question)) {
        for (const attempt of page) found.add(attempt, await replayed(attempt, draft));
        bar?.reach(page.at(-1)?.occurredAt, page.length);
      }
    } finally {
      bar?.stop();
    }

    const tally = found.result();
    const report = { file, question, tally, keeping: keepingFor(tally.wants, await storedClaims()) };
    print(io, options.json ? JSON.stringify(reportAsJson(report), null, 2) : reportInWords(report));
    return tally.different === 0 ? 0 : 1;
  } catch (error) {
    throw error instanceof CommandRefusal ? new CommandRefusal(error.message, 2) : error;
  }
}

/** Shows progress in time, since the number of attempts is unknown. Undefined without a terminal. */
function newBar({ stderr }: Io, { from, to, limit = Infinity }: ReplayQuestion) {
  if (!('isTTY' in stderr) || stderr.isTTY !== true) return undefined;
  const bar = new SingleBar({
    stream: stderr,
    format: 'Replaying {bar} {percentage}%, {attempts} attempts, {eta_formatted} left',
  });
  let attempts = 0;
  bar.start(1, 0, { attempts });
  return {
    /** Takes the time of the last attempt of a page and the number of attempts on it. */
    reach(occurredAt: string | undefined, more: number) {
      attempts += more;
      const back =
        occurredAt === undefined ? 1 : (to.getTime() - Date.parse(occurredAt)) / (to.getTime() - from.getTime());
      bar.update(Math.min(1, Math.max(back, attempts / limit)), { attempts });
    },
    stop: () => bar.stop(),
  };
}
