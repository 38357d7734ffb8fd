/** Windows language ids, which `{Culture:LCID}` sends (contract 4.5). */
import lcid from 'lcid';

/** `1033` as `en-US`; a text that is no such id unchanged. */
export const tagOfLcid = (text: string): string =>
  /^\d{1,5}$/.test(text) ? (lcid.from(Number(text))?.replaceAll('_', '-') ?? text) : text;
