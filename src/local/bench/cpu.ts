/** The CPU time of another process, from Linux's accounting. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * User and system time of all living threads of `pid`, in milliseconds. schedstat counts nanoseconds. The ticks of
 * 10 ms in `/proc/<pid>/stat` are too coarse for a start. workerd never ends a thread early, so no time is missing.
 */
export function cpuMs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'))
    .map((text) => Number(text.split(' ', 1)[0]));
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6;
}

/** Returns why CPU cannot be measured here, undefined when it can. */
export function noCpuFigures(): string | undefined {
  try {
    return cpuMs(process.pid) > 0 ? undefined : 'this kernel does not count the CPU of threads (schedstat)';
  } catch {
    return '/proc/<pid>/task/<thread>/schedstat is missing. Run the bench on Linux';
  }
}
