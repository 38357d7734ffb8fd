/** What is uploaded: the minified bundle, raw and as Cloudflare counts it, after gzip. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { against, type Finding } from './finding.ts';

/** The design's, section 11: with the policy engine. */
const MOST_GZIP_KIB = 200;

export function measureBundle(path: string): Finding[] {
  const bytes = readFileSync(path);
  const gzipKib = gzipSync(bytes).byteLength / 1_024;
  const raw = `${(bytes.byteLength / 1_024).toFixed(1)} KiB raw`;
  return [against('bundle, minified, gzip', gzipKib, MOST_GZIP_KIB, 'KiB', `${gzipKib.toFixed(1)} KiB (${raw})`)];
}
