/** What parameters and members of bodies mean, with an example, by name: the same name means the same everywhere. */
import type { Described } from '../http/operation.ts';

const CLIENT_ID = '231c70e8-8424-48ac-9b5d-5623b9e4ccf3';

export const PARAMETERS: { readonly [name: string]: Described } = {
  from: [
    'Start of the period, included: a date, `today` or `yesterday`, how long ago (`-30m`, `-24h`, `-7d`), or a time with ' +
      'Z or an offset.',
    '-24h',
  ],
  to: ['End of the period, not included. Written like `from`. Absent: now.', '2026-11-21'],
  tz: ['Time zone in which days begin, and of times without an offset: a name of the IANA database.', 'Europe/Berlin'],
  limit: ['Length of a page.', 50],
  cursor: ['`next` of the previous page. Change nothing else.'],
  interval: ['What the series counts by.', 'day'],
  include: ['Parts that take longer, with commas between them: durations, facets, minutes, people.', 'people,minutes'],
  step: ['A step of user flows, or an exchange of custom policies.', 'PreTokenIssuance'],
  outcome: ['What happened to the call.', 'block'],
  clientId: ['Client id of the application.', CLIENT_ID],
  issuer: ['Issuer of the identity.', 'google.com'],
  rule: ['Id of the rule that decided.', 'no-throwaway-mail'],
  objectId: ['Object id of the account.', 'ab3ec3b2-a435-45e4-b93a-56a005e88bb7'],
  email: [
    'E-mail address, or another name that the person signs in with. In a URL, write + as %2B.',
    'jane@example.com',
  ],
  supportCode: ['The code that the person read. Case, dashes and O for 0 do not matter.', '7K3QX-9M2TB'],
  correlationId: ['Correlation id of B2C.', '0f8fad5b-d9cb-469f-a165-70867728950e'],
  shadow: ['Only attempts for which the shadow policy ran: its reply differs, or is the same.', 'differs'],
  attempt: ['Id of an attempt, or a support code.', '7K3QX-9M2TB'],
  key: [
    'A person key: `oid:<objectId>`, `idp:<issuer>:<id>` or `email:<address>`. In a path it is one percent-encoded segment.',
    'oid:ab3ec3b2-a435-45e4-b93a-56a005e88bb7',
  ],
  text: [
    'What the person says: an address, a telephone number, a user name, an objectId, a support code or another id.',
    'jane@example.com',
  ],
  subject: ['A person key, `policy`, `policy:shadow` or `erasure`.', 'policy'],
  changedBy: ['Name of the credential that made the change.', 'admin'],
  kind: ['Kind of the dead letters. Absent: both.', 'refused'],
  id: ['Id of the dead letter.'],
  shared: ['`yes`: an address or name that several accounts have used is erased for all of them.', 'yes'],
  roles: ['Names of roles, in the order of the claim.', ['editor']],
  groups: ['Names of groups.'],
  attributes: ['Texts, numbers, true or false, by name.', { loyaltyId: '1234' }],
  applications: ['Roles and groups for one application, by client id.', { [CLIENT_ID]: { roles: ['approver'] } }],
  note: ['Why the version is saved. The list of versions shows it.', 'ticket 4711'],
  sample: ['Share of the calls that the shadow evaluates, above 0 and at most 1.', '0.1'],
  number: ['Number of the version.', '7'],
  description: ['For readers. It is not shown at sign-in.', 'Who may sign up.'],
  name: ['Name of the list.', 'blockedDomains'],
  lang: ['Language of advice: BCP 47 tags in order of preference. Absent: the header Accept-Language.', 'de'],
  role: ['Name of a role.', 'editor'],
  run: ['The id of a check.', '019aa3f1-7c00-7abc-8def-0123456789ab'],
  pretty: ['Whether JSON is indented. Absent: for browsers and terminals.', 'yes'],
  'If-Match': ['The version that you saw: the ETag of the address.', '"7"'],
  'If-None-Match': ['`*`: no version exists yet.', '*'],
};
