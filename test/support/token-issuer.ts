/** A real OpenID provider on this machine, and the means to forge its tokens. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import Provider from 'oidc-provider';

export const CLIENT = 'b2c-client';
export const OTHER_CLIENT = 'other-client';
export const AUDIENCE = 'https://gatehouse.example/connectors';
const SECRET = 'a secret of the client, for tests only';

export interface RealIssuer {
  readonly issuer: string;
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
  /** An access token by client credentials. */
  token(client?: string): Promise<string>;
  /** A token with the provider's own key, but with these claims and this header. */
  sign(claims: Record<string, unknown>, header?: Partial<JWTHeaderParameters>, key?: CryptoKey): Promise<string>;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<RealIssuer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = 'key-of-today';
  const clients = [CLIENT, OTHER_CLIENT].map((id) => ({
    client_id: id,
    client_secret: SECRET,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }));
  const provider = new Provider(issuer, {
    clients,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' } as never] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: () => ({ scope: '', audience: AUDIENCE, accessTokenFormat: 'jwt' as const }),
      },
    },
  });
  server.on('request', provider.callback());
  return {
    issuer,
    kid,
    publicJwk: await exportJWK(publicKey),
    privateKey,
    token: async (client = CLIENT) => {
      const answered = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa(`${client}:${encodeURIComponent(SECRET).replaceAll('%20', '+')}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE }),
      });
      const json = (await answered.json()) as { access_token?: string };
      if (json.access_token === undefined) throw new Error(`The provider issued no token: ${JSON.stringify(json)}`);
      return json.access_token;
    },
    sign: (claims, header = {}, key = privateKey) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid, ...header }).sign(key),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
