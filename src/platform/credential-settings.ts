/** Reads the credentials of a Worker, and names what is wrong with them, without their text. */
import { readBasicLines } from '../callers/basic.ts';
import { readCertificateLines } from '../callers/certificate.ts';
import type { BasicCredential, ConnectorCredentials, Credentials, NamedSecret } from '../callers/credential.ts';
import { readIssuers } from '../callers/issuers.ts';
import { readSecretLines, type SecretLines } from '../callers/secret-lines.ts';

/** Valid while `LOCAL=yes`, which only `npm run dev` and the tests set. */
export const SAMPLE_CREDENTIALS = { connector: 'Test:Test', reports: 'support:support', admin: 'admin:admin' } as const;

const SAMPLE_LINES = new Set<string>(Object.values(SAMPLE_CREDENTIALS));
/** The names of an HTTP header (RFC 9110). */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,100}$/;
/** While one certificate is replaced by the next, both count (contract 54). */
const MIN_CERTIFICATES = 2;

interface Given {
  readonly env: Record<string, unknown>;
  readonly local: boolean;
  /** The gate gets the credentials of connectors, the desk all others. */
  readonly isGate: boolean;
  readonly keyHeaders: readonly string[];
}

const NO_CONNECTOR: ConnectorCredentials = {
  basic: [],
  keys: [],
  keyHeaders: [],
  tokens: [],
  issuers: [],
  certificates: [],
};

/** `problem` gets a sentence for each thing to correct. */
export function readCredentials(given: Given, problem: (sentence: string) => void): Credentials {
  const { env, local, isGate } = given;
  const textOf = (name: string) => (typeof env[name] === 'string' ? env[name] : '');

  if (isGate) return { connector: readConnector(), reports: [], admin: [] };
  const reports = readPairs('REPORTS_BASIC', SAMPLE_CREDENTIALS.reports);
  const admin = readPairs('ADMIN_BASIC', SAMPLE_CREDENTIALS.admin);
  return { connector: NO_CONNECTOR, reports, admin };

  function readConnector(): ConnectorCredentials {
    const keys = readSecrets('CONNECTOR_KEYS', 'name:key', 'key');
    const tokens = readSecrets('CONNECTOR_TOKENS', 'name:token', 'token');
    const issuers = readIssuerSetting();
    const certificates = readCertificates();
    const hasOther = keys.length + tokens.length + issuers.length + certificates.length > 0;
    const basic = readPairs('CONNECTOR_BASIC', SAMPLE_CREDENTIALS.connector, hasOther);
    return { basic, keys, keyHeaders: readHeaderNames(), tokens, issuers, certificates };
  }

  function readPairs(name: string, sample: string, mayBeEmpty = false): BasicCredential[] {
    const { credentials, ...faults } = readBasicLines(textOf(name));
    reportFaults(name, 'username:password', 'password', faults);
    const real = withoutSamples(name, credentials);
    if (real.length === 0 && !local && !mayBeEmpty)
      problem(`${name} has no usable line: every request is refused. Set the secret.`);
    return local ? [...real, ...readBasicLines(sample).credentials] : real;
  }

  function readSecrets(name: string, form: string, what: string): NamedSecret[] {
    const { secrets, ...faults } = readSecretLines(textOf(name));
    reportFaults(name, form, what, faults);
    return withoutSamples(name, secrets);
  }

  function reportFaults(name: string, form: string, what: string, faults: Omit<SecretLines, 'secrets'>): void {
    const { faulty, weak, joined } = faults;
    const line = (numbers: readonly number[]) => `${name}, line ${numbers.join(', ')}`;
    if (faulty.length > 0)
      problem(`${line(faulty)}: not a plain ${form} without quotes or spaces around it. Correct the secret.`);
    if (joined.length > 0)
      problem(`${line(joined)}: looks like several pairs. Write one ${form} per line, separated by new lines.`);
    if (weak.length > 0 && !local)
      problem(`${line(weak)}: the ${what} has fewer than 20 characters. Make one with openssl rand -base64 24.`);
  }

  function withoutSamples<Secret extends NamedSecret>(name: string, secrets: readonly Secret[]): Secret[] {
    const real = secrets.filter(({ line }) => !SAMPLE_LINES.has(new TextDecoder().decode(line)));
    if (real.length < secrets.length)
      problem(`${name} contains a sample credential, which is valid in local development only. Replace it.`);
    return real;
  }

  function readHeaderNames(): string[] {
    const names = given.keyHeaders.map((name) => name.toLowerCase());
    const usable = names.filter((name) => HEADER_NAME.test(name) && name !== 'authorization');
    if (usable.length < names.length)
      problem(
        'CONNECTOR_KEY_HEADERS contains a text that is no name of a header for keys. Correct it in wrangler.toml.',
      );
    return [...new Set(usable)];
  }

  function readIssuerSetting() {
    const { issuers, faults } = readIssuers(textOf('CONNECTOR_ISSUERS'), local);
    for (const fault of faults) problem(`CONNECTOR_ISSUERS, ${fault}. Correct it in wrangler.toml.`);
    return issuers.filter(({ kind }) => kind === 'connector');
  }

  function readCertificates() {
    const { certificates, faulty } = readCertificateLines(textOf('CONNECTOR_CERTIFICATES'));
    if (faulty.length > 0)
      problem(
        `CONNECTOR_CERTIFICATES, line ${faulty.join(', ')}: not name:fingerprint with a SHA-256 of 64 hexadecimal digits. Correct it in wrangler.toml.`,
      );
    const differing = new Set(certificates.map(({ fingerprint }) => fingerprint)).size;
    if (certificates.length > 0 && differing < MIN_CERTIFICATES)
      problem(
        'CONNECTOR_CERTIFICATES has one certificate: replacing it interrupts sign-ins. Add the next certificate under another name.',
      );
    return certificates;
  }
}
