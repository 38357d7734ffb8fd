/** Problem documents (RFC 9457): the type and code that programs compare, and the member of the body at fault. */
import { expect, it } from 'vitest';
import { admin, newKey } from '../support/admin-call.ts';

interface Fault {
  readonly path: string;
  readonly pointer?: string;
}

const faultsOf = ({ json }: Awaited<ReturnType<typeof admin>>) =>
  (json.errors as Fault[]).map(({ path, pointer }) => ({ path, pointer }));

it('every problem document has a type that ends in its code', async () => {
  const answers = [
    await admin('GET', '/nothing-here'),
    await admin('GET', `/people/${encodeURIComponent(newKey())}`),
    await admin('PATCH', '/people'),
    await admin('PUT', '/people', { roles: [] }),
    await admin('PUT', '/policy', { rules: [] }),
    await admin('GET', '/changes', undefined, { headers: { Authorization: 'Basic bm9ib2R5OnNlY3JldA==' } }),
  ];
  expect(answers.map(({ json }) => [json.type, json.code])).toEqual(
    [
      'no-such-address',
      'no-such-person',
      'method-not-allowed',
      'invalid-request',
      'precondition-missing',
      'not-authenticated',
    ].map((code) => [`urn:gatehouse:problem:${code}`, code]),
  );
});

it('a fault in a JSON body has the JSON Pointer of its member', async () => {
  const answer = await admin('PUT', '/people', {
    key: newKey(),
    roles: ['editor', 'two words'],
    attributes: { 'a/b': { deep: true } },
  });
  expect(answer.status).toBe(400);
  expect(faultsOf(answer).map(({ pointer }) => pointer)).toEqual(
    expect.arrayContaining(['#/roles/1', '#/attributes/a~1b']),
  );
});

it('a fault in a policy has the JSON Pointer of its member, in the document and in a draft that is tried', async () => {
  const document = { rules: [{ id: 'a', steps: ['PreTokenIssuance'], when: 'claims.emial ==', block: true }] };
  const saved = await admin('PUT', '/policy', document, { headers: { 'If-None-Match': '*' } });
  expect(faultsOf(saved)).toContainEqual({ path: 'rules[0].when', pointer: '#/rules/0/when' });
  const tried = await admin('POST', '/policy/try', { call: {}, policy: document });
  expect(faultsOf(tried)).toContainEqual({ path: 'policy.rules[0].when', pointer: '#/policy/rules/0/when' });
});

it('a fault in a query string has no JSON Pointer: it names the parameter', async () => {
  expect(faultsOf(await admin('GET', '/people?limit=0'))).toEqual([{ path: 'limit', pointer: undefined }]);
});
