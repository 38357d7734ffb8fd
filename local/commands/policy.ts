/** `npm run policy`: a policy as a file that is checked, tested, tried, compared and put in force. */
import { administratorAt, type Call, reporterAt } from './administrator.ts';
import { calledWrongly, end } from './ending.ts';
import { HELP, type Options, readCommand, readNumber, readOptions, urlIn } from './policy/arguments.ts';
import { functionsManual } from './policy/functions.ts';
import { casesJsonSchema, policyJsonSchema } from './policy/json-schema.ts';
import { readPolicy } from './policy/policy-file.ts';
import { counted, warningsOf } from './policy/problems.ts';
import { diff, listVersions, pull, written } from './policy/reading.ts';
import { replay } from './policy/replay.ts';
import { push, rollBack } from './policy/saving.ts';
import { claimNamesGiven, readSettings } from './policy/settings.ts';
import { testPolicy } from './policy/test.ts';
import { tryFile } from './policy/try.ts';

await end(async (args) => {
  const { values, positionals } = readOptions(args);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const { command, subject } = readCommand(positionals, values);
  const settings = readSettings(values.var ?? []);
  const saving = { note: values.note, yes: values.yes ?? false };
  const version = values.version === undefined ? undefined : readNumber(values.version, '--version');
  switch (command) {
    case 'functions':
      console.log(functionsManual());
      return 0;
    case 'schema':
      return schema(values);
    case 'check':
      return check(subject, (await claimNamesGiven(settings)).rolesClaim);
    case 'push': {
      const base = values.base === undefined ? undefined : readNumber(values.base, '--base', 0);
      const policy = await readPolicy(subject, (await claimNamesGiven(settings)).rolesClaim);
      return push(gatehouse(values), policy, { ...saving, base });
    }
    case 'pull':
      return pull(gatehouse(values), subject, version, values.force ?? false);
    case 'diff':
      return diff(gatehouse(values), subject, version);
    case 'versions':
      return listVersions(gatehouse(values));
    case 'rollback':
      return rollBack(gatehouse(values), readNumber(subject, 'rollback'), saving);
    case 'try':
      return tryFile(subject, {
        policy: values.policy,
        entitlements: values.entitlements,
        step: values.step,
        at: values.at,
        settings,
        gatehouse: asked(values),
      });
    case 'replay':
      return replay(reporterAt(urlIn(values), process.env.GATEHOUSE_REPORTS), values, settings);
    case 'test':
      return testPolicy(subject, values.policy, settings);
  }
});

function gatehouse(options: Options): Call {
  return administratorAt(urlIn(options), process.env.GATEHOUSE_ADMIN);
}

/** A draft is tried on this machine unless somebody says where else. */
function asked(options: Options): Call | undefined {
  if (options.policy === undefined || options.remote) return gatehouse(options);
  if (options.url === undefined) return undefined;
  throw calledWrongly('With --policy the call is tried on this machine: add --remote, or leave --url out.', 'policy');
}

async function schema({ cases, out }: Options): Promise<number> {
  const text = `${JSON.stringify(cases ? casesJsonSchema() : policyJsonSchema(), null, 2)}\n`;
  if (out === undefined) process.stdout.write(text);
  else {
    await written(out, text);
    console.log(`Written to ${out}. Name it in the first line of your file: "$schema": "./${out.split('/').at(-1)}".`);
  }
  return 0;
}

async function check(file: string, rolesClaim: string): Promise<number> {
  const { policy, warnings } = await readPolicy(file, rolesClaim);
  if (warnings.length > 0) process.stderr.write(`${warningsOf(file, warnings)}\n\n`);
  const { rules, lists = {}, messages = {} } = policy.document;
  const parts = [
    counted(rules.length, 'rule'),
    counted(Object.keys(lists).length, 'list'),
    counted(Object.keys(messages).length, 'message'),
  ];
  console.log(`${file} may be saved: ${parts.join(', ')}.`);
  return 0;
}
