/** What the gate uploads: small, quick to start, and without what only the desk needs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';

const ROOT = join(import.meta.dirname, '..', '..');
const MAX_GZIP_BYTES = 76 * 1024;
/** Parts of the desk: a database, schemas, CEL, pages. */
const DESK_ONLY = [
  'drizzle-orm',
  '@neondatabase',
  'zod',
  'cel-js',
  '@bufbuild/cel',
  'protobuf',
  'papaparse',
  'hono/dist/jsx',
];

let folder = '';
let code = '';
let inputs: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-bundle-'));
  const wrangler = join(ROOT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  const options = ['deploy', '--dry-run', '--metafile', '--outdir', folder, '-c', join(ROOT, 'wrangler.toml')];
  execFileSync(process.execPath, [wrangler, ...options], { stdio: 'ignore' });
  code = readFileSync(join(folder, 'index.js'), 'utf8');
  inputs = Object.keys(JSON.parse(readFileSync(join(folder, 'bundle-meta.json'), 'utf8')).inputs);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the gate’s bundle', () => {
  it('the gate has at most 76 KiB after gzip, and only ASCII, which V8 stores in one byte a character', () => {
    expect(gzipSync(code).byteLength).toBeLessThanOrEqual(MAX_GZIP_BYTES);
    expect(/[^\n\r\t -~]/.exec(code)?.[0]).toBeUndefined();
  });

  it('the gate contains no library that only the desk needs', () => {
    expect(inputs.length).toBeGreaterThan(20);
    expect(inputs.filter((input) => DESK_ONLY.some((part) => input.includes(part)))).toEqual([]);
  });

  it('the gate starts without Intl, which costs an isolate milliseconds', () => {
    const script = `
      for (const name of ['toLocaleString', 'toLocaleUpperCase', 'localeCompare', 'normalize'])
        for (const type of [String, Number, Date]) type.prototype[name] = () => { throw new Error(name); };
      Object.defineProperty(globalThis, 'Intl', { get() { throw new Error('Intl'); } });
      const gate = await import(${JSON.stringify(join(folder, 'index.js'))});
      if (typeof gate.default.fetch !== 'function') throw new Error('no gate');`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' });
  });
});

describe('the configurations of gate and desk', () => {
  const gate = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') });
  const desk = unstable_readConfig({ config: join(ROOT, 'src', 'desk', 'wrangler.toml') });

  it('both Workers have the same value for every shared setting, the same namespace and the same queue', () => {
    const shared = Object.keys(gate.vars).filter((name) => name in desk.vars);
    expect(shared.length).toBeGreaterThan(5);
    const of = (vars: Record<string, unknown>) => Object.fromEntries(shared.map((name) => [name, vars[name]]));
    expect(of(gate.vars)).toEqual(of(desk.vars));
    expect(gate.kv_namespaces).toEqual(desk.kv_namespaces);
    const ofAttempts = ({ queues }: typeof gate) =>
      queues.producers?.filter((one: { binding: string }) => one.binding === 'ATTEMPTS');
    expect(ofAttempts(gate)).toHaveLength(1);
    expect(ofAttempts(gate)).toEqual(ofAttempts(desk));
    expect(gate.compatibility_date).toBe(desk.compatibility_date);
  });

  it('the gate has no secret of the database or of people, and the desk has none of B2C', () => {
    expect(gate.secrets?.required).toEqual(['SUPPORT_CODE_KEY', 'EMAIL_KEY', 'CONNECTOR_BASIC']);
    expect(desk.secrets?.required).toEqual([
      'DATABASE_URL',
      'SUPPORT_CODE_KEY',
      'EMAIL_KEY',
      'REPORTS_BASIC',
      'ADMIN_BASIC',
    ]);
  });

  it('the desk has no address of its own', () => {
    expect([desk.workers_dev, desk.preview_urls, desk.routes, desk.route]).toEqual([
      false,
      false,
      undefined,
      undefined,
    ]);
  });
});
