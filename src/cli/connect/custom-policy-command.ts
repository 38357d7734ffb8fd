/** `npm run connect -- custom-policy`: writes the files of a custom policy that calls Gatehouse. */
import { exchangesOf } from '../../desk/policies/exchanges.ts';
import type { PolicyDocument } from '../../desk/policies/policy-document.ts';
import { firstItems, nameList } from '../../platform/name-list.ts';
import { type Exchange, exchangeKey } from '../../policy/exchange.ts';
import { type Io, print, warn } from '../io.ts';
import { readPolicy } from '../policy/policy-file.ts';
import { claimNamesGiven, keyHeaders } from '../policy/settings.ts';
import { CommandRefusal, calledWrongly } from '../refusal.ts';
import { printable, table } from '../table.ts';
import { type AuthenticationKind, policyKeys } from './authentication-kinds.ts';
import { readBaseFiles } from './base-files.ts';
import { dataTypeFor } from './gatehouse-calls.ts';
import { type GeneratedPolicy, generatedPolicy, type PolicySettings } from './generated-policy.ts';
import { SHOWS_SIGN_INS } from './planned-calls.ts';
import { PolicyChain, type PolicyXml } from './policy-chain.ts';
import { ownersRelyingParty } from './relying-party.ts';
import { brokenRules } from './rules/policy-rules.ts';
import { checkedAddress, checkedHeader, checkedName, checkedScope } from './tenant-settings.ts';
import { type NewFile, writeWhole } from './whole-files.ts';
import { attributeOf, childOf, parseXml, xmlText } from './xml.ts';

/** As commander parses them. */
export interface CustomPolicyOptions {
  readonly base?: readonly string[];
  readonly policy: string;
  readonly url?: string;
  readonly tenant?: string;
  readonly auth: AuthenticationKind;
  readonly scope?: string;
  readonly header: string;
  readonly exchange?: readonly string[];
  readonly journey?: string;
  readonly refresh?: true;
  readonly extends?: string;
  readonly name: string;
  readonly userMessage: string;
  readonly out: string;
  readonly force?: true;
}

const OTHER_NAME =
  'For another journey, give another --name: in the tenant, a policy replaces the one of the same name.';

export async function writeCustomPolicy(io: Io, options: CustomPolicyOptions): Promise<number> {
  if (options.base === undefined)
    throw calledWrongly('--base is missing. Name your files, the base first, or a starter pack.', 'connect');
  const url = checkedAddress(options.url);
  const scope = options.auth === 'bearer' ? checkedScope(options.scope) : '';
  const { document } = await readPolicy(options.policy, (await claimNamesGiven()).rolesClaim);
  const exchanges = chosen(document, options.exchange);
  const { chain, tenant, basePolicy } = await readBaseFiles(options.base, options.tenant, options.extends);
  const settings: PolicySettings = {
    tenant,
    url,
    authentication: options.auth,
    header: checkedHeader(options.header, await keyHeaders()),
    scope,
    name: checkedName(options.name),
    journey: options.journey ?? journeyOf(chain),
    isRefreshed: options.refresh === true,
    userMessage: options.userMessage,
    basePolicy,
  };
  const generated = generatedPolicy(chain, document, exchanges, settings);
  const files = checkedFiles(chain, generated);
  print(io, keysText(settings));
  const written = await writeWhole(options.out, files, options.force === true, OTHER_NAME);
  print(io, uploadText(chain, generated, settings, written));
  for (const note of notesOf(chain, exchanges, generated)) warn(io, note);
  return 0;
}

/** The exchanges that are named, or all; and always those that show sign-ins. */
function chosen(document: PolicyDocument, names: readonly string[] | undefined): Exchange[] {
  const all = exchangesOf(document);
  if (names === undefined) return all;
  const keys = new Set(names.map(exchangeKey));
  const known = new Set(all.map(({ name }) => exchangeKey(name)));
  const unknown = names.find((name) => !known.has(exchangeKey(name)));
  if (unknown !== undefined)
    throw calledWrongly(
      `The policy has no exchange ${unknown}. It has ${all.map(({ name }) => name).join(', ')}.`,
      'connect',
    );
  return all.filter(({ name }) => keys.has(exchangeKey(name)) || SHOWS_SIGN_INS.has(exchangeKey(name)));
}

