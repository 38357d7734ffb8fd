/** The part of an attempt that is specific to user flows. */
import type { Reached } from '../answer.ts';
import type { ChannelPart } from '../compose-attempt.ts';

export function recorded({ event, urlStep }: Reached): ChannelPart {
  const notes: string[] = [];
  if (event?.urlStep !== undefined)
    notes.push(`the URL names the step ${event.urlStep}, the body ${event.step}: the step of the body is used`);
  if (event?.step !== undefined && event.unknownStep !== '')
    notes.push('the body names an unknown step: the step of the URL is used');
  return {
    channel: 'user-flow',
    step: event?.step ?? (event === undefined ? (urlStep ?? '') : event.unknownStep),
    urlStep: event?.urlStep ?? '',
    // B2C documents no correlation id in a connector's call (contract 0.3).
    correlationId: '',
    policyId: '',
    ipNetwork: '',
    notes,
  };
}
