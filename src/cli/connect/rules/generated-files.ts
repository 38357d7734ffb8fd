/** The files of a chain that this command made, and what they declare. */
import type { Element } from '@xmldom/xmldom';
import type { PolicyChain } from '../policy-chain.ts';
import { attributeOf, descendantsOf } from '../xml.ts';

export const generatedFiles = ({ files }: PolicyChain) => files.filter((file) => file.generated);

export const inGenerated = (chain: PolicyChain, name: string): Element[] =>
  generatedFiles(chain).flatMap(({ root }) => descendantsOf(root, name));

export const ownId = (element: Element) => attributeOf(element, 'Id') ?? '';
export const generatedJourneys = (chain: PolicyChain) => inGenerated(chain, 'UserJourney');

/** The ids of the RESTful technical profiles that the generated files declare. */
export const restProfileIds = (chain: PolicyChain): string[] =>
  inGenerated(chain, 'TechnicalProfile')
    .map(ownId)
    .filter((id) => chain.handlerOf(id).includes('RestfulProvider'));
