/** A progress bar on a terminal; nothing elsewhere. */
import { SingleBar } from 'cli-progress';

/** `format` is a format of cli-progress. */
export function progressBar(format: string, total: number) {
  const bar = process.stderr.isTTY ? new SingleBar({ format, hideCursor: true }) : undefined;
  bar?.start(total, 0);
  return { update: (value: number) => bar?.update(value), stop: () => bar?.stop() };
}
