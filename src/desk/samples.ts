/** Sample calls for a Gatehouse on a developer's machine, with its sample credentials and a sample person. */
import { SAMPLE_CREDENTIALS } from '../platform/credential-settings.ts';

const CLIENT_ID = '231c70e8-8424-48ac-9b5d-5623b9e4ccf3';
const JANE = { objectId: 'ab3ec3b2-a435-45e4-b93a-56a005e88bb7', email: 'jane@example.com' };
const IDENTITY = { signInType: 'federated', issuer: 'facebook.com', issuerAssignedId: '0123456789' };

/** Records of the sample person, by person key. */
export const SAMPLE_RECORDS = {
  [`oid:${JANE.objectId}`]: {
    roles: ['editor'],
    attributes: { loyaltyId: '1234', promoCode: '24534' },
    applications: { [CLIENT_ID]: { roles: ['approver'] } },
  },
  [`idp:${IDENTITY.issuer}:${IDENTITY.issuerAssignedId}`]: { roles: ['customer'] },
};

export interface SampleCommand {
  readonly title: string;
  /** A line for a POSIX shell. */
  readonly command: string;
}

/** One call a step, then what was recorded, at the Gatehouse of `origin`. */
export function sampleCommands(origin: string): readonly SampleCommand[] {
  const shared = {
    email: JANE.email,
    identities: [IDENTITY],
    displayName: 'Jane',
    client_id: CLIENT_ID,
    ui_locales: 'en-US',
  };
  const call = (body: object) =>
    `curl -s -u ${SAMPLE_CREDENTIALS.connector} ${origin}/connectors/user-flow -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
  const report = (path: string) => `curl -s -u ${SAMPLE_CREDENTIALS.reports} ${origin}/reports${path}`;
  return [
    { title: 'After an identity provider was used', command: call({ step: 'PostFederationSignup', ...shared }) },
    {
      title: 'Before the account is created',
      command: call({ step: 'PostAttributeCollection', ...shared, country: 'Iceland' }),
    },
    {
      title: 'Before the token is issued',
      command: call({ step: 'PreTokenIssuance', ...shared, objectId: JANE.objectId }),
    },
    { title: 'What was recorded of Jane', command: report(`/people/oid:${JANE.objectId}`) },
    { title: 'All calls, counted', command: report('/summary') },
  ];
}
