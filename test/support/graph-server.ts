/**
 * Microsoft Graph as far as user flows need it. It refuses what Graph's documentation does not describe: other paths,
 * other members, a reference to a connector that does not exist.
 */
import * as z from 'zod/mini';

const BASE = 'https://graph.microsoft.com/beta';
const authentication = z.discriminatedUnion('@odata.type', [
  z.strictObject({
    '@odata.type': z.literal('#microsoft.graph.basicAuthentication'),
    username: z.string().check(z.minLength(1)),
    password: z.string().check(z.minLength(1)),
  }),
  z.strictObject({
    '@odata.type': z.literal('#microsoft.graph.pkcs12Certificate'),
    pkcs12Value: z.string().check(z.minLength(1)),
    password: z.string(),
  }),
]);
const address = z.string().check(z.regex(/^https:\/\/[^?#]+$/));
const newConnector = z.strictObject({
  displayName: z.string(),
  targetUrl: address,
  authenticationConfiguration: authentication,
});
const changedConnector = z.strictObject({
  displayName: z.string(),
  targetUrl: address,
  authenticationConfiguration: z.optional(authentication),
});
const newAttribute = z.strictObject({
  displayName: z.string(),
  description: z.string(),
  dataType: z.enum(['string', 'boolean', 'int64']),
});
const upload = z.strictObject({ pkcs12Value: z.string(), password: z.string() });
const reference = z.strictObject({ '@odata.id': z.string() });

interface Connector {
  readonly id: string;
  displayName: string;
  targetUrl: string;
  authenticationConfiguration: object;
}

/** How a call fails: an answer in place of the effect, or `lost`: the effect remains, and the answer does not come. */
export type Failure =
  | { readonly status: number; readonly headers?: Record<string, string> }
  | 'timeout'
  | 'stalled'
  | 'lost';

export class GraphServer {
  readonly token: string;
  readonly connectors: Connector[] = [];
  readonly attributes: { id: string; displayName: string; dataType: string }[] = [];
  readonly attached: { [step: string]: string | undefined } = {};
  /** Method and path of every call. */
  readonly calls: string[] = [];
  /** By the number of the call, from 1. */
  readonly failures = new Map<number, Failure>();
  flow = 'B2C_1_signupsignin';
  /** A method that is answered 204 and has no effect. */
  forgets: string | undefined;
  #ids = 0;

  constructor(token: string) {
    this.token = token;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input as string, init as RequestInit);
    const path = request.url.slice(BASE.length);
    this.calls.push(`${request.method} ${path}`);
    const failure = this.failures.get(this.calls.length);
    if (failure === 'timeout') throw new DOMException('too slow', 'TimeoutError');
    if (failure === 'stalled')
      return new Response(
        new ReadableStream({ start: (body) => body.error(new DOMException('too slow', 'TimeoutError')) }),
      );
    if (typeof failure === 'object') return this.#problem(failure.status, 'refused', failure.headers);
    if (request.headers.get('Authorization') !== `Bearer ${this.token}`)
      return this.#problem(401, 'InvalidAuthenticationToken');
    if (!request.url.startsWith(`${BASE}/`)) return this.#problem(404, 'no such host');
    if (request.method === this.forgets) return new Response(null, { status: 204 });
    const text = await request.text();
    const response = this.#answer(request.method, path, text === '' ? undefined : JSON.parse(text));
    if (failure === 'lost') throw new DOMException('too slow', 'TimeoutError');
    return response;
  };

  #answer(method: string, path: string, body: unknown): Response {
    const flow = `/identity/b2cUserFlows/${this.flow}/apiConnectorConfiguration`;
    const [, id = '', action] = /^\/identity\/apiConnectors\/([^/]+)(\/uploadClientCertificate)?$/.exec(path) ?? [];
    const known = this.connectors.find((connector) => connector.id === id);
    if (method === 'GET' && path === '/identity/apiConnectors') return this.#page(this.connectors);
    if (method === 'GET' && path === '/identity/apiConnectors?page=2')
      return Response.json({ value: this.connectors.slice(1) });
    if (method === 'GET' && path === '/identity/userFlowAttributes') return Response.json({ value: this.attributes });
    if (method === 'POST' && path === '/identity/userFlowAttributes') {
      const { displayName, dataType } = newAttribute.parse(body);
      this.attributes.push({ id: `extension_0_${displayName}`, displayName, dataType });
      return Response.json(this.attributes.at(-1), { status: 201 });
    }
    if (method === 'POST' && path === '/identity/apiConnectors') {
      const { authenticationConfiguration, ...rest } = newConnector.parse(body);
      this.connectors.push({
        id: `id-${++this.#ids}`,
        ...rest,
        authenticationConfiguration: stored(authenticationConfiguration),
      });
      return Response.json(this.connectors.at(-1), { status: 201 });
    }
    if (method === 'PATCH' && known !== undefined && action === undefined) {
      const { authenticationConfiguration, ...rest } = changedConnector.parse(body);
      Object.assign(
        known,
        rest,
        authenticationConfiguration && { authenticationConfiguration: stored(authenticationConfiguration) },
      );
      return new Response(null, { status: 204 });
    }
    if (method === 'POST' && known !== undefined && action !== undefined) {
      upload.parse(body);
      known.authenticationConfiguration = CERTIFICATE;
      return Response.json(known);
    }
    if (method === 'GET' && path === `${flow}?$expand=postFederationSignup,postAttributeCollection`) {
      const at = (step: string) => this.connectors.find((connector) => connector.id === this.attached[step]) ?? null;
      return Response.json({
        postFederationSignup: at('postFederationSignup'),
        postAttributeCollection: at('postAttributeCollection'),
      });
    }
    const [, step = ''] = /\/(postFederationSignup|postAttributeCollection)\/\$ref$/.exec(path) ?? [];
    if (method === 'PUT' && path === `${flow}/${step}/$ref`) {
      const wanted = reference.parse(body)['@odata.id'].replace(`${BASE}/identity/apiConnectors/`, '');
      if (!this.connectors.some((connector) => connector.id === wanted)) return this.#problem(400, 'no such connector');
      this.attached[step] = wanted;
      return new Response(null, { status: 204 });
    }
    return this.#problem(404, 'ResourceNotFound');
  }

  /** Lists come in pages once they have more than one entry. */
  #page(items: readonly unknown[]): Response {
    if (items.length < 2) return Response.json({ value: items });
    return Response.json({ value: items.slice(0, 1), '@odata.nextLink': `${BASE}/identity/apiConnectors?page=2` });
  }

  #problem(status: number, code: string, headers: Record<string, string> = {}): Response {
    return Response.json({ error: { code, message: `${code}.` } }, { status, headers });
  }
}

const CERTIFICATE = {
  '@odata.type': '#microsoft.graph.clientCertificateAuthentication',
  certificateList: [{ thumbprint: '0EB255CC', notAfter: 1_900_000_000, notBefore: 1_600_000_000, isActive: true }],
};

/** A password reads back as asterisks. */
const stored = (given: z.output<typeof authentication>): object =>
  'username' in given ? { ...given, password: '******' } : CERTIFICATE;
