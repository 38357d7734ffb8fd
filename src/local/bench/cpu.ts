/** CPU that another process has used, from Linux' own accounts. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * User and system time of all living threads of `pid`, in milliseconds. From schedstat, which counts nanoseconds:
 * `/proc/<pid>/stat` counts ticks of 10 ms, too coarse for a start. workerd keeps its threads until it ends, so that none is missing.
 */
export function cpuMs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'))
    .map((text) => Number(text.split(' ', 1)[0]));
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6;
}

/** Why CPU cannot be measured here, undefined when it can. */
export function noCpuFigures(): string | undefined {
  try {
    return cpuMs(process.pid) > 0 ? undefined : 'this kernel does not count the CPU of threads (schedstat)';
  } catch {
    return 'there is no /proc/<pid>/task/<thread>/schedstat here: run the bench on Linux';
  }
}
