/** Implements the channel of B2C's custom policies. */
import { nameList } from '../../platform/name-list.ts';
import { exchangeKey } from '../../policy/exchange.ts';
import type { FrontDoor, Reached } from '../answer.ts';
import type { ChannelPart } from '../compose-attempt.ts';
import { replyTo } from './reply.ts';
import { type ExchangeCall, type ExchangeEvent, parse, understand } from './request.ts';

export const customPolicyDoor: FrontDoor<ExchangeCall> = {
  parse,
  understand,
  reply: (ended) => replyTo(ended, exchangeOf(ended.reached)),
  recorded,
};

const exchangeOf = ({ inForce, urlStep = '' }: Reached) => inForce?.policy?.exchanges.get(exchangeKey(urlStep));

/** The part of an attempt that is specific to custom policies. */
function recorded({ event, urlStep = '' }: Reached): ChannelPart {
  const notes: string[] = [];
  if (!isOfExchange(event))
    return {
      channel: 'custom-policy',
      step: urlStep,
      urlStep: '',
      correlationId: '',
      policyId: '',
      ipNetwork: '',
      notes,
    };
  const { inputs, correlationId, policyId, ipNetwork } = event;
  if (inputs.unresolved.length > 0)
    notes.push(
      `claim resolvers that B2C did not resolve, so their claims are absent: ${nameList(inputs.unresolved)}. ` +
        'Set IncludeClaimResolvingInClaimsHandling and AlwaysUseDefaultValue in the policy.',
    );
  if (inputs.unread.length > 0) notes.push(`members that no input of the exchange reads: ${nameList(inputs.unread)}`);
  return { channel: 'custom-policy', step: event.step ?? '', urlStep: '', correlationId, policyId, ipNetwork, notes };
}

const isOfExchange = (event: Reached['event']): event is ExchangeEvent => event?.channel === 'custom-policy';
