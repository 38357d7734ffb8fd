/**
 * Custom policy files that inherit from each other, read as B2C merges them: the elements of a file that derives come
 * before those of its base, and replace those of the same name. Ids of claims have no case.
 */
import type { Element } from '@xmldom/xmldom';
import { attributeOf, childOf, childrenOf, descendantsOf, textIn } from './xml.ts';

export interface PolicyXml {
  /** For messages. */
  readonly file: string;
  readonly root: Element;
  /** Made by this command. */
  readonly generated: boolean;
}

export const policyIdOf = ({ root }: Pick<PolicyXml, 'root'>): string => attributeOf(root, 'PolicyId') ?? '';
export const tenantOf = ({ root }: Pick<PolicyXml, 'root'>): string => attributeOf(root, 'TenantId') ?? '';

/** A technical profile and those that it includes, most derived first. */
type Layers = readonly Element[];

export class PolicyChain {
  readonly files: readonly PolicyXml[];
  readonly #profiles: ReadonlyMap<string, readonly Element[]>;
  readonly #claimTypes: ReadonlyMap<string, readonly Element[]>;
  readonly #subJourneys: ReadonlyMap<string, readonly Element[]>;
  readonly #transformations: ReadonlyMap<string, readonly Element[]>;
  readonly #displayControls: ReadonlyMap<string, readonly Element[]>;

  /** `files`: the base first. */
  constructor(files: readonly PolicyXml[]) {
    this.files = files;
    this.#profiles = this.#byId('TechnicalProfile', (id) => id);
    this.#claimTypes = this.#byId('ClaimType', lower);
    this.#subJourneys = this.#byId('SubJourney', (id) => id);
    this.#transformations = this.#byId('ClaimsTransformation', (id) => id);
    this.#displayControls = this.#byId('DisplayControl', (id) => id);
  }

