/** The desk: management API, schedule and queue consumer. */
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Attempt, Probe } from '../attempts/attempt.ts';
import { consume } from './consume/consume.ts';
import { writeDirectly } from './consume/write-directly.ts';
import type { DeskEnv } from './env.ts';
import { managementApi } from './management-api.ts';
import { runSchedule } from './schedule.ts';

/** The gate calls it when its queue refuses a message. */
export class Recorder extends WorkerEntrypoint<DeskEnv> {
  /** False when the database refuses the message. Rejects when the database does not answer. */
  record(message: Attempt | Probe): Promise<boolean> {
    return writeDirectly(this.env, message);
  }
}

export default {
  fetch: (request, env, ctx) => managementApi.fetch(request, env, ctx),
  queue: (batch, env) => consume(batch, env),
  scheduled: (controller, env) => runSchedule(env, controller.scheduledTime),
} satisfies ExportedHandler<DeskEnv>;
