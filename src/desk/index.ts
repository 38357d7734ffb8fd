/** The desk: what people and the schedule use, and the consumer of the queue. */
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Attempt } from '../attempts/attempt.ts';
import { consume } from './consume/consume.ts';
import { writeDirectly } from './consume/write-directly.ts';
import type { DeskEnv } from './env.ts';
import { managementApi } from './management-api.ts';
import { runSchedule } from './schedule.ts';

/** What the gate calls when its queue refuses an attempt. */
export class Recorder extends WorkerEntrypoint<DeskEnv> {
  /** False when the database refuses the attempt; rejects when it is away. */
  record(attempt: Attempt): Promise<boolean> {
    return writeDirectly(this.env, attempt);
  }
}

export default {
  fetch: (request, env, ctx) => managementApi.fetch(request, env, ctx),
  queue: (batch, env) => consume(batch, env),
  scheduled: (controller, env) => runSchedule(env, controller.scheduledTime),
} satisfies ExportedHandler<DeskEnv>;