/** The journey of the owner's relying party, or that of the starter packs. */
function journeyOf(chain: PolicyChain): string {
  const party = ownersRelyingParty(chain);
  const journey = party && childOf(party, 'DefaultUserJourney');
  return (journey && attributeOf(journey, 'ReferenceId')) ?? 'SignUpOrSignIn';
}

/** Throws a refusal when a file breaks a rule: nothing is written then. */
function checkedFiles(chain: PolicyChain, { extension, relyingParty, extensionId, relyingPartyId }: GeneratedPolicy) {
  const files: NewFile[] = [
    { name: `${extensionId}.xml`, text: xmlText(extension) },
    { name: `${relyingPartyId}.xml`, text: xmlText(relyingParty) },
  ];
  const parsed = files.map(({ name, text }): PolicyXml => {
    const xml = parseXml(text);
    if (!xml.ok) throw new Error(`${name}: ${xml.reason}`);
    return { file: name, root: xml.root, generated: true };
  });
  // The owner's relying party is a sibling of the new one.
  const below = chain.files.filter(({ root }) => childOf(root, 'RelyingParty') === undefined);
  const problems = brokenRules(new PolicyChain([...below, ...parsed]));
  const lines = problems.map(({ rule, message }) => printable(`${rule}: ${message}`));
  if (lines.length > 0)
    throw new CommandRefusal(
      [...firstItems(lines, (more) => `and ${more} more. Correct these first.`), 'Nothing was written.'].join('\n'),
    );
  return files;
}

function keysText({ authentication, header }: PolicySettings): string {
  const rows = policyKeys(authentication, header).map(({ name, kind, usage, holds }) => [
    name,
    kind,
    usage || '-',
    holds,
  ]);
  return `1. Create these policy keys, unless they exist (Identity Experience Framework, Policy keys, Add). The portal adds B2C_1A_ to the name.

${table(['name', 'option', 'key usage', 'holds'], rows)}
`;
}

function uploadText(
  chain: PolicyChain,
  { relyingPartyId, asked }: GeneratedPolicy,
  { basePolicy, tenant, url }: PolicySettings,
  written: readonly string[],
): string {
  const pages = [...asked].filter(([, claims]) => claims.length > 0);
  return `2. Upload in this order (Identity Experience Framework, Upload custom policy):

   ${chain.files[0] === undefined ? '' : `${basePolicy} and the policies below it, if ${tenant} does not have them yet`}
${written.map((file) => `   ${file}`).join('\n')}

3. Let applications use the policy ${relyingPartyId}. It calls ${url}.
   ${OTHER_NAME}${pages.map(([page, claims]) => `\n   The page ${page} asks for ${claims.join(', ')}.`).join('')}`;
}

/** What is valid and deserves a look. */
function notesOf(chain: PolicyChain, exchanges: readonly Exchange[], { asked }: GeneratedPolicy): string[] {
  const outputs = exchanges.flatMap(({ name, outputs: own }) =>
    Object.entries(own).map(([claim, output]) => ({
      name,
      claim,
      expected: dataTypeFor(output),
      declared: chain.dataTypeOf(claim),
    })),
  );
  return [
    ...outputs
      .filter(({ declared, expected }) => declared !== undefined && declared !== expected)
      .map(
        ({ name, claim, expected, declared }) =>
          `Note: your files declare ${claim} as ${declared}, and ${name} returns a ${expected}. Make the types agree.`,
      ),
    ...outputs
      .filter(({ declared, expected }) => declared === undefined && expected === 'long')
      .map(
        ({ claim }) =>
          `Note: ${claim} is declared as long, since B2C has no fractions. For a fraction, return a string.`,
      ),
    ...[...asked].flatMap(([page, claims]) =>
      claims
        .filter((claim) => chain.dataTypeOf(claim) !== undefined && !chain.canBeTyped(claim))
        .map(
          (claim) => `Note: ${page} asks for ${claim}, whose claim type has no UserInputType. Add one to your file.`,
        ),
    ),
    ...(asked.size > 1
      ? [`Note: these pages check with Gatehouse before an account is created: ${nameList([...asked.keys()])}.`]
      : []),
  ];
}
