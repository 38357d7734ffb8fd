/** Recognises the hosts of this machine. */

/** As in a URL, and without brackets. */
const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

export const isLoopback = (host: string): boolean => LOOPBACK_HOSTS.has(host);
