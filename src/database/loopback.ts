/** Which hosts are this machine itself. */

/** As they stand in a URL, and without brackets. */
const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

export const isLoopback = (host: string): boolean => LOOPBACK_HOSTS.has(host);
