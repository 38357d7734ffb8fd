/** A progress bar, where there is a terminal to show one. */
import { SingleBar } from 'cli-progress';

/** `format` in cli-progress' words. */
export function progressBar(format: string, total: number) {
  const bar = process.stderr.isTTY ? new SingleBar({ format, hideCursor: true }) : undefined;
  bar?.start(total, 0);
  return { update: (value: number) => bar?.update(value), stop: () => bar?.stop() };
}