  /** The elements of a name that have an `Id`, most derived first. */
  #byId(name: string, key: (id: string) => string): Map<string, Element[]> {
    const found = new Map<string, Element[]>();
    for (const { root } of this.files.toReversed())
      for (const element of descendantsOf(root, name)) {
        const id = key(attributeOf(element, 'Id') ?? '');
        found.set(id, [...(found.get(id) ?? []), element]);
      }
    return found;
  }

  /** Every id of elements such as `ContentDefinition`. */
  idsOf(name: string): ReadonlySet<string> {
    return new Set(this.#byId(name, (id) => id).keys());
  }

  hasProfile(id: string): boolean {
    return this.#profiles.has(id);
  }

  /** The `DataType` of a claim type; undefined when no file declares it. */
  dataTypeOf(claim: string): string | undefined {
    const types = this.#claimTypes.get(lower(claim))?.map((declared) => textIn(childOf(declared, 'DataType')));
    return types?.find((type) => type !== '') ?? types?.[0];
  }

  /** Whether a page can show the claim to a person. */
  canBeTyped(claim: string): boolean {
    return (this.#claimTypes.get(lower(claim)) ?? []).some(
      (declared) => childOf(declared, 'UserInputType') !== undefined,
    );
  }

  /** The journeys of an id. More than one file should not have it, since B2C merges steps by their order. */
  journeys(id: string): Element[] {
    return this.files.flatMap(({ root }) =>
      descendantsOf(root, 'UserJourney').filter((journey) => attributeOf(journey, 'Id') === id),
    );
  }

  layersOf(profile: string, seen: ReadonlySet<string> = new Set()): Layers {
    if (seen.has(profile)) return [];
    const own = this.#profiles.get(profile) ?? [];
    const included = own.flatMap((layer) => childrenOf(layer, 'IncludeTechnicalProfile'));
    const before = new Set([...seen, profile]);
    return [...own, ...included.flatMap((of) => this.layersOf(attributeOf(of, 'ReferenceId') ?? '', before))];
  }

  /** `collection`: such as `InputClaims`. The first of each claim, most derived first. */
  claimsOf(profile: string, collection: string): Element[] {
    const byClaim = new Map<string, Element>();
    for (const claim of this.itemsOf(profile, collection)) {
      const id = lower(attributeOf(claim, 'ClaimTypeReferenceId') ?? '');
      if (!byClaim.has(id)) byClaim.set(id, claim);
    }
    return [...byClaim.values()];
  }

  /** All children of a collection such as `ValidationTechnicalProfiles`, most derived first. */
  itemsOf(profile: string, collection: string): Element[] {
    return this.layersOf(profile).flatMap((layer) =>
      childrenOf(layer, collection).flatMap((found) => childrenOf(found)),
    );
  }

  metadataOf(profile: string): ReadonlyMap<string, string> {
    const values = new Map<string, string>();
    for (const item of this.itemsOf(profile, 'Metadata')) {
      const key = attributeOf(item, 'Key') ?? '';
      if (!values.has(key)) values.set(key, textIn(item));
    }
    return values;
  }

  /** The handler of its protocol; `''` for none. */
  handlerOf(profile: string): string {
    const protocols = this.layersOf(profile).flatMap((layer) => childrenOf(layer, 'Protocol'));
    return protocols.map((protocol) => attributeOf(protocol, 'Handler') ?? '').find((handler) => handler !== '') ?? '';
  }

  /** The claims that the exchanges of these steps and of their subjourneys output, in lower case. */
  outputsOf(steps: readonly Element[]): Set<string> {
    return new Set(this.profilesIn(steps).flatMap((profile) => this.outputClaims(profile)));
  }

  /** The technical profiles of these steps, of the tokens that they read, and of their subjourneys. */
  profilesIn(steps: readonly Element[]): string[] {
    return this.stepsIn(steps).flatMap((step) => [
      ...profilesOf(step),
      ...[attributeOf(step, 'CpimIssuerTechnicalProfileReferenceId') ?? []].flat(),
    ]);
  }

  /** These steps, in which the steps of a subjourney replace the step that calls it. */
  stepsIn(steps: readonly Element[], seen: ReadonlySet<string> = new Set()): Element[] {
    return steps.flatMap((step) => {
      const called = descendantsOf(step, 'Candidate').map((one) => attributeOf(one, 'SubJourneyReferenceId') ?? '');
      if (called.length === 0) return [step];
      const inner = called
        .filter((id) => !seen.has(id))
        .flatMap((id) => (this.#subJourneys.get(id) ?? []).flatMap(journeySteps));
      return this.stepsIn(inner, new Set([...seen, ...called]));
    });
  }

  /** Whether a page makes a person prove, by a control for a code, that a claim in lower case is theirs. */
  isVerifiedByControl(page: string, claim: string): boolean {
    return this.itemsOf(page, 'DisplayClaims')
      .flatMap((shown) => this.#displayControls.get(attributeOf(shown, 'DisplayControlReferenceId') ?? '') ?? [])
      .filter((control) => attributeOf(control, 'UserInterfaceControlType') === 'VerificationControl')
      .some((control) => childrenOf(childOf(control, 'DisplayClaims')).some((shown) => referredClaim(shown) === claim));
  }

  /** In lower case. */
  outputClaims(profile: string): string[] {
    const transformed = ['InputClaimsTransformations', 'OutputClaimsTransformations']
      .flatMap((collection) => this.itemsOf(profile, collection))
      .flatMap((reference) => this.#transformations.get(attributeOf(reference, 'ReferenceId') ?? '') ?? [])
      .flatMap((transformation) => childrenOf(childOf(transformation, 'OutputClaims')));
    return [...this.claimsOf(profile, 'OutputClaims'), ...transformed].map(referredClaim);
  }
}

export const lower = (id: string): string => id.toLowerCase();

/** The claim that an element refers to, in lower case. */
export const referredClaim = (reference: Element): string =>
  lower(attributeOf(reference, 'ClaimTypeReferenceId') ?? '');

export const journeySteps = (journey: Element | undefined): Element[] =>
  journey === undefined ? [] : childrenOf(childOf(journey, 'OrchestrationSteps'), 'OrchestrationStep');

/** The technical profiles of a step's exchanges. */
export const profilesOf = (step: Element): string[] =>
  descendantsOf(step, 'ClaimsExchange').map((exchange) => attributeOf(exchange, 'TechnicalProfileReferenceId') ?? '');
