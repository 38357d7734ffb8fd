/** Calls exchanges as custom policies do, over each of their transports. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { type Answered, B2C, readAnswer } from './call.ts';
import worker from './worker.ts';

export const CUSTOM_POLICY = 'https://gatehouse.example/connectors/custom-policy';

type Flat = Readonly<Record<string, string>>;

/** The request of each transport for the same claims (contract 4.1). */
export const TRANSPORTS: Readonly<
  Record<'Body' | 'Form' | 'QueryString' | 'Header', (path: string, claims: Flat) => Request>
> = {
  Body: (path, claims) => posted(path, JSON.stringify(claims), 'application/json'),
  Form: (path, claims) => posted(path, new URLSearchParams(claims).toString(), 'application/x-www-form-urlencoded'),
  QueryString: (path, claims) =>
    new Request(`${CUSTOM_POLICY}/${path}?${new URLSearchParams(claims)}`, { headers: { Authorization: B2C } }),
  Header: (path, claims) => new Request(`${CUSTOM_POLICY}/${path}`, { headers: { ...claims, Authorization: B2C } }),
};

export const posted = (path: string, body: BodyInit, type = 'application/json') =>
  new Request(`${CUSTOM_POLICY}/${path}`, {
    method: 'POST',
    headers: { Authorization: B2C, 'Content-Type': type },
    body,
  });

/** Sends a request to the gate, with some bindings replaced. Waits for all work after the reply. */
export async function send(request: Request, bindings: object = {}): Promise<Answered & { readonly headers: Headers }> {
  const ctx = createExecutionContext();
  const world = { ...env, POLICY: 'stored', ...bindings };
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], world, ctx);
  const answered = await readAnswer(response);
  await waitOnExecutionContext(ctx);
  return { ...answered, headers: response.headers };
}
