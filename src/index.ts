import { app } from './app.ts';

export default {
  fetch: app.fetch,
  queue: async (batch, env) => (await import('./attempts/consume.ts')).consume(batch, env),
  scheduled: async (controller, env) => (await import('./cron.ts')).runSchedule(env, controller.scheduledTime),
} satisfies ExportedHandler<Env>;
