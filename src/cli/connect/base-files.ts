/** Reads the custom policy files of a tenant, or takes a starter pack in their place. */

import { nameList } from '../../platform/name-list.ts';
import { readText } from '../files.ts';
import { CommandRefusal, calledWrongly } from '../refusal.ts';
import { PolicyChain, type PolicyXml, policyIdOf, tenantOf } from './policy-chain.ts';
import { starterPack } from './starter-pack-xml.ts';
import { PACK_NAMES } from './starter-packs.ts';
import { checkedTenant, placeholdersIn } from './tenant-settings.ts';
import { attributeOf, childOf, childrenOf, POLICY_NAMESPACE, parseXml, textIn, xmlText } from './xml.ts';

export interface BaseFiles {
  readonly chain: PolicyChain;
  readonly tenant: string;
  /** The policy to derive from. */
  readonly basePolicy: string;
}

const SCHEMA_VERSION = '0.3.0.0';
/** In every starter pack it derives from the base and has the tenant's own settings. */
const EXTENSIONS = 'B2C_1A_TrustFrameworkExtensions';

/** `bases`: files, the base first, or the name of a pack. `extended`: the policy to derive from, if given. */
export async function readBaseFiles(
  bases: readonly string[],
  tenant: string | undefined,
  extended: string | undefined,
): Promise<BaseFiles> {
  const [only = ''] = bases;
  const pack = bases.length === 1 && starterPack(only, tenant ?? '') !== undefined;
  if (pack) {
    if (tenant === undefined)
      throw calledWrongly(
        '--tenant is missing. With the name of a starter pack, write <name>.onmicrosoft.com.',
        'connect',
      );
    const root = starterPack(only, checkedTenant(tenant, '--tenant'));
    const parsed = parseXml(root === undefined ? '' : xmlText(root));
    if (!parsed.ok) throw new Error(parsed.reason);
    const chain = new PolicyChain([{ file: only, root: parsed.root, generated: false }]);
    return { chain, tenant, basePolicy: extended ?? EXTENSIONS };
  }
  const files: PolicyXml[] = [];
  for (const file of bases) files.push(await readBaseFile(file));
  return {
    chain: new PolicyChain(files),
    tenant: oneTenant(files, tenant),
    basePolicy: extended ?? derivedFrom(files),
  };
}

async function readBaseFile(file: string): Promise<PolicyXml> {
  const text = await readText(file).catch((error: unknown) => {
    const isName = /^\w+$/.test(file) && error instanceof CommandRefusal;
    throw isName ? new CommandRefusal(`${error.message} The starter packs are ${PACK_NAMES}.`, 2) : error;
  });
  const refuse = (what: string) => new CommandRefusal(`${file}: ${what}`);
  const parsed = parseXml(text);
  if (!parsed.ok)
    throw new CommandRefusal(
      `${file}${parsed.line === undefined ? '' : `:${parsed.line}`}: not XML that B2C takes: ${parsed.reason}. Correct it there.`,
    );
  const { root } = parsed;
  if (root.localName !== 'TrustFrameworkPolicy' || root.namespaceURI !== POLICY_NAMESPACE)
    throw refuse(
      `not a custom policy: its root is ${root.tagName}. Give a file with the root TrustFrameworkPolicy of the namespace ${POLICY_NAMESPACE}.`,
    );
  const version = attributeOf(root, 'PolicySchemaVersion');
  if (version !== SCHEMA_VERSION)
    throw refuse(
      `its PolicySchemaVersion is ${version ?? 'missing'}. This command knows ${SCHEMA_VERSION}, which all starter packs have.`,
    );
  const placeholders = placeholdersIn(root);
  if (placeholders.length > 0)
    throw refuse(`it has placeholders: ${nameList(placeholders)}. Fill them in, then upload and give that file.`);
  if (policyIdOf({ root }) === '') throw refuse('it has no PolicyId. Add it to the root.');
  const others = childrenOf(root).map(({ localName }) => localName ?? '');
  const lost = others.filter((name) => name !== 'BasePolicy' && name !== 'RelyingParty');
  if (others.includes('RelyingParty') && lost.length > 0)
    throw refuse(
      `beside its RelyingParty it has ${nameList(lost)}, which the new relying party would not have. ` +
        'Move them to your extensions, which the new policy derives from.',
    );
  return { file, root, generated: false };
}

function oneTenant(files: readonly PolicyXml[], given: string | undefined): string {
  const [first] = files;
  if (first === undefined)
    throw calledWrongly('--base is missing. Name your files, the base first, or a starter pack.', 'connect');
  const tenant = checkedTenant(tenantOf(first), `TenantId of ${first.file}`);
  if (given !== undefined && given.toLowerCase() !== tenant.toLowerCase())
    throw new CommandRefusal(
      `${first.file} is of the tenant ${tenant}, and --tenant is ${given}. Remove --tenant, or give the files of that tenant.`,
    );
  return tenant;
}

/** The last policy that is no relying party. The base itself lacks what the tenant's extensions add. */
function derivedFrom(files: readonly PolicyXml[]): string {
  const baseOf = ({ root }: PolicyXml) => textIn(childOf(childOf(root, 'BasePolicy'), 'PolicyId'));
  files.forEach((file, index) => {
    const later = files.slice(index).find((other) => policyIdOf(other) === baseOf(file));
    if (later !== undefined)
      throw new CommandRefusal(
        `${file.file} derives from ${policyIdOf(later)}, which comes after it. Give the base first.`,
        2,
      );
  });
  const last = files.findLast(({ root }) => childOf(root, 'RelyingParty') === undefined);
  const party = files.findLast(({ root }) => childOf(root, 'RelyingParty') !== undefined);
  if (party !== undefined && baseOf(party) !== '') return baseOf(party);
  return last === undefined || baseOf(last) === '' ? EXTENSIONS : policyIdOf(last);
}
