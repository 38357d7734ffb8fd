import { app } from './app.ts';

export default {
  fetch: app.fetch,
  queue: async (batch, env) => (await import('./attempts/consume.ts')).consume(batch, env),
  scheduled: async (controller, env) => (await import('./summaries/schedule.ts')).tick(env, controller.scheduledTime),
} satisfies ExportedHandler<Env>;
