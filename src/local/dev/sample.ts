/** People to try Gatehouse with, and the commands to try it by. */
import { SAMPLE_CREDENTIALS } from '../../platform/config.ts';

const CLIENT_ID = '231c70e8-8424-48ac-9b5d-5623b9e4ccf3';
const JANE = { objectId: 'ab3ec3b2-a435-45e4-b93a-56a005e88bb7', email: 'jane@example.com' };
const IDENTITY = { signInType: 'federated', issuer: 'facebook.com', issuerAssignedId: '0123456789' };

/** Entitlements of the sample people, by person key. */
const PEOPLE = {
  [`oid:${JANE.objectId}`]: {
    roles: ['editor'],
    attributes: { loyaltyId: '1234', promoCode: '24534' },
    applications: { [CLIENT_ID]: { roles: ['approver'] } },
  },
  [`idp:${IDENTITY.issuer}:${IDENTITY.issuerAssignedId}`]: { roles: ['customer'] },
};

/** Puts the sample people in KV, through the front door. Running it again changes nothing. */
export async function seedPeople(url: string): Promise<void> {
  for (const [key, record] of Object.entries(PEOPLE)) {
    const answer = await fetch(`${url}/admin/people/${encodeURIComponent(key)}`, {
      method: 'PUT',
      headers: { Authorization: `Basic ${btoa(SAMPLE_CREDENTIALS.admin)}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(record),
    });
    if (!answer.ok) throw new Error(`The sample person could not be stored: ${answer.status} ${await answer.text()}`);
  }
}

/** One curl a step, and how to see what was remembered. */
export function sampleSteps(url: string): string {
  const shared = {
    email: JANE.email,
    identities: [IDENTITY],
    displayName: 'Jane',
    client_id: CLIENT_ID,
    ui_locales: 'en-US',
  };
  return `One call a step:
${curl(url, { step: 'PostFederationSignup', ...shared })}
${curl(url, { step: 'PostAttributeCollection', ...shared, country: 'Iceland' })}
${curl(url, { step: 'PreTokenIssuance', ...shared, objectId: JANE.objectId })}

What is remembered of her:
curl -s -u ${SAMPLE_CREDENTIALS.reports} ${url}/reports/people/oid:${JANE.objectId}
curl -s -u ${SAMPLE_CREDENTIALS.reports} ${url}/reports/summary`;
}

const curl = (url: string, body: object) =>
  `curl -s -u ${SAMPLE_CREDENTIALS.connector} ${url}/connectors/user-flow -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
