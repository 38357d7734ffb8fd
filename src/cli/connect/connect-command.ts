/** The commands of `npm run connect`. */
import { Option } from 'commander';
import { atGatehouse } from '../administrator.ts';
import type { Define } from '../program.ts';
import { AUTHENTICATION_KINDS } from './authentication-kinds.ts';
import type { CheckOptions } from './check-credentials.ts';
import { type CustomPolicyOptions, writeCustomPolicy } from './custom-policy-command.ts';
import { prove } from './prove.ts';
import { makeSecret, SECRET_KINDS, type SecretOptions } from './secret-command.ts';
import { PACK_NAMES } from './starter-packs.ts';
import { connectUserFlow, type UserFlowOptions } from './user-flow-command.ts';

const repeated = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export const define: Define = (program, io) => {
  program
    .command('user-flow')
    .description(
      'Prints the settings of a user flow for each page of the portal. With --apply it makes them through Microsoft Graph, ' +
        'reads them back, and prints the steps that Graph does not offer. It changes only what differs.',
    )
    .summary('Prints the settings of a user flow, or makes them through Microsoft Graph (--apply).')
    .option('--flow <name>', 'the user flow, such as B2C_1_signupsignin')
    .option('--url <address>', 'the address of your Gatehouse')
    .addOption(
      new Option('--auth <kind>', 'how the connectors authenticate').choices(['basic', 'certificate']).default('basic'),
    )
    .option('--apply', 'make the settings; GRAPH_TOKEN has the access token, GATEHOUSE_CONNECTOR user:password')
    .option('--tenant <id>', 'with --apply: refuse a token of another tenant')
    .option('--certificate <file>', 'with --apply: the .pfx; its password is in CERTIFICATE_PASSWORD')
    .option('--renew', 'with --apply: upload the certificate although a valid one is there')
    .option('--force', 'with --apply: replace connectors of another API')
    .does((options: UserFlowOptions) => connectUserFlow(io, options));
  program
    .command('custom-policy')
    .description(
      'Writes the files of a custom policy that calls Gatehouse, and says what to create and upload. Needs no network.',
    )
    .option('--base <file>', `your policy file; repeat it, the base first. Or a starter pack: ${PACK_NAMES}`, repeated)
    .option('--policy <file>', 'the policy of Gatehouse, whose exchanges are called', 'policy.json')
    .option('--url <address>', 'the address of your Gatehouse')
    .option('--tenant <name>', 'the tenant, <name>.onmicrosoft.com; needed with a starter pack')
    .addOption(
      new Option('--auth <kind>', 'how the policy authenticates').choices(AUTHENTICATION_KINDS).default('basic'),
    )
    .option('--scope <scope>', 'for bearer: the application id URI of Gatehouse, and /.default')
    .option('--header <name>', 'for api-key: the header, one of CONNECTOR_KEY_HEADERS', 'x-functions-key')
    .option('--exchange <name>', 'call only this exchange, and those that show sign-ins; may be repeated', repeated)
    .option('--journey <id>', 'the journey to copy (default: that of your relying party, or SignUpOrSignIn)')
    .option('--refresh', 'also call when a refresh token is redeemed')
    .option(
      '--extends <policy>',
      'derive from this policy (default: the last file, or B2C_1A_TrustFrameworkExtensions)',
    )
    .option('--name <name>', 'the policies are B2C_1A_<name> and B2C_1A_<name>_<journey>', 'Gatehouse')
    .option('--user-message <text>', 'what a person reads when a call fails', 'Please try again later.')
    .option('--out <folder>', 'write the files here', 'b2c')
    .option('--force', 'overwrite files that differ')
    .does((options: CustomPolicyOptions) => writeCustomPolicy(io, options));
  program
    .command('secret')
    .description(
      'Makes a credential, shows it once, and says where it goes and how it replaces the old one without a gap.',
    )
    .addOption(
      new Option('--kind <kind>', 'what it is: of a connector (basic, key, token), or of the desk (reports, admin)')
        .choices(SECRET_KINDS)
        .default('basic'),
    )
    .option('--name <name>', 'the name in reports (default: one with the date)')
    .does((options: SecretOptions) => makeSecret(io, options));
  atGatehouse(program.command('check'), 'reports')
    .description(
      'Calls every step and exchange of the policy in force as Microsoft does, and says what is missing. The calls are ' +
        'probes: GET /reports/probes shows them, and no other report counts them.',
    )
    .summary('Calls every step and exchange as Microsoft does, and says what is missing.')
    .addOption(
      new Option('--auth <kind>', 'how Microsoft authenticates').choices(AUTHENTICATION_KINDS).default('basic'),
    )
    .option('--header <name>', 'for api-key: the header, one of CONNECTOR_KEY_HEADERS', 'x-functions-key')
    .addHelpText('after', CHECK_HELP)
    .does((options: CheckOptions) => prove(io, options));
};

const CHECK_HELP = `
It also needs GATEHOUSE_ADMIN=user:password (a line of ADMIN_BASIC) to read the exchanges of the policy, and
GATEHOUSE_CONNECTOR to call as Microsoft does:

  --auth basic        user:password, a line of CONNECTOR_BASIC
  --auth api-key      name:key, a line of CONNECTOR_KEYS
  --auth bearer       name:token, a line of CONNECTOR_TOKENS, or a JWT of an issuer in CONNECTOR_ISSUERS
  --auth certificate  cannot be presented: make a pair for the check with npm run connect -- secret --name check`;
