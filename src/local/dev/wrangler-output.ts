/**
 * Output of `wrangler dev`. A start prints notes that do not apply here, and the requests that prepare it: those are
 * held.
 */
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** The Worker's own log lines are JSON. */
const isOurs = (line: string): boolean => line.startsWith('{');
/** Wrangler prints a request after its reply. */
const PRINTED_WITHIN_MS = 2_000;

export class WranglerOutput {
  #held: string | undefined = '';
  readonly #write: (text: string) => unknown;

  constructor(write: (text: string) => unknown) {
    this.#write = write;
  }

  /** Reads a stream of the process. */
  follow(stream: Readable): void {
    stream.setEncoding('utf8').on('data', (text: string) => {
      if (this.#held === undefined) this.#write(text);
      else this.#held += text;
    });
  }

  /** Gatehouse runs: prints the Worker's log lines so far, and everything after the line of the request `last`. */
  async releaseAfter(last: string): Promise<void> {
    for (const end = Date.now() + PRINTED_WITHIN_MS; Date.now() < end && !this.#held?.includes(last); ) await pause(20);
    this.#print(isOurs);
  }

  /** The start failed: prints everything, which says why. */
  releaseAll(): void {
    this.#print(() => true);
  }

  #print(isWanted: (line: string) => boolean): void {
    const lines = (this.#held ?? '').split('\n').filter(isWanted).join('\n').trimEnd();
    this.#held = undefined;
    if (lines !== '') this.#write(`${lines}\n`);
  }
}
