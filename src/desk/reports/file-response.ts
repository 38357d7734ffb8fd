/** A report as a file: its headers, its name, and a body that is read from the database page by page. */
import type { Context } from 'hono';
import { errorFields, log } from '../../platform/log.ts';
import type { AppEnv } from '../http/context.ts';
import type { Position } from '../http/cursor.ts';
import type { Place } from './csv.ts';

export const positionOf = (place: Place | undefined): Position | undefined =>
  place && { id: place.id, occurredAt: new Date(place.occurredAt), from: undefined };

export const incomplete = (c: Context<AppEnv>) => (error: unknown) =>
  log('file-incomplete', { requestId: c.get('requestId'), error: errorFields(error).error });

export function periodName(from: Date | undefined, to: Date | undefined, now: number): string {
  const day = (instant: Date) => instant.toISOString().slice(0, 10);
  return `${from ? day(from) : 'all'}-to-${day(to ?? new Date(now))}`;
}

/** Waits for the first piece before the response begins, so that an unavailable database is still a 503. */
export async function fileOf(c: Context<AppEnv>, pieces: AsyncGenerator<string, void, undefined>, name: string) {
  const first = await pieces.next();
  return c.body(streamOf(first.value ?? '', pieces), 200, fileHeaders(name));
}

export const fileHeaders = (name: string) => ({
  'Content-Type': 'text/csv; charset=utf-8; header=present',
  'Content-Disposition': `attachment; filename="gatehouse-${name}.csv"`,
});

/** Reads pieces on demand, and stops when the client disconnects. */
function streamOf(first: string, rest: AsyncGenerator<string, void, undefined>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start: (controller) => controller.enqueue(encoder.encode(first)),
    pull: async (controller) => {
      const piece = await rest.next();
      if (piece.done) controller.close();
      else controller.enqueue(encoder.encode(piece.value));
    },
    cancel: async () => {
      await rest.return();
    },
  });
}
