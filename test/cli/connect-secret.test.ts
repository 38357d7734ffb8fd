/** `npm run connect -- secret`: what it prints is what the Workers read. */
import { describe, expect, it } from 'vitest';
import { readBasicLines } from '../../src/callers/basic.ts';
import { readSecretLines } from '../../src/callers/secret-lines.ts';
import { SECRET_KINDS } from '../../src/cli/connect/secret-command.ts';
import { refused, run } from '../support/command.ts';

/** The line that the command prints for a setting. */
const lineIn = (stdout: string) => /^[\w.-]+:[\w-]{43}$/m.exec(stdout)?.[0] ?? '';

describe('a new credential', () => {
  it.each(SECRET_KINDS)('of the kind %s is a line that its Worker reads, without a warning', async (kind) => {
    const { code, stdout, stderr } = await run('connect', ['secret', '--kind', kind]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const line = lineIn(stdout);
    const [name = '', secret = ''] = line.split(':');
    expect(readSecretLines(`old:${'x'.repeat(20)}\n${line}`)).toMatchObject({ faulty: [], weak: [], joined: [] });
    expect(readBasicLines(line).credentials.map((one) => one.name)).toEqual([name]);
    expect(encodeURIComponent(secret)).toBe(secret);
    const setting = /^The line of (\w+), a secret of the (gate|desk):$/m.exec(stdout);
    expect(stdout).toContain(
      `npx wrangler secret put ${setting?.[1]}${setting?.[2] === 'desk' ? ' -c src/desk/wrangler.toml' : ''} < lines.txt`,
    );
    if (setting?.[2] === 'gate') expect(stdout).toContain('/reports/callers');
  });

  it('is another one each time, under another name', async () => {
    const lines = await Promise.all(
      Array.from({ length: 20 }, async () => lineIn((await run('connect', ['secret'])).stdout)),
    );
    for (const part of [0, 1]) expect(new Set(lines.map((line) => line.split(':')[part])).size).toBe(20);
  });

  it.each([
    [['--kind', 'pin'], /Allowed choices are basic, key, token, reports, admin/],
    [['--name', 'a:b'], /^--name a:b cannot be the name of a credential/],
    [['--name', ''], /cannot be the name/],
  ])('with %j is refused before one is made', async (options, message) => {
    expect(await run('connect', ['secret', ...options])).toMatchObject({ ...refused(2, message), stdout: '' });
  });

  it('has the name that --name gives', async () => {
    const { stdout } = await run('connect', ['secret', '--name', 'b2c-2026a']);
    expect(stdout).toMatch(/^user name {2}b2c-2026a\npassword {3}[\w-]{43}$/m);
    expect(lineIn(stdout)).toMatch(/^b2c-2026a:/);
  });
});
