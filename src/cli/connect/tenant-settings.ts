/** Checks the names and addresses that go into the files. A placeholder would be uploaded and fail at a sign-in. */
import type { Element } from '@xmldom/xmldom';
import { CommandRefusal, calledWrongly } from '../refusal.ts';
import { descendantsOf } from './xml.ts';

/** What the XML schema of custom policies accepts, and a domain. */
const TENANT = /^(?=.{3,63}$)[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)+$/;
/** Names that Microsoft's documents and packs have in place of a tenant's, exactly: a real name can begin like one. */
const PLACEHOLDER_TENANT =
  /^(?:your-?(?:b2c-?)?(?:tenant|directory|domain|company|organi[sz]ation)?(?:-?name)?|my-?tenant|tenant|tenant-?name|contoso|fabrikam|example|xxx+)\./i;
/** Texts that the packs and the documents have in place of a value. */
const PLACEHOLDER =
  /\byour-?(?:(?:b2c-?)?tenant|app(?:-?(?:id|insights[\w-]*))?|account|instrumentation-?key)(?:-?name)?(?![A-Za-z0-9])|\{Settings:[^{}]*\}|^(?:Proxy)?IdentityExperienceFrameworkAppId$|^facebook_clientid$|\binsert[-_]\w+/i;

/** `where`: the setting, for the message. */
export function checkedTenant(tenant: string, where: string): string {
  if (PLACEHOLDER_TENANT.test(tenant))
    throw new CommandRefusal(`${where} is the placeholder ${tenant}. Write the name of your tenant.`);
  if (!TENANT.test(tenant))
    throw new CommandRefusal(
      `${where} is "${tenant}". B2C accepts 3 to 63 letters, digits and dots, such as gatehousedemo.onmicrosoft.com. ` +
        'The overview page of the tenant shows it.',
    );
  return tenant;
}

/** Placeholders in the attributes and texts of a file, each once. */
export function placeholdersIn(root: Element): string[] {
  const texts = [root, ...descendantsOf(root, '*')].flatMap((element) => [
    ...[...element.attributes].map(({ value }) => value),
    ...[...element.childNodes].filter((node) => node.nodeType === node.TEXT_NODE).map((node) => node.nodeValue ?? ''),
  ]);
  return [...new Set(texts.flatMap((text) => PLACEHOLDER.exec(text.trim())?.[0] ?? []))];
}

/** The address of Gatehouse, without a slash at its end. B2C calls it from the internet. */
export function checkedAddress(typed: string | undefined): string {
  if (typed === undefined)
    throw calledWrongly(
      '--url is missing. Write the address of your Gatehouse, such as https://gatehouse.example.com.',
      'connect',
    );
  const url = URL.parse(typed);
  const isPublic =
    url !== null && /\.[a-z][a-z0-9-]*$/.test(url.hostname) && !/\.(?:local|localhost|internal)$/.test(url.hostname);
  if (
    url === null ||
    url.protocol !== 'https:' ||
    !isPublic ||
    /(?:^|[/.])your(?:-|tenant|gatehouse|domain)|[<>]/i.test(typed)
  )
    throw calledWrongly(
      `--url ${withoutCredential(typed)} is not an address that B2C can call. Write https:// and the host of your Gatehouse.`,
      'connect',
    );
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '' || url.pathname !== '/')
    throw calledWrongly(
      `--url ${withoutCredential(typed)} has more than a host. Give the address alone: ${url.origin}. Secrets belong in policy keys.`,
      'connect',
    );
  return url.origin;
}

const withoutCredential = (typed: string) => typed.replace(/\/\/\S*@/, '//…@').replace(/\?.*/s, '?…');

/** For bearer tokens: the scope of the application that Gatehouse is registered as. */
export function checkedScope(scope: string | undefined): string {
  if (scope === undefined)
    throw calledWrongly(
      '--scope is missing. For bearer, write the application id URI of Gatehouse and /.default, such as api://<application id>/.default.',
      'connect',
    );
  const host = /:\/\/([^/]*)/.exec(scope)?.[1] ?? '';
  if (PLACEHOLDER.test(scope) || PLACEHOLDER_TENANT.test(host))
    throw calledWrongly(
      `--scope ${scope} has a placeholder. Write the application id URI of Gatehouse and /.default.`,
      'connect',
    );
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s<>{}"]+\/\.default$|^[0-9a-f-]{36}\/\.default$/i.test(scope))
    throw calledWrongly(
      `--scope ${scope} is not a scope of client credentials. It ends with /.default, such as api://<application id>/.default.`,
      'connect',
    );
  return scope;
}

const POLICY_PART = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

export function checkedName(name: string): string {
  if (POLICY_PART.test(name)) return name;
  throw calledWrongly(
    `--name ${name} cannot be part of the name of a policy. Write up to 40 letters, digits, hyphens or underscores.`,
    'connect',
  );
}

/** `known`: the headers that Gatehouse reads, in any case. */
export function checkedHeader(header: string, known: readonly string[]): string {
  const read = known.find((one) => one.toLowerCase() === header.toLowerCase());
  if (read !== undefined) return read;
  throw calledWrongly(
    `--header ${header} is none that Gatehouse reads. Write one of CONNECTOR_KEY_HEADERS in wrangler.toml: ${known.join(', ')}.`,
    'connect',
  );
}
