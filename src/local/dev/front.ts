/** Forwards requests to the gate and the schedule to the desk. */
interface FrontEnv {
  readonly GATE: Fetcher;
  readonly DESK: Fetcher & { scheduled(event: { scheduledTime: Date; cron: string }): Promise<unknown> };
}

export default {
  fetch: (request: Request, env: FrontEnv) => env.GATE.fetch(request),
  scheduled: async (controller: ScheduledController, env: FrontEnv) => {
    await env.DESK.scheduled({ scheduledTime: new Date(controller.scheduledTime), cron: controller.cron });
  },
};
