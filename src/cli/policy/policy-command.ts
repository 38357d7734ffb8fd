/** `npm run policy`: a policy as a file that is checked, tested, tried, compared and put in force. */
import { InvalidArgumentError } from 'commander';
import * as z from 'zod/mini';
import type { Step } from '../../sign-in/event.ts';
import { stepNamed } from '../../sign-in/steps.ts';
import { type ApiCall, administrator, atGatehouse, credentialHelp, reporter } from '../administrator.ts';
import { writeText } from '../files.ts';
import { type Io, print, warn } from '../io.ts';
import type { Define, Program } from '../program.ts';
import { calledWrongly } from '../refusal.ts';
import { functionsManual } from './function-list.ts';
import { casesJsonSchema, policyJsonSchema } from './json-schema.ts';
import { type PolicyFile, readPolicy } from './policy-file.ts';
import { counted, warningsOf } from './problems.ts';
import { diff, listVersions, pull } from './reading.ts';
import { type ReplayOptions, replay } from './replay/replay.ts';
import { push, rollBack, type Saving } from './saving.ts';
import { claimNamesGiven, readSetting, type Settings } from './settings.ts';
import { testPolicy } from './test-command.ts';
import { type TryOptions, tryFile } from './try-command.ts';

const POLICY_JSON = 'policy.json';

/** What commander makes of the options; each command declares its own. */
interface Options extends TryOptions, Saving, Omit<ReplayOptions, 'policy' | 'step' | 'json'> {
  readonly url?: string;
  readonly base?: number;
  readonly version?: number;
  readonly force?: true;
  readonly remote?: true;
  readonly clientId?: string;
  readonly out?: string;
  readonly cases?: true;
}

export const define: Define = (program, io) => {
  program.addHelpText('after', credentialHelp());
  onFiles(program.commandsGroup('On files alone:'), io);
  withGatehouse(program.commandsGroup('With a Gatehouse:'), io);
};

function onFiles(program: Program, io: Io): void {
  under(program.command('check'))
    .description('Every problem of a policy, with its line. Warnings are what is allowed and probably not meant.')
    .argument('[file]', 'the policy', POLICY_JSON)
    .does(async (file: string, { var: settings }: Options) => check(io, await read(file, settings)));
  under(program.command('test'))
    .description('Runs cases: calls, and the replies that they must get by the policy beside them.')
    .argument('[file]', 'the cases (default: policy.test.json, or those beside --policy)')
    .option('--policy <file>', 'the policy (default: the one beside the cases: policy.json for policy.test.json)')
    .does((file: string | undefined, options: Options) => testPolicy(io, file, options.policy, options.var));
  program
    .command('schema')
    .description('The JSON Schema of a policy, by which editors complete and check.')
    .option('--out <file>', 'write it there instead of to the terminal')
    .option('--cases', 'of a file of cases instead of a policy')
    .does((options: Options) => schema(io, options));
  program
    .command('functions')
    .description('What expressions can call beyond CEL’s own functions, with examples.')
    .does(async () => {
      print(io, functionsManual());
      return 0;
    });
}

