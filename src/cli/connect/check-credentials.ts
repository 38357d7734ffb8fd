/** The credentials of a check: for reports, for the policy, and one as Microsoft presents it. */
import { isLoopback } from '../../database/loopback.ts';
import { DEFAULT_URL, type Presented } from '../connector.ts';
import type { Io } from '../io.ts';
import { keyHeaders } from '../policy/settings.ts';
import { calledWrongly } from '../refusal.ts';
import type { AuthenticationKind } from './authentication-kinds.ts';
import { checkedHeader } from './tenant-settings.ts';

/** As commander parses them. */
export interface CheckOptions {
  readonly url?: string;
  readonly auth?: AuthenticationKind;
  readonly header?: string;
}

const CREDENTIALS = {
  GATEHOUSE_CONNECTOR: 'a line of CONNECTOR_BASIC, or of another kind (--auth)',
  GATEHOUSE_REPORTS: 'a line of REPORTS_BASIC',
  GATEHOUSE_ADMIN: 'a line of ADMIN_BASIC',
};

/** One refusal names all that are missing. */
export function assertNoneMissing(io: Io, url = DEFAULT_URL): void {
  const host = URL.parse(url)?.hostname;
  const missing = Object.entries(CREDENTIALS).filter(([variable]) => !io.env[variable]);
  if (host === undefined || isLoopback(host) || missing.length < 2) return;
  throw calledWrongly(
    `Credentials are missing. Set these environment variables:\n${missing.map(([name, holds]) => `- ${name}: ${holds}`).join('\n')}`,
    'connect',
  );
}

export async function presentedBy(
  { env: { GATEHOUSE_CONNECTOR: value } }: Io,
  { auth = 'basic', header = 'x-functions-key' }: Omit<CheckOptions, 'url'>,
): Promise<Presented> {
  if (auth === 'certificate')
    throw calledWrongly(
      'This command cannot present a client certificate. Make a pair for it (npm run connect -- secret --name check), add its ' +
        'line to CONNECTOR_BASIC of the gate, set GATEHOUSE_CONNECTOR to it, and check without --auth. The certificate keeps ' +
        'working beside it: GET /reports/callers shows whether it is accepted.',
      'connect',
    );
  const advice = ' If B2C calls with another kind of credential, choose it with --auth.';
  if (auth !== 'api-key') return { kind: auth, value, header: '', advice };
  return { kind: auth, value, header: checkedHeader(header, await keyHeaders()), advice };
}
