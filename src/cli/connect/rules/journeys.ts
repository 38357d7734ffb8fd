/** Rules of journeys: the order of steps, and of claims in them. */
import type { Element } from '@xmldom/xmldom';
import { journeySteps, type PolicyChain, profilesOf, referredClaim } from '../policy-chain.ts';
import { attributeOf, childOf, childrenOf, descendantsOf, textIn } from '../xml.ts';
import { generatedFiles, inGenerated, ownId, restProfileIds } from './generated-files.ts';

/** The claims that must have come from an earlier step. */
const openInputs = (chain: PolicyChain, profile: string) =>
  chain.claimsOf(profile, 'InputClaims').filter((claim) => attributeOf(claim, 'DefaultValue') === undefined);

export function earlyInputs(chain: PolicyChain, journey: Element): string[] {
  const steps = chain.stepsIn(journeySteps(journey));
  const rest = new Set(restProfileIds(chain));
  return steps.flatMap((step, index) => {
    const before = chain.outputsOf(steps.slice(0, index));
    return profilesOf(step).flatMap((profile) => {
      const missing = (called: string, available: ReadonlySet<string>) =>
        rest.has(called)
          ? openInputs(chain, called)
              .filter((claim) => !available.has(referredClaim(claim)))
              .map(
                (claim) =>
                  `A step of the journey ${ownId(journey)} sends ${attributeOf(claim, 'ClaimTypeReferenceId')} ` +
                  `with ${called}, and no step before it outputs the claim. Output it in an earlier step, or remove the ` +
                  'input from the exchange.',
              )
          : [];
      const atPage = new Set([...before, ...chain.outputClaims(profile)]);
      const validations = chain
        .itemsOf(profile, 'ValidationTechnicalProfiles')
        .map((validation) => attributeOf(validation, 'ReferenceId') ?? '');
      return [
        ...missing(profile, before),
        ...validations.flatMap((called, position) => {
          const outputs = validations.slice(0, position).flatMap((earlier) => chain.outputClaims(earlier));
          return missing(called, new Set([...atPage, ...outputs]));
        }),
      ];
    });
  });
}

export function tokenClaims(chain: PolicyChain): string[] {
  return generatedFiles(chain).flatMap(({ root }) => {
    const party = childOf(root, 'RelyingParty');
    if (party === undefined) return [];
    const id = attributeOf(childOf(party, 'DefaultUserJourney') ?? party, 'ReferenceId') ?? '';
    const available = chain.outputsOf(chain.journeys(id).flatMap(journeySteps));
    return childrenOf(childOf(childOf(party, 'TechnicalProfile'), 'OutputClaims'))
      .filter((claim) => attributeOf(claim, 'DefaultValue') === undefined && !available.has(referredClaim(claim)))
      .map(
        (claim) =>
          `The token has ${attributeOf(claim, 'ClaimTypeReferenceId')}, which no step of the journey ${id} outputs. ` +
          'Output it in a step, or remove it from the relying party.',
      );
  });
}

export function severalExchanges(journey: Element): string[] {
  const steps = journeySteps(journey);
  return steps.flatMap((step, index) => {
    const exchanges = descendantsOf(step, 'ClaimsExchange').length;
    const before = steps[index - 1];
    const isChosen = [before, step].some(
      (other) => other !== undefined && descendantsOf(other, 'ClaimsProviderSelection').length > 0,
    );
    return exchanges > 1 && !isChosen
      ? [
          `Step ${index + 1} of the journey ${ownId(journey)} has ${exchanges} exchanges, and no selection precedes it. Write one step for each.`,
        ]
      : [];
  });
}

export function stepOrders(journey: Element): string[] {
  const steps = journeySteps(journey);
  const wrong = steps.findIndex((step, index) => attributeOf(step, 'Order') !== `${index + 1}`);
  const sends = steps.findIndex((step) => attributeOf(step, 'Type') === 'SendClaims');
  return [
    ...(wrong === -1
      ? []
      : [
          `Step ${wrong + 1} of the journey ${ownId(journey)} has another order. Number the steps from 1 without a gap.`,
        ]),
    ...(sends !== -1 && sends === steps.length - 1
      ? []
      : [
          `The last step of the journey ${ownId(journey)} does not send the claims, or an earlier one does. End it with one step of the type SendClaims.`,
        ]),
  ];
}

export const comparedBooleans = (chain: PolicyChain): string[] =>
  inGenerated(chain, 'Precondition')
    .filter((precondition) => attributeOf(precondition, 'Type') === 'ClaimEquals')
    .flatMap((precondition) => {
      const [claim = '', value = ''] = childrenOf(precondition, 'Value').map(textIn);
      return chain.dataTypeOf(claim) === 'boolean' && value !== 'True' && value !== 'False'
        ? [`A precondition compares the boolean ${claim} with ${value}. Write True or False.`]
        : [];
    });
