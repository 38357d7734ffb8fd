/** HTTP Basic (RFC 7617), as B2C sends it. */
import type { Authentication, BasicCredential } from './credential.ts';
import { isEqual, readSecretLines, type SecretLines } from './secret-lines.ts';

const COLON = 0x3a;
const encoder = new TextEncoder();

export interface BasicLines extends Omit<SecretLines, 'secrets'> {
  readonly credentials: readonly BasicCredential[];
}

/** Reads a setting with one `username:password` per line. */
export function readBasicLines(text: string): BasicLines {
  const { secrets, ...faults } = readSecretLines(text);
  const credentials = secrets.map((pair) => ({
    ...pair,
    header: encoder.encode(`Basic ${btoa(String.fromCharCode(...pair.line))}`),
  }));
  return { credentials, ...faults };
}

/** Whether further guesses at a configured user name are refused without a comparison. */
export type IsNameBlocked = (name: string) => boolean;

/** Checks an `Authorization: Basic …` header. It compares every configured line, each in constant time. */
export function verifyBasic(
  header: string,
  credentials: readonly BasicCredential[],
  isBlocked?: IsNameBlocked,
): Authentication {
  if (isBlocked === undefined) {
    const written = encoder.encode(header);
    let plain: string | undefined;
    for (const credential of credentials) if (isEqual(written, credential.header)) plain = credential.name;
    if (plain !== undefined) return { ok: true, name: plain, kind: 'basic' };
  }
  const presented = decodeBase64(header.slice('basic '.length).trim());
  if (presented === undefined || !presented.includes(COLON)) return { ok: false, reason: 'malformed', kind: 'basic' };
  const name = credentials.find((credential) => startsWithName(presented, credential.name))?.name;
  const named = { kind: 'basic', ...(name === undefined ? {} : { name }) } as const;
  if (isBlocked?.(name ?? '')) return { ok: false, reason: 'too-many-guesses', ...named };
  let matched: string | undefined;
  for (const credential of credentials) if (isEqual(presented, credential.line)) matched = credential.name;
  if (matched !== undefined) return { ok: true, name: matched, kind: 'basic' };
  return { ok: false, reason: 'wrong-credential', ...named };
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** User names are not secret. */
function startsWithName(presented: Uint8Array, name: string): boolean {
  const bytes = encoder.encode(`${name}:`);
  return bytes.every((byte, index) => presented[index] === byte);
}
