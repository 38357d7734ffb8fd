/** Reduces an IP address to its network, which identifies no household. */

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::\d{1,5})?$/;
const IPV6 = /^\[?([0-9a-f:.]{2,45})(?:%[0-9a-z]+)?\]?(?::\d{1,5})?$/i;

/** The /24 of an IPv4 address or the /48 of an IPv6 address, such as `203.0.113.0/24`; `''` for another text. */
export function networkOf(address: string): string {
  const text = address.trim();
  const four = IPV4.exec(text);
  if (four !== null) return ofFour(four.slice(1, 5).map(Number));
  const six = IPV6.exec(text)?.[1];
  const groups = six === undefined || !six.includes(':') ? undefined : groupsOf(six);
  if (groups === undefined) return '';
  // An IPv4 address in an IPv6 form (RFC 4291, 2.5.5.2).
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return ofFour(groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]));
  const prefix = groups.slice(0, 3).map((group) => group.toString(16));
  return `${prefix.join(':')}::/48`;
}

const ofFour = (parts: readonly number[]): string =>
  parts.every((part) => part <= 255) ? `${parts.slice(0, 3).join('.')}.0/24` : '';

/** The eight groups of an IPv6 address; undefined when it is none. The runtime's URL parser knows every form. */
function groupsOf(address: string): number[] | undefined {
  let host: string;
  try {
    host = new URL(`http://[${address}]/`).hostname;
  } catch {
    return undefined;
  }
  const [before = '', after] = host.slice(1, -1).split('::');
  const read = (part: string) =>
    part
      .split(':')
      .filter((group) => group !== '')
      .map((group) => Number.parseInt(group, 16));
  const [first, last] = [read(before), read(after ?? '')];
  const zeros = after === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array<number>(zeros).fill(0), ...last];
}