function withGatehouse(program: Program, io: Io): void {
  under(saving(program.command('push')))
    .description('Shows what a file changes, asks, and puts it in force as a new version.')
    .argument('[file]', 'the policy', POLICY_JSON)
    .option('--base <N>', 'refuse unless version N is in force (0: none yet); for CI', number(0))
    .does(async (file: string, options: Options) =>
      push(io, administrator(io, options.url), await read(file, options.var), options),
    );
  atGatehouse(program.command('pull'))
    .description('The policy in force, on the terminal or into a file.')
    .argument('[file]', 'where to write it')
    .option('--version <N>', 'that version instead of the one in force', number(1))
    .option('--force', 'overwrite the file although it says something else')
    .does((file: string | undefined, options: Options) => pull(io, administrator(io, options.url), file, options));
  atGatehouse(program.command('diff'))
    .description('What a file changes in the policy in force. Exit code 0: nothing, 1: something, 2: trouble.')
    .argument('[file]', 'the policy', POLICY_JSON)
    .option('--version <N>', 'compare with that version instead', number(1))
    .does((file: string, { url, version }: Options) => diff(io, administrator(io, url), file, version));
  atGatehouse(program.command('versions'))
    .description('Every version: when, by whom, with which note.')
    .does(({ url }: Options) => listVersions(io, administrator(io, url)));
  saving(program.command('rollback'))
    .description('Shows what that changes, asks, and puts version N in force again, as a new version.')
    .argument('<number>', 'the version', number(1))
    .does((to: number, options: Options) => rollBack(io, administrator(io, options.url), to, options));
  under(atGatehouse(program.command('try')))
    .description(
      'What a call of B2C’s would be answered at this moment, and why. Nothing is recorded. With --policy nothing but ' +
        'this machine is asked; with --remote as well, a Gatehouse with its own settings and entitlements.',
    )
    .summary('What a call of B2C’s would be answered, and why. With --policy by a file, on this machine alone.')
    .argument('<file>', 'the body that B2C sends')
    .option('--policy <file>', 'by this policy instead of the one in force')
    .option('--remote', 'ask a Gatehouse also when there is a --policy')
    .option(
      '--entitlements <file>',
      'what is held about the person: { "roles": [], "groups": [], "attributes": {}, "applications": {} }',
    )
    .option('--step <step>', 'the step in the address that B2C calls; it counts when the body names none', step)
    .option('--at <time>', 'when the call comes, such as 2026-11-21T08:00:00Z (default: now)', time)
    .does((file: string, options: Options) => tryFile(io, asked(io, options), file, options));
  under(atGatehouse(program.command('replay'), 'reports'))
    .description(
      'What a draft would have decided otherwise about the calls that were kept, by rule; what cannot be judged, since ' +
        'not all of a call is kept, and how it could be. Exit code 0: nothing otherwise, 1: something, 2: trouble.',
    )
    .summary(
      'What a draft would have decided otherwise about kept calls: --from, --to, --step, --client-id, --limit, --json. ' +
        'It asks for reports: GATEHOUSE_REPORTS.',
    )
    .option('--policy <file>', 'the draft', POLICY_JSON)
    .option('--from <time>', 'calls from that time on (default: seven days ago)')
    .option('--to <time>', 'calls before that time')
    .option('--step <step>', 'only calls of that step')
    .option('--client-id <id>', 'only calls for that application')
    .option('--limit <N>', 'at most so many calls, the newest')
    .option('--json', 'as JSON, for programs')
    .does((options: Options) =>
      replay(io, reporter(io, options.url), { ...options, 'client-id': options.clientId }, options.var ?? {}),
    );
}

/** Settings that claims depend on. */
const under = (command: Program): Program =>
  command.option(
    '--var <NAME=value>',
    'ROLES_CLAIM or EXTENSIONS_APP_ID, when not as in wrangler.toml; may be repeated',
    readSetting,
  );

const saving = (command: Program): Program =>
  atGatehouse(command)
    .option('--note <text>', 'why, for those who read the versions later')
    .option('-y, --yes', 'do not ask; needed where there is no terminal');

/** A version's number; `least` is 1, or 0 where that means none. */
const number = (least: 0 | 1) => (typed: string) => {
  if (/^\d{1,9}$/.test(typed) && Number(typed) >= least) return Number(typed);
  throw new InvalidArgumentError('It is not the number of a version: npm run policy -- versions lists them.');
};

function step(typed: string): Step {
  const known = stepNamed(typed);
  if (known !== undefined) return known;
  throw new InvalidArgumentError(
    'It is not a step: PostFederationSignup, PostAttributeCollection or PreTokenIssuance.',
  );
}

function time(typed: string): string {
  if (z.iso.datetime({ offset: true }).safeParse(typed).success) return typed;
  throw new InvalidArgumentError('It is not a time. Write one such as 2026-11-21T08:00:00Z.');
}

const read = async (file: string, settings?: Settings): Promise<PolicyFile> =>
  readPolicy(file, (await claimNamesGiven(settings)).rolesClaim);

async function check(io: Io, { source: { file }, policy, warnings }: PolicyFile): Promise<number> {
  if (warnings.length > 0) warn(io, `${warningsOf(file, warnings)}\n`);
  const { rules, lists = {}, messages = {} } = policy.document;
  const parts = [
    counted(rules.length, 'rule'),
    counted(Object.keys(lists).length, 'list'),
    counted(Object.keys(messages).length, 'message'),
  ];
  print(io, `${file} may be saved: ${parts.join(', ')}.`);
  return 0;
}

/** A draft is tried on this machine unless somebody says where else. */
function asked(io: Io, { policy, remote, url }: Options): ApiCall | undefined {
  if (policy === undefined || remote) return administrator(io, url);
  if (url === undefined) return undefined;
  throw calledWrongly('With --policy the call is tried on this machine: add --remote, or leave --url out.', 'policy');
}

async function schema(io: Io, { cases, out }: Options): Promise<number> {
  const text = JSON.stringify(cases ? casesJsonSchema() : policyJsonSchema(), null, 2);
  if (out === undefined) print(io, text);
  else {
    await writeText(out, `${text}\n`);
    print(io, `Written to ${out}. Name it in the first line of your file: "$schema": "./${out.split('/').at(-1)}".`);
  }
  return 0;
}
