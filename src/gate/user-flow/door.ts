/** Implements the channel of B2C's user flows. */
import { type FrontDoor, stepOf } from '../answer.ts';
import { recorded } from './recorded.ts';
import { replyTo } from './reply.ts';
import { parse, type UserFlowCall, understand } from './request.ts';

export const userFlowDoor: FrontDoor<UserFlowCall> = {
  parse,
  understand,
  reply: ({ decision, reached }) => replyTo(decision, stepOf(reached)),
  recorded,
};
