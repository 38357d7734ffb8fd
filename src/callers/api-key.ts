/** A shared key in a header such as `x-functions-key`, or in the URL's `?code=`, as Azure Functions take it. */
import type { Authentication, CallerKind, ConnectorCredentials } from './credential.ts';
import { secretEqualTo } from './secret-lines.ts';

type KeyKind = Extract<CallerKind, 'api-key' | 'code'>;

/**
 * Every key that the request presents, right or wrong. An empty value presents nothing. `isBlocked`: whether keys of
 * this kind are refused without a comparison.
 */
export function verifyKeys(
  request: Request,
  { keys, keyHeaders }: Pick<ConnectorCredentials, 'keys' | 'keyHeaders'>,
  isBlocked: (kind: KeyKind) => boolean,
): Authentication[] {
  const verify = (presented: string, kind: KeyKind): Authentication => {
    if (isBlocked(kind)) return { ok: false, reason: 'too-many-guesses', kind };
    const key = secretEqualTo(presented, keys);
    return key === undefined ? { ok: false, reason: 'wrong-credential', kind } : { ok: true, name: key.name, kind };
  };
  const inHeaders = keyHeaders
    .map((name) => request.headers.get(name) ?? '')
    .filter((value) => value !== '')
    .map((value) => verify(value, 'api-key'));
  return [...inHeaders, ...codesIn(request.url).map((code) => verify(code, 'code'))];
}

/** The values of `code` in a URL, in any letter case. `+` is itself: a key may contain it, and has no spaces. */
function codesIn(url: string): string[] {
  const start = url.indexOf('?');
  if (start < 0) return [];
  const [query = ''] = url.slice(start + 1).split('#', 1);
  return query
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    })
    .filter(([name = '', value]) => value !== '' && decoded(name).toLowerCase() === 'code')
    .map(([, value = '']) => decoded(value));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
