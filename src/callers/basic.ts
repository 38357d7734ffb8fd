/** HTTP Basic (RFC 7617), as B2C sends it. */
import type { Authentication, BasicCredential } from './credential.ts';

const COLON = 0x3a;
const encoder = new TextEncoder();

/** Guessing a random password of 20 characters takes longer than anyone has, without a lock-out. */
const MIN_PASSWORD_CHARS = 20;
/** A second pair in the password: the pairs were separated by something else than a new line. */
const SECOND_PAIR = /(?:\\[nr]|[;,|\s])\s*[\w.-]+:./;

export interface BasicLines {
  readonly credentials: readonly BasicCredential[];
  /** Numbers of lines that are unusable, or have stray quotes or spaces. Never their text. */
  readonly faulty: readonly number[];
  /** Numbers of usable lines whose password is short. */
  readonly weak: readonly number[];
  /** Numbers of usable lines that look like several pairs. */
  readonly joined: readonly number[];
}

/**
 * Reads a setting with one `username:password` per line. Two lines allow rotation without downtime. Each line is split
 * at the first colon (RFC 7617, section 2). A line without user name or password is unusable.
 */
export function readBasicLines(text: string): BasicLines {
  const credentials: BasicCredential[] = [];
  const [faulty, weak, joined]: [number[], number[], number[]] = [[], [], []];
  text.split(/\r\n|\r|\n/).forEach((line, index) => {
    if (line.trim() === '') return;
    const colon = line.indexOf(':');
    const usable = colon > 0 && colon < line.length - 1 && !line.includes('\0');
    if (!usable || line !== line.trim() || /^(["']).*\1$/.test(line)) faulty.push(index + 1);
    if (!usable) return;
    credentials.push(credentialOf(line.slice(0, colon), encoder.encode(line)));
    const password = line.slice(colon + 1);
    if (SECOND_PAIR.test(password)) joined.push(index + 1);
    else if (password.length < MIN_PASSWORD_CHARS) weak.push(index + 1);
  });
  return { credentials, faulty, weak, joined };
}

const credentialOf = (name: string, line: Uint8Array): BasicCredential => ({
  name,
  line,
  header: encoder.encode(`Basic ${btoa(String.fromCharCode(...line))}`),
});

/** Checks an `Authorization: Basic …` header. It compares every configured line, each in constant time. */
export function verifyBasic(header: string, credentials: readonly BasicCredential[]): Authentication {
  const written = encoder.encode(header);
  let plain: string | undefined;
  for (const credential of credentials) if (equal(written, credential.header)) plain = credential.name;
  if (plain !== undefined) return { ok: true, name: plain };

  const presented = decodeBase64(header.slice('basic '.length).trim());
  if (presented === undefined || !presented.includes(COLON)) return { ok: false, reason: 'malformed' };
  let matched: string | undefined;
  for (const credential of credentials) if (equal(presented, credential.line)) matched = credential.name;
  if (matched !== undefined) return { ok: true, name: matched };
  const known = credentials.find((credential) => startsWithName(presented, credential.name));
  return { ok: false, reason: 'wrong-credential', ...(known === undefined ? {} : { name: known.name }) };
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** `timingSafeEqual` throws when lengths differ. Comparing `expected` with itself takes the same time. */
function equal(presented: Uint8Array, expected: Uint8Array): boolean {
  const sameLength = presented.byteLength === expected.byteLength;
  return crypto.subtle.timingSafeEqual(sameLength ? presented : expected, expected) && sameLength;
}

/** Only for the log line of a refusal. User names are not secret. */
function startsWithName(presented: Uint8Array, name: string): boolean {
  const bytes = encoder.encode(`${name}:`);
  return bytes.every((byte, index) => presented[index] === byte);
}
