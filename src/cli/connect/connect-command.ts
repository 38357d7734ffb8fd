/** The commands of `npm run connect`. */
import { atGatehouse } from '../administrator.ts';
import type { Define } from '../program.ts';
import { prove } from './prove.ts';

export const define: Define = (program, io) => {
  atGatehouse(program.command('check'), 'reports')
    .description(
      'Calls every step and exchange of the policy in force as Microsoft does, and says what is missing. The calls are ' +
        'probes: GET /reports/probes shows them, and no other report counts them.',
    )
    .addHelpText('after', CHECK_HELP)
    .does(({ url }: { url?: string }) => prove(io, url));
};

const CHECK_HELP = `
It also needs GATEHOUSE_CONNECTOR=user:password (a line of the secret CONNECTOR_BASIC) to call as Microsoft does, and
GATEHOUSE_ADMIN=user:password (a line of ADMIN_BASIC) to read the exchanges of the policy.`;
