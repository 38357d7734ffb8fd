/** The whole journey under a name of its own, so that no step of the base is replaced. */
import type { Element } from '@xmldom/xmldom';
import type { PlannedCall } from './gatehouse-calls.ts';
import type { JourneyParts } from './journey-parts.ts';
import { TOKEN_PROFILE } from './rest-profiles.ts';
import { childOf, copyOf, element, type Part } from './xml.ts';

/** A copy of a journey with calls before its first and before its last step, and with orders of its own. */
export function ownJourney(
  { journey, steps, ending }: JourneyParts,
  id: string,
  isBearer: boolean,
  first: readonly PlannedCall[],
  last: readonly PlannedCall[],
): Part {
  // A token is valid for an hour, and a page can be open for longer.
  const callSteps = (calls: readonly PlannedCall[], fetchId: string) => [
    ...(isBearer && calls.length > 0 ? [exchangeStep(fetchId, TOKEN_PROFILE)] : []),
    ...calls.map(({ profile }) => exchangeStep(`${profile}-Exchange`, profile)),
  ];
  const all: readonly (Part | Element)[] = [
    ...callSteps(first, `${TOKEN_PROFILE}-First`),
    ...steps,
    ...callSteps(last, `${TOKEN_PROFILE}-Last`),
    ...ending,
  ];
  return copyOf(journey, (copy) => {
    copy.setAttribute('Id', id);
    const container = childOf(copy, 'OrchestrationSteps');
    const { ownerDocument: document } = copy;
    if (container === undefined || document === null) return;
    // Their comments may count the steps of the base.
    for (const node of [...container.childNodes]) container.removeChild(node);
    all.forEach((step, index) => {
      const made = (typeof step === 'function' ? step : copyOf(step))(document) as Element;
      made.setAttribute('Order', `${index + 1}`);
      container.appendChild(made);
    });
  });
}

const exchangeStep = (id: string, profile: string): Part =>
  element(
    'OrchestrationStep',
    { Order: '0', Type: 'ClaimsExchange' },
    element('ClaimsExchanges', {}, element('ClaimsExchange', { Id: id, TechnicalProfileReferenceId: profile })),
  );
